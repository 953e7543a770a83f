"""`Idempotency-Key`: the same key and body from the same user gives the first answer again.

The key is claimed before the work and keeps the answer after it. A second call meanwhile waits. If the
gateway dies in between, the claim runs out and the next call does the work anew: services guard what a
repeat would harm by the same key, which is passed on to them.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from gateway.limits import Kind, Limits
from gateway.session import CurrentSession
from shared.clock import utc_now
from shared.errors import Invalid, ValidationFailed
from shared.http import Db
from shared.mongo import Database, Document

KEYS: Final = "idempotency_keys"
REMEMBERED: Final = timedelta(hours=48)
# Longer than any call takes: the gateway gives up on a service before this.
CLAIM: Final = timedelta(seconds=30)
_LOOK_AGAIN: Final = 0.05
# Answers that tell of the moment and not of the call: the next try may well get another one.
_PASSING: Final = frozenset({401, 408, 429})
_KEPT_HEADERS: Final = frozenset({"content-type", "etag", "location"})

Produce = Callable[[], Awaitable[Response]]


class IdempotencyKeyReused(Invalid):
    """The key came before, with another body or for another call."""

    title = "Idempotency key reused"


async def ensure_indexes(db: Database) -> None:
    await db[KEYS].create_indexes(
        [IndexModel("created_at", expireAfterSeconds=int(REMEMBERED.total_seconds()))]
    )


class _Once:
    def __init__(self, request: Request, db: Database, *, user_id: str, key: str | None) -> None:
        self._request = request
        self._user_id = user_id
        self._db = db
        self._row_id = None if key is None else _row_id(user_id, key)
        self._first: Response | None = None
        self._is_kept = False

    async def __call__(self, produce: Produce, *, kind: Kind = "writes") -> Response:
        """Do the work, or give the answer that it gave before.

        Raises:
            IdempotencyKeyReused: the key belongs to another call.
            TooManyRequests: the user's limit for this kind of call is reached.
        """
        if self._first is not None:
            return self._first
        limits: Limits = self._request.app.state.limits
        await limits.count(self._db, kind, user_id=self._user_id, now=utc_now())
        answer = await produce()
        if self._row_id is not None and answer.status_code < 500 and answer.status_code not in _PASSING:  # noqa: PLR2004
            headers = {name: value for name, value in answer.headers.items() if name in _KEPT_HEADERS}
            await self._db[KEYS].update_one(
                {"_id": self._row_id},
                {"$set": {"status": answer.status_code, "headers": headers, "body": bytes(answer.body)}},
            )
            self._is_kept = True
        return answer

    @asynccontextmanager
    async def claiming(self) -> AsyncIterator[None]:
        """Hold the key, and let go of it unless an answer was kept.

        Raises:
            IdempotencyKeyReused: the key belongs to another call.
        """
        if self._row_id is None:
            yield
            return
        self._first = await self._claim(self._row_id)
        try:
            yield
        finally:
            if self._first is None and not self._is_kept:
                # A refusal that was raised is rendered later and not kept: the rules give it again.
                await self._db[KEYS].delete_one({"_id": self._row_id, "status": None})

    async def _claim(self, row_id: str) -> Response | None:
        body = await self._request.body()
        call = f"{self._request.method} {self._request.url.path}\n".encode()
        fingerprint = hashlib.sha256(call + body).hexdigest()
        keys = self._db[KEYS]
        while True:
            now = utc_now()
            row: Document = {
                "fingerprint": fingerprint,
                "status": None,
                "created_at": now,
                "claimed_until": now + CLAIM,
            }
            try:
                await self._db.insert(KEYS, {"_id": row_id} | row)
            except DuplicateKeyError:
                found = await keys.find_one({"_id": row_id})
            else:
                return None
            if found is None:  # the first call failed meanwhile
                continue
            if found["fingerprint"] != fingerprint:
                raise _reused()
            if found["status"] is not None:
                return Response(found["body"], found["status"], headers=found["headers"])
            if found["claimed_until"] <= now:
                taken = await keys.update_one(
                    {"_id": row_id, "claimed_until": found["claimed_until"], "status": None}, {"$set": row}
                )
                if taken.matched_count:
                    return None
            await asyncio.sleep(_LOOK_AGAIN)


def _row_id(user_id: str, key: str) -> str:
    return f"{user_id}:{key}"


def _reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused("this key came before with another body or for another call")


async def _key(
    idempotency_key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="up to 128 characters; a repeat gets the first answer"),
    ] = None,
) -> str | None:
    if idempotency_key is not None and not 0 < len(idempotency_key) <= 128:  # noqa: PLR2004
        raise ValidationFailed.at("/idempotency-key", "must have 1 to 128 characters")
    return idempotency_key


Key = Annotated[str | None, Depends(_key)]


async def bind(db: Database, *, user_id: str, key: Key, call: str) -> None:
    """Keep a key for one call whose body streams; the service that answers it tells bodies apart.

    Raises:
        IdempotencyKeyReused: the key belongs to another call.
    """
    if key is None:
        return
    fingerprint = hashlib.sha256(call.encode()).hexdigest()
    row = {"fingerprint": fingerprint, "status": None, "created_at": utc_now()}
    try:
        await db[KEYS].insert_one({"_id": _row_id(user_id, key)} | row)
    except DuplicateKeyError:
        found = await db[KEYS].find_one({"_id": _row_id(user_id, key)})
        if found is not None and found["fingerprint"] != fingerprint:
            raise _reused() from None


async def _once(request: Request, session: CurrentSession, db: Db, key: Key) -> AsyncIterator[_Once]:
    once = _Once(request, db, user_id=session.caller.user_id, key=key)
    # Before the framework looks at the body: the key comes before every other rule.
    async with once.claiming():
        yield once


Once = Annotated[_Once, Depends(_once)]
"""Call it with what makes the answer: `await once(produce)`."""
