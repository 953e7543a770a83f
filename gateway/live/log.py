"""The log of recent events: one RabbitMQ stream, read once by each gateway instance.

All instances read the same stream, so an offset means the same to all of them and outlives them all.
"""

import asyncio
from datetime import timedelta
from typing import Any, Final, Protocol

import aio_pika
import orjson
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from gateway.live.recent import Entry, entry
from shared import messaging
from shared.acknowledging import Acknowledgements
from shared.clock import utc_now
from shared.ids import new_id

log = structlog.get_logger(__name__)

STREAM: Final = messaging.LIVE_LOG
_PREFETCH: Final = 500
_RETRY_PAUSE: Final = 1.0
_SILENCE: Final = 8.0
_CLOCKS_DIFFER: Final = timedelta(minutes=1)


class Listener(Protocol):
    """Who keeps what the log says."""

    def hear(self, new: Entry) -> None: ...

    def caught_up(self, *, is_caught_up: bool) -> None:
        """Learn whether everything that was published a moment ago has been heard."""

    def start_over(self) -> None:
        """Forget all: the log is another one, or has lost the place."""


class _LostPlace(Exception):  # noqa: N818 - a finding, not a fault
    """The last entry heard is not where it was: the log was replaced, or has let go of it."""


class Log:
    """Reads the log for ever, from `keep` ago on, across every loss of the broker or of the stream."""

    def __init__(self, *, url: str, keep: timedelta, listener: Listener) -> None:
        self._url = url
        self._keep = keep
        self._listener = listener
        self._last: Entry | None = None
        self._last_heard_at = utc_now()
        self._acknowledgements = Acknowledgements()

    async def follow(self) -> None:
        while True:
            try:
                with messaging.lost_is_a_failure():
                    await self._follow_once()
            except _LostPlace:
                log.warning("the live log is another one, or has lost the place: clients reload")
                self._last = None
                self._listener.start_over()
            except Exception as error:  # noqa: BLE001 - whatever it is, the broker may be back soon
                log.warning("live log is interrupted", cause=repr(error))
                await asyncio.sleep(_RETRY_PAUSE)
            finally:
                self._listener.caught_up(is_caught_up=False)

    async def _follow_once(self) -> None:
        connection = await aio_pika.connect(self._url, timeout=10, heartbeat=messaging.HEARTBEAT)
        async with connection:
            channel = await connection.channel()
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def end(_: Any, error: BaseException | None = None) -> None:
                if not ended.done():
                    ended.set_exception(error or ConnectionError("closed"))

            channel.close_callbacks.add(end)
            underlay = await channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(end)
            try:
                await self._read(channel, ended)
                await ended
            finally:
                channel.close_callbacks.discard(end)
                if not ended.cancel():
                    ended.exception()

    async def _read(self, channel: AbstractChannel, ended: "asyncio.Future[None]") -> None:
        await channel.set_qos(prefetch_count=_PREFETCH)
        exchange = await channel.declare_exchange(
            messaging.EVENTS.name, type=aio_pika.ExchangeType.TOPIC, durable=True
        )
        queue = await channel.declare_queue(STREAM.name, durable=True, arguments=STREAM.arguments)
        await queue.bind(exchange, routing_key=STREAM.routing())
        place = self._last
        sign = new_id()
        received = 0
        is_signed = False

        async def receive(message: AbstractIncomingMessage) -> None:
            nonlocal place, received, is_signed
            if ended.done():
                return
            received += 1
            heard = _entry(message)
            if heard is not None and place is None:
                self._last, self._last_heard_at = heard, utc_now()
                self._listener.hear(heard)
                if heard.event_id == sign:
                    is_signed = True
                    self._listener.caught_up(is_caught_up=True)
            elif heard is not None and place is not None:
                if (heard.offset, heard.event_id) == (place.offset, place.event_id):
                    place = None
                elif heard.offset >= place.offset or heard.event_id == sign:
                    ended.set_exception(_LostPlace())
            self._acknowledgements.add(message)

        # By time and not by offset: a replaced log may not have grown to that offset yet, and RabbitMQ
        # then waits until it has.
        start = utc_now() - self._keep if place is None else self._last_heard_at - _CLOCKS_DIFFER
        await queue.consume(receive, arguments={"x-stream-offset": start})
        # Whatever was published before this sign stands before it: once it is heard, nothing is missing.
        # It also gives an empty log a first entry, and so every client a cursor.
        await channel.default_exchange.publish(
            aio_pika.Message(
                orjson.dumps({"id": sign, "type": "gateway.listens"}),
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            ),
            routing_key=STREAM.name,
            timeout=10,
        )
        # A broker that has just come back may take a reader and then send it nothing.
        while not is_signed and not ended.done():
            before = received
            await asyncio.wait({ended}, timeout=_SILENCE)
            if received == before and not ended.done():
                raise TimeoutError("the live log is silent")


def _entry(message: AbstractIncomingMessage) -> Entry | None:
    offset = int(str(message.headers["x-stream-offset"]))
    try:
        return entry(offset=offset, event=orjson.loads(message.body), body=message.body)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        log.warning("live log holds something that is no event", offset=offset)
        return None
