"""Has the inside of files searched for contact information by another process."""

import asyncio
import contextlib
import json
import os
from typing import BinaryIO, Final

from services.chat.attachments import reading
from services.chat.attachments.confined import Confined
from services.chat.domain import Found

# A document of 300 pages takes a few.
_SECONDS: Final = 30
# Each takes as much of the disk as the largest upload.
_MOST_AT_HAND: Final = 8


class Unreadable(Exception):  # noqa: N818 - tells of the file
    """Encrypted, damaged, or made to hurt whoever reads it."""


class Contents:
    """Searches one file at a time."""

    def __init__(self) -> None:
        self._reading = Confined(reading.__name__, seconds=_SECONDS)
        self._nudge = asyncio.Event()
        self._at_hand: dict[str, BinaryIO] = {}

    def nudge(self, attachment_id: str, file: BinaryIO) -> None:
        """Say that there is a file to search: what is at hand need not be fetched. The caller may close it."""
        if len(self._at_hand) < _MOST_AT_HAND:
            file.flush()
            self._at_hand[attachment_id] = os.fdopen(os.dup(file.fileno()), "rb")
        self._nudge.set()

    def take(self, attachment_id: str) -> BinaryIO | None:
        """Give a file that is still at hand; the caller closes it."""
        return self._at_hand.pop(attachment_id, None)

    def put_away(self) -> None:
        """Let go of what is at hand: nothing waits any more, or others have searched it."""
        while self._at_hand:
            self._at_hand.popitem()[1].close()

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
        self.put_away()
        await self._reading.close()
