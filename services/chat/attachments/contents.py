"""Has the inside of files searched for contact information by another process."""

import asyncio
import contextlib
import json
from typing import BinaryIO, Final

from services.chat.attachments import reading
from services.chat.attachments.confined import Confined
from services.chat.domain import Found

# A document of 300 pages takes a few.
_SECONDS: Final = 30


class Unreadable(Exception):  # noqa: N818 - tells of the file
    """Encrypted, damaged, or made to hurt whoever reads it."""


class Contents:
    """Searches one file at a time."""

    def __init__(self) -> None:
        self._reading = Confined(reading.__name__, seconds=_SECONDS)
        self._nudge = asyncio.Event()

    def nudge(self) -> None:
        """Say that there is a file to search."""
        self._nudge.set()

    async def nudged(self, *, within: float) -> None:
        """Return when there is, or may be after this many seconds: others store files too, and may die."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._nudge.wait(), within)
        self._nudge.clear()

    async def search(self, file: BinaryIO, *, content_type: str, known: tuple[str, ...]) -> tuple[Found, ...]:
        """Tell what there is in a file, but for what is `known` to be harmless.

        Raises:
            Unreadable: nobody can tell.
        """
        question = json.dumps({"content_type": content_type, "known": known}).encode()
        try:
            answered = await self._reading.ask(file, question)
        except OSError as error:
            raise Unreadable(repr(error)) from error
        if not answered:
            raise Unreadable
        return tuple(Found(kind=kind, rule=rule, place=place) for kind, rule, place in json.loads(answered))

    async def close(self) -> None:
        """End the reading process."""
        await self._reading.close()
