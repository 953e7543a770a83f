"""Doing to a running stage what a plan says."""

import asyncio
import random
import signal
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika

from shared import messaging
from shared.events.catalog import EVENTS
from shared.ids import new_id
from tests.faults.plan import Fault
from tests.faults.stage import Stage


@dataclass(kw_only=True)
class Injury:
    stage: Stage
    queues: list[str]
    """The consumers' queues, to be littered."""
    chance: random.Random
    done: list[Fault] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    litter: dict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    """By queue, the ids of messages that no consumer can handle, and whether they certainly arrived."""
    _turns: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def carry_out(self, plan: list[Fault]) -> None:
        """Do each at its time, side by side with the others, but two of one target one after the other."""
        began = asyncio.get_running_loop().time()

        async def at_its_time(fault: Fault) -> None:
            await asyncio.sleep(began + fault.at - asyncio.get_running_loop().time())
            async with self._turns[fault.target]:
                await self._do(fault)

        async with asyncio.TaskGroup() as group:
            for fault in plan:
                group.create_task(at_its_time(fault))

    async def _do(self, fault: Fault) -> None:
        stage, target = self.stage, fault.target
        match fault.kind:
            case "kill" | "stop":
                name, _, number = target.rpartition("-")
                stage.signal(int(number), name, signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM)
            case "freeze":
                name, _, number = target.rpartition("-")
                stage.signal(int(number), name, signal.SIGSTOP)
                try:
                    await asyncio.sleep(fault.lasts)
                finally:
                    stage.signal(int(number), name, signal.SIGCONT)
            case "crash" | "shut down":
                await stage.stop_part(target, kill=fault.kind == "crash")
                await asyncio.sleep(fault.lasts)
                await stage.start_part(target)
            case "cut" | "slow" | "hold" | "lose":
                await self._hurt_link(fault)
            case "fill":
                if stage.disk is None:
                    self.skipped.append("filling S3's disk needs root, to mount a small one")
                    return
                await self._fill(stage.disk / "ballast", seconds=fault.lasts)
            case "litter":
                await self._litter()
        self.done.append(fault)

    async def _hurt_link(self, fault: Fault) -> None:
        link = self.stage.links[fault.target]
        match fault.kind:
            case "cut":
                link.down = fault.lasts > 0
                link.cut()
            case "slow":
                link.delay = 0.05
            case "hold":
                link.hold()
            case "lose":
                link.lose()
        try:
            await asyncio.sleep(fault.lasts)
        finally:
            link.down, link.delay = False, 0.0
            link.let_go()

    async def _fill(self, ballast: Path, *, seconds: float) -> None:
        # Outside the buckets' folders, where nobody lists it.
        try:
            await asyncio.to_thread(_write_until_full, ballast)
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(ballast.unlink, missing_ok=True)

    async def _litter(self) -> None:
        """Put what no consumer can handle into some queues, as a faulty publisher might."""
        for queue in self.chance.sample(self.queues, 5):
            of_type = next(fact for fact in EVENTS if queue.endswith(f".{fact.type}"))
            message_id = new_id()
            body = self.chance.choice(
                [
                    b"\xff\xfe no JSON",
                    b'{"type": "%s"}' % of_type.type.encode(),
                    b"[]",
                    b'{"specversion": "1.0", "id": "%s", "source": "/x", "type": "order.created.v99", '
                    b'"time": "2026-01-01T00:00:00Z", "data": {}}' % message_id.encode(),
                ]
            )
            self.litter[queue][message_id] = await self._arrived(
                queue, aio_pika.Message(body, message_id=message_id)
            )

    async def _arrived(self, queue: str, message: aio_pika.Message) -> bool:
        message.delivery_mode = aio_pika.DeliveryMode.PERSISTENT
        message.content_type = messaging.CONTENT_TYPE
        try:
            async with asyncio.timeout(10):
                async with await aio_pika.connect(self.stage.parts.amqp_url, timeout=5) as connection:
                    channel = await connection.channel(on_return_raises=True)
                    await channel.default_exchange.publish(message, queue, timeout=5)
        except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
            return False  # it may have
        return True


def _write_until_full(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (64 * 1024, 4096):
            with suppress(OSError):  # it is full
                while file.write(bytes(size)) == size:
                    pass
