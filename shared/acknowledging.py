"""Acknowledge together what is done at about the same time.

An acknowledgement of its own is a frame, a write, and a record in the queue's log: half of RabbitMQ's work
on an event, and a third of its consumer's. One that stands for several costs no more.
"""

import asyncio
import contextlib
from typing import Final

from aio_pika.abc import AbstractIncomingMessage
from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelInvalidStateError

# Seconds. A consumer is sent nothing more while as many as its prefetch are open, so not long.
TOGETHER: Final = 0.004


class Acknowledgements:
    """Those of consumers that share a channel, and its successor once it is lost.

    Messages are done in another order than they came in. RabbitMQ takes "all up to this one" only where
    there is nothing in hand before it; what is done beyond is acknowledged one by one.
    """

    def __init__(self) -> None:
        self._writing: asyncio.Task[None] | None = None
        self._begin_on(None)

    def add(self, message: AbstractIncomingMessage) -> None:
        """Acknowledge soon. What is not written when the channel is lost, RabbitMQ gives out again."""
        if channel := self._channel_of(message):
            self._done.add(message.delivery_tag or 0)
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write(channel))

    async def give_back(self, message: AbstractIncomingMessage) -> None:
        """Let it come again."""
        if self._channel_of(message):
            self._beyond.add(message.delivery_tag or 0)
            # Rejected, as that is all that RabbitMQ 4.3 counts: a message that came back for ever would never rest.
            await message.reject(requeue=True)

    async def written(self) -> None:
        """Wait until all that was added is written, if it can be."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=1)

    def _channel_of(self, message: AbstractIncomingMessage) -> AbstractChannel | None:
        try:
            channel = message.channel
        except ChannelInvalidStateError:
            return None
        if channel is not self._channel:
            self._begin_on(channel)
        return channel

    def _begin_on(self, channel: AbstractChannel | None) -> None:
        if self._writing is not None:
            self._writing.cancel()  # what it waits for may never come: nobody writes to a lost connection
        self._writing = None
        self._channel = channel
        # RabbitMQ counts what it delivers on a channel. All up to here is settled, and these beyond.
        self._up_to = 0
        self._beyond: set[int] = set()
        self._done: set[int] = set()

    async def _write(self, channel: AbstractChannel) -> None:
        while self._done:
            await asyncio.sleep(TOGETHER)
            last, alone = self._take()
            with contextlib.suppress(ChannelInvalidStateError):
                if last:
                    await channel.basic_ack(last, multiple=True, wait=False)
                for tag in alone:
                    await channel.basic_ack(tag, wait=False)

    def _take(self) -> tuple[int, set[int]]:
        """Take what is done: the last one before which all is, and those beyond it."""
        done, self._done = self._done, set()
        last = 0
        while (following := self._up_to + 1) in done or following in self._beyond:
            self._up_to = following
            self._beyond.discard(following)
            if following in done:
                done.remove(following)
                last = following  # never one that is settled already: RabbitMQ closes the channel for that
        self._beyond |= done
        return last, done
