"""Has a program of ours handle what strangers wrote: in a process of its own, begun when it is first needed, ended when it is idle, killed when it takes too long."""

import asyncio
import os
import socket
import subprocess
import sys
from typing import BinaryIO, Final

_IDLE_SECONDS: Final = 30
_MOST_BYTES: Final = 1024 * 1024


class Confined:
    """One process; whoever comes while it works waits, so that memory does not grow with what there is to do."""

    def __init__(self, program: str, *, seconds: float) -> None:
        self._program = program
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def ask(self, file: BinaryIO, question: bytes) -> bytes:
        """Hand a file over with a question about it.

        Raises:
            OSError: it took too long, or died of the file.
        """
        async with self._turn:
            if self._idle:
                self._idle.cancel()
            try:
                return await asyncio.to_thread(self._ask, file, question)
            except OSError:
                await asyncio.to_thread(self._end)
                raise
            finally:
                self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._end)

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            if self._idle:
                self._idle.cancel()
            await asyncio.to_thread(self._end)

    def _ask(self, file: BinaryIO, question: bytes) -> bytes:
        file.flush()  # the other process reads from the disk
        connection = self._connection or self._begin()
        socket.send_fds(connection, [question], [file.fileno()])
        length = int.from_bytes(_receive(connection, 4), "big")
        if length > _MOST_BYTES:
            raise ConnectionAbortedError
        return _receive(connection, length)

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(self._seconds)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", self._program, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                # None of our secrets: it handles what strangers wrote.
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._connection = ours
        return ours

    def _end(self) -> None:
        if self._connection:
            self._connection.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None


def _receive(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise ConnectionAbortedError
        data += piece
    return data
