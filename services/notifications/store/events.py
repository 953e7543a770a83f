"""Each organisation's events, numbered 1, 2, 3 …, for those of its systems that ask for them.

A number is taken first and its event stored a moment later, so a number that is missing may still come.
A reader therefore stops before a young gap; an old one belongs to a process that died, and the reader
closes it: a process that was only slow then finds its number taken, and takes a new one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from shared.api.page import read_cursor, write_cursor
from shared.api.webhooks import EventPage
from shared.errors import Conflict, ValidationFailed
from shared.ids import new_id
from shared.mongo import Database, Document

EVENTS: Final = "events"
NUMBERS: Final = "numbers"

KEPT_FOR: Final = timedelta(days=30)
# Storing takes milliseconds; what is this late is not coming, or finds its number taken.
_GAP_CLOSES_AFTER: Final = timedelta(seconds=10)


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


async def keep_event(db: Database, *, organisation_id: str, event_id: str, body: str, now: datetime) -> None:
    """Add an event to what an organisation's systems may read, once."""
    key = {"organisation_id": organisation_id, "event_id": event_id}
    while await db[EVENTS].find_one(key, {"_id": 1}) is None:
        number = await _next_number(db, organisation_id)
        try:
            await db[EVENTS].insert_one(
                {"_id": new_id(), **key, "number": number, "body": body, "stored_at": now}
            )
        except DuplicateKeyError:
            # Either the number was closed, or the event is there by now: its number stays empty then.
            await _close(db, organisation_id=organisation_id, numbers=[number], now=now)


async def read_events(
    db: Database, *, organisation_id: str, after: str | None, limit: int, now: datetime
) -> EventPage:
    """Read the events after a cursor, oldest first.

    Raises:
        ValidationFailed: it is no cursor of this organisation's events.
        EventsExpired: events after it are not kept any more.
    """
    reached = _read(after, organisation_id=organisation_id)
    found = await _after(db, organisation_id=organisation_id, number=reached, limit=limit + 1)
    if found and found[0]["number"] != reached + 1:
        if reached == 0 and not _is_young(found[0], now=now):
            reached = found[0]["number"] - 1
        elif reached > 0 and not await _is_kept(db, organisation_id=organisation_id, number=reached):
            raise EventsExpired(_write(organisation_id, found[0]["number"] - 1))
    items = []
    for document in found[:limit]:
        missing = range(reached + 1, document["number"])
        if missing and not await _stays_missing(db, missing, before=document, now=now):
            break
        reached = document["number"]
        if "body" in document:
            items.append(orjson.loads(document["body"]))
    cursor = _write(organisation_id, reached) if reached else None
    more = len(found) > limit and reached == found[limit - 1]["number"]
    return EventPage(items=items, next_cursor=cursor if more else None, cursor=cursor)


async def _next_number(db: Database, organisation_id: str) -> int:
    counter = await db[NUMBERS].find_one_and_update(
        {"_id": organisation_id}, {"$inc": {"last": 1}}, upsert=True, return_document=True
    )
    number: int = counter["last"]
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


def _is_young(document: Document, *, now: datetime) -> bool:
    return bool(now - document["stored_at"] < _GAP_CLOSES_AFTER)


async def _is_kept(db: Database, *, organisation_id: str, number: int) -> bool:
    key = {"organisation_id": organisation_id, "number": number}
    return await db[EVENTS].find_one(key, {"_id": 1}) is not None


async def _stays_missing(db: Database, missing: Sequence[int], *, before: Document, now: datetime) -> bool:
    """Close the gap before an event if that is old enough; tell whether what was missing will not come."""
    if _is_young(before, now=now):
        return False
    closed = await _close(db, organisation_id=before["organisation_id"], numbers=missing, now=now)
    return closed == len(missing)


async def _close(db: Database, *, organisation_id: str, numbers: Sequence[int], now: datetime) -> int:
    closed = 0
    for number in numbers:
        key: dict[str, Any] = {"organisation_id": organisation_id, "number": number}
        try:
            await db[EVENTS].insert_one(
                {"_id": new_id(), **key, "event_id": f"none-{number}", "stored_at": now}
            )
        except DuplicateKeyError:
            found = await db[EVENTS].find_one(key, {"body": 1})
            closed += found is not None and "body" not in found
        else:
            closed += 1
    return closed


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
