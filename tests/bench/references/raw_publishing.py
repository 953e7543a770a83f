"""Publish with nothing but aio-pika: confirmed, persistent, so many at a time, into one quorum queue."""

import asyncio
import time
from itertools import islice, repeat

import aio_pika

AT_ONCE = 64


async def events_a_second(amqp_url: str, *, count: int, body: bytes) -> float:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("bench.raw", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        left = repeat(message, count)

        async def publish() -> None:
            for each in left:
                await channel.default_exchange.publish(each, routing_key=queue.name)

        for _ in islice(left, 200):  # to warm up
            await channel.default_exchange.publish(message, routing_key=queue.name)
        began = time.perf_counter()
        await asyncio.gather(*(publish() for _ in range(AT_ONCE)))
        took = time.perf_counter() - began
        await queue.delete(if_unused=False, if_empty=False)
    return (count - 200) / took
