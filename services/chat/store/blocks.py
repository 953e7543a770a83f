"""What was refused for contact information, and the appeals against it.

Of a refused text only a mark is kept, by which the same text is known again. What its author hands in
with an appeal is encrypted, and gone with the decision.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, IndexModel

from services.chat.domain import Appeal, Block, BlockNotFound
from shared.identity import Caller
from shared.mongo import Database, Document
from shared.outbox import Sealed

BLOCKS: Final = "blocks"
# Long past any outage of the broker that nobody repairs; so long a text that was let pass can be sent.
_KEPT: Final = timedelta(days=30)


async def ensure_indexes(db: Database) -> None:
    await db[BLOCKS].create_indexes(
        [
            # An appeal takes `at` away until it is decided.
            IndexModel([("at", ASCENDING)], name="expiry", expireAfterSeconds=int(_KEPT.total_seconds())),
            IndexModel([("blocked_at", ASCENDING)], name="blocked"),
            IndexModel([("mark", ASCENDING)], name="allowed", partialFilterExpression={"allowed": True}),
            IndexModel(
                [("appeal.state", ASCENDING), ("appeal.at", ASCENDING)],
                name="appeals",
                partialFilterExpression={"appeal.at": {"$exists": True}},
            ),
        ]
    )


async def insert_block(db: Database, block: Block, events: Sealed, *, now: datetime) -> None:
    document = {name: value for name, value in vars(block).items() if name not in {"ref", "appeal"}}
    await db[BLOCKS].insert_one({"_id": block.ref, "at": now, "blocked_at": now} | document | events.fields)
    db.outbox.send(BLOCKS, block.ref, events)


async def is_allowed(db: Database, mark: str) -> bool:
    """Tell whether an appeal has let a text pass."""
    return await db[BLOCKS].find_one({"mark": mark, "allowed": True}, {"_id": 1}) is not None


async def get_block(db: Database, ref: str, *, order_id: str, caller: Caller) -> Block:
    """Read a refusal of what the caller wrote.

    Raises:
        BlockNotFound: there is none.
    """
    found = await db[BLOCKS].find_one(
        {"_id": ref, "order_id": order_id, "user_id": caller.user_id}, {"outbox": 0}
    )
    if found is None:
        raise BlockNotFound
    return _from_document(found)


async def keep_appeal(
    db: Database, block: Block, events: Sealed, *, text: str | None, explanation: str | None, now: datetime
) -> None:
    """Note an appeal, once; `text` and `explanation` are locked."""
    appeal = {"state": "waiting", "at": now, "note": None, "text": text, "explanation": explanation}
    result = await db[BLOCKS].update_one(
        {"_id": block.ref, "appeal": {"$exists": False}},
        events.into({"$set": {"appeal": appeal}, "$unset": {"at": ""}}),
    )
    if result.matched_count:
        db.outbox.send(BLOCKS, block.ref, events)


async def find_blocked(db: Database, *, limit: int) -> list[Document]:
    """List refusals for moderators, the newest first."""
    return await _find(db, {"blocked_at": {"$exists": True}}, sort=[("blocked_at", -1)], limit=limit)


async def find_waiting_appeals(db: Database, *, limit: int) -> list[Document]:
    """List appeals that nobody has decided, the oldest first."""
    return await _find(
        db,
        {"appeal.state": "waiting", "appeal.at": {"$exists": True}},
        sort=[("appeal.at", 1)],
        limit=limit,
    )


async def decide(db: Database, ref: str, *, granted: bool, note: str | None, now: datetime) -> bool:
    """Decide an appeal and forget what was handed in with it; `False` if none waits under this name."""
    result = await db[BLOCKS].update_one(
        {"_id": ref, "appeal.state": "waiting"},
        {
            "$set": {
                "appeal.state": "granted" if granted else "rejected",
                "appeal.note": note,
                "appeal.decided_at": now,
                "allowed": granted,
                "at": now,
            },
            "$unset": {"appeal.text": "", "appeal.explanation": ""},
        },
    )
    return bool(result.matched_count)


async def _find(db: Database, which: Document, *, sort: list[tuple[str, int]], limit: int) -> list[Document]:
    rows: list[Document] = await db[BLOCKS].find(which, {"outbox": 0}, sort=sort, limit=limit).to_list(limit)
    return rows


def _from_document(found: Document) -> Block:
    appeal: Any = found.get("appeal")
    return Block(
        ref=found["_id"],
        order_id=found["order_id"],
        buyer_id=found["buyer_id"],
        factory_id=found["factory_id"],
        user_id=found["user_id"],
        where=found["where"],
        kinds=tuple(found["kinds"]),
        rules=tuple(found["rules"]),
        mark=found["mark"],
        appeal=Appeal(state=appeal["state"], note=appeal["note"]) if appeal else None,
    )
