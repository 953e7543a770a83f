"""From the call of one side to the live stream of the other, beside the bare pipeline."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import aiohttp
import orjson

from tests.bench.dataset import TEXTS
from tests.bench.load import Call, NextCall, Timed, at_a_rate, closed_loop
from tests.bench.report import Row
from tests.bench.stage import Stage, reference
from tests.waiting import eventually

RATE = 50
PIPELINE = "bare pipeline"


@dataclass(kw_only=True)
class Ears:
    """When something was asked for, and when it was first heard of on a stream."""

    asked: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)

    async def all_heard(self) -> None:
        await eventually(lambda: self.heard.keys() >= self.asked.keys(), within=120)

    def forget(self) -> None:
        self.asked.clear()
        self.heard.clear()

    @property
    def timed(self) -> Timed:
        """How long each thing took from the call to the stream."""
        taken = [self.heard[name] - asked for name, asked in self.asked.items()]
        within = max(self.heard[name] for name in self.asked) - min(self.asked.values())
        return Timed(seconds=taken, within=within)


@asynccontextmanager
async def listening(
    http: aiohttp.ClientSession,
    url: str,
    ears: Ears,
    name: Callable[[dict[str, Any]], str | None],
    *,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[None]:
    """Hear a stream as long as the context lasts."""
    ready = asyncio.Event()

    async def listen() -> None:
        async with http.get(url, headers=headers, read_bufsize=2**20) as response:
            async for line in response.content:
                ready.set()
                if line.startswith(b"data: {") and (named := name(orjson.loads(line[6:]))):
                    ears.heard.setdefault(named, time.perf_counter())

    task = asyncio.create_task(listen())
    await asyncio.wait_for(ready.wait(), 30)
    try:
        yield
    finally:
        task.cancel()


@dataclass(kw_only=True)
class Paths:
    """The ways that are compared: calls whose effect is heard of under a name."""

    step: NextCall
    message: NextCall
    bare: NextCall
    ours: Ears
    theirs: Ears


async def delivery(stage: Stage) -> list[Row]:
    async with _paths(stage) as paths:
        at_rate: dict[str, list[Timed]] = {"step": [], "message": [], "bare": []}
        most: dict[str, list[Timed]] = {"message": [], "bare": []}
        for _ in range(stage.size.rounds):
            for name, times in at_rate.items():
                ears = paths.theirs if name == "bare" else paths.ours
                times.append(
                    await _heard(
                        ears,
                        lambda call: at_a_rate(call, rate=RATE, seconds=2 * stage.size.seconds),
                        getattr(paths, name),
                    )
                )
                await stage.drained()
        for _ in range(stage.size.rounds):
            for name, times in most.items():
                ears = paths.theirs if name == "bare" else paths.ours
                times.append(
                    await _heard(
                        ears, lambda call: closed_loop(call, seconds=stage.size.seconds), getattr(paths, name)
                    )
                )
                await stage.drained()
    rows = []
    for name, what in (("step", "status step"), ("message", "message")):
        for percent, goal in (("p50", 1.5), ("p99", 2)):
            rows.append(
                Row(
                    name=f"{what} to the other side's stream at {RATE} a second, {percent}",
                    unit="ms",
                    suite=[getattr(timed, percent) for timed in at_rate[name]],
                    reference=[getattr(timed, percent) for timed in at_rate["bare"]],
                    against=PIPELINE,
                    goal=goal,
                    better="less",
                )
            )
    rows.append(
        Row(
            name="most messages, delivered, c=16",
            unit="a second",
            suite=[timed.rate for timed in most["message"]],
            reference=[timed.rate for timed in most["bare"]],
            against=PIPELINE,
            goal=0.6,
        )
    )
    return rows


async def _heard(ears: Ears, load: Callable[[NextCall], Awaitable[Timed]], calls: NextCall) -> Timed:
    ears.forget()
    await load(calls)
    await ears.all_heard()
    return ears.timed


@asynccontextmanager
async def _paths(stage: Stage) -> AsyncIterator[Paths]:
    ours, theirs = Ears(), Ears()
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(reference(stage, "pipeline", "writer"))
        reader = await stack.enter_async_context(reference(stage, "pipeline", "reader"))
        await stack.enter_async_context(
            listening(stage.http, f"{reader}/stream", theirs, lambda data: f"{data['_id']} {data['version']}")
        )
        for buyer in stage.data.buyers:
            await stack.enter_async_context(
                listening(stage.http, f"{stage.api}/stream", ours, _named, headers=buyer.headers)
            )
        texts, orders, numbers = cycle(TEXTS), cycle(stage.data.orders[:500]), count()
        salt = time.time_ns()

        def step() -> Call | None:
            try:
                order, body = next(stage.steps)
            except StopIteration:
                return None
            url = f"{stage.api}/orders/{order.id}/status"
            return _asking(
                stage,
                url,
                body,
                ours,
                lambda answer: f"{answer['id']} {answer['version']}",
                order.factory.headers,
            )

        def message() -> Call:
            order = next(orders)
            url = f"{stage.api}/orders/{order.id}/messages"
            body = {"text": next(texts)}
            return _asking(stage, url, body, ours, lambda answer: str(answer["id"]), order.factory.headers)

        def bare() -> Call:
            url = f"{writer}/orders/{salt}-{next(numbers)}/status"
            return _asking(stage, url, {}, theirs, lambda answer: f"{answer['_id']} {answer['version']}", {})

        yield Paths(step=step, message=message, bare=bare, ours=ours, theirs=theirs)


def _named(event: dict[str, Any]) -> str | None:
    match event.get("type"):
        case "order.status_changed.v1":
            return f"{event['data']['order_id']} {event['data']['version']}"
        case "message.sent.v1" if event["data"]["message"]["sender"]["side"] != "system":
            return str(event["data"]["message"]["id"])
    return None


def _asking(
    stage: Stage,
    url: str,
    body: dict[str, Any],
    ears: Ears,
    name: Callable[[dict[str, Any]], str],
    headers: dict[str, str],
) -> Call:
    async def call() -> None:
        asked = time.perf_counter()
        async with stage.http.post(url, json=body, headers=headers) as response:
            answer = await response.read()
            assert response.ok, answer
        ears.asked[name(orjson.loads(answer))] = asked

    return call
