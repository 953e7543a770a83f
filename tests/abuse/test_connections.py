"""Clients that send too much, too slowly or nothing at all: real sockets, an application behind them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.connection import Connection
from tests.abuse.wire import Wire, connected
from tests.waiting import eventually

GET = b"GET /headers HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /size HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"


class Hasty(Connection):
    """Has no time to lose."""

    grace = 0.4
    pace = 20_000
    patience = 0.4


class Patient(Hasty):
    """Gives a stalled machine some time, but less than the test needs without sending enough."""

    grace = 2
    pace = 200


async def _headers(request: Request) -> Response:
    return JSONResponse(dict(request.headers))


async def _size(request: Request) -> Response:
    body = await request.body()
    return JSONResponse({"size": len(body), "headers": dict(request.headers)})


async def _without_end(request: Request) -> Response:
    async def rows() -> AsyncIterator[bytes]:
        request.app.state.open += 1
        try:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)  # else it would never see that its client has gone
        finally:
            request.app.state.open -= 1

    return StreamingResponse(rows())


async def _drops(request: Request) -> Response:
    async def rows() -> AsyncIterator[bytes]:
        request.app.state.open += 1
        try:
            while True:
                yield b"x" * 512
                await asyncio.sleep(0.05)
        finally:
            request.app.state.open -= 1

    return StreamingResponse(rows())


async def _slow(_: Request) -> Response:
    await asyncio.sleep(3 * Hasty.grace)
    return JSONResponse({"slow": True})


@asynccontextmanager
async def serving(protocol: type[Connection]) -> AsyncIterator[tuple[int, Any]]:
    app = Starlette(
        routes=[
            Route("/headers", _headers),
            Route("/size", _size, methods=["POST"]),
            Route("/without-end", _without_end),
            Route("/drops", _drops),
            Route("/slow", _slow),
        ]
    )
    app.state.open = 0
    config = uvicorn.Config(
        app, port=0, http=protocol, ws="none", log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], app.state
    finally:
        server.should_exit = True
        server.force_exit = True
        await running


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with serving(Connection) as (port, _), connected(port) as one:
        yield one


@asynccontextmanager
async def hasty(protocol: type[Connection] = Hasty) -> AsyncIterator[Wire]:
    """Connect only where something is sent at once: this server waits for nobody."""
    async with serving(protocol) as (port, _), connected(port) as one:
        yield one


async def until_closed(wire: Wire, piece: bytes, *, most: int) -> int:
    """Send a piece over and over; give how many bytes were taken, at most so many."""
    sent = 0
    while sent < most and await wire.send(piece):
        sent += len(piece)
        await asyncio.sleep(0)
    return sent


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET / HTTP/1.1\r\n", b"X-Filler: " + b"x" * 1000 + b"\r\n"),
        (b"GET / HTTP/1.1\r\nX-Filler: ", b"x" * 1000),
        (b"GET /", b"x" * 1000),
        (POST + b"1", b";" + b"x" * 1000),
        (POST + b"1\r\nx\r\n0\r\n", b"X-Filler: " + b"x" * 1000 + b"\r\n"),
        (POST + b"1\r\nx\r\n0\r\nX-Filler: ", b"x" * 1000),
    ],
    ids=["headers", "one header", "address", "chunk extension", "trailers", "one trailer"],
)
async def test_a_head_without_end_is_cut_off(wire: Wire, begin: bytes, piece: bytes) -> None:
    await wire.send(begin)

    sent = await until_closed(wire, piece, most=30_000_000)

    # What the kernels of both sides hold is counted too.
    assert sent < 20_000_000
    assert (await wire.closes())[:12] in {b"HTTP/1.1 431", b""}


async def test_a_head_past_its_size_is_refused_though_it_came_at_once(wire: Wire) -> None:
    await wire.send(b"GET /headers HTTP/1.1\r\nX-Filler: " + b"x" * 40_000 + b"\r\n\r\n")

    reply = await wire.reply()

    assert (reply.status, reply.headers["content-type"]) == (431, "application/problem+json")
    assert reply.json["type"] == "/problems/request-header-fields-too-large"
    assert reply.json["instance"] == reply.headers["x-request-id"]
    assert await wire.closes() == b""


async def test_a_head_below_its_size_is_served(wire: Wire) -> None:
    await wire.send(b"GET /headers HTTP/1.1\r\nX-Filler: " + b"x" * 31_000 + b"\r\n\r\n")

    assert len((await wire.reply()).json["x-filler"]) == 31_000


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
async def test_what_is_not_http_is_told_so_in_a_problem(wire: Wire, rubbish: bytes) -> None:
    await wire.send(rubbish + b"\r\n\r\n")

    reply = await wire.reply()

    assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
    assert reply.json["type"] == "/problems/bad-request"


async def test_two_lengths_are_not_smuggled(wire: Wire) -> None:
    await wire.send(
        b"POST /size HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET"
    )

    assert (await wire.reply()).status == 400


async def test_what_stands_behind_a_body_becomes_no_header(wire: Wire) -> None:
    await wire.send(POST + b"1\r\nx\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n")

    reply = await wire.reply()

    assert reply.json["size"] == 1
    assert "authorization" not in reply.json["headers"]


async def test_a_wish_for_another_protocol_is_passed_over(wire: Wire) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAA\r\n"
    await wire.send(GET.replace(b"\r\n\r\n", b"\r\n" + upgrade % b"h2c" + b"\r\n"))

    assert (await wire.reply()).status == 200


async def test_heads_that_drip_are_cut_off_while_others_are_served() -> None:
    async with serving(Hasty) as (port, _), AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(connected(port)) for _ in range(200)]

        async def drip(wire: Wire) -> bytes:
            await wire.send(b"GET /headers HTTP/1.1\r\nX-Slow: ")
            end = asyncio.create_task(wire.closes())
            while not end.done():
                await wire.send(b"x")
                await asyncio.wait([end], timeout=0.1)
            return end.result()

        ends = asyncio.gather(*(drip(each) for each in slow))
        other = await stack.enter_async_context(connected(port))
        await other.send(GET)

        assert (await other.reply()).status == 200
        # Some may send on after the end, and so lose what they were told.
        assert b"HTTP/1.1 408" in {end[:12] for end in await ends} <= {b"HTTP/1.1 408", b""}


@pytest.mark.parametrize("before", [b"", b"\r\n"])
async def test_a_connection_that_asks_nothing_is_closed_without_a_word(before: bytes) -> None:
    async with hasty() as wire:
        await wire.send(before)

        assert await wire.closes() == b""


async def test_blank_lines_keep_no_connection_open() -> None:
    async with hasty() as wire:
        await wire.send(GET)
        await wire.reply()

        async def closed() -> bool:
            return not await wire.send(b"\r\n")

        await eventually(closed, every=0.05)


async def test_a_body_that_stops_is_cut_off() -> None:
    async with hasty() as wire:
        await wire.send(POST + b"5\r\nhello\r\n")

        reply = await wire.reply()

    assert (reply.status, reply.json["type"]) == (408, "/problems/request-timeout")


async def test_a_body_that_comes_fast_enough_may_take_its_time() -> None:
    async with hasty(Patient) as wire:
        await wire.send(POST)
        for _ in range(12):
            await wire.send(b"800\r\n" + b"x" * 2048 + b"\r\n")
            await asyncio.sleep(0.2)
        await wire.send(b"0\r\n\r\n")

        assert (await wire.reply()).json["size"] == 12 * 2048


async def test_an_answer_that_takes_long_is_not_the_clients_fault() -> None:
    async with hasty() as wire:
        await wire.send(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n\r\n")

        assert (await wire.reply()).json == {"slow": True}


async def test_requests_one_behind_the_other_are_all_answered(wire: Wire) -> None:
    await wire.send(GET * 5)

    assert [(await wire.reply()).status for _ in range(5)] == [200] * 5


async def test_a_client_that_reads_nothing_is_dropped() -> None:
    async with serving(Hasty) as (port, state), connected(port, read_ahead=1024) as wire:
        await wire.send(b"GET /without-end HTTP/1.1\r\nHost: here\r\n\r\n")

        await eventually(lambda: state.open == 1)

        await eventually(lambda: state.open == 0)


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel's patience cannot be set here"
)
async def test_a_client_that_reads_nothing_is_dropped_also_where_little_waits_for_it() -> None:
    async with serving(Hasty) as (port, state):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /drops HTTP/1.1\r\nHost: here\r\n\r\n")
            await eventually(lambda: state.open == 1)

            await eventually(lambda: state.open == 0, within=20)
