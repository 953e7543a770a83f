"""What operators do with messages that no consumer could handle, on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.dead_letters import app
from shared import messaging
from tests.waiting import eventually

pytestmark = pytest.mark.parts

QUEUE, OTHER = "orders.quote.accepted.v1", "chat.order.created.v1"
BODY = b'{"type": "quote.accepted.v1", "subject": "q-1"}'


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[Any]:
    """A broker with two consumers' queues and their dead letters."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for name in (QUEUE, OTHER):
            for queue in (name, messaging.dead(name)):
                await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
        yield channel


async def die(channel: Any, event_id: str, *, queue: str = QUEUE, body: bytes = BODY, **headers: Any) -> None:
    failed = {
        messaging.ATTEMPT_HEADER: 6,
        messaging.CAUSE_HEADER: "quote-contradicted: /data/quantity",
        messaging.FAILED_AT_HEADER: "2026-01-01T00:00:00+00:00",
        "traceparent": "00-trace",
    }
    message = aio_pika.Message(
        body,
        message_id=event_id,
        correlation_id="request-1",
        content_type=messaging.CONTENT_TYPE,
        headers=failed | headers,
    )
    await channel.default_exchange.publish(message, messaging.dead(queue))


async def run(amqp_url: str, *arguments: str, answer: str | None = None) -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke, app, [*arguments, "--amqp", amqp_url], input=answer, catch_exceptions=False
    )


async def count(channel: Any, queue: str) -> int:
    declared = await channel.declare_queue(queue, passive=True)
    size: int = declared.declaration_result.message_count
    return size


async def has(channel: Any, queue: str, size: int) -> bool:
    return await count(channel, queue) == size


async def test_a_list_tells_event_cause_and_age_and_takes_nothing_away(amqp_url: str, channel: Any) -> None:
    await die(channel, "event-1")
    await die(channel, "event-2", queue=OTHER, body=b"\xff")
    await die(channel, "event-3", queue=OTHER, body=b"[]", **{messaging.CAUSE_HEADER: None})

    result = await run(amqp_url, "list")

    assert result.exit_code == 0
    assert f"{QUEUE}  event-1  " in result.stdout
    assert "days ago" in result.stdout
    assert "quote.accepted.v1, subject q-1" in result.stdout
    assert "quote-contradicted: /data/quantity" in result.stdout
    assert "1 bytes that are no JSON" in result.stdout
    assert "JSON, but no event" in result.stdout
    assert "no cause is known" in result.stdout
    assert result.stdout.endswith("3 dead letters\n")
    await eventually(lambda: has(channel, messaging.dead(QUEUE), 1))
    await eventually(lambda: has(channel, messaging.dead(OTHER), 2))


async def test_one_queue_may_be_named_with_or_without_its_ending(amqp_url: str, channel: Any) -> None:
    await die(channel, "event-1")
    await die(channel, "event-2", queue=OTHER)

    for name in (QUEUE, messaging.dead(QUEUE)):
        result = await run(amqp_url, "list", name)

        assert "event-1" in result.stdout
        assert result.stdout.endswith("1 dead letter\n")
        await eventually(lambda: has(channel, messaging.dead(QUEUE), 1))


async def test_a_replayed_event_comes_to_its_consumer_as_if_for_the_first_time(
    amqp_url: str, channel: Any
) -> None:
    await die(channel, "event-1")
    await die(channel, "event-2")

    result = await run(amqp_url, "replay", QUEUE)

    assert result.stdout == "2 put back\n"
    assert await count(channel, messaging.dead(QUEUE)) == 0
    queue = await channel.get_queue(QUEUE)
    first = await queue.get()
    assert first.body == BODY
    assert (first.message_id, first.correlation_id) == ("event-1", "request-1")
    assert first.content_type == messaging.CONTENT_TYPE
    assert first.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    headers = dict(first.headers)
    assert headers.pop("x-delivery-count", 0) == 0  # RabbitMQ 4 counts from the second delivery on
    assert headers == {"traceparent": "00-trace"}


async def test_one_event_may_be_chosen_by_its_id(amqp_url: str, channel: Any) -> None:
    await die(channel, "event-1")
    await die(channel, "event-2")

    result = await run(amqp_url, "replay", QUEUE, "--id", "event-2")

    assert result.stdout == "1 put back\n"
    await eventually(lambda: has(channel, messaging.dead(QUEUE), 1))
    assert (await (await channel.get_queue(QUEUE)).get()).message_id == "event-2"
    missing = await run(amqp_url, "replay", QUEUE, "--id", "event-9")
    assert missing.exit_code == 1


async def test_a_letter_whose_queue_is_gone_stays(amqp_url: str, channel: Any) -> None:
    await die(channel, "event-1")
    await channel.queue_delete(QUEUE)

    result = await run(amqp_url, "replay", QUEUE)

    assert result.exit_code == 1
    assert result.stderr == f"{QUEUE} does not take event event-1; it stays a dead letter\n"
    await eventually(lambda: has(channel, messaging.dead(QUEUE), 1))


async def test_dropping_asks_first(amqp_url: str, channel: Any) -> None:
    await die(channel, "event-1")

    refused = await run(amqp_url, "drop", QUEUE, answer="n\n")
    assert refused.exit_code == 1
    assert await count(channel, messaging.dead(QUEUE)) == 1
    agreed = await run(amqp_url, "drop", QUEUE, answer="y\n")
    assert agreed.stdout.endswith("1 dropped\n")
    assert await count(channel, messaging.dead(QUEUE)) == 0
    await die(channel, "event-2")
    unasked = await run(amqp_url, "drop", "--yes")
    assert unasked.stdout == "1 dropped\n"


async def test_a_broker_or_queue_that_is_not_there_is_told_in_one_line(amqp_url: str, channel: Any) -> None:
    del channel

    unknown = await run(amqp_url, "list", "orders.nothing.v1")
    nobody = await run("amqp://guest:guest@127.0.0.1:1/", "list")

    assert (unknown.exit_code, nobody.exit_code) == (1, 1)
    assert unknown.stderr == "There is no queue orders.nothing.v1.dead\n"
    assert nobody.stderr.startswith("No RabbitMQ answers at the address given")
    assert nobody.stderr.count("\n") == 1


async def test_a_broker_without_any_queue_has_no_dead_letters(amqp_url: str) -> None:
    assert (await run(amqp_url, "list")).stdout == "0 dead letters\n"
