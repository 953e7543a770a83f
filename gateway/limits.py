"""How often a user may write, and how large a body may be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import structlog
from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import counts
from gateway.session import CurrentSession
from shared import http
from shared.errors import TooLarge, TooMany
from shared.http import Db, Now
from shared.mongo import Database

log = structlog.get_logger(__name__)

_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})

Kind = Literal["messages", "uploads", "writes"]


class TooManyRequests(TooMany):
    title = "Too many requests"


class BodyTooLarge(TooLarge):
    title = "Request body too large"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Calls a minute and user, on all gateways together; `None` for all of them switches the limits off."""

    logins_a_minute: int | None
    a_minute: dict[Kind, int] | None

    async def count(self, db: Database, kind: Kind, *, user_id: str, now: datetime) -> None:
        """Count a call.

        Raises:
            TooManyRequests: there were too many in the last minute.
        """
        if self.a_minute is None:
            return
        most = self.a_minute[kind]
        retry_after = await counts.count(db, f"{kind}:{user_id}", most=most, now=now)
        if retry_after is not None:
            raise TooManyRequests(f"at most {most} {kind} a minute", retry_after=retry_after)


def off() -> Limits:
    """Switch every limit off, for load tests."""
    log.warning("rate limits are off: MILLRACE_RATE_LIMITS=off is for load tests")
    return Limits(logins_a_minute=None, a_minute=None)


async def _limited(request: Request, session: CurrentSession, db: Db, now: Now) -> None:
    limits: Limits = request.app.state.limits
    await limits.count(db, "writes", user_id=session.caller.user_id, now=now)


limited: Final[Any] = Depends(_limited)
"""Put it among a write's dependencies, unless `Once` counts it."""


class LimitBody:
    """Read a body before the application does, and refuse one past its size; uploads pass as a stream.

    A body of a read is nobody's to read: the server lets it go by.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, is_upload: Any) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.is_upload = is_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] in _WITHOUT_BODY
            or self.is_upload(scope["method"], scope["path"])
        ):
            await self.app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.most_bytes:
                answer = http.refusal_response(
                    BodyTooLarge(f"a body may have {self.most_bytes} bytes at most")
                )
                answer.headers["Connection"] = "close"
                await answer(scope, receive, send)
                return
        delivered = False

        async def replay() -> Message:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self.app(scope, replay, send)
