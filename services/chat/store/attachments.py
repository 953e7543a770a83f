"""Rows of uploaded files; their bytes are in S3.

A row is there before its object, telling little more than its place, and goes after it: whatever dies in
between, `expires_at` leads the sweeper to what is left. A file that is part of a message has no such date.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.chat import domain
from services.chat.domain import AttachmentNotFound, File, Place, Scan, Thread, Upload
from services.chat.store.messages import MESSAGES
from services.chat.store.threads import OWNER
from shared import mongo
from shared.errors import Unavailable
from shared.identity import Caller
from shared.mongo import Database, Document, Session
from shared.outbox import Sealed

ATTACHMENTS: Final = "attachments"
# Longer than any transfer to S3 may take.
_STORED_WITHIN: Final = timedelta(minutes=10)


class GivenUp(Unavailable):
    """It took so long that the sweeper has taken the upload for dead."""

    title = "The upload took too long"

    def __init__(self) -> None:
        super().__init__("storing the file took too long; try again", retry_after=5)


async def ensure_indexes(db: Database) -> None:
    await db[ATTACHMENTS].create_indexes(
        [
            IndexModel([("expires_at", ASCENDING)], sparse=True, name="expiry"),
            IndexModel(
                [("file.scan", ASCENDING)], name="unscanned", partialFilterExpression={"file.scan": "pending"}
            ),
            IndexModel(
                [("inside.at", ASCENDING)],
                name="unsearched",
                partialFilterExpression={"inside.state": "waiting"},
            ),
            IndexModel(
                [("inside.flagged_at", ASCENDING)],
                name="flagged",
                partialFilterExpression={"inside.flagged_at": {"$exists": True}},
            ),
            IndexModel(
                [("uploaded_by", ASCENDING), ("request", ASCENDING)],
                unique=True,
                name="request",
                partialFilterExpression={"request": {"$exists": True}},
            ),
        ]
    )


async def insert_place(db: Database, place: Place, *, now: datetime) -> None:
    """Store a row for bytes that are about to be stored."""
    await db[ATTACHMENTS].insert_one(
        {
            "_id": place.id,
            "order_id": place.order_id,
            "state": "pending",
            "expires_at": now + _STORED_WITHIN,
        }
    )


async def keep_upload(
    db: Database, upload: Upload, events: Sealed, *, request: str | None, now: datetime, unsent_for: timedelta
) -> bool:
    """Note that the bytes are stored, with the event that tells of it, unless the same request has stored others.

    Raises:
        GivenUp: somebody has taken it for dead.
    """
    document: Document = {
        "buyer_id": upload.buyer_id,
        "factory_id": upload.factory_id,
        "uploaded_by": upload.uploaded_by,
        "file": vars(upload.file),
        "state": "stored",
        "message_id": None,
        "expires_at": now + unsent_for,
    }
    if upload.inside == "waiting":
        document["inside"] = {"state": "waiting", "at": now, "tries": 0}
    if request:
        document |= {"request": request, "fingerprint": upload.fingerprint}
    try:
        result = await db[ATTACHMENTS].update_one(
            {"_id": upload.id, "state": "pending"}, events.into({"$set": document})
        )
    except DuplicateKeyError:
        return False
    if result.matched_count == 0:
        raise GivenUp
    db.outbox.send(ATTACHMENTS, upload.id, events)
    return True


async def give_up(db: Database, place: Place) -> bool:
    """Leave what does not come to its end to the sweeper; `False`: it has come to its end after all."""
    result = await db[ATTACHMENTS].update_one(
        {"_id": place.id, "state": {"$ne": "stored"}}, {"$set": {"state": "expired"}}
    )
    return bool(result.matched_count)


async def delete_place(db: Database, place: Place) -> None:
    await db[ATTACHMENTS].delete_one({"_id": place.id})


async def find_upload_of_request(db: Database, *, caller: Caller, request: str) -> Upload | None:
    found = await db[ATTACHMENTS].find_one(
        {"uploaded_by": caller.user_id, "request": request, "state": "stored"}, {"outbox": 0}
    )
    return upload_of(found) if found else None


async def get_upload(db: Database, attachment_id: str, *, caller: Caller) -> Upload:
    """Read what the caller may fetch: what was sent in a thread of theirs, or is theirs to send.

    Raises:
        AttachmentNotFound: there is none.
    """
    found = await db[ATTACHMENTS].find_one(
        {
            "_id": attachment_id,
            OWNER[caller.side]: caller.organisation_id,
            "state": "stored",
            "$or": [{"message_id": {"$ne": None}}, {"uploaded_by": caller.user_id}],
        },
        {"outbox": 0},
    )
    if found is None:
        raise AttachmentNotFound
    return upload_of(found)


async def claim(
    db: Database,
    thread: Thread,
    attachment_ids: tuple[str, ...],
    *,
    message_id: str,
    caller: Caller,
    session: Session,
) -> tuple[File, ...]:
    """Make the caller's unsent files of a thread part of a message, all or none.

    Raises:
        ValidationFailed: one of them is not there to be sent.
    """
    files = []
    for index, attachment_id in enumerate(attachment_ids):
        found = await db[ATTACHMENTS].find_one_and_update(
            {
                "_id": attachment_id,
                "order_id": thread.order_id,
                "uploaded_by": caller.user_id,
                "state": "stored",
                "file.scan": {"$ne": "infected"},
                "message_id": None,
            },
            {"$set": {"message_id": message_id}, "$unset": {"expires_at": ""}},
            session=session,
        )
        if found is None:
            raise domain.no_such_attachment(index)
        files.append(File(**found["file"]))
    return tuple(files)


async def find_expired(db: Database, *, now: datetime) -> AsyncIterator[Place]:
    """Take uploads that were cut off, or never sent, out of reach; whoever gets one removes it."""
    while True:
        found = await db[ATTACHMENTS].find_one_and_update(
            {"expires_at": {"$lte": now}},
            # If its remover dies as well, another finds it again.
            {"$set": {"state": "expired", "expires_at": now + _STORED_WITHIN}},
            projection={"order_id": 1},
        )
        if found is None:
            return
        yield Place(id=found["_id"], order_id=found["order_id"])


async def find_unscanned(db: Database, *, limit: int) -> list[Upload]:
    """Take any of those that wait: a file that the scanner cannot judge must not hold up the others for ever."""
    found = await mongo.aggregate(
        db[ATTACHMENTS],
        [
            {"$match": {"file.scan": "pending", "state": "stored"}},
            {"$sample": {"size": limit}},
            {"$unset": "outbox"},
        ],
    )
    return [upload_of(document) for document in found]


async def keep_verdict(db: Database, upload: Upload, *, scan: Scan) -> None:
    """Note what the scanner says, in the message as well if the file has been sent."""

    async def keep(session: Session) -> None:
        found = await db[ATTACHMENTS].find_one_and_update(
            {"_id": upload.id}, {"$set": {"file.scan": scan}}, session=session
        )
        if found and found["message_id"]:
            await db[MESSAGES].update_one(
                {"_id": found["message_id"], "files.id": upload.id},
                {"$set": {"files.$.scan": scan}},
                session=session,
            )

    await mongo.in_transaction(db, keep)


def upload_of(found: Document) -> Upload:
    inside: Document = found.get("inside", {})
    return Upload(
        id=found["_id"],
        order_id=found["order_id"],
        buyer_id=found["buyer_id"],
        factory_id=found["factory_id"],
        uploaded_by=found["uploaded_by"],
        file=File(**found["file"]),
        message_id=found["message_id"],
        fingerprint=found.get("fingerprint"),
        inside=inside.get("state", "unsearched"),
        is_withheld=inside.get("withheld", False),
    )
