"""Rows of uploaded files; their bytes are in S3."""

from typing import Final

from pymongo import ASCENDING, IndexModel

from services.chat import domain
from services.chat.domain import File, Thread
from shared.identity import Caller
from shared.mongo import Database, Document, Session

ATTACHMENTS: Final = "attachments"


async def ensure_indexes(db: Database) -> None:
    await db[ATTACHMENTS].create_indexes(
        [IndexModel([("expires_at", ASCENDING)], sparse=True, name="expiry")]
    )


async def find_unsent(
    db: Database, thread: Thread, attachment_ids: tuple[str, ...], *, caller: Caller
) -> tuple[File, ...]:
    """Read the caller's unsent files of a thread, in the order in which they are named.

    Raises:
        ValidationFailed: one of them is not there to be sent.
    """
    criteria = _unsent(thread, attachment_ids, caller=caller)
    found = {row["_id"]: row async for row in db[ATTACHMENTS].find(criteria, {"outbox": 0})}
    for index, attachment_id in enumerate(attachment_ids):
        if attachment_id not in found:
            raise domain.no_such_attachment(index)
    return tuple(_file(found[attachment_id]) for attachment_id in attachment_ids)


async def claim(
    db: Database,
    thread: Thread,
    attachment_ids: tuple[str, ...],
    *,
    message_id: str,
    caller: Caller,
    session: Session,
) -> None:
    """Make files part of a message, all or none.

    Raises:
        ValidationFailed: one of them has been sent meanwhile.
    """
    for index, attachment_id in enumerate(attachment_ids):
        result = await db[ATTACHMENTS].update_one(
            _unsent(thread, (attachment_id,), caller=caller),
            {"$set": {"message_id": message_id}, "$unset": {"expires_at": ""}},
            session=session,
        )
        if result.matched_count == 0:
            raise domain.no_such_attachment(index)


def _unsent(thread: Thread, attachment_ids: tuple[str, ...], *, caller: Caller) -> Document:
    return {
        "_id": {"$in": list(attachment_ids)},
        "order_id": thread.order_id,
        "uploaded_by": caller.user_id,
        "state": "stored",
        "message_id": None,
    }


def _file(row: Document) -> File:
    return File(
        id=row["_id"],
        filename=row["filename"],
        content_type=row["content_type"],
        size=row["size"],
        sha256=row["sha256"],
        has_thumbnail=row["has_thumbnail"],
        scan=row["scan"],
    )
