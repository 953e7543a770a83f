"""Events leave with the commit: each is stored inside the document whose change it tells of.

One write to one document holds the change and its event, so neither exists without the other, and no
multi-document transaction is paid for (decision 0003 has the figures). The process that wrote it
publishes it at once and takes it out of the document again. If that process dies in between, any
instance's sweep finds the document by `outbox_at` after `LEASE` and publishes in its place, so an event
may come twice but never not at all.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from pymongo.errors import PyMongoError

from shared import telemetry
from shared.clock import utc_now
from shared.events.base import Fact, seal
from shared.ids import new_id
from shared.mongo import Database, Document

log = structlog.get_logger(__name__)

# How long the writing process has to publish before another may do it in its place.
LEASE: Final = timedelta(seconds=5)
SWEEP_EVERY: Final = 1.0
# What was published meanwhile is taken out in one write; a crash in between publishes it once more.
TIDY_AFTER: Final = 0.2
# How long a process that ends waits for the broker to take what it has written.
LAST_WORDS: Final = 5.0
BATCH: Final = 200
# Past this many waiting events (the broker is away), they are left to the sweep, which reads them from the database.
MOST_WAITING: Final = 10_000

Publish = Callable[[Iterable[Document]], Awaitable[None]]


@dataclass(frozen=True)
class Sealed:
    """Events ready to be stored with their change."""

    rows: tuple[Document, ...]
    at: datetime

    @property
    def fields(self) -> Document:
        """Give the fields of a new document."""
        return {"outbox": list(self.rows), "outbox_at": self.at} if self.rows else {}

    def into(self, update: Document) -> Document:
        """Add the events to an update; those that wait in the document already stay."""
        if not self.rows:
            return update
        return update | {
            # The oldest event that waits counts, or a document that changes all the time would never be swept.
            "$min": update.get("$min", {}) | {"outbox_at": self.at},
            "$push": update.get("$push", {}) | {"outbox": {"$each": list(self.rows)}},
        }


def sealed(facts: Iterable[Fact], *, now: datetime) -> Sealed:
    """Seal what happened, in the name of the request that is being served."""
    at = utc_now()
    return Sealed(rows=tuple(_row(fact, now=now, at=at) for fact in facts), at=at)


def _row(fact: Fact, *, now: datetime, at: datetime) -> Document:
    cause, parent = telemetry.cause()
    event = seal(fact, event_id=new_id(), now=now, correlation_id=cause, traceparent=parent)
    return {
        "id": event.id,
        "at": at,
        "type": event.type,
        "body": event.model_dump_json(),
        "correlation_id": event.correlationid,
        "traceparent": telemetry.traceparent(),
    }


@dataclass(eq=False, kw_only=True)
class Outbox:
    """Publishes what the documents of some collections hold, as long as `relaying` lasts."""

    db: Database
    collections: tuple[str, ...]
    publish: Publish
    _waiting: asyncio.Queue[tuple[str, Any, tuple[Document, ...]]] = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING)
    )
    _published: list[tuple[str, Any, tuple[Document, ...]]] = field(default_factory=list)
    _tidy: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, collection: str, document_id: Any, events: Sealed) -> None:
        """Publish soon; call it once the write that holds the events has been acknowledged."""
        if events.rows:
            with contextlib.suppress(asyncio.QueueFull):
                self._waiting.put_nowait((collection, document_id, events.rows))

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        """Run the relay; at the end, publish what is still waiting."""
        for collection in self.collections:
            await self.db[collection].create_index("outbox_at", sparse=True, name="outbox_at")
        tasks = [
            asyncio.create_task(work) for work in (self._relay(), self._take_out(), self._sweep_forever())
        ]
        try:
            yield
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._waiting.join(), LAST_WORDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._take_out_published()

    async def _relay(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                await self.publish(row for _, _, rows in batch for row in rows)
            except Exception as error:  # noqa: BLE001 - whatever it is, the sweep tries again
                log.warning("events are left to the sweep", events=len(batch), cause=repr(error))
            else:
                self._published += batch
                self._tidy.set()
            finally:
                for _ in batch:
                    self._waiting.task_done()

    async def _take_out(self) -> None:
        while True:
            await self._tidy.wait()
            await asyncio.sleep(TIDY_AFTER)
            self._tidy.clear()
            await self._take_out_published()

    async def _take_out_published(self) -> None:
        batch, self._published = self._published, []
        for collection in self.collections:
            of_this = [(document_id, rows) for name, document_id, rows in batch if name == collection]
            if of_this:
                try:
                    await self._take_out_of(
                        collection,
                        documents={document_id for document_id, _ in of_this},
                        event_ids=[row["id"] for _, rows in of_this for row in rows],
                    )
                except PyMongoError as error:
                    # The sweep will publish them once more, which consumers bear.
                    log.warning("published events stay in the outbox", events=len(of_this), cause=repr(error))
                except asyncio.CancelledError:  # the process ends, and comes back to them last of all
                    self._published += batch
                    raise

    async def _take_out_of(self, collection: str, *, documents: set[Any], event_ids: list[str]) -> None:
        these = {"_id": {"$in": list(documents)}}
        # Next to nothing beside a pipeline, which only those need that got another event meanwhile.
        another = {"$elemMatch": {"id": {"$nin": event_ids}}}
        done = await self.db[collection].update_many(
            these | {"outbox": {"$not": another}}, {"$unset": {"outbox": "", "outbox_at": ""}}
        )
        if done.matched_count < len(documents):
            await self.db[collection].update_many(
                these | {"outbox.id": {"$in": event_ids}}, _without(event_ids)
            )

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                await self.sweep(now=utc_now())
            except Exception as error:  # noqa: BLE001 - the next sweep may succeed
                log.warning("outbox sweep failed", cause=repr(error))

    async def sweep(self, *, now: datetime) -> int:
        """Publish what its writer left behind; tell how many events that were."""
        count = 0
        for collection in self.collections:
            left_behind = (
                await self.db[collection]
                .find({"outbox_at": {"$lt": now - LEASE}}, {"outbox_at": 1})
                .limit(BATCH)
                .to_list(BATCH)
            )
            published = await asyncio.gather(
                *(self._publish_left_behind(collection, found, now=now) for found in left_behind),
                return_exceptions=True,
            )
            count += sum(events for events in published if isinstance(events, int))
            for failure in published:
                if isinstance(failure, BaseException):
                    raise failure
        return count

    async def _publish_left_behind(self, collection: str, found: Document, *, now: datetime) -> int:
        # Whoever moves the time on holds the lease: two sweeps do not publish the same document.
        leased = await self.db[collection].find_one_and_update(
            {"_id": found["_id"], "outbox_at": found["outbox_at"]},
            {"$set": {"outbox_at": now}},
            projection={"outbox": 1},
        )
        if leased is None:
            return 0
        rows: list[Document] = leased["outbox"]
        await self.publish(rows)
        await self._take_out_of(collection, documents={found["_id"]}, event_ids=[row["id"] for row in rows])
        return len(rows)


def _without(event_ids: list[str]) -> list[Document]:
    left = {"$filter": {"input": "$outbox", "cond": {"$not": {"$in": ["$$this.id", event_ids]}}}}
    return [
        {"$set": {"outbox": left}},
        {
            "$set": {
                "outbox": {"$cond": [{"$eq": ["$outbox", []]}, "$$REMOVE", "$outbox"]},
                # Of what is left, the oldest.
                "outbox_at": {"$cond": [{"$eq": ["$outbox", []]}, "$$REMOVE", {"$min": "$outbox.at"}]},
            }
        },
    ]
