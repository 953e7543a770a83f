# ruff: noqa: T201 - it prints what it measures
"""Measure status steps on the way to the buyer's stream, beside the bare pipeline in the same run.

`python -m tests.bench.steps` starts the whole suite on the parts that MILLRACE_* variables name, and
`bare_pipeline` on the same ones; 50 steps a second to each in turn.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from deploy.local import Suite
from tests.gateway.live.processes import free_port
from tests.gateway.live.sse import events
from tests.waiting import eventually

STEPS = ("in_production", "quality_check", "shipped")
TRACKING = {"carrier": "dhl", "number": "JD014600003828"}
Step = Callable[[], Awaitable[str]]


@dataclass
class Timed:
    """When each step was asked for, answered, and heard of; a step is named by its order and version."""

    asked: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)

    def show(self, name: str) -> None:
        whole = [(self.heard[step] - self.asked[step]) * 1000 for step in self.asked]
        rest = [(self.heard[step] - self.answered[step]) * 1000 for step in self.asked]
        answer = [(self.answered[step] - self.asked[step]) * 1000 for step in self.asked]
        print(f"{name:28} {len(whole)} steps, all heard")
        for label, times in (
            ("request to stream", whole),
            ("request to answer", answer),
            ("answer to stream", rest),
        ):
            cuts = statistics.quantiles(times, n=100)
            print(f"  {label:26} p50 {cuts[49]:6.1f} ms   p99 {cuts[98]:6.1f} ms")


async def at_a_rate(steps: list[Callable[[], Awaitable[None]]], *, rate: int) -> None:
    started = time.perf_counter()
    running = []
    for number, step in enumerate(steps):
        await asyncio.sleep(max(0, started + number / rate - time.perf_counter()))
        running.append(asyncio.create_task(step()))
    await asyncio.gather(*running)


async def the_suite(http: aiohttp.ClientSession, *, base: str, orders: int, rate: int) -> Timed:
    timed = Timed()
    buyer, factory = [await sign_in(http, base=base, kind=kind) for kind in ("buyer", "factory")]
    ids = []
    for number in range(orders):
        quote = {
            "quote_id": f"Q-{number}",
            "factory_id": factory["organisation"]["id"],
            "product": {"name": "bracket"},
            "quantity": 500,
            "unit_price": {"amount": "3.20", "currency": "USD"},
            "deadline": "2030-01-01",
        }
        ids.append((await post(http, f"{base}/orders", quote, who=buyer))["id"])

    async def listen() -> None:
        async with http.get(f"{base}/stream", headers=token_of(buyer)) as response:
            async for event in events(response):
                if event.type == "order.status_changed.v1":
                    data = json.loads(event.data)["data"]
                    timed.heard[f"{data['order_id']} {data['version']}"] = time.perf_counter()

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.5)
    for to in STEPS:

        async def step(order_id: str, to: str = to) -> None:
            asked = time.perf_counter()
            body: dict[str, Any] = {"to": to} | ({"tracking": TRACKING} if to == "shipped" else {})
            order = await post(http, f"{base}/orders/{order_id}/status", body, who=factory)
            name = f"{order_id} {order['version']}"
            timed.asked[name], timed.answered[name] = asked, time.perf_counter()

        await at_a_rate([lambda order_id=order_id, step=step: step(order_id) for order_id in ids], rate=rate)
    await eventually(lambda: timed.heard.keys() >= timed.asked.keys())
    listening.cancel()
    return timed


async def bare(http: aiohttp.ClientSession, *, orders: int, rate: int, env: dict[str, str]) -> Timed:
    timed = Timed()
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(bare_part("writer", env))
        reader = await stack.enter_async_context(bare_part("reader", env))

        async def listen() -> None:
            async with http.get(f"{reader}/stream") as response:
                async for raw in response.content:
                    if raw.startswith(b"data: "):
                        order = json.loads(raw[6:])
                        timed.heard[f"{order['_id']} {order['version']}"] = time.perf_counter()

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.5)

        async def step(order_id: str) -> None:
            asked = time.perf_counter()
            order = await post(http, f"{writer}/orders/{order_id}/status", {})
            name = f"{order_id} {order['version']}"
            timed.asked[name], timed.answered[name] = asked, time.perf_counter()

        salt = time.time_ns()
        names = [f"{salt}-{number}" for number in range(orders)]
        for _ in STEPS:
            await at_a_rate([lambda name=name: step(name) for name in names], rate=rate)
        await eventually(lambda: timed.heard.keys() >= timed.asked.keys())
        listening.cancel()
    return timed


async def post(
    http: aiohttp.ClientSession, url: str, body: dict[str, Any], *, who: dict[str, Any] | None = None
) -> Any:
    async with http.post(url, json=body, headers=token_of(who) if who else None) as response:
        assert response.ok, await response.text()
        return await response.json()


async def sign_in(http: aiohttp.ClientSession, *, base: str, kind: str) -> dict[str, Any]:
    login = {"email": f"{kind}@example.com", "password": "correct horse battery"}
    organisation = {"name": f"The {kind}", "kind": kind}
    await post(http, f"{base}/auth/register", login | {"display_name": "Kim", "organisation": organisation})
    answer: dict[str, Any] = await post(http, f"{base}/auth/login", login)
    return answer


def token_of(who: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {who['access_token']}"}


@asynccontextmanager
async def bare_part(part: str, env: dict[str, str]) -> AsyncIterator[str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bare_pipeline", part, "--port", str(port), env=env
    )
    try:
        await eventually(lambda: answers(port), within=30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def main(*, orders: int, rate: int, runs: int) -> None:
    env = dict(os.environ)
    timeout = aiohttp.ClientTimeout(total=None)
    for run in range(runs):
        own = env | {"MILLRACE_MONGO_DB_PREFIX": f"steps{time.time_ns()}_", "MILLRACE_RATE_LIMITS": "off"}
        with TemporaryDirectory(prefix="millrace-bench-") as home:
            suite = Suite(home=Path(home), port=0, env=own)
            await asyncio.to_thread(suite.start)
            try:
                async with aiohttp.ClientSession(timeout=timeout) as http:
                    print(f"run {run + 1}: {rate} steps a second")
                    (await bare(http, orders=orders, rate=rate, env=env)).show("bare pipeline")
                    base = f"{suite.endpoints.gateway}/api/v1"
                    (await the_suite(http, base=base, orders=orders, rate=rate)).show("suite")
            finally:
                await asyncio.to_thread(suite.stop)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(main(orders=arguments.orders, rate=arguments.rate, runs=arguments.runs))
