"""Has thumbnails drawn by another process, begun when it is first needed and ended when it is idle."""

import asyncio
import os
import socket
import subprocess
import sys
from typing import BinaryIO, Final

import structlog

from services.chat.attachments import drawing, kinds
from services.chat.attachments.kinds import Kind

log = structlog.get_logger(__name__)

_SECONDS: Final = 10
_IDLE_SECONDS: Final = 30
_MOST_BYTES: Final = 1024 * 1024
# A PDF ends with the place of its table; without it a reader has to guess, slowly.
_PDF_END: Final = b"startxref"
_PDF_TAIL: Final = 2048


class Thumbnails:
    """One drawing process; whoever comes while it draws waits, so that memory does not grow with uploads."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def draw(self, file: BinaryIO, *, kind: Kind) -> bytes | None:
        """Draw a file as WebP, or tell that it cannot be drawn."""
        if not kind.is_picture and not (kind is kinds.PDF and _has_pdf_end(file)):
            return None
        async with self._turn:
            if self._idle:
                self._idle.cancel()
            try:
                return await asyncio.to_thread(self._ask, file, kind) or None
            except OSError as error:  # it took too long, or died of the file
                log.warning("no thumbnail", content_type=kind.content_type, cause=repr(error))
                await asyncio.to_thread(self._end)
                return None
            finally:
                self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._end)

    async def close(self) -> None:
        """End the drawing process."""
        async with self._turn:
            if self._idle:
                self._idle.cancel()
            await asyncio.to_thread(self._end)

    def _ask(self, file: BinaryIO, kind: Kind) -> bytes:
        file.flush()  # the other process reads from the disk
        connection = self._connection or self._begin()
        socket.send_fds(connection, [kind.content_type.encode()], [file.fileno()])
        length = int.from_bytes(_receive(connection, 4), "big")
        if length > _MOST_BYTES:
            raise ConnectionAbortedError
        return _receive(connection, length)

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(_SECONDS)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", drawing.__name__, str(theirs.fileno())],
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


def _has_pdf_end(file: BinaryIO) -> bool:
    length = file.seek(0, 2)
    file.seek(max(0, length - _PDF_TAIL))
    return _PDF_END in file.read()
