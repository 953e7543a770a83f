"""What is acknowledged together, on a real broker."""

from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest

from shared.acknowledging import Acknowledgements
from tests.waiting import eventually

pytestmark = pytest.mark.parts

COUNT = 10


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[Any]:
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


@pytest.fixture
async def queue(channel: Any) -> Any:
    queue = await channel.declare_queue("acknowledged", durable=True, arguments={"x-queue-type": "quorum"})
    for number in range(COUNT):
        await channel.default_exchange.publish(aio_pika.Message(str(number).encode()), queue.name)
    return queue


@pytest.fixture
async def messages(amqp_url: str, queue: Any) -> AsyncIterator[list[Any]]:
    """Consume, and hand over what came; the connection ends with the test at the latest."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        came: list[Any] = []

        async def take(message: Any) -> None:
            came.append(message)

        await (await channel.get_queue(queue.name)).consume(take)
        await eventually(lambda: len(came) == COUNT)
        yield came
        await connection.close()


async def nobody_consumes(queue: Any) -> Any:
    return (await queue.declare()).consumer_count == 0


async def check_left(queue: Any, messages: list[Any], expected: list[str]) -> None:
    """Check what comes again once the consumer has gone."""
    await messages[0].channel.connection.close()
    await eventually(lambda: nobody_consumes(queue))
    # RabbitMQ says so too of a queue that is slow to answer, and what comes again may not be back.
    came = [await eventually(lambda: queue.get(fail=False)) for _ in expected]
    assert sorted(message.body.decode() for message in came) == expected
    assert await queue.get(fail=False) is None


async def test_what_is_done_is_acknowledged_and_nothing_else(queue: Any, messages: list[Any]) -> None:
    acknowledgements = Acknowledgements()

    for place in (0, 1, 2, 5, 7):
        acknowledgements.add(messages[place])
    await acknowledgements.written()

    await check_left(queue, messages, ["3", "4", "6", "8", "9"])


@pytest.mark.parametrize(
    "rounds",
    [
        [[9], [8], [7, 6, 5], [4, 3, 2, 1], [0]],
        [[1, 3, 5, 7, 9], [0, 2, 4, 6, 8]],
        [[0], [1, 2, 3], [5, 4], [7, 8, 9], [6]],
        [list(range(COUNT))],
    ],
)
async def test_whatever_their_order_each_is_acknowledged_once(
    queue: Any, messages: list[Any], rounds: list[list[int]]
) -> None:
    acknowledgements = Acknowledgements()

    for places in rounds:
        for place in places:
            acknowledgements.add(messages[place])
        await acknowledgements.written()

    # RabbitMQ closes the channel of whoever acknowledges twice.
    await messages[0].channel.basic_qos(prefetch_count=1)
    await check_left(queue, messages, [])


async def test_what_is_given_back_comes_again_and_holds_nothing_up(queue: Any, messages: list[Any]) -> None:
    acknowledgements = Acknowledgements()
    first = list(messages)

    await acknowledgements.give_back(first[0])
    for message in first[1:]:
        acknowledgements.add(message)
    await acknowledgements.written()

    await eventually(lambda: len(messages) == COUNT + 1)
    assert messages[-1].redelivered
    assert messages[-1].body == first[0].body
    acknowledgements.add(messages[-1])
    await acknowledgements.written()
    await check_left(queue, messages, [])


async def test_after_a_lost_channel_the_next_one_is_acknowledged(
    amqp_url: str, queue: Any, messages: list[Any]
) -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.add(messages[0])
    await messages[0].channel.connection.close()
    acknowledgements.add(messages[1])

    async with await aio_pika.connect(amqp_url) as connection:
        again = await connection.channel()
        second = await again.get_queue(queue.name)
        came = [await eventually(lambda: second.get(fail=False)) for _ in range(COUNT)]
        for message in came:
            acknowledgements.add(message)
        await acknowledgements.written()

    assert await queue.get(fail=False) is None
