"""What is known of contact information inside stored files; a part of their rows."""

from datetime import datetime, timedelta
from typing import Final, Literal

from pymongo import ReturnDocument

from services.chat.domain import Found, Upload
from services.chat.store.attachments import ATTACHMENTS, upload_of
from shared.mongo import Database, Document
from shared.outbox import Sealed

# Longer than a search may take: then another instance takes it over.
_SEARCHED_WITHIN: Final = timedelta(minutes=10)
# A file that ends its reader each time, and the service with it, is left alone.
_MOST_TRIES: Final = 3


async def take_unsearched(db: Database, *, now: datetime) -> tuple[Upload, bool] | None:
    """Take the file that has waited longest, with whether it is worth another try."""
    found = await db[ATTACHMENTS].find_one_and_update(
        {
            "inside.state": "waiting",
            "inside.at": {"$lte": now},
            "state": "stored",
            "file.scan": {"$in": ["clean", "unscanned"]},
        },
        {"$set": {"inside.at": now + _SEARCHED_WITHIN}, "$inc": {"inside.tries": 1}},
        sort=[("inside.at", 1)],
        projection={"outbox": 0},
        return_document=ReturnDocument.AFTER,
    )
    return (upload_of(found), found["inside"]["tries"] <= _MOST_TRIES) if found else None


async def keep_clear(db: Database, upload: Upload, *, state: Literal["clear", "unreadable"]) -> None:
    """Note that nothing was found in a file."""
    await db[ATTACHMENTS].update_one(_waiting(upload), {"$set": {"inside": {"state": state}}})


async def keep_flagged(
    db: Database, upload: Upload, found: tuple[Found, ...], events: Sealed, *, withheld: bool, now: datetime
) -> None:
    """Note what was found in a file, with the event that tells of it."""
    inside: Document = {
        "state": "flagged",
        "found": [vars(each) for each in found],
        "flagged_at": now,
        "withheld": withheld,
    }
    result = await db[ATTACHMENTS].update_one(_waiting(upload), events.into({"$set": {"inside": inside}}))
    if result.matched_count:
        db.outbox.send(ATTACHMENTS, upload.id, events)


async def find_flagged(db: Database, *, limit: int) -> list[Document]:
    """List flagged files for moderators, the newest first."""
    found = db[ATTACHMENTS].find(
        {"inside.flagged_at": {"$exists": True}, "state": "stored"},
        {"outbox": 0},
        sort=[("inside.flagged_at", -1)],
        limit=limit,
    )
    rows: list[Document] = await found.to_list(limit)
    return rows


async def keep_withheld(db: Database, attachment_id: str, *, withheld: bool) -> bool:
    """Withhold a flagged file, or let it go; `False` if there is none."""
    result = await db[ATTACHMENTS].update_one(
        {"_id": attachment_id, "inside.state": "flagged"}, {"$set": {"inside.withheld": withheld}}
    )
    return bool(result.matched_count)


def _waiting(upload: Upload) -> Document:
    return {"_id": upload.id, "inside.state": "waiting"}
