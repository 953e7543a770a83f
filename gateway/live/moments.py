"""News for whoever listens at this moment, such as who is typing; `shared.moments` tells it, and nobody keeps it."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import aio_pika
import orjson
import structlog
from aio_pika.abc import AbstractIncomingMessage

from gateway.live.audience import Audience, passing_audience
from gateway.live.recent import frame
from shared import messaging
from shared.moments import MOMENTS

log = structlog.get_logger(__name__)

_RETRY_PAUSE: Final = 1.0
# What a busy gateway does not get to in time is old news.
_QUEUE: Final[dict[str, Any]] = {"x-max-length": 1000}


class Moments:
    """Listens for ever, across every loss of the broker, and hands each moment to `tell` with its audience."""

    def __init__(self, *, url: str, tell: Callable[[Audience, bytes], None]) -> None:
        self._url = url
        self._tell = tell

    async def listen(self) -> None:
        while True:
            try:
                with messaging.lost_is_a_failure():
                    await self._listen_once()
            except Exception as error:  # noqa: BLE001 - whatever it is, the broker may be back soon
                log.info("moments are not heard", cause=repr(error))
            await asyncio.sleep(_RETRY_PAUSE)

    async def _listen_once(self) -> None:
        async with await aio_pika.connect(self._url, timeout=10, heartbeat=messaging.HEARTBEAT) as connection:
            channel = await connection.channel()
            is_closed = asyncio.Event()
            channel.close_callbacks.add(lambda *_: is_closed.set())
            exchange = await channel.declare_exchange(MOMENTS.name, aio_pika.ExchangeType.TOPIC, durable=True)
            queue = await channel.declare_queue(exclusive=True, arguments=_QUEUE)
            await queue.bind(exchange, "#")
            await queue.consume(self._hear, no_ack=True)
            await is_closed.wait()

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        try:
            event = orjson.loads(message.body)
            audience = passing_audience(event)
            if audience:
                self._tell(audience, frame(event["type"], data=message.body))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("a moment is no event")
