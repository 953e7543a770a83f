"""The environment of a suite that stands on the session's parts, apart from every other suite."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from deploy import ports
from deploy.parts import Parts


def keep_to_own_ports() -> None:
    """Leave each worker its ports: one that is free when it is chosen may be another worker's seconds later."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports.CANDIDATES = ports.CANDIDATES[worker::count]


def settings_of(parts: Parts, *, name: str, amqp_url: str) -> dict[str, str]:
    """Write the settings; two suites on one virtual host would take each other's events."""
    own = f"{name}{os.getpid()}"
    return dict(os.environ) | {
        "MILLRACE_MONGO_URL": parts.mongo_url,
        "MILLRACE_AMQP_URL": amqp_url,
        "MILLRACE_S3_ENDPOINT": parts.s3.endpoint,
        "MILLRACE_S3_ACCESS_KEY": parts.s3.access_key,
        "MILLRACE_S3_SECRET_KEY": parts.s3.secret_key,
        "MILLRACE_MONGO_DB_PREFIX": f"{own}_",
        "MILLRACE_S3_BUCKET": own,
        "MILLRACE_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    }


@contextmanager
def hanging(pid: int) -> Iterator[None]:
    """Let a process do nothing, its connections open."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
