"""Messages: one document each, numbered by a unique index, with the counts up to itself and its own event.

A message's number is its predecessor's plus one. The unique index on (order, number) decides between
simultaneous senders; whoever loses reads the new end and tries again. As each document also carries how
many messages of each side there are up to it, nothing has to be counted, and nothing can be counted
wrong by a crash.
"""

import asyncio
import re
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.chat.domain import File, Message, Tail
from services.chat.store.threads import OWNER
from shared import mongo
from shared.api.orders import HistoryEntry
from shared.errors import Unavailable
from shared.identity import Caller, Person
from shared.mongo import Database, Document, Session
from shared.outbox import Sealed

MESSAGES: Final = "messages"
# In one process senders wait for each other, so a lost race is one against another process.
_MOST_RACES: Final = 100
_BY_END: Final = [("order_id", DESCENDING), ("seq", DESCENDING)]

_MOST_TURNS: Final = 10_000

Compose = Callable[[Tail, tuple[File, ...]], tuple[Message, Sealed]]
Claim = Callable[[Session], Awaitable[tuple[File, ...]]]


class AlreadyThere(Exception):  # noqa: N818 - tells of a repeated request or event, not of a fault
    """The request was carried out before, or the line stands in the thread already."""


@dataclass(eq=False, kw_only=True)
class _Turn:
    """Whose turn it is in this process to write into a thread, and where it ended after the turn before.

    Another process may have written since; then the index says so.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    tail: Tail | None = None


@lru_cache(_MOST_TURNS)
def _turn(order_id: str) -> _Turn:
    del order_id
    return _Turn()


class TooManySenders(Unavailable):
    title = "Too many messages at once"

    def __init__(self) -> None:
        super().__init__("too many people write into this thread at this moment; try again", retry_after=1)


async def ensure_indexes(db: Database) -> None:
    await db[MESSAGES].create_indexes(
        [
            IndexModel([("order_id", ASCENDING), ("seq", ASCENDING)], unique=True, name="number"),
            IndexModel(
                [("order_id", ASCENDING), ("sender.user_id", ASCENDING), ("seq", ASCENDING)], name="sender"
            ),
            IndexModel(
                [("order_id", ASCENDING), ("line.status", ASCENDING)],
                unique=True,
                name="line",
                partialFilterExpression={"line.status": {"$exists": True}},
            ),
            IndexModel(
                [("order_id", ASCENDING), ("sender.user_id", ASCENDING), ("request", ASCENDING)],
                unique=True,
                name="request",
                partialFilterExpression={"request": {"$exists": True}},
            ),
        ]
    )


async def append(
    db: Database,
    order_id: str,
    compose: Compose,
    *,
    request: str | None = None,
    claim: Claim | None = None,
) -> Message:
    """Put a message at the end of a thread, with its event.

    Args:
        compose: makes the message, given where the thread ends and what was claimed.
        request: the sender's name for this request, which can be carried out once.
        claim: makes files part of the message, together with it or not at all.

    Raises:
        AlreadyThere: the request or the line has been stored before.
        TooManySenders: others were always faster.
    """
    turn = _turn(order_id)

    async def insert(session: Session = None) -> tuple[Message, Sealed]:
        files = await claim(session) if claim else ()
        tail = turn.tail or await find_tail(db, order_id, session=session)
        message, events = compose(tail, files)
        document = _to_document(message) | ({"request": request} if request else {}) | events.fields
        if session:
            await db[MESSAGES].insert_one(document, session=session)
        else:
            await db.insert(MESSAGES, document)
        return message, events

    async with turn.lock:
        for _ in range(_MOST_RACES):
            try:
                message, events = await (mongo.in_transaction(db, insert) if claim else insert())
            except BaseException as error:
                turn.tail = None
                if not isinstance(error, DuplicateKeyError):
                    raise
                if "seq" not in (error.details or {}).get("keyPattern", {}):
                    raise AlreadyThere from error
            else:
                turn.tail = message.tail
                db.outbox.send(MESSAGES, message.id, events)
                return message
    raise TooManySenders


async def find_tail(db: Database, order_id: str, *, session: Session = None) -> Tail:
    """Read where a thread ends."""
    found = await db[MESSAGES].find_one(
        {"order_id": order_id}, {"tail": 1, "seq": 1}, sort=_BY_END, session=session
    )
    return tail_of(found) if found else Tail()


async def find_tail_at(db: Database, order_id: str, *, seq: int) -> Tail:
    """Read the counts up to one message; before the first there are none."""
    found = await db[MESSAGES].find_one({"order_id": order_id, "seq": seq}, {"tail": 1, "seq": 1})
    return tail_of(found) if found else Tail()


async def find_tails(db: Database, order_ids: list[str], *, session: Session) -> dict[str, Tail]:
    """Read where threads end, whosever they are."""
    rows = await mongo.aggregate(db[MESSAGES], ends_of(order_ids), session=session)
    return {row["_id"]: tail_of(row) for row in rows}


def ends_of(order_ids: list[str], *, of: Caller | None = None) -> list[Document]:
    """Write the pipeline that reads where threads end, all or those of a caller's organisation, for `tail_of`."""
    return [
        {"$match": {"order_id": {"$in": order_ids}}},
        {"$sort": {"order_id": DESCENDING, "seq": DESCENDING}},
        {"$group": {"_id": "$order_id", "last": {"$first": "$$ROOT"}}},
        *([{"$match": {f"last.{OWNER[of.side]}": of.organisation_id}}] if of else []),
        {"$project": {"tail": "$last.tail", "seq": "$last.seq"}},
    ]


