"""Publish many messages in one write, each confirmed.

aio-pika writes and flushes a message before it begins with the next one. What is written together costs
its publisher a quarter, and RabbitMQ half, for it works off together what comes together.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import aio_pika
import aiormq
from aiormq.abc import ChannelFrame
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    routing_key: str
    body: bytes
    properties: Basic.Properties


async def publish(exchange: aio_pika.Exchange, messages: Iterable[Message]) -> None:
    """Return when RabbitMQ has all messages; one that nobody listens to is dropped.

    Raises:
        Exception: any message may or may not have been published.
    """
    # While a connection comes back its channel takes messages before its queues are declared again; and
    # RabbitMQ confirms what it puts into no queue.
    assert isinstance(exchange.channel, aio_pika.RobustChannel)  # noqa: S101 - for the type checker, as below
    await exchange.channel.ready()
    channel = await exchange.channel.get_underlay_channel()
    assert isinstance(channel, aiormq.Channel)  # noqa: S101
    frames = [_frames(message, exchange=exchange.name, most=channel.max_content_size) for message in messages]
    batch = ChannelFrame.marshall(
        channel.number,
        (frame for each in frames for frame in each),
        # Nobody waits for this, but nothing more is written before RabbitMQ reads: it may have stopped for want of room.
        drain_future=asyncio.get_running_loop().create_future(),
    )
    async with channel.lock:
        await channel.write_queue.put(batch)
        # A confirm names the message by its place in the order of writing: nobody may come between.
        confirmed = [_confirmation(channel) for _ in frames]
    await asyncio.gather(*confirmed)


def _frames(
    message: Message, *, exchange: str, most: int
) -> list[Basic.Publish | ContentHeader | ContentBody]:
    body = message.body
    return [
        Basic.Publish(exchange=exchange, routing_key=message.routing_key),
        ContentHeader(properties=message.properties, body_size=len(body)),
        *(ContentBody(body[start : start + most]) for start in range(0, len(body), most)),
    ]


def _confirmation(channel: aiormq.Channel) -> "asyncio.Future[object]":
    channel.delivery_tag += 1
    confirmation = channel.confirmations[channel.delivery_tag] = channel.create_future()
    return confirmation
