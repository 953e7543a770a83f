"""Messages that are written together, on a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
from aiormq.exceptions import DeliveryError
from pamqp.commands import Basic

from shared import batches, messaging
from tests.gateway.live.link import linked
from tests.waiting import eventually

pytestmark = pytest.mark.parts


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect_robust(amqp_url) as connection:
        yield await connection.channel()


@pytest.fixture
async def exchange(channel: Any) -> Any:
    return await channel.declare_exchange("tests.batches", "topic")


def a_message(body: bytes, *, routing_key: str = "key") -> batches.Message:
    return batches.Message(routing_key=routing_key, body=body, properties=Basic.Properties(message_id="m"))


async def test_all_arrive_whole_and_in_their_order(channel: Any, exchange: Any) -> None:
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(exchange, "#")
    many_frames = b"x" * (300 * 1024)
    bodies = [b"first", b"", many_frames, *(str(number).encode() for number in range(300))]

    await batches.publish(exchange, [a_message(body) for body in bodies])

    taken = [await queue.get() for _ in bodies]
    assert [message.body for message in taken] == bodies


async def test_what_nobody_listens_to_is_no_failure(exchange: Any) -> None:
    await batches.publish(exchange, [a_message(b"", routing_key="nobody")])


async def test_a_refused_message_is_a_failure(channel: Any, exchange: Any) -> None:
    full = await channel.declare_queue(
        exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
    )
    await full.bind(exchange, "full")

    with pytest.raises(DeliveryError):
        await batches.publish(exchange, [a_message(b"", routing_key="full") for _ in range(3)])

    await batches.publish(exchange, [a_message(b"")])


async def test_batches_and_single_messages_do_not_take_each_others_confirms(
    channel: Any, exchange: Any
) -> None:
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(exchange, "#")

    async def one_by_one() -> None:
        for _ in range(50):
            await exchange.publish(aio_pika.Message(b"single"), "key")

    async def together() -> None:
        for _ in range(10):
            await batches.publish(exchange, [a_message(b"batch") for _ in range(5)])

    await asyncio.gather(*(one_by_one() for _ in range(4)), *(together() for _ in range(4)))

    taken = [(await queue.get()).body for _ in range(400)]
    assert taken.count(b"single") == taken.count(b"batch") == 200


async def test_no_more_is_taken_for_writing_while_nobody_reads(amqp_url: str) -> None:
    batch = [a_message(b"x" * 20_000)] * 200
    async with linked(amqp_url) as link, await aio_pika.connect_robust(link.url) as connection:
        channel = await connection.channel()
        exchange: Any = await channel.declare_exchange("tests.batches", "topic")
        link.hold()

        for _ in range(20):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await batches.publish(exchange, batch)

        underlay: Any = await channel.get_underlay_channel()
        assert underlay.write_queue.full()
        assert underlay.delivery_tag < 15 * len(batch)
        link.let_go()


async def test_while_a_connection_comes_back_nothing_is_published_before_its_queues_are_there(
    amqp_url: str, channel: Any
) -> None:
    name = "tests.batches.comes-back"
    async with (
        linked(amqp_url) as link,
        await aio_pika.connect_robust(link.url, reconnect_interval=0) as connection,
    ):
        ours = await connection.channel()
        exchange: Any = await ours.declare_exchange("tests.batches", "topic")
        queue = await ours.declare_queue(name)
        await queue.bind(exchange, "#")
        link.down = True
        link.cut()
        await channel.queue_delete(name)
        link.delay, link.down = 0.05, False

        async def published() -> bool:
            try:
                with messaging.lost_is_a_failure():
                    async with asyncio.timeout(10):
                        await batches.publish(exchange, [a_message(b"kept")])
            except Exception:  # noqa: BLE001 - whatever it is, the connection is not back
                return False
            return True

        await eventually(published, within=30)

    assert (await (await channel.declare_queue(name, passive=True)).get()).body == b"kept"
    await channel.queue_delete(name)
