"""What becomes of a message whose handler fails, on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any, ClassVar

import aio_pika
import pytest
from aiormq.exceptions import AMQPError, ChannelInvalidStateError
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange
from pamqp import frame
from pamqp.commands import Connection

from shared import messaging
from shared.errors import Conflict, NotFound
from shared.events.base import CloudEvent, Fact
from shared.messaging import EVENTS, dead, queue_for, retry_queue
from tests.gateway.live.link import linked
from tests.service_client import Events, listening
from tests.waiting import eventually

pytestmark = pytest.mark.parts


class ThingHappened(Fact):
    type: ClassVar[str] = "thing.happened.v1"
    source: ClassVar[str] = "/tests"

    name: str

    @property
    def subject(self) -> str:
        return self.name


QUEUE = "tests.thing.happened.v1"


class Handler:
    """Hears of things, and fails as it is told to."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.fails: Callable[[str, int], Exception | None] = lambda _name, _times: None

    async def __call__(self, name: str) -> None:
        self.heard.append(name)
        if failure := self.fails(name, self.heard.count(name)):
            raise failure


@pytest.fixture
def handler() -> Handler:
    return Handler()


@asynccontextmanager
async def consuming(amqp_url: str, handler: Handler) -> AsyncIterator[RabbitBroker]:
    router = messaging.create_router()

    @router.subscriber(queue_for("tests", ThingHappened), EVENTS)
    async def on_thing_happened(event: CloudEvent[ThingHappened]) -> None:
        await handler(event.data.name)

    broker = messaging.create_broker(url=amqp_url, routers=(router,))
    async with messaging.connected(broker), messaging.consuming(broker):
        yield broker


@pytest.fixture
async def events(amqp_url: str, handler: Handler) -> AsyncIterator[Events]:
    async with AsyncExitStack() as stack:
        events = await stack.enter_async_context(listening(amqp_url))
        await stack.enter_async_context(consuming(amqp_url, handler))
        yield events


async def get(events: Events, queue: str) -> Any:
    declared = await events.channel.declare_queue(queue, passive=True)
    return await eventually(lambda: declared.get(fail=False), every=0.05)


async def publish_at_attempt(events: Events, attempt: int) -> None:
    body = (
        b'{"id": "e", "source": "s", "type": "thing.happened.v1", "time": "2026-01-01T00:00:00Z",'
        b' "data": {"name": "bad"}}'
    )
    message = aio_pika.Message(body, message_id="e", headers={messaging.ATTEMPT_HEADER: attempt})
    await events.channel.default_exchange.publish(message, QUEUE)


async def test_a_failure_that_passes_is_tried_again_and_blocks_nothing(
    events: Events, handler: Handler
) -> None:
    handler.fails = lambda name, _: (
        ConnectionError() if name == "first" and "second" not in handler.heard else None
    )

    await events.publish(ThingHappened(name="first"))
    await events.publish(ThingHappened(name="second"))

    await eventually(lambda: "second" in handler.heard and handler.heard[0] == handler.heard[-1] == "first")
    assert await events.waiting_in(dead(QUEUE)) == 0


async def test_what_is_not_found_yet_is_tried_again(events: Events, handler: Handler) -> None:
    handler.fails = lambda _, times: NotFound("not yet") if times == 1 else None

    await events.publish(ThingHappened(name="early"))

    await eventually(lambda: handler.heard == ["early", "early"])


async def test_a_refusal_is_final(events: Events, handler: Handler) -> None:
    handler.fails = lambda name, _: Conflict("it is too late") if name == "bad" else None

    event_id = await events.publish(ThingHappened(name="bad"))
    await events.publish(ThingHappened(name="good"))

    message = await get(events, dead(QUEUE))
    await eventually(lambda: handler.heard == ["bad", "good"])
    assert message.message_id == event_id
    assert message.headers[messaging.CAUSE_HEADER] == "conflict: it is too late"
    assert message.headers["x-millrace-queue"] == QUEUE
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


@pytest.mark.parametrize("attempt", range(1, len(messaging.RETRY_DELAYS)))
async def test_each_attempt_waits_longer_than_the_one_before(
    events: Events, handler: Handler, attempt: int
) -> None:
    handler.fails = lambda _name, _times: ConnectionError()
    # Its own queue keeps it for a few seconds only.
    watch = await events.channel.declare_queue(exclusive=True)
    await watch.bind(retry_queue(messaging.RETRY_DELAYS[attempt]))

    await publish_at_attempt(events, attempt)

    message = await eventually(lambda: watch.get(fail=False), every=0.05)
    assert message.headers[messaging.ATTEMPT_HEADER] == attempt + 1
    assert messaging.RETRY_DELAYS[attempt] > messaging.RETRY_DELAYS[attempt - 1]


