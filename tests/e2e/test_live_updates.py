"""Live updates of the whole suite: never ahead of what can be read, over with the session, whole after any death."""

import asyncio
import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import aiohttp
import pytest

from deploy.local import Endpoints, Suite
from deploy.parts import Parts
from tests.e2e.market import Person, person
from tests.e2e.openapi import Checker
from tests.e2e.test_order_journey import a_quote
from tests.gateway.live.sse import Listener
from tests.suites import settings_of
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

STEPS = ("in_production", "quality_check", "shipped")


async def an_order(buyer: Person, factory: Person) -> str:
    order = (await buyer.call("POST", "/orders", a_quote(factory))).ok(201)
    return str(order["id"])


async def test_what_the_stream_tells_can_be_read_at_once(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, factory = buyer_and_factory
    reads = []

    async def read(order_id: str, version: int, status: str) -> None:
        order = await buyer.get(f"/orders/{order_id}")
        board = await buyer.get("/dashboard?limit=100")
        card = next(each for each in board["active_orders"]["items"] if each["id"] == order_id)
        assert order["version"] >= version
        assert card["version"] >= version
        assert [each["status"] for each in order["history"]].count(status) == 1

    class Reader(Listener):
        def hear(self, event: Any) -> None:
            if event.type == "order.status_changed.v1":
                data = json.loads(event.data)["data"]
                reads.append(asyncio.create_task(read(data["order_id"], data["version"], data["status"])))

    order_ids = [await an_order(buyer, factory) for _ in range(5)]
    listener = Reader(url=lambda: f"{endpoints.gateway}/api/v1", token=f"Bearer {buyer.token}")
    listener.start()
    await eventually(lambda: "ready" in listener.types)
    for to in STEPS:
        for order_id in order_ids:
            (await factory.advance(order_id, to)).ok()
    await eventually(lambda: len(reads) == len(STEPS) * len(order_ids))
    await asyncio.gather(*reads)
    await listener.cut()


async def test_logout_ends_the_stream(endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    headers = {"Authorization": f"Bearer {buyer.token}"}

    async with (
        factory.listening() as others,
        buyer.http.get(f"{endpoints.gateway}/api/v1/stream", headers=headers) as response,
    ):
        assert response.status == 200
        (await buyer.call("POST", "/auth/logout")).ok(204)
        async with asyncio.timeout(30):
            await response.content.read()
        assert len(others.events) >= 1

    assert (await buyer.call("GET", "/stream")).status == 401


@pytest.fixture
def mortal_suite(parts: Parts, amqp_url: str, tmp_path: Path) -> Iterator[Suite]:
    """A suite of this test alone, to be hurt, without rate limits."""
    env = settings_of(parts, name=f"mortal{uuid4().hex[:6]}", amqp_url=amqp_url)
    with Suite(home=tmp_path, port=0, env=env | {"MILLRACE_RATE_LIMITS": "off"}) as running:
        yield running


@pytest.mark.parametrize(
    ("orders", "events", "faults"), [(6, 120, 6), pytest.param(40, 10_000, 60, marks=pytest.mark.soak)]
)
async def test_whatever_dies_every_client_ends_up_with_what_the_api_says(
    mortal_suite: Suite, parts: Parts, amqp_url: str, orders: int, events: int, faults: int
) -> None:
    """Steps and messages, while the gateway, its broker connections and the clients die at random times."""
    chance = random.Random(events)  # noqa: S311 - no secret
    base = mortal_suite.endpoints.gateway
    async with AsyncExitStack() as stack:
        checker = Checker(await document_of(base))
        buyer, factory = [
            await stack.enter_async_context(
                person(base, checker, kind=kind, organisation=f"The {kind}", name="Kim")
            )
            for kind in ("buyer", "factory")
        ]
        clients = [
            Listener(url=lambda: f"{base}/api/v1", token=f"Bearer {who.token}", pause=0.3)
            for who in (buyer, factory, buyer, factory)
        ]
        for client in clients:
            client.start()
            stack.push_async_callback(client.cut)
        await eventually(lambda: all(client.last_event_id for client in clients))
        order_ids = [await an_order(buyer, factory) for _ in range(orders)]
        ways = [
            partial(kill_the_gateway, mortal_suite, chance),
            partial(cut_a_broker_connection, parts, amqp_url, chance),
            partial(cut_a_client, clients, chance),
        ]
        hurting = [asyncio.create_task(ways[0]())]

        async def speak(order_id: str, count: int) -> None:
            steps = dict(zip(sorted(chance.sample(range(count), len(STEPS))), STEPS, strict=True))
            for number in range(count):
                who = chance.choice([buyer, factory])
                await insist(who, f"/orders/{order_id}/messages", {"text": f"Nr. {number}"})
                if to := steps.get(number):
                    await insist(factory, f"/orders/{order_id}/status", {"to": to})
                if chance.random() < faults / events:
                    hurting.append(asyncio.create_task(chance.choice(ways)()))

        await asyncio.gather(*(speak(order_id, events // orders) for order_id in order_ids))
        await asyncio.gather(*hurting)

        for order_id in order_ids:
            truth = await what_the_api_says(buyer, order_id)
            for client in clients:
                await eventually(lambda: what_the_stream_said(client, order_id) == truth, within=60)  # noqa: B023
        for client in clients:
            assert len(set(client.event_ids)) == len(client.event_ids), "nothing twice"
            assert "resync" not in client.types


async def insist(who: Person, path: str, body: dict[str, Any]) -> None:
    """Call until there is an answer, as a client must whose connection broke; a step may then be done already."""
    key = uuid4().hex

    async def answered() -> bool:
        try:
            answer = await who.call("POST", path, body, headers={"Idempotency-Key": key})
        except (aiohttp.ClientError, TimeoutError):
            return False
        assert answer.status in {200, 201, 409, 503}, answer
        return answer.status != 503

    await eventually(answered, within=60, every=0.2)


async def read(who: Person, path: str) -> Any:
    """Call until there is an answer; the last fault may be that of a moment ago."""

    async def answered() -> Any:
        with suppress(aiohttp.ClientError, TimeoutError):
            return await who.get(path)

    return await eventually(answered, within=60, every=0.2)


async def what_the_api_says(who: Person, order_id: str) -> tuple[str, list[str]]:
    order = await read(who, f"/orders/{order_id}")
    messages: list[dict[str, Any]] = []
    after = 0
    while page := (await read(who, f"/orders/{order_id}/messages?after={after}&limit=100"))["items"]:
        messages += page
        after = page[-1]["seq"]
    return order["status"], [message["id"] for message in messages]


def what_the_stream_said(client: Listener, order_id: str) -> tuple[str, list[str]]:
    history: list[dict[str, Any]] = []
    messages: dict[int, str] = {}
    for event in client.heard:
        if event.type.startswith(("order.", "message.sent")):
            data = json.loads(event.data)["data"]
            if data["order_id"] == order_id and "message" in data:
                messages[data["message"]["seq"]] = data["message"]["id"]
            elif data["order_id"] == order_id:
                history = max(history, data["history"], key=len)
    return history[-1]["status"] if history else "", [messages[seq] for seq in sorted(messages)]


async def kill_the_gateway(suite: Suite, chance: random.Random) -> None:
    with suppress(ProcessLookupError):
        os.kill(suite.endpoints.pids["gateway"], chance.choice([signal.SIGKILL, signal.SIGTERM]))


async def cut_a_broker_connection(parts: Parts, amqp_url: str, chance: random.Random) -> None:
    """Have RabbitMQ close a connection of this suite, whosever it is."""
    if parts.management_url is None:
        return
    address = urlsplit(parts.management_url)
    login = aiohttp.encode_basic_auth(address.username or "", address.password or "")
    api = f"http://{address.hostname}:{address.port}/api"
    async with aiohttp.ClientSession(headers={"Authorization": login}) as http:
        async with http.get(f"{api}/vhosts/{urlsplit(amqp_url).path[1:]}/connections") as response:
            names = [each["name"] for each in await response.json()]
        if names:
            await http.delete(f"{api}/connections/{quote(chance.choice(names))}")


async def cut_a_client(clients: list[Listener], chance: random.Random) -> None:
    client = chance.choice(clients)
    await client.cut()
    client.start()


async def document_of(base: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{base}/api/v1/openapi.json") as response:
        document: dict[str, Any] = await response.json()
        return document
