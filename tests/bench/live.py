# ruff: noqa: T201 - it prints what it measures
"""Measure the live stream alone: `python -m tests.bench.live` with MILLRACE_AMQP_URL set.

One gateway process and 2,000 open streams: what one takes of memory, how soon one event is with 200
clients, and the delay at a steady rate.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import time
from dataclasses import dataclass, field
from functools import partial

import aio_pika
import psutil
from aio_pika.abc import AbstractExchange

from tests.gateway.live.builders import an_event, events_exchange, message
from tests.gateway.live.processes import gateway_process
from tests.waiting import eventually

# 200 clients hear each event of the two big organisations; the others are of ten users each.
BIG = 200
MEMBERS = 10


class Client(asyncio.Protocol):
    """Reads a stream with next to no work of its own: notes when each event came."""

    def __init__(self, token: str, came: dict[str, list[float]]) -> None:
        self.token = token
        self.came = came
        self.is_ready = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(
            b"GET /stream HTTP/1.1\r\nHost: bench\r\nAuthorization: " + self.token.encode() + b"\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        *frames, self._rest = (self._rest + data).split(b"\n\n")
        for frame in frames:
            if b"event: ready" in frame:
                self.is_ready = True
            elif b"event: order" in frame:
                event_id = json.loads(frame.partition(b"data: ")[2])["id"]
                self.came.setdefault(event_id, []).append(now)


@dataclass
class Bench:
    exchange: AbstractExchange
    sent_at: dict[str, float] = field(default_factory=dict)
    came: dict[str, list[float]] = field(default_factory=dict)

    async def send(self, buyer: str, factory: str) -> str:
        event = an_event(buyer_id=buyer, factory_id=factory, note="x" * 1500)
        self.sent_at[event["id"]] = time.perf_counter()
        await self.exchange.publish(
            message(json.dumps(event).encode()), routing_key=event["type"], mandatory=False
        )
        return str(event["id"])

    async def arrive(self, ids: list[str], *, times: int) -> list[float]:
        """Wait until each was heard so often, and tell after how many seconds each was heard each time."""
        await eventually(lambda: all(len(self.came.get(each, ())) >= times for each in ids), within=60)
        return [heard - self.sent_at[each] for each in ids for heard in self.came[each]]


async def main(*, streams: int, seconds: int, amqp_url: str) -> None:
    async with gateway_process(amqp_url) as gateway, await aio_pika.connect(amqp_url) as connection:
        assert gateway.process
        process = psutil.Process(gateway.process.pid)
        bench = Bench(await events_exchange(await connection.channel()))
        for _ in range(200):
            await bench.send("nobody", "nobody")
        before = process.memory_info().rss

        started = time.perf_counter()
        clients = [Client(token(n), bench.came) for n in range(streams)]
        for client in clients:
            await asyncio.get_running_loop().create_connection(
                partial(same, client), "127.0.0.1", gateway.port
            )
        await eventually(lambda: all(client.is_ready for client in clients), within=60)
        print(f"{streams} streams are ready after {time.perf_counter() - started:.1f} s")

        await asyncio.sleep(17)  # past everybody's first ping
        each = (process.memory_info().rss - before) / streams / 1024
        print(f"memory: {before / 2**20:.0f} MiB without streams, {each:.1f} KiB for each")
        worked = cpu_seconds(process)
        await asyncio.sleep(10)
        print(f"at rest: {(cpu_seconds(process) - worked) * 10:.1f} % of a core")

        to_200 = [await bench.arrive([await bench.send("big0", "big1")], times=200) for _ in range(50)]
        print(f"one event to 200: the last has it after {show([max(each) for each in to_200])}")

        for rate in (50, 200):
            worked = cpu_seconds(process)
            ids = await steadily(bench, rate=rate, seconds=seconds)
            delays = await bench.arrive(ids, times=2 * MEMBERS)
            share = (cpu_seconds(process) - worked) / seconds * 100
            print(f"{rate} events a second to {2 * MEMBERS} each: {show(delays)}, {share:.0f} % of a core")

        each = (process.memory_info().rss - before) / streams / 1024
        print(f"memory after all that: {each:.1f} KiB for each stream and the kept events together")
        started = time.perf_counter()
        await gateway.end(signal.SIGTERM)
        print(f"SIGTERM with all streams open: ended after {time.perf_counter() - started:.1f} s")


def token(number: int) -> str:
    organisation = f"big{number % 2}" if number < BIG else f"org{number // MEMBERS}"
    return f"u{number}/{organisation}/s{number}"


async def steadily(bench: Bench, *, rate: int, seconds: int) -> list[str]:
    started = time.perf_counter()
    sending = []
    for number in range(rate * seconds):
        await asyncio.sleep(max(0, started + number / rate - time.perf_counter()))
        buyer = BIG // MEMBERS + 2 * (number % 80)
        sending.append(asyncio.create_task(bench.send(f"org{buyer}", f"org{buyer + 1}")))
    return list(await asyncio.gather(*sending))


def same(client: Client) -> Client:
    return client


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def show(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, most {max(seconds) * 1000:.1f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    url = os.environ["MILLRACE_AMQP_URL"]
    asyncio.run(main(streams=arguments.streams, seconds=arguments.seconds, amqp_url=url))
