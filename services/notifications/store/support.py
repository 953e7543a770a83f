"""Support requests, and the votes on help pages."""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.notifications.domain.support import Comment, PageVotes, SupportRequest
from shared import mongo
from shared.api.support import HelpFeedback
from shared.errors import NotFound
from shared.identity import Caller
from shared.mongo import Database, Document

REQUESTS: Final = "support_requests"
FEEDBACK: Final = "help_feedback"


class SupportRequestNotFound(NotFound):
    title = "No such support request"


async def ensure_indexes(db: Database) -> None:
    await db[REQUESTS].create_indexes([IndexModel("key", unique=True), IndexModel("reference", unique=True)])
    await db[FEEDBACK].create_indexes([IndexModel([("page", 1), ("at", -1)])])


async def insert_request(db: Database, request: SupportRequest) -> SupportRequest | None:
    """Store a request; answer the one that stands for its key, or `None` if its reference is taken."""
    document = asdict(request)
    try:
        await db[REQUESTS].insert_one({"_id": document.pop("id")} | document)
    except DuplicateKeyError:
        found = await db[REQUESTS].find_one({"key": request.key})
        return _request(found) if found else None
    return request


async def get_request(db: Database, request_id: str) -> SupportRequest:
    """Read a request.

    Raises:
        SupportRequestNotFound: there is none.
    """
    return await _get(db, {"_id": request_id})


async def get_request_by_reference(db: Database, reference: str) -> SupportRequest:
    """Read a request by what its writer was told.

    Raises:
        SupportRequestNotFound: there is none.
    """
    return await _get(db, {"reference": reference})


async def find_requests(db: Database, *, limit: int) -> list[SupportRequest]:
    """List requests, the newest first."""
    found = await db[REQUESTS].find({}).sort("_id", -1).limit(limit).to_list(limit)
    return [_request(document) for document in found]


async def _get(db: Database, criteria: Document) -> SupportRequest:
    found = await db[REQUESTS].find_one(criteria)
    if found is None:
        raise SupportRequestNotFound
    return _request(found)


async def save_feedback(db: Database, feedback: HelpFeedback, *, caller: Caller, now: datetime) -> None:
    """Keep a user's vote on a page; voting again replaces it."""
    await db[FEEDBACK].replace_one(
        {"_id": f"{caller.user_id}:{feedback.page}"},
        feedback.model_dump()
        | {
            "user_id": caller.user_id,
            "organisation_id": caller.organisation_id,
            "side": caller.side,
            "at": now,
        },
        upsert=True,
    )


async def count_votes(db: Database, *, page: str | None) -> list[PageVotes]:
    """Count the votes on each page, or on one."""
    rows = await mongo.aggregate(
        db[FEEDBACK],
        [
            {"$match": {"page": page} if page else {}},
            {"$group": {"_id": "$page", "helpful": {"$sum": {"$toInt": "$helpful"}}, "all": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ],
    )
    return [
        PageVotes(page=row["_id"], helpful=row["helpful"], not_helpful=row["all"] - row["helpful"])
        for row in rows
    ]


async def find_comments(db: Database, *, page: str | None, limit: int) -> list[Comment]:
    """List what voters wrote, the newest first."""
    criteria = ({"page": page} if page else {}) | {"comment": {"$nin": [None, ""]}}
    found = await db[FEEDBACK].find(criteria).sort("at", -1).limit(limit).to_list(limit)
    return [
        Comment(**{name: vote[name] for name in ("page", "helpful", "comment", "side", "at")})
        for vote in found
    ]


def _request(found: Document) -> SupportRequest:
    return SupportRequest(id=found.pop("_id"), **found)
