"""What a benchmark runs on: the suite on an empty folder, the references beside it, the data, and who counts."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aio_pika
import aiohttp
import psutil
from pymongo import MongoClient

from deploy import ports
from deploy.local import SERVICES, Endpoints, Suite
from tests.bench import dataset
from tests.bench.dataset import Dataset, LoadedOrder
from tests.waiting import eventually

APPLICATIONS = ("gateway", *SERVICES)


@dataclass(frozen=True, kw_only=True)
class Size:
    orders: int
    messages: int
    organisations: int
    rounds: int
    seconds: float
    """Of each phase of a closed loop."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """CPU milliseconds by program, and commands to the database, of each call."""

    milliseconds: dict[str, float]
    commands: float


@dataclass(kw_only=True)
class Stage:
    endpoints: Endpoints
    http: aiohttp.ClientSession
    mongo: MongoClient[Any]
    data: Dataset
    size: Size
    start_seconds: float
    at_rest: dict[str, float]
    env: dict[str, str]
    costs: dict[str, Cost] = field(default_factory=dict)
    queues: list[str] = field(default_factory=list)
    steps: Iterator[tuple[LoadedOrder, dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        # Each order takes one step at most, whichever scenario asks for it.
        self.steps = self.data.one_step()

    @property
    def api(self) -> str:
        return f"{self.endpoints.gateway}/api/v1"

    def memory(self) -> dict[str, float]:
        """MiB of each application, shared pages counted once for all."""
        pids = self.endpoints.pids
        return {name: _with_children(pids[name], "pss") / 2**20 for name in APPLICATIONS}

    async def drained(self) -> float:
        """Wait until the consumers have heard of everything; tell how long that took."""
        began = time.perf_counter()
        async with await aio_pika.connect(self.endpoints.amqp) as connection:
            channel = await connection.channel()

            async def waiting() -> bool:
                declared = [await channel.declare_queue(name, passive=True) for name in self.queues]
                return not any(queue.declaration_result.message_count for queue in declared)

            await eventually(waiting, within=120, every=0.1)
        return time.perf_counter() - began

    @asynccontextmanager
    async def costing(self, name: str) -> AsyncIterator[list[int]]:
        """Count what the calls in this block cost, what follows from them included; put their number into the list."""
        calls: list[int] = []
        used, commands = self._used(), self._commands()
        yield calls
        if self.queues:
            await self.drained()
        count = max(1, sum(calls))
        now = self._used()
        self.costs[name] = Cost(
            milliseconds={program: (now[program] - used[program]) / count * 1000 for program in used},
            commands=(self._commands() - commands) / count,
        )

    def _used(self) -> dict[str, float]:
        return {name: _with_children(pid, "cpu") for name, pid in self.endpoints.pids.items()}

    def _commands(self) -> int:
        counters = self.mongo.admin.command("serverStatus")["metrics"]["commands"]
        names = (
            "find",
            "aggregate",
            "count",
            "insert",
            "update",
            "delete",
            "findAndModify",
            "commitTransaction",
        )
        return sum(int(counters[name]["total"]) for name in names)


def _with_children(pid: int, what: str) -> float:
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # as RabbitMQ's `df`, which is over in a moment
            if what == "pss":
                total += process.memory_full_info().pss
            elif what == "rss":
                total += process.memory_info().rss
            else:
                times = process.cpu_times()
                total += times.user + times.system
    return total


@asynccontextmanager
async def set_up(size: Size, *, say: Any) -> AsyncIterator[Stage]:
    """Start the suite on parts of its own, load the data, and end everything afterwards."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    driver = os.environ.get("MILLRACE_MONGO_DRIVER", "motor")
    async with AsyncExitStack() as stack:
        home = stack.enter_context(TemporaryDirectory(prefix="millrace-bench-"))
        settings = {"MILLRACE_RATE_LIMITS": "off", "MILLRACE_MONGO_DRIVER": driver}
        began = time.perf_counter()
        suite = await stack.enter_async_context(Suite(home=Path(home), port=0, env=env | settings))
        start_seconds = time.perf_counter() - began
        await asyncio.sleep(3)
        pids = suite.endpoints.pids
        at_rest = {name: _with_children(pids[name], "pss") / 2**20 for name in APPLICATIONS}
        at_rest |= {f"{name} (resident)": _with_children(pids[name], "rss") / 2**20 for name in APPLICATIONS}
        client: MongoClient[Any] = stack.enter_context(MongoClient(suite.endpoints.mongo, tz_aware=True))
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        )
        say(
            f"the suite is ready after {start_seconds:.1f} s; loading {size.orders} orders, {size.messages} messages"
        )
        samples = await dataset.sample(http, base=f"{suite.endpoints.gateway}/api/v1", client=client)
        began = time.perf_counter()
        data = await asyncio.to_thread(
            dataset.fill,
            client,
            samples,
            orders=size.orders,
            messages=size.messages,
            organisations=size.organisations,
        )
        # What was loaded is written out now and not beside what is measured.
        await asyncio.to_thread(client.admin.command, "fsync")
        say(
            f"loaded in {time.perf_counter() - began:.0f} s, in the shapes that the services themselves store"
        )
        yield Stage(
            endpoints=suite.endpoints,
            http=http,
            mongo=client,
            data=data,
            size=size,
            start_seconds=start_seconds,
            at_rest=at_rest,
            env=env
            | {"MILLRACE_MONGO_URL": suite.endpoints.mongo, "MILLRACE_AMQP_URL": suite.endpoints.amqp},
            queues=[
                subscriber.queue.name
                for name in SERVICES
                for subscriber in import_module(f"services.{name}.consumers").router.subscribers
            ],
        )


@asynccontextmanager
async def reference(stage: Stage, module: str, *arguments: str) -> AsyncIterator[str]:
    """Run one of the references; it is given a port, and its address is answered."""
    port = ports.pick()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.bench.references.{module}",
        *arguments,
        "--port",
        str(port),
        env=stage.env,
    )
    try:
        await eventually(lambda: _answers(port), within=30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
