"""The way of an upload's bytes to S3, which leaves nothing unless it comes to its end."""

import asyncio
from types import TracebackType
from typing import BinaryIO, Self

from services.chat.attachments.growing import Growing
from services.chat.attachments.objects import Objects
from services.chat.domain import Place
from services.chat.store import attachments
from shared.clock import utc_now
from shared.ids import new_id
from shared.mongo import Database


class Storing:
    """Stores one file while its `async with` block runs, and undoes that at the end unless it `is_kept`.

    A row is there before the bytes: it leads the sweeper to what a crash leaves.
    """

    def __init__(self, db: Database, objects: Objects, *, order_id: str) -> None:
        self.is_kept = False
        self._db = db
        self._objects = objects
        self._order_id = order_id
        self._place: Place | None = None
        self._growing: Growing
        self._put: asyncio.Task[None]
        self._is_let_go = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.is_kept:
            # Also when the client is gone. What this cannot do any more, the sweeper does.
            await asyncio.shield(self._undo())

    async def begin(self, growing: Growing) -> Place:
        """Have what is there of a file stored while the rest arrives."""
        place = Place(id=new_id(), order_id=self._order_id)
        # The present time, as a slow client may have taken longer than the row lives.
        await attachments.insert_place(self._db, place, now=utc_now())
        self._place, self._growing = place, growing
        self._put = asyncio.create_task(self._objects.put(place.key, growing.pieces(), size=growing.size))
        return place

    async def end(self, file: BinaryIO, *, size: int, is_as_it_came: bool) -> Place:
        """Have a file stored whole: with what has begun, if the file has become what it seemed then.

        Raises:
            StorageUnavailable: it may or may not be there.
        """
        place = self._place
        # One that is done before its last byte has failed.
        if place is None or not is_as_it_came or size != self._growing.size or self._put.done():
            await self._undo()
            place = await self.begin(Growing(file, size=size))
        self._is_let_go = True
        self._growing.let_go()
        await self._put
        return place

    async def _undo(self) -> None:
        place, self._place = self._place, None
        if place is None:
            return
        self._put.cancel()
        await asyncio.gather(self._put, return_exceptions=True)
        if await attachments.give_up(self._db, place):
            await remove_bytes(self._objects, place)
            # Of what was let go the storage may still be taking in what it has not acknowledged.
            if not self._is_let_go:
                await attachments.delete_place(self._db, place)


async def remove_bytes(objects: Objects, place: Place) -> None:
    """Remove a file with its thumbnail, whatever of them is there."""
    await objects.delete(place.key)
    await objects.delete(place.thumbnail_key)
