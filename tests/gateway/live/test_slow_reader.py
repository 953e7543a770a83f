"""Clients that read slowly, or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.gateway.live.builders import an_event
from tests.gateway.live.conftest import Publish, StartGateway
from tests.gateway.live.sse import listening
from tests.waiting import eventually

pytestmark = pytest.mark.parts

BUYER = "wei/buyer/s1"


@asynccontextmanager
async def reading_nothing(url: str, token: str) -> AsyncIterator[socket.socket]:
    """Ask for a stream, read its beginning, and then nothing more."""
    loop = asyncio.get_running_loop()
    address = urlsplit(url)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await loop.sock_connect(client, (address.hostname, address.port))
        request = f"GET /stream HTTP/1.1\r\nHost: test\r\nAuthorization: {token}\r\n\r\n"
        await loop.sock_sendall(client, request.encode())
        beginning = b""
        while b"event: ready" not in beginning:
            beginning += await loop.sock_recv(client, 1024)
        yield client


async def test_it_delays_nobody_is_dropped_and_can_come_back(
    start_gateway: StartGateway, publish: Publish
) -> None:
    # More than the buffers of both ends take.
    events = [an_event(note="x" * 100_000) for _ in range(100)]

    async with start_gateway(patience=timedelta(seconds=0.5)) as gateway:
        async with (
            listening(gateway.url, BUYER) as quick,
            reading_nothing(gateway.url, "slow/buyer/s2"),
        ):
            await eventually(lambda: quick.types == ["ready"])
            cursor = quick.last_event_id
            await publish(*events)
            await eventually(lambda: quick.event_ids == [event["id"] for event in events])
            await eventually(lambda: gateway.open_streams == 1)
        async with listening(gateway.url, "slow/buyer/s2", last_event_id=cursor) as again:
            await eventually(lambda: again.event_ids == [event["id"] for event in events])


async def test_what_it_has_not_taken_may_be_forgotten_but_then_it_ends(
    start_gateway: StartGateway, publish: Publish
) -> None:
    events = [an_event(note="x" * 100_000) for _ in range(100)]

    async with (
        start_gateway(patience=timedelta(seconds=60), most_bytes=500_000) as gateway,
        reading_nothing(gateway.url, BUYER),
    ):
        assert gateway.open_streams == 1
        await publish(*events)
        await eventually(lambda: gateway.open_streams == 0)