async def find_request(db: Database, order_id: str, *, caller: Caller, request: str) -> Message | None:
    """Find the message that a request made before."""
    found = await db[MESSAGES].find_one(
        {"order_id": order_id, "sender.user_id": caller.user_id, "request": request}, {"outbox": 0}
    )
    return _from_document(found) if found else None


async def find_texts_before(
    db: Database, order_id: str, *, caller: Caller, since: datetime, limit: int
) -> tuple[str, ...]:
    """Read what the caller has written into a thread lately, oldest first."""
    found = (
        db[MESSAGES]
        .find(
            {"order_id": order_id, "sender.user_id": caller.user_id, "text": {"$type": "string"}},
            {"text": 1, "sent_at": 1},
        )
        .sort("seq", DESCENDING)
        .limit(limit)
    )
    texts = [row["text"] async for row in found if row["sent_at"] >= since]
    return tuple(reversed(texts))


async def find_page(
    db: Database, order_id: str, *, before: int | None, after: int | None, q: str | None, limit: int
) -> tuple[list[Message], int | None]:
    """Read a part of a thread, oldest first, and the number from which its reader goes on, if there is more.

    With `after` it begins there and goes forward, else it ends at `before` or at the thread's end.
    """
    number: Document = {}
    if before is not None:
        number["$lt"] = before
    if after is not None:
        number["$gt"] = after
    criteria: Document = {"order_id": order_id} | ({"seq": number} if number else {})
    if words := fold(q or "").split():
        criteria["$and"] = [{"folded": {"$regex": re.escape(word)}} for word in words]
    direction = DESCENDING if after is None else ASCENDING
    found = (
        await db[MESSAGES]
        .find(criteria, {"outbox": 0, "folded": 0})
        .sort("seq", direction)
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    messages = [_from_document(document) for document in found[:limit]]
    goes_on = messages[-1].seq if len(found) > limit else None
    return (messages if direction == ASCENDING else messages[::-1]), goes_on


def fold(text: str) -> str:
    """Bring a text into the form in which it is searched."""
    return unicodedata.normalize("NFKC", text).casefold()


def tail_of(found: Document) -> Tail:
    return Tail(seq=found["seq"], **found["tail"])


def _to_document(message: Message) -> Document:
    document: Document = {
        "_id": message.id,
        "order_id": message.order_id,
        "buyer_id": message.buyer_id,
        "factory_id": message.factory_id,
        "seq": message.seq,
        "tail": {
            "buyer": message.tail.buyer,
            "factory": message.tail.factory,
            "said_at": message.tail.said_at,
        },
        "text": message.text,
        "folded": fold(" ".join(filter(None, (message.text, *(file.filename for file in message.files))))),
        "sent_at": message.sent_at,
    }
    if message.sender:
        document["sender"] = message.sender.model_dump()
    if message.files:
        document["files"] = [vars(file) for file in message.files]
    if message.line:
        document["line"] = message.line.model_dump() | {"status": message.line.status.value}
    return document


def _from_document(found: Document) -> Message:
    sender: Any = found.get("sender")
    line: Any = found.get("line")
    return Message(
        id=found["_id"],
        order_id=found["order_id"],
        buyer_id=found["buyer_id"],
        factory_id=found["factory_id"],
        tail=tail_of(found),
        sender=Person.model_construct(**sender) if sender else None,
        text=found["text"],
        files=tuple(File(**file) for file in found.get("files", ())),
        line=HistoryEntry.model_validate(line) if line else None,
        sent_at=found["sent_at"],
    )
