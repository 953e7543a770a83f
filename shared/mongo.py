"""MongoDB: how to connect, and the few calls in which the two async drivers differ.

Motor is the default; `MILLRACE_MONGO_DRIVER=pymongo` opens PyMongo's own async client, which outlives
Motor (decision 0008). Stores use only what both offer, and get the rest from here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from inspect import isawaitable
from random import random
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from shared.errors import Unavailable
from shared.together import ResultT, Together

if TYPE_CHECKING:
    from shared.outbox import Outbox

Document = dict[str, Any]
Collection = Any  # the drivers' collections share methods, not a base class
Session = Any
_TRANSACTION_SECONDS = 30.0
# By default the drivers wait for ever on a connection that died without a word, and with one command here wait all
# that are to be done together with it.
ANSWERS_WITHIN = timedelta(seconds=30)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5
_DUPLICATE_KEY = 11000

# What the drivers raise when they have lost the server, after they have tried once more by themselves; the
# last one where it went away between the write and its safety.
LOST: Final = (ConnectionFailure, WriteConcernError)

_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME)


class DatabaseUnavailable(Unavailable):
    """The call may have been carried out, or not; nothing of it is half done."""

    title = "Database unavailable"

    def __init__(self) -> None:
        super().__init__("the database does not answer at the moment; try again", retry_after=2)


@dataclass(kw_only=True)
class Database:
    """One service's database; `db["orders"]` is a collection, `db.outbox` publishes what documents hold."""

    client: Any
    handle: Any
    outbox: "Outbox" = field(init=False)
    # The drivers make a collection anew each time it is asked for.
    _collections: dict[str, Collection] = field(default_factory=dict)
    _together: dict[Any, Together[Any, Any]] = field(default_factory=dict)

    def __getitem__(self, collection: str) -> Collection:
        found = self._collections.get(collection)
        if found is None:
            found = self._collections[collection] = self.handle[collection]
        return found

    def together(self, work: Callable[..., Awaitable[Sequence[Any]]], *arguments: Any) -> Together[Any, Any]:
        """Give this database's one `Together` that does a piece of work, with the items after the arguments."""
        key = (work, *arguments)
        found = self._together.get(key)
        if found is None:
            found = self._together[key] = Together(partial(work, self, *arguments))
        return found

    async def find_by_id(self, collection: str, key: Any, *, hiding: tuple[str, ...] = ()) -> Document | None:
        """Read a document, all but some of its fields, in one command with others that are read at this moment.

        Who asks for the same one at this moment is given the same object: change nothing in it.
        """
        found: Document | None = await self.together(_find, collection, hiding)(key)
        return found

    async def insert(self, collection: str, document: Document) -> None:
        """Insert a document, in one command with others that are inserted at this moment.

        Raises:
            DuplicateKeyError: a unique index refuses it.
        """
        await self.together(_insert, collection)(document)

    async def ping(self) -> None:
        """Ask whether the server answers.

        Raises:
            PyMongoError: it does not.
        """
        await self.client.admin.command("ping")


async def _find(
    db: Database, collection: str, hiding: tuple[str, ...], keys: list[Any]
) -> list[Document | None]:
    wanted = list(set(keys))
    rows = await db[collection].find({"_id": {"$in": wanted}}, dict.fromkeys(hiding, 0)).to_list(len(wanted))
    documents = {row["_id"]: row for row in rows}
    return [documents.get(key) for key in keys]


async def _insert(db: Database, collection: str, documents: list[Document]) -> list[DuplicateKeyError | None]:
    refused = await refused_of(db[collection].insert_many(documents, ordered=False))
    return [refused.get(number) for number in range(len(documents))]


async def refused_of(writes: Awaitable[Any]) -> dict[int, DuplicateKeyError]:
    """Make many writes side by side, and tell by their numbers which of them a unique index has refused.

    Raises:
        PyMongoError: each of the writes was made, or not.
    """
    try:
        await writes
    except BulkWriteError as error:
        for lost in error.details["writeConcernErrors"]:
            raise WriteConcernError(lost.get("errmsg", ""), lost.get("code"), lost) from error
        refused: list[Document] = error.details["writeErrors"]
        if any(found["code"] != _DUPLICATE_KEY for found in refused):
            raise
        return {each["index"]: DuplicateKeyError(each["errmsg"], each["code"], each) for each in refused}
    return {}


@asynccontextmanager
async def connect(*, url: str, name: str, driver: str) -> AsyncIterator[Database]:
    """Open a database for as long as the context lasts; times are aware, and UTC."""
    options: dict[str, Any] = {
        "serverSelectionTimeoutMS": 5000,
        "socketTimeoutMS": ANSWERS_WITHIN / timedelta(milliseconds=1),
        "appname": "millrace",
        "retryWrites": True,
    }
    client: Any = (
        AsyncIOMotorClient(url, **options) if driver == "motor" else AsyncMongoClient(url, **options)
    )
    try:
        yield Database(client=client, handle=client.get_database(name, codec_options=_CODEC))
    finally:
        closed = client.close()
        if isawaitable(closed):
            await closed


def unhurried() -> AbstractContextManager[None]:
    """Let commands take an hour, as an index of a large collection does."""
    return pymongo.timeout(3600)


async def in_transaction(db: Database, body: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
    """Make all writes that `body` gives its session happen, or none.

    `body` may run more than once (a lost write conflict begins it again), so it takes times and ids
    from outside and does nothing but database work.
    """
    # Not the drivers' own loop: Motor's does not begin again where the conflict shows at the commit.
    give_up_at, pause = monotonic() + _TRANSACTION_SECONDS, _FIRST_PAUSE
    opened = db.client.start_session()
    async with await opened if isawaitable(opened) else opened as session:
        while True:
            started = session.start_transaction()
            if isawaitable(started):
                await started
            try:
                result = await body(session)
                await _commit(session, give_up_at=give_up_at)
            except BaseException as error:
                if session.in_transaction:
                    await session.abort_transaction()
                if isinstance(error, ServerSelectionTimeoutError):
                    raise  # the driver has waited for the server, and so has whoever called us
                if not _has(error, "TransientTransactionError") or monotonic() > give_up_at:
                    raise
                await asyncio.sleep(random() * pause)  # noqa: S311 - only to keep rivals apart
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return result


async def _commit(session: Session, *, give_up_at: float) -> None:
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            # It may be committed or not; asking again does not do it twice.
            if not _has(error, "UnknownTransactionCommitResult") or monotonic() > give_up_at:
                raise
        else:
            return


def _has(error: BaseException, label: str) -> bool:
    return isinstance(error, PyMongoError) and error.has_error_label(label)


async def aggregate(
    collection: Collection, pipeline: Sequence[Mapping[str, Any]], **options: Any
) -> list[Document]:
    """Run a pipeline to its end."""
    cursor = collection.aggregate(pipeline, **options)
    if isawaitable(cursor):
        cursor = await cursor
    rows: list[Document] = await cursor.to_list(None)
    return rows


async def explain(db: Database, command: Mapping[str, Any]) -> Document:
    """Ask the server how it would run a command, as tests of query plans do."""
    plan: Document = await db.handle.command("explain", command, verbosity="executionStats")
    return plan
