"""What a client may do to a connection: uvicorn's protocol, with an end to its patience.

By itself uvicorn keeps a head of any size, waits for a request as long as the client likes, and for a
client that reads nothing. Here a request has to arrive at a least pace, its head within a size, and an
answer has to be taken. Refusals on this level are problem documents like all others.
"""

import asyncio
import socket
from http import HTTPStatus
from typing import Any, Final

import orjson
from httptools import HttpParserError
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http import PROBLEM
from shared.ids import new_id

# Each byte of a body may come as a chunk of its own, with a line of hexadecimals and four line breaks.
_MOST_FRAMING: Final = 8


class Connection(HttpToolsProtocol):
    """One client's connection."""

    grace: float = 20
    """Seconds that a request may take to arrive; `pace` bytes of it buy one more."""
    pace: int = 500
    most_head: int = 32 * 1024
    """Bytes of request line and headers."""
    patience: float = 60
    """Seconds for which an answer may wait to be taken."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_awaited = True
        self._in_head = False
        self._began_now = False
        self._since = 0.0
        self._arrived = 0
        self._body = 0
        self._chunk = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self._watch: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Less than fills a buffer is the kernel's to get rid of: a live stream's client that is gone without
            # a word, or reads nothing, would hold its socket for a quarter of an hour, or for ever.
            wire: socket.socket = transport.get_extra_info("socket")
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self.patience * 1000))
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._watch, self._stuck):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._began_now = False
        self._chunk = len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._began_now:
            self._arrived += self._chunk
            if not self._is_awaited:  # blank lines, which may stand before a request
                self._await_request()
            elif self._arrived > self.most_head + _MOST_FRAMING * self._body:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if self._is_awaited:
            self._watch = self._watch or self.loop.call_later(self.grace, self._look)
        elif self._watch:
            self._watch.cancel()
            self._watch = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_awaited = self._in_head = self._began_now = True
        self._since = self.loop.time()
        self._arrived = self._body = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else it stands behind the body, where nobody has use for it
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._arrived + self._chunk > self.most_head:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > self.most_head:
                self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                raise HttpParserError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        # As uvicorn does it, but for two more copies of each piece: a sixth of what an upload costs here.
        self._body += len(body)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return
        cycle.body = cycle.body + body if cycle.body else body  # type: ignore[assignment]
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._is_awaited = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stuck:
            self._stuck.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.patience, self.transport.abort)  # it closes once all is taken

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse(self._refusal)

    def _unsupported_upgrade_warning(self) -> None:
        pass  # the request is answered as if it had not asked for another protocol

    def _await_request(self) -> None:
        self._is_awaited = True
        self._since = self.loop.time()
        self._arrived = self._body = 0
        self._watch = self._watch or self.loop.call_later(self.grace, self._look)

    def _look(self) -> None:
        self._watch = None
        if not self._is_awaited or self.transport.is_closing():
            return
        now = self.loop.time()
        if self._is_our_turn():
            self._since, self._arrived = now, 0
        left = self._since + self.grace + self._arrived / self.pace - now
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _is_our_turn(self) -> bool:
        cycle = self.cycle
        answering = cycle is not None and not cycle.response_complete and not cycle.more_body
        return answering or self.flow.read_paused

    def _refuse(self, status: HTTPStatus) -> None:
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering:
            cycle.disconnected = True
            cycle.message_event.set()
        if is_answering and (cycle.response_started or not cycle.more_body):
            self.transport.abort()  # in the midst of an answer nothing else can be said
            return
        # Whoever sent no request yet, or has its answer already, is not told that the time is over.
        if status != HTTPStatus.REQUEST_TIMEOUT or self._in_head or is_answering:
            self.transport.write(_problem(status))
        self.transport.close()
        self.loop.call_later(self.patience, self.transport.abort)


def _problem(status: HTTPStatus) -> bytes:
    request_id = new_id()
    body = orjson.dumps(
        {
            "type": f"/problems/{status.phrase.lower().replace(' ', '-')}",
            "title": status.phrase,
            "status": status.value,
            "detail": status.description or status.phrase,
            "instance": request_id,
        }
    )
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"content-type: {PROBLEM}\r\ncontent-length: {len(body)}\r\nx-request-id: {request_id}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
