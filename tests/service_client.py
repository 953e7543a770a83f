"""One service as it runs: its HTTP on a port of its own, its consumers on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aio_pika
import aiohttp
import orjson
import uvicorn
from fastapi import FastAPI

from shared import messaging
from shared.clock import utc_now
from shared.events.base import CloudEvent, Fact, seal
from shared.identity import HEADER, Caller, sign
from shared.ids import new_id

SECRET = "a secret that only the tests and the service know"


@dataclass(kw_only=True)
class Answer:
    status: int
    json: Any
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Service:
    """Speaks to a service as the gateway does."""

    app: FastAPI
    url: str
    session: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        *,
        caller: Caller,
        json: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        token = sign(caller, secret=SECRET, now=utc_now())
        async with self.session.request(
            method, self.url + path, json=json, headers={HEADER: token, **(headers or {})}
        ) as response:
            body = await response.read()
            return Answer(
                status=response.status,
                json=orjson.loads(body) if body else None,
                headers=response.headers,
            )


@dataclass(kw_only=True)
class Events:
    """Publishes as other services do, and hears everything that is published, each event once."""

    channel: Any
    exchange: Any
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def publish(self, fact: Fact, *, event_id: str | None = None, at: datetime | None = None) -> str:
        event: CloudEvent[Fact] = seal(
            fact, event_id=event_id or new_id(), now=at or utc_now(), correlation_id=None, traceparent=None
        )
        await self.exchange.publish(
            aio_pika.Message(
                event.model_dump_json().encode(), content_type=messaging.CONTENT_TYPE, message_id=event.id
            ),
            routing_key=event.type,
        )
        return event.id

    def of(self, fact: type[Fact]) -> list[dict[str, Any]]:
        return [event for event in self.heard if event["type"] == fact.type]

    async def waiting_in(self, queue: str) -> int:
        declared = await self.channel.declare_queue(queue, passive=True)
        count: int = declared.declaration_result.message_count
        return count


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[Service]:
    """Serve for as long as the context lasts."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_keep_alive=75)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        if running.done():
            raise RuntimeError("the service did not start")
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Service(app=app, url=f"http://127.0.0.1:{port}", session=session)
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def listening(amqp_url: str) -> AsyncIterator[Events]:
    """Hear every event of a virtual host; start it before or after the services."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange("millrace.events", "topic", durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "#")
        events = Events(channel=channel, exchange=exchange)
        known = set[str]()

        async def hear(message: Any) -> None:
            # A service that is slow to note what it has published does it again.
            if (event := orjson.loads(message.body))["id"] not in known:
                known.add(event["id"])
                events.heard.append(event)

        await queue.consume(hear, no_ack=True)
        yield events
