"""Reviews in MongoDB. Ratings are not kept anywhere: they are counted from the reviews, by an index."""

from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.reviews.domain import Review, ReviewNotFound
from shared import inbox, mongo
from shared.api.orders import Party
from shared.api.page import read_cursor, write_cursor
from shared.api.reviews import Aspects, Hidden, Rating, Reply
from shared.errors import ValidationFailed
from shared.events.chat import MessageBlocked
from shared.events.reviews import ReviewOpened
from shared.identity import Caller, Person, Side
from shared.ids import new_id
from shared.mongo import Database, Document
from shared.outbox import Sealed

REVIEWS: Final = "reviews"
OPENINGS: Final = "openings"
ORGANISATIONS: Final = "organisations"
BLOCKS: Final = "blocks"

# Long past any outage of the broker that nobody repairs; as long as chat keeps its own.
_BLOCKS_KEPT: Final = timedelta(days=30)


class SideTaken(Exception):  # noqa: N818 - tells of a lost race, not of a fault
    """This side's review of the order was stored first."""


async def ensure_indexes(db: Database) -> None:
    await db[REVIEWS].create_indexes(
        [
            IndexModel([("order_id", ASCENDING), ("by_side", ASCENDING)], unique=True),
            IndexModel(
                [("about.id", ASCENDING), ("visible", ASCENDING), ("rating", ASCENDING)], name="rating"
            ),
            IndexModel([("about.id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel("organisation.id"),
        ]
    )
    await db[BLOCKS].create_index("at", expireAfterSeconds=int(_BLOCKS_KEPT.total_seconds()), name="expiry")


async def insert_block(db: Database, blocked: MessageBlocked, events: Sealed, *, now: datetime) -> None:
    """Keep that a text was refused; nothing is kept of the text."""
    block_id = new_id()
    await db[BLOCKS].insert_one({"_id": block_id, "at": now} | blocked.model_dump() | events.fields)
    db.outbox.send(BLOCKS, block_id, events)


async def find_blocked(db: Database, *, limit: int) -> list[tuple[datetime, MessageBlocked]]:
    """List refused reviews and replies for moderators, the newest first."""
    found = await db[BLOCKS].find({}).sort("at", -1).limit(limit).to_list(limit)
    return [(document["at"], MessageBlocked.model_validate(document)) for document in found]


async def insert_review(db: Database, review: Review, events: Sealed) -> None:
    """Store a review with its event.

    Raises:
        SideTaken: this side has one already.
    """
    try:
        await db[REVIEWS].insert_one(_to_document(review) | events.fields)
    except DuplicateKeyError as error:
        raise SideTaken from error
    db.outbox.send(REVIEWS, review.id, events)
    for party in (review.organisation, review.about):
        # The order may have shown a name whose change was heard of here before there was this review.
        known = await _find_name(db, party.id)
        if known is not None and known != party.name:
            await _show_name(db, party.id)


async def find_review_of_side(db: Database, *, order_id: str, side: Side) -> Review | None:
    found = await db[REVIEWS].find_one({"order_id": order_id, "by_side": side})
    return _from_document(found) if found else None


async def find_reviews_of_order(db: Database, order_id: str, *, caller: Caller) -> list[Review]:
    """List both reviews, as far as they exist, of an order of the caller's organisation."""
    own = [{"organisation.id": caller.organisation_id}, {"about.id": caller.organisation_id}]
    found = await db[REVIEWS].find({"order_id": order_id, "$or": own}).sort("created_at", 1).to_list(None)
    return [_from_document(document) for document in found]


async def get_review(db: Database, review_id: str) -> Review:
    """Read a review; who may act on it is for the rules to say.

    Raises:
        ReviewNotFound: there is none.
    """
    found = await db[REVIEWS].find_one({"_id": review_id})
    if found is None:
        raise ReviewNotFound(review_id)
    return _from_document(found)


async def save_reply(db: Database, review: Review) -> bool:
    """Add the reply unless there is one; tell whether it was added."""
    changes = {
        "reply": review.reply and review.reply.model_dump(),
        "reply_repeatable": review.reply_repeatable,
    }
    result = await db[REVIEWS].update_one({"_id": review.id, "reply": None}, {"$set": changes})
    return bool(result.matched_count)


async def save_hidden(db: Database, review: Review) -> None:
    await db[REVIEWS].update_one(
        {"_id": review.id, "visible": True},
        {"$set": {"hidden": review.hidden and review.hidden.model_dump(), "visible": False}},
    )


async def insert_opening(db: Database, opened: ReviewOpened, events: Sealed) -> None:
    """Note that a side may review, and tell it, once."""
    key = f"{opened.order_id}:{opened.by_side}"
    if await inbox.insert_once(db, OPENINGS, {"_id": key} | events.fields):
        db.outbox.send(OPENINGS, key, events)


async def keep_name(db: Database, *, organisation_id: str, version: int, name: str) -> None:
    """Keep an organisation's newest name, also on the reviews that show it."""
    await inbox.keep_newer(db, ORGANISATIONS, organisation_id, version=version, record={"name": name})
    if version > 1:
        # Also when the name was known: whoever kept it may have been stopped half way.
        await _show_name(db, organisation_id)


async def _show_name(db: Database, organisation_id: str) -> None:
    shown = None
    # Until it stays: another instance may show a newer name meanwhile, and this one then paint it over.
    while (name := await _find_name(db, organisation_id)) != shown:
        shown = name
        for party in ("organisation", "about"):
            await db[REVIEWS].update_many(
                {f"{party}.id": organisation_id, f"{party}.name": {"$ne": shown}},
                {"$set": {f"{party}.name": shown}},
            )


async def _find_name(db: Database, organisation_id: str) -> str | None:
    found = await db[ORGANISATIONS].find_one({"_id": organisation_id}, {"name": 1})
    return found["name"] if found else None


async def find_reviews_about(
    db: Database, organisation_id: str, *, limit: int, cursor: str | None
) -> tuple[list[Review], str | None]:
    """List what others say of an organisation, newest first, and the cursor of what follows."""
    criteria: Document = {"about.id": organisation_id}
    if cursor:
        at, review_id = read_cursor(cursor, length=2)
        instant = _instant(at)
        criteria["created_at"] = {"$lte": instant}
        criteria["$or"] = [{"created_at": {"$lt": instant}}, {"_id": {"$lt": str(review_id)}}]
    found = (
        await db[REVIEWS]
        .find(criteria)
        .sort([("created_at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    reviews = [_from_document(document) for document in found[:limit]]
    last = reviews[-1] if len(found) > limit else None
    return reviews, write_cursor(last.created_at, last.id) if last else None


async def rating(db: Database, organisation_id: str) -> Rating:
    """Count an organisation's stars from the index alone, without reading a review."""
    rows = await db.together(_count_stars)(organisation_id)
    visible = {row["_id"]["rating"]: row["count"] for row in rows if row["_id"]["visible"]}
    count = sum(visible.values())
    stars = sum(rating * times for rating, times in visible.items())
    return Rating(
        average=stars / count if count else None,
        count=count,
        distribution={str(rating): visible.get(rating, 0) for rating in range(1, 6)},
        hidden=sum(row["count"] for row in rows) - count,
    )


async def _count_stars(db: Database, organisation_ids: list[str]) -> list[list[Document]]:
    rows: dict[str, list[Document]] = {organisation_id: [] for organisation_id in organisation_ids}
    kinds = {"about": "$about.id", "visible": "$visible", "rating": "$rating"}
    for row in await mongo.aggregate(
        db[REVIEWS],
        [
            {"$match": {"about.id": {"$in": list(rows)}}},
            {"$group": {"_id": kinds, "count": {"$sum": 1}}},
        ],
        hint="rating",
    ):
        rows[row["_id"]["about"]].append(row)
    return [rows[organisation_id] for organisation_id in organisation_ids]


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ValidationFailed.at("/cursor", "is no cursor of this list") from error
    if instant.tzinfo is None:
        raise ValidationFailed.at("/cursor", "is no cursor of this list")
    return instant


def _to_document(review: Review) -> Document:
    return {
        "_id": review.id,
        "order_id": review.order_id,
        "order_number": review.order_number,
        "by_side": review.author.side,
        "author": review.author.model_dump(),
        "organisation": review.organisation.model_dump(),
        "about": review.about.model_dump(),
        "rating": review.rating,
        "text": review.text,
        "aspects": review.aspects.model_dump() if review.aspects else None,
        "repeatable": review.repeatable,
        "reply": None,
        "reply_repeatable": None,
        "hidden": None,
        "visible": True,
        "created_at": review.created_at,
    }


def _from_document(found: Document) -> Review:
    return Review(
        id=found["_id"],
        order_id=found["order_id"],
        order_number=found["order_number"],
        author=Person.model_validate(found["author"]),
        organisation=Party.model_validate(found["organisation"]),
        about=Party.model_validate(found["about"]),
        rating=found["rating"],
        text=found["text"],
        aspects=Aspects.model_validate(found["aspects"]) if found["aspects"] else None,
        repeatable=found["repeatable"],
        reply=Reply.model_validate(found["reply"]) if found["reply"] else None,
        reply_repeatable=found["reply_repeatable"],
        hidden=Hidden.model_validate(found["hidden"]) if found["hidden"] else None,
        created_at=found["created_at"],
    )
