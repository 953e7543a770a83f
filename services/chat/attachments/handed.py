"""The confined side of `confined`: takes open files over a Unix socket, one at a time, and answers each."""

import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import IO, Final

# Above what the decoders need for the largest picture that may be uploaded, far below what hurts the machine.
_MEMORY: Final = 1536 * 1024 * 1024
_LONGEST_QUESTION: Final = 64 * 1024


def serve(answer: Callable[[IO[bytes], bytes], bytes]) -> None:
    """Answer what comes until the other end closes; nothing, where a broken file lets the answer fail."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    connection = socket.socket(fileno=int(sys.argv[1]))
    while True:
        question, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_QUESTION, 1)
        if not descriptors:
            return
        with os.fdopen(descriptors[0], "rb") as file:
            try:
                answered = answer(file, question)
            except Exception:  # noqa: BLE001 - whatever a broken file does
                answered = b""
        connection.sendall(len(answered).to_bytes(4, "big") + answered)
