"""Small gateways on a real RabbitMQ, and somebody who publishes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
import pytest
import uvicorn
from fastapi import FastAPI

from gateway.live import Live
from tests.gateway.live import builders, small_gateway
from tests.waiting import eventually

Publish = Callable[..., Awaitable[None]]
StartGateway = Callable[..., AbstractAsyncContextManager["Gateway"]]


@dataclass
class Gateway:
    app: FastAPI
    url: str

    @property
    def open_streams(self) -> int:
        return sum(1 for _ in self.app.state.live._streams())


async def hears_all(live: Live) -> bool:
    try:
        await live.answers()
    except ConnectionError:
        return False
    return True


@asynccontextmanager
async def serving(app: FastAPI, *, wait: bool = True) -> AsyncIterator[Gateway]:
    server = uvicorn.Server(small_gateway.config(app))
    task = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        if wait:
            await eventually(lambda: hears_all(app.state.live))
        yield Gateway(app, f"http://127.0.0.1:{port}")
    finally:
        app.state.live.close()
        server.should_exit = True
        await task


@pytest.fixture
def start_gateway(amqp_url: str) -> StartGateway:
    """Start as many gateways as a test wants, each on a port of its own."""

    def start(**options: Any) -> AbstractAsyncContextManager[Gateway]:
        return serving(small_gateway.create_app(amqp_url=amqp_url, **options))

    return start


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> AsyncIterator[Gateway]:
    async with start_gateway() as gateway:
        yield gateway


@pytest.fixture
async def publish(amqp_url: str) -> AsyncIterator[Publish]:
    """Publish events one after the other, each confirmed; a `bytes` goes out as it is."""
    async with await aio_pika.connect(amqp_url) as connection:
        exchange = await builders.events_exchange(await connection.channel())

        async def send(*events: dict[str, Any] | bytes) -> None:
            for event in events:
                body = event if isinstance(event, bytes) else json.dumps(event).encode()
                key = "some.thing.v1" if isinstance(event, bytes) else event["type"]
                await exchange.publish(builders.message(body), routing_key=key, mandatory=False)

        yield send
