"""`GET /stream`: server-sent events."""

import asyncio
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Header, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.accounts.domain import Session
from gateway.live.audience import CARRIED, PASSING
from gateway.live.hub import Live, TooManyStreams
from gateway.live.stream import Stream
from gateway.session import CurrentSession
from shared.errors import Unauthenticated
from shared.http import problems

log = structlog.get_logger(__name__)

router = APIRouter(tags=["live updates"])

_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = (
    (b"content-type", f"{_MEDIA_TYPE}; charset=utf-8".encode()),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
_TAKEN_OVER: Final = "millrace.live"
_WRITE_BYTES: Final = 64 * 1024
# Milliseconds, spread so that the clients of an instance that stops do not all come back at once.
_RETRY: Final = (1000, 3000)


class EventStream(Response):
    """A live stream as a response."""

    media_type = _MEDIA_TYPE

    def __init__(self, live: Live, *, session: Session, cursor: str | None) -> None:
        self.background = None
        self._live = live
        self._session = session
        self._cursor = cursor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = self._session.caller
        stream = self._live.open(
            session_id=self._session.id,
            user_id=caller.user_id,
            organisation_id=caller.organisation_id,
            cursor=self._cursor,
        )
        opened = _Opened(self._live, stream)
        taken_over: list[_Opened] | None = scope.get(_TAKEN_OVER)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            retry = b"retry: %d\n\n" % random.randint(*_RETRY)  # noqa: S311 - no secret
            await send({"type": "http.response.body", "body": retry, "more_body": True})
        except BaseException:
            self._live.leave(stream)
            raise
        if taken_over is None:
            await opened.run(receive, send)
        else:
            taken_over.append(opened)


class LongStreams:
    """Runs the streams when all layers inside have done with the request; add it as the outermost one.

    An open stream would otherwise keep what each layer has in hand, twice its own memory, and for hours
    be a request that is still being timed and traced.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        opened: list[_Opened] = []
        if scope["type"] == "http":
            scope[_TAKEN_OVER] = opened
        try:
            await self.app(scope, receive, send)
        except BaseException:
            for each in opened:
                each.leave()
            raise
        for each in opened:
            await each.run(receive, send)


@dataclass(frozen=True, slots=True)
class _Opened:
    live: Live
    stream: Stream

    def leave(self) -> None:
        self.live.leave(self.stream)

    async def run(self, receive: Receive, send: Send) -> None:
        """Write until either side has enough: nothing but a waiting task, and one that sees the client leave."""
        leaving = asyncio.create_task(_until_gone(receive))
        leaving.add_done_callback(self._close)
        try:
            while (frames := await self.stream.next()) is not None:
                for piece in _in_pieces(frames):
                    if self.stream.is_closed:
                        break
                    await self._write(send, piece)
            await self._write(send, b"", more=False)
        except TimeoutError:
            # It reads nothing. The server cuts the connection of an unfinished answer, and the client
            # comes back with its last cursor.
            log.info("live client is too slow")
        finally:
            leaving.cancel()
            self.leave()

    async def _write(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self.live.patience):
            await send({"type": "http.response.body", "body": body, "more_body": more})

    def _close(self, _: "asyncio.Task[None]") -> None:
        self.stream.close()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _in_pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    piece: list[bytes] = []
    size = 0
    for frame in frames:
        if piece and size + len(frame) > _WRITE_BYTES:
            yield b"".join(piece)
            piece, size = [], 0
        piece.append(frame)
        size += len(frame)
    yield b"".join(piece)


_DESCRIPTION: Final = f"""\
Server-sent events for the signed-in user, one at a time as they happen. Each has `event:` (its type),
`data:` (the CloudEvent as JSON) and `id:` (a cursor).

* `ready` comes first: from its cursor on you hear everything that concerns you.
* {", ".join(f"`{each}`" for each in CARRIED)}: what happened, your own deeds included.
* {", ".join(f"`{each}`" for each in PASSING)}: what somebody of the other side does right now; without an `id:`, and
  never told again.
* `ping` comes every 15 seconds; its cursor is as good as an event's. Take a connection without one for dead.
* `resync` says that something you missed can no longer be told: read again what you show.

Reconnect with the last cursor in `Last-Event-ID`, to any instance, and you get what you missed, once and in
order, then the live events. What happened in the last 15 minutes can be told. A browser's `EventSource` does
all this by itself. The stream ends when the session does, and when the server stops: then reconnect.
"""


@router.get(
    "/stream",
    description=_DESCRIPTION,
    status_code=200,
    response_class=EventStream,
    responses={
        200: {
            "description": "events without end",
            "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **problems(Unauthenticated, TooManyStreams),
    },
)
async def stream(
    request: Request,
    session: CurrentSession,
    last_event_id: Annotated[
        str | None, Header(description="the last `id:` that you got; go on behind it")
    ] = None,
) -> Any:
    return EventStream(request.app.state.live, session=session, cursor=last_event_id or None)
