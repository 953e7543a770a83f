"""Mails that wait to be sent, each leased to one instance at a time; those that were sent, for a month."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pymongo import ASCENDING, IndexModel

from services.notifications.domain.mail import Mail
from shared import inbox
from shared.ids import new_id
from shared.mongo import Database, Document

MAILS: Final = "mails"

# Longer than one takes to be sent, also to a slow server.
_LEASE: Final = timedelta(minutes=3)
_KEPT_FOR: Final = timedelta(days=30)


async def ensure_indexes(db: Database) -> None:
    await db[MAILS].create_indexes(
        [
            IndexModel("key", unique=True),
            IndexModel([("due_at", ASCENDING)], partialFilterExpression={"state": "waiting"}, name="waiting"),
            IndexModel("ended_at", expireAfterSeconds=int(_KEPT_FOR.total_seconds())),
        ]
    )


async def insert_mail(db: Database, mail: Mail) -> None:
    """Let a mail wait for its time, once for its key."""
    await inbox.insert_once(
        db,
        MAILS,
        {
            "_id": new_id(),
            "key": mail.key,
            "purpose": mail.purpose,
            "user_id": mail.user_id,
            "about": mail.about,
            "opened_by": mail.opened_by,
            "since": mail.since,
            "until": mail.until,
            "due_at": mail.due_at,
            "state": "waiting",
        },
    )


async def is_any_due(db: Database, *, support: bool, now: datetime) -> bool:
    return await db[MAILS].find_one(_due(now, support=support), {"_id": 1}) is not None


async def lease_mail(db: Database, *, support: bool, now: datetime) -> Mail | None:
    """Take the mail that waits longest, if any is due, for oneself; those to support only if asked to."""
    found = await db[MAILS].find_one_and_update(
        _due(now, support=support),
        {"$set": {"due_at": now + _LEASE}},
        sort=[("due_at", ASCENDING)],
        return_document=True,
    )
    return _mail(found) if found else None


async def postpone(db: Database, mail: Mail, *, until: datetime) -> Mail:
    await db[MAILS].update_one({"_id": mail.id, "state": "waiting"}, {"$set": {"due_at": until}})
    return replace(mail, due_at=until)


async def end(
    db: Database, mail: Mail, *, state: Literal["sent", "needless", "refused"], now: datetime
) -> None:
    """Note what became of a mail."""
    await db[MAILS].update_one({"_id": mail.id}, {"$set": {"state": state, "ended_at": now}})


async def find_state(db: Database, key: str) -> str | None:
    """Tell what became of a mail: `waiting`, `sent`, `needless` or `refused`, as long as that is kept."""
    found = await db[MAILS].find_one({"key": key}, {"state": 1})
    return found["state"] if found else None


def _due(now: datetime, *, support: bool) -> Document:
    due = {"state": "waiting", "due_at": {"$lte": now}}
    return due if support else due | {"purpose": {"$ne": "support"}}


def _mail(found: Document) -> Mail:
    facts: dict[str, Any] = {
        name: found[name]
        for name in ("key", "purpose", "user_id", "about", "opened_by", "since", "until", "due_at")
    }
    return Mail(id=found["_id"], **facts)
