"""How far each user has read each thread, and the sums that a dashboard shows.

What a user has not read in a thread follows from the counts in two messages: the last one, and the one
read last. A user's sum over all threads is what their organisation was sent less what they have seen:
`inboxes` adds the first up for an organisation, `readers` the second for a user, each in a transaction
with the document that it counts, so that a crash leaves neither too high nor too low.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError

from services.chat.domain import Tail, Thread
from services.chat.store import messages
from services.chat.store.threads import OWNER, THREADS
from shared import mongo
from shared.identity import Caller, Side
from shared.mongo import Database, Document, Session
from shared.outbox import Sealed

READS: Final = "reads"
READERS: Final = "readers"
INBOXES: Final = "inboxes"


@dataclass(frozen=True, kw_only=True)
class ThreadState:
    """What a card shows of a thread."""

    unread: int
    last_message_at: datetime | None


async def ensure_indexes(db: Database) -> None:
    await db[READS].create_indexes(
        [
            IndexModel(
                [("order_id", ASCENDING), ("side", ASCENDING), ("up_to", DESCENDING)], name="furthest"
            ),
        ]
    )


async def find_read_up_to(db: Database, order_id: str) -> dict[Side, int]:
    """Tell how far somebody of each side has read."""
    sides: tuple[Side, Side] = ("buyer", "factory")
    furthest = await asyncio.gather(
        *(
            db[READS].find_one(
                {"order_id": order_id, "side": side}, {"up_to": 1}, sort=[("up_to", DESCENDING)]
            )
            for side in sides
        )
    )
    return {side: found["up_to"] for side, found in zip(sides, furthest, strict=True) if found}


async def find_seen(db: Database, order_id: str, *, caller: Caller) -> int:
    """Tell how many messages of the other side the caller has read in a thread."""
    found = await db[READS].find_one({"_id": _key(order_id, caller)}, {"seen": 1})
    return found["seen"] if found else 0


async def move_forward(db: Database, thread: Thread, *, to: Tail, caller: Caller, events: Sealed) -> bool:
    """Note that the caller has read a thread up to a message; tell whether that is further than before."""
    key, seen = _key(thread.order_id, caller), to.for_reader(caller.side)
    if await db[READS].find_one({"_id": key, "up_to": {"$gte": to.seq}}, {"_id": 1}):
        return False

    async def forward(session: Session) -> bool:
        before = await db[READS].find_one_and_update(
            {"_id": key, "up_to": {"$lt": to.seq}},
            events.into(
                {
                    "$set": {
                        "order_id": thread.order_id,
                        "user_id": caller.user_id,
                        "side": caller.side,
                        "up_to": to.seq,
                        "seen": seen,
                    }
                }
            ),
            upsert=True,
            session=session,
        )
        if newly_seen := seen - (before["seen"] if before else 0):
            await db[READERS].update_one(
                {"_id": caller.user_id}, {"$inc": {"seen": newly_seen}}, upsert=True, session=session
            )
        return True

    try:
        await mongo.in_transaction(db, forward)
    except DuplicateKeyError:  # somebody, such as the user's other device, has read as far or further
        return False
    db.outbox.send(READS, key, events)
    return True


async def add_up(db: Database, order_ids: list[str]) -> list[None]:
    """Add what threads have grown by to the sums of their organisations."""

    async def add(session: Session) -> None:
        threads = db[THREADS].find(
            {"_id": {"$in": order_ids}}, {"buyer_id": 1, "factory_id": 1, "added_up": 1}, session=session
        )
        found = {row["_id"]: row async for row in threads}
        tails = await messages.find_tails(db, list(found), session=session)
        counted, grown = [], dict[str, int]()
        for order_id, tail in tails.items():
            row = found[order_id]
            before = row.get("added_up", {"buyer": 0, "factory": 0})
            if (tail.buyer, tail.factory) == (before["buyer"], before["factory"]):
                continue
            counted.append(
                UpdateOne(
                    {"_id": order_id}, {"$set": {"added_up": {"buyer": tail.buyer, "factory": tail.factory}}}
                )
            )
            for reader, written in (
                (row[OWNER["factory"]], tail.buyer - before["buyer"]),
                (row[OWNER["buyer"]], tail.factory - before["factory"]),
            ):
                grown[reader] = grown.get(reader, 0) + written
        if not counted:
            return
        await db[THREADS].bulk_write(counted, ordered=False, session=session)
        await db[INBOXES].bulk_write(
            [
                UpdateOne({"_id": reader}, {"$inc": {"received": growth}}, upsert=True)
                for reader, growth in sorted(grown.items())
                if growth
            ],
            session=session,
        )

    await mongo.in_transaction(db, add)
    return [None] * len(order_ids)


async def find_states(
    db: Database, order_ids: list[str], *, caller: Caller, with_total: bool
) -> tuple[dict[str, ThreadState], int | None]:
    """Read what the caller's cards show of threads of the caller's organisation, and all that is unread if wanted.

    The sum may lag behind the messages by a moment. It is one command: each costs more than what it reads.
    """
    keys = {_key(order_id, caller): order_id for order_id in order_ids}
    pipeline = [*messages.ends_of(order_ids, of=caller), _beside(READS, {"$in": list(keys)}, {"seen": 1})]
    if with_total:
        pipeline += [
            _beside(INBOXES, caller.organisation_id, {"received": 1}),
            _beside(READERS, caller.user_id, {"seen_in_all": "$seen"}),
        ]
    tails, seen, sums = dict[str, Tail](), dict[str, int](), dict[str, int]()
    for row in await mongo.aggregate(db[messages.MESSAGES], pipeline):
        if "tail" in row:
            tails[row["_id"]] = messages.tail_of(row)
        elif "seen" in row:
            seen[keys[row["_id"]]] = row["seen"]
        else:
            sums |= row
    states = {}
    for order_id in order_ids:
        tail = tails.get(order_id, Tail())
        unread = max(0, tail.for_reader(caller.side) - seen.get(order_id, 0))
        states[order_id] = ThreadState(unread=unread, last_message_at=tail.said_at)
    total = max(0, sums.get("received", 0) - sums.get("seen_in_all", 0)) if with_total else None
    return states, total


def _beside(collection: str, which: Any, shown: Document) -> Document:
    return {"$unionWith": {"coll": collection, "pipeline": [{"$match": {"_id": which}}, {"$project": shown}]}}


def _key(order_id: str, caller: Caller) -> str:
    return f"{order_id}:{caller.user_id}"
