"""`GET /stream`: server-sent events."""

import asyncio
import random
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Header, Request, Response
from starlette.types import Receive, Scope, Send

from gateway.live.audience import CARRIED
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
_WRITE_BYTES: Final = 64 * 1024
# Milliseconds, spread so that the clients of an instance that stops do not all come back at once.
_RETRY: Final = (1000, 3000)


class EventStream(Response):
    """A live stream as a response: nothing but a waiting task, and one more that sees the client leave."""

    media_type = _MEDIA_TYPE

    def __init__(self, opening: AbstractContextManager[Stream], *, patience: float) -> None:
        self.background = None
        self._opening = opening
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        with self._opening as stream:
            leaving = asyncio.create_task(_until_gone(receive))
            leaving.add_done_callback(lambda _: stream.close())
            try:
                await self._write(stream, send)
            except TimeoutError:
                # It reads nothing. The server cuts the connection of an unfinished answer, and the client
                # comes back with its last cursor.
                log.info("live client is too slow")
            finally:
                leaving.cancel()

    async def _write(self, stream: Stream, send: Send) -> None:
        async def write(body: bytes, *, is_last: bool = False) -> None:
            async with asyncio.timeout(self._patience):
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})

        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        await write(b"retry: %d\n\n" % random.randint(*_RETRY))  # noqa: S311 - no secret
        while (frames := await stream.next()) is not None:
            for piece in _in_pieces(frames):
                if stream.is_closed:
                    break
                await write(piece)
        await write(b"", is_last=True)


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
    live: Live = request.app.state.live
    opening = live.open(
        session_id=session.id,
        user_id=session.caller.user_id,
        organisation_id=session.caller.organisation_id,
        cursor=last_event_id or None,
    )
    return EventStream(opening, patience=live.patience)
