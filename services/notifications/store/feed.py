"""Notifications in MongoDB: one a fact and recipient, and one for all unread messages of an order.

The messages' notification of an order and reader is one document for good: it is read, and unread again
with the next message. `seqs` are the unread messages that it stands for, `cleared_up_to` the last one that
its reader is done with; so a repeated, late or early event changes nothing that it should not.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.notifications.domain.notification import Notification
from services.notifications.store import positions
from shared import inbox
from shared.api.page import write_cursor
from shared.mongo import Database, Document
from shared.outbox import Sealed

NOTIFICATIONS: Final = "notifications"
_UNREAD: Final = "unread_listed"

Params = ParamSpec("Params")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The notification that stands, whoever stored it."""

    id: str
    told_at: datetime


async def ensure_indexes(db: Database) -> None:
    await db[NOTIFICATIONS].create_indexes(
        [
            IndexModel("key", unique=True),
            IndexModel(
                [("user_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="feed"
            ),
            IndexModel([("user_id", ASCENDING), ("told_at", ASCENDING)], name="digest"),
            # With all that is asked for among its keys, so that no notification is read to be counted.
            IndexModel(
                [("user_id", ASCENDING), ("listed", ASCENDING), ("read_at", ASCENDING)],
                partialFilterExpression={"listed": True, "read_at": None},
                name=_UNREAD,
            ),
        ]
    )


async def insert_notification(
    db: Database, notification: Notification, events: Sealed, *, listed: bool, now: datetime
) -> Stored:
    """Store a notification with its event, once for its key; answer which one stands."""
    document = {
        "_id": notification.id,
        "key": notification.key,
        "user_id": notification.user_id,
        "organisation_id": notification.organisation_id,
        "side": notification.side,
        "kind": notification.kind,
        "order_id": notification.order_id,
        "facts": notification.facts,
        "count": notification.count,
        "created_at": notification.created_at,
        "told_at": now,
        "read_at": None,
        "listed": listed,
    }
    if await inbox.insert_once(db, NOTIFICATIONS, document | events.fields):
        db.outbox.send(NOTIFICATIONS, notification.id, events)
        return Stored(id=notification.id, told_at=now)
    found = await db[NOTIFICATIONS].find_one({"key": notification.key}, {"told_at": 1})
    return Stored(id=found["_id"], told_at=found["told_at"])


def _again_beside_another(
    write: Callable[Params, Coroutine[Any, Any, ResultT]],
) -> Callable[Params, Coroutine[Any, Any, ResultT]]:
    """Write again where another instance inserted the notification at once: now there is one to change."""

    @wraps(write)
    async def written(*args: Params.args, **kwargs: Params.kwargs) -> ResultT:
        try:
            return await write(*args, **kwargs)
        except DuplicateKeyError:
            return await write(*args, **kwargs)

    return written


@_again_beside_another
async def add_message(
    db: Database,
    notification: Notification,
    *,
    events_of: Callable[[Notification], Sealed],
    seq: int,
    listed: bool,
    now: datetime,
) -> Stored | None:
    """Add an unread message to its order's notification; answer which that is if this one made it unread.

    Only in that case `events_of` the notification that stands, by its id, are stored and told. The same
    message again gives the same answer.
    """
    known = await db[NOTIFICATIONS].find_one({"key": notification.key}, {"_id": 1})
    if known:
        notification = replace(notification, id=known["_id"])
    events = events_of(notification)
    fresh = {
        "$and": [
            {"$gt": [seq, {"$ifNull": ["$cleared_up_to", 0]}]},
            {"$not": {"$in": [seq, {"$ifNull": ["$seqs", []]}]}},
        ]
    }
    opens = {"$and": [fresh, {"$eq": [{"$ifNull": ["$seqs", []]}, []]}]}
    stage = {
        "fresh": fresh,
        "opened_by": {"$cond": [opens, seq, "$opened_by"]},
        "listed": {"$cond": [opens, listed, {"$ifNull": ["$listed", False]}]},
        "read_at": {"$cond": [opens, None, "$read_at"]},
        "told_at": {"$cond": [opens, now, "$told_at"]},
    }
    if events.rows:
        told = {"$concatArrays": [{"$ifNull": ["$outbox", []]}, {"$literal": list(events.rows)}]}
        stage["outbox"] = {"$cond": [opens, told, "$outbox"]}
        stage["outbox_at"] = {"$cond": [opens, events.at, "$outbox_at"]}
    grown = {"$setUnion": [{"$ifNull": ["$seqs", []]}, [seq]]}
    newest = {"$gt": [seq, {"$ifNull": ["$newest_seq", 0]}]}
    update: list[Document] = [
        {"$set": stage | _whose(notification)},
        {"$set": {"seqs": {"$cond": ["$fresh", grown, {"$ifNull": ["$seqs", []]}]}}},
        {
            "$set": {
                "count": {"$cond": ["$fresh", {"$size": "$seqs"}, "$count"]},
                "facts": {
                    "$cond": [{"$and": ["$fresh", newest]}, {"$literal": notification.facts}, "$facts"]
                },
                "created_at": {
                    "$cond": ["$fresh", {"$max": ["$created_at", notification.created_at]}, "$created_at"]
                },
                "newest_seq": {"$max": ["$newest_seq", seq]},
            }
        },
        {"$unset": ["fresh"]},
    ]
    # By both, so that the events never name another one than they are stored with.
    found: Document = await db[NOTIFICATIONS].find_one_and_update(
        {"_id": notification.id, "key": notification.key}, update, upsert=True, return_document=True
    )
    if found.get("opened_by") != seq:
        return None
    if {row["id"] for row in events.rows} & {row["id"] for row in found.get("outbox", [])}:
        db.outbox.send(NOTIFICATIONS, found["_id"], events)
    return Stored(id=found["_id"], told_at=found["told_at"])


@_again_beside_another
async def clear_messages(db: Database, notification: Notification, *, up_to: int) -> None:
    """Note that its reader has read the order's messages this far."""
    left = {
        "$filter": {
            "input": {"$ifNull": ["$seqs", []]},
            "cond": {"$gt": ["$$this", "$cleared_up_to"]},
        }
    }
    update = [
        {
            "$set": _whose(notification)
            | {
                "_id": {"$ifNull": ["$_id", notification.id]},
                "listed": {"$ifNull": ["$listed", False]},
                "created_at": {"$ifNull": ["$created_at", notification.created_at]},
                "facts": {"$ifNull": ["$facts", {"$literal": notification.facts}]},
                "count": {"$ifNull": ["$count", 0]},
                "cleared_up_to": {"$max": ["$cleared_up_to", up_to]},
            }
        },
        {"$set": {"seqs": left}},
        {
            "$set": {
                "count": {"$cond": [{"$eq": ["$seqs", []]}, "$count", {"$size": "$seqs"}]},
                "read_at": {
                    "$cond": [
                        {"$eq": ["$seqs", []]},
                        {"$ifNull": ["$read_at", notification.created_at]},
                        None,
                    ]
                },
            }
        },
    ]
    await db[NOTIFICATIONS].update_one({"key": notification.key}, update, upsert=True)


def _whose(notification: Notification) -> Document:
    return {
        "key": notification.key,
        "user_id": notification.user_id,
        "organisation_id": notification.organisation_id,
        "side": notification.side,
        "kind": notification.kind,
        "order_id": notification.order_id,
    }


async def mark_read(db: Database, user_id: str, *, ids: Sequence[str] | None, now: datetime) -> None:
    """Mark some of a user's notifications as read, or all."""
    criteria: Document = {"user_id": user_id, "listed": True, "read_at": None}
    if ids is not None:
        criteria["_id"] = {"$in": list(ids)}
    done: list[Document] = [
        {"$set": {"read_at": now}},
        {
            "$set": {
                "cleared_up_to": {"$max": ["$cleared_up_to", "$newest_seq"]},
                "seqs": {"$cond": [{"$isArray": "$seqs"}, [], "$$REMOVE"]},
            }
        },
    ]
    await db[NOTIFICATIONS].update_many(criteria, done)


async def find_notification(db: Database, notification_id: str) -> Notification | None:
    found = await db[NOTIFICATIONS].find_one({"_id": notification_id})
    return from_document(found) if found else None


async def find_unread(
    db: Database, user_id: str, *, since: datetime, until: datetime, limit: int
) -> list[Notification]:
    """List what a user was told in a span of time and has not read, oldest first."""
    criteria = {"user_id": user_id, "told_at": {"$gte": since, "$lt": until}, "read_at": None}
    found = await db[NOTIFICATIONS].find(criteria).sort("told_at", ASCENDING).limit(limit).to_list(limit)
    return [from_document(document) for document in found]


async def unread(db: Database, user_id: str) -> int:
    count: int = await db[NOTIFICATIONS].count_documents(
        {"user_id": user_id, "listed": True, "read_at": None}, hint=_UNREAD
    )
    return count


async def find_feed(
    db: Database, user_id: str, *, limit: int, cursor: str | None
) -> tuple[list[Notification], str | None]:
    """List a user's notifications, newest first, and the cursor of what follows."""
    criteria: Document = {"user_id": user_id, "listed": True} | positions.older_than(cursor)
    found = (
        await db[NOTIFICATIONS]
        .find(criteria)
        .sort([("created_at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    notifications = [from_document(document) for document in found[:limit]]
    last = notifications[-1] if len(found) > limit else None
    return notifications, write_cursor(last.created_at, last.id) if last else None


def from_document(found: Document) -> Notification:
    return Notification(
        id=found["_id"],
        key=found["key"],
        user_id=found["user_id"],
        organisation_id=found["organisation_id"],
        side=found["side"],
        kind=found["kind"],
        order_id=found["order_id"],
        facts=found["facts"],
        count=found["count"],
        opened_by=found.get("opened_by"),
        created_at=found["created_at"],
        read_at=found["read_at"],
    )
