"""Whether the application in this container is ready, as an exit status: the image's health check.

The image has no curl; a fresh Python that imports little is ready in 50 ms.
"""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

if __name__ == "__main__":
    port = int(os.environ["MILLRACE_PORT"])  # noqa: TID251 - an entry point, as a main.py is
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
    except (OSError, HTTPException) as error:
        sys.exit(f"no answer: {error}")
    body = answer.read().decode()  # names the part that does not answer; `docker inspect` shows it
    print(body)
    sys.exit(answer.status != HTTPStatus.OK)