async def test_when_all_delays_are_used_up_the_message_rests_with_its_cause(
    events: Events, handler: Handler
) -> None:
    handler.fails = lambda _name, _times: ConnectionError("the database is away")

    await publish_at_attempt(events, len(messaging.RETRY_DELAYS))

    message = await get(events, dead(QUEUE))
    assert message.headers[messaging.CAUSE_HEADER] == "ConnectionError: the database is away"


async def test_a_message_that_kills_its_consumer_each_time_rests_in_the_end(
    amqp_url: str, handler: Handler
) -> None:
    async with consuming(amqp_url, handler):
        pass  # the queues are there, nobody consumes
    async with listening(amqp_url) as events, await aio_pika.connect(amqp_url) as connection:
        await events.publish(ThingHappened(name="deadly"))
        for _ in range(messaging.DELIVERY_LIMIT + 1):
            async with connection.channel() as consumer:
                queue = await consumer.get_queue(QUEUE)
                assert await eventually(lambda queue=queue: queue.get(fail=False))

        assert await get(events, dead(QUEUE))
        assert await events.waiting_in(QUEUE) == 0


async def test_a_message_that_cannot_be_put_aside_rests_in_the_end(events: Events, handler: Handler) -> None:
    handler.fails = lambda name, _times: ConnectionError() if name == "bad" else None
    await events.channel.queue_delete(retry_queue(messaging.RETRY_DELAYS[0]))

    event_id = await events.publish(ThingHappened(name="bad"))
    await events.publish(ThingHappened(name="good"))

    assert (await get(events, dead(QUEUE))).message_id == event_id
    await eventually(lambda: handler.heard.count("good") == 1)


async def test_events_wait_for_a_consumer_that_is_down(amqp_url: str, handler: Handler) -> None:
    async with consuming(amqp_url, handler):
        pass
    async with listening(amqp_url) as events:
        for number in range(20):
            await events.publish(ThingHappened(name=str(number)))

    async with consuming(amqp_url, handler):
        await eventually(lambda: len(handler.heard) == 20)

    assert sorted(handler.heard) == sorted(str(number) for number in range(20))


async def test_a_channel_that_could_not_be_opened_again_is_opened_once_it_can(
    amqp_url: str, handler: Handler
) -> None:
    async with listening(amqp_url) as events, consuming(amqp_url, handler) as broker:
        await events.channel.queue_delete(dead(QUEUE))
        await events.channel.declare_queue(dead(QUEUE), durable=True)  # RabbitMQ refuses ours beside it
        with pytest.raises(AMQPError):
            await broker.declare_exchange(RabbitExchange(EVENTS.name, type=ExchangeType.FANOUT))

        async def is_shut() -> bool:
            with suppress(AMQPError, ChannelInvalidStateError):
                await asyncio.wait_for(messaging.publish(broker, []), 1)
            return False

        with pytest.raises(TimeoutError):
            await eventually(is_shut)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(messaging.answers(broker), 1)
        await events.publish(ThingHappened(name="waits"))

        await events.channel.queue_delete(dead(QUEUE))

        await eventually(lambda: handler.heard == ["waits"])
        await messaging.publish(broker, [])


async def test_a_broker_that_ends_while_it_blocks_is_found_again(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messaging, "_REOPEN_TAKES", 3)
    async with linked(amqp_url) as link:
        broker = messaging.create_broker(url=link.url)
        async with messaging.connected(broker):
            blocked = Connection.Blocked("low on memory")
            ended = Connection.Close(320, "CONNECTION_FORCED - broker is going down", 0, 0)
            link.tell(b"".join(frame.marshal(each, 0) for each in (blocked, ended)))
            await eventually(lambda: not link.is_used)

            await eventually(partial(_is_published, broker))


async def _is_published(broker: RabbitBroker) -> bool:
    row = {"id": "e", "type": ThingHappened.type, "body": "{}", "correlation_id": None, "traceparent": None}
    try:
        await messaging.publish(broker, [row])
    except Exception:  # noqa: BLE001 - whatever it is, it is not back
        return False
    return True


async def test_a_connection_that_dies_without_a_word_is_a_failure_and_then_another_one(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messaging, "HEARTBEAT", 2)
    row = {"id": "e", "type": ThingHappened.type, "body": "{}", "correlation_id": None, "traceparent": None}
    async with linked(amqp_url) as link:
        broker = messaging.create_broker(url=link.url)
        async with messaging.connected(broker):
            link.lose()

            # No cancellation, which would end the loop that publishes.
            with pytest.raises((ConnectionError, TimeoutError)):
                await messaging.publish(broker, [row])

            await eventually(partial(_is_published, broker))
