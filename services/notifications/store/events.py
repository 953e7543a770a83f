"""Each organisation's events, numbered one after the other, for those of its systems that ask for them.

An event's number is its predecessor's plus one; the unique index on organisation and number decides
between processes, and whoever loses reads the new end and tries again. So there are no gaps, and a reader
who goes by numbers misses nothing. What comes at the same time for several organisations is one write.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import orjson
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.notifications.domain.webhook import Happened
from shared import mongo
from shared.api.page import read_cursor, write_cursor
from shared.api.webhooks import EventPage
from shared.errors import Conflict, ValidationFailed
from shared.ids import new_id
from shared.mongo import Database, Document

EVENTS: Final = "events"

KEPT_FOR: Final = timedelta(days=30)
_MOST_ENDS: Final = 10_000


@dataclass(eq=False)
class _End:
    """The last number of an organisation, as far as this process knows."""

    last: int | None = None


@lru_cache(_MOST_ENDS)
def _end(database: str, organisation_id: str) -> _End:
    del database, organisation_id
    return _End()


class EventsExpired(Conflict):
    """The events after this cursor are not kept any more."""

    title = "The events after this cursor have expired"

    def __init__(self, cursor: str) -> None:
        super().__init__(
            f"events are kept for {KEPT_FOR.days} days; read your orders anew and go on after `cursor`",
            cursor=cursor,
        )


async def ensure_indexes(db: Database) -> None:
    await db[EVENTS].create_indexes(
        [
            IndexModel([("organisation_id", ASCENDING), ("number", ASCENDING)], unique=True),
            IndexModel([("organisation_id", ASCENDING), ("event_id", ASCENDING)], unique=True),
            IndexModel("stored_at", expireAfterSeconds=int(KEPT_FOR.total_seconds())),
        ]
    )


async def keep_events(db: Database, happened: Sequence[Happened]) -> None:
    """Add events to what the systems of their organisations may read, once for each."""
    waiting: dict[str, deque[Happened]] = {}
    for event in happened:
        for organisation_id in set(event.organisations):
            waiting.setdefault(organisation_id, deque()).append(event)
    while waiting:
        # One of each organisation's, as a number follows from what became of the one before.
        stored = await _add(db, {each: events[0] for each, events in waiting.items()})
        for organisation_id in stored:
            waiting[organisation_id].popleft()
            if not waiting[organisation_id]:
                del waiting[organisation_id]


async def _add(db: Database, events: Mapping[str, Happened]) -> list[str]:
    """Add an event for each organisation; answer for which it is there, and not where another process took its number."""
    ends = [_end(db.handle.name, organisation_id) for organisation_id in events]
    documents: list[Document] = []
    for end, (organisation_id, event) in zip(ends, events.items(), strict=True):
        last = await _last_number(db, organisation_id, now=event.heard_at) if end.last is None else end.last
        end.last = None  # until the answer says what became of it
        documents.append(
            {
                "_id": new_id(),
                "organisation_id": organisation_id,
                "event_id": event.id,
                "number": last + 1,
                "body": event.body,
                "stored_at": event.heard_at,
            }
        )
    refused = await mongo.refused_of(db[EVENTS].insert_many(documents, ordered=False))
    stored = []
    for index, (end, document) in enumerate(zip(ends, documents, strict=True)):
        if index not in refused:
            end.last = document["number"]
        elif "number" in (refused[index].details or {})["keyPattern"]:
            continue
        stored.append(document["organisation_id"])
    return stored


async def read_events(db: Database, *, organisation_id: str, after: str | None, limit: int) -> EventPage:
    """Read the events after a cursor, oldest first.

    Raises:
        ValidationFailed: it is no cursor of this organisation's events.
        EventsExpired: events after it are not kept any more.
    """
    reached = _read(after, organisation_id=organisation_id)
    found = await _after(db, organisation_id=organisation_id, number=reached, limit=limit + 1)
    if reached and found and found[0]["number"] != reached + 1:
        raise EventsExpired(_write(organisation_id, found[0]["number"] - 1))
    page = found[:limit]
    reached = page[-1]["number"] if page else reached
    cursor = _write(organisation_id, reached) if reached else None
    return EventPage(
        items=[orjson.loads(document["body"]) for document in page],
        next_cursor=cursor if len(found) > limit else None,
        cursor=cursor,
    )


async def _last_number(db: Database, organisation_id: str, *, now: datetime) -> int:
    found = await db[EVENTS].find_one(
        {"organisation_id": organisation_id}, {"number": 1, "_id": 0}, sort=[("number", DESCENDING)]
    )
    # Where nothing is kept, numbers begin above all that were ever given: a cursor of those has expired.
    number: int = found["number"] if found else int(now.timestamp() * 1000)
    return number


async def _after(db: Database, *, organisation_id: str, number: int, limit: int) -> list[Document]:
    found: list[Document] = (
        await db[EVENTS]
        .find({"organisation_id": organisation_id, "number": {"$gt": number}})
        .sort("number", ASCENDING)
        .limit(limit)
        .to_list(limit)
    )
    return found


def _write(organisation_id: str, number: int) -> str:
    return write_cursor(organisation_id, number)


def _read(cursor: str | None, *, organisation_id: str) -> int:
    if cursor is None:
        return 0
    try:
        whose, number = read_cursor(cursor, length=2)
    except ValidationFailed as error:
        raise ValidationFailed.at("/after", "is no cursor of your events") from error
    if whose != organisation_id or not isinstance(number, int) or number < 0:
        raise ValidationFailed.at("/after", "is no cursor of your events")
    return number
