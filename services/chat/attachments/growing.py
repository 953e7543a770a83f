"""A file on disk that is read while it is still being written."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

_PIECE: Final = 512 * 1024


class Growing:
    """What is there of a file that will have `size` bytes; of the last one it tells only once that is let go.

    So whoever takes in what comes out of it has nothing whole before.
    """

    def __init__(self, file: BinaryIO, *, size: int) -> None:
        self.size = size
        self._file = file
        self._told = 0
        self._more = asyncio.Event()

    def grow(self, size: int) -> None:
        """Say how much is on disk."""
        self._tell(min(size, self.size - 1))

    def let_go(self) -> None:
        """Say that all of it is on disk, and may be taken for whole."""
        self._tell(self.size)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read it to its end, wherever others read and write meanwhile."""
        at = 0
        while at < self.size:
            if at < self._told:
                length = min(_PIECE, self._told - at)
                piece = await asyncio.to_thread(os.pread, self._file.fileno(), length, at)
                at += len(piece)
                yield piece
            else:
                self._more.clear()
                await self._more.wait()

    def _tell(self, size: int) -> None:
        self._told = size
        self._more.set()
