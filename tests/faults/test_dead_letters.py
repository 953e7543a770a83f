"""Every queue of the suite: what no consumer can handle rests with its cause, blocks nothing, and can be replayed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aio_pika
import aiohttp
import pytest
from typer.testing import CliRunner

from deploy.dead_letters import app
from deploy.local import SERVICES, Suite
from deploy.parts import Parts
from docs import examples
from shared import messaging
from shared.clock import utc_now
from shared.events.catalog import EVENTS
from shared.events.orders import QuoteAccepted
from tests.e2e.market import Person, person
from tests.e2e.openapi import Checker
from tests.faults.deals import a_quote
from tests.gateway.live.link import Link, linked
from tests.suites import settings_of
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

QUEUES: Final = tuple(
    subscriber.queue.name
    for service in SERVICES
    for subscriber in import_module(f"services.{service}.consumers").router.subscribers
)
TYPE_OF: Final = {queue: queue.partition(".")[2] for queue in QUEUES}
LAST_ATTEMPT: Final = {messaging.ATTEMPT_HEADER: len(messaging.RETRY_DELAYS)}

Event = dict[str, Any]
Deal = tuple[Person, Person, dict[str, Any]]


@dataclass(kw_only=True)
class Broker:
    channel: Any
    amqp_url: str

    async def put(self, queue: str, body: bytes, **properties: Any) -> str:
        """Put a message into one consumer's queue."""
        message_id = uuid4().hex
        properties = {"content_type": messaging.CONTENT_TYPE} | properties
        message = aio_pika.Message(body, message_id=message_id, **properties)
        await self.channel.default_exchange.publish(message, queue)
        return message_id

    async def count(self, queue: str) -> int:
        declared = await self.channel.declare_queue(queue, passive=True)
        return int(declared.declaration_result.message_count)

    async def dead(self, queue: str) -> dict[str, str]:
        """Look at a queue's dead letters: their causes by their ids."""
        async with await aio_pika.connect(self.amqp_url) as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(messaging.dead(queue), passive=True)
            found = {}
            while (message := await declared.get(fail=False)) is not None:
                found[str(message.message_id)] = str(message.headers.get(messaging.CAUSE_HEADER, ""))
            return found

    async def nothing_waits(self) -> None:
        """Wait until all queues but those of dead letters are empty."""
        names = [*QUEUES, *(messaging.retry_queue(delay) for delay in messaging.RETRY_DELAYS)]
        still = 0

        async def empty() -> bool:
            nonlocal still
            waiting = {name: count for name in names if (count := await self.count(name))}
            still = 0 if waiting else still + 1
            assert not waiting, waiting
            return still > 2

        await eventually(empty, within=60, every=0.3)


@pytest.fixture
async def database(parts: Parts) -> AsyncIterator[Link]:
    """The wire to MongoDB."""
    async with linked(parts.mongo_url.partition("?")[0] + "?directConnection=true") as link:
        yield link


@pytest.fixture
async def suite(parts: Parts, amqp_url: str, database: Link, tmp_path: Path) -> AsyncIterator[Suite]:
    env = settings_of(parts, name=f"dead{uuid4().hex[:6]}", amqp_url=amqp_url)
    env |= {"MILLRACE_MONGO_URL": database.url, "MILLRACE_RATE_LIMITS": "off"}
    async with Suite(home=tmp_path, port=0, env=env) as running:
        yield running


@pytest.fixture
async def broker(suite: Suite, amqp_url: str) -> AsyncIterator[Broker]:
    del suite
    async with await aio_pika.connect(amqp_url) as connection:
        yield Broker(channel=await connection.channel(), amqp_url=amqp_url)


@pytest.fixture
async def deal(suite: Suite) -> AsyncIterator[Deal]:
    """A buyer, a factory, and their order, which was delivered."""
    base = suite.endpoints.gateway
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        async with http.get(f"{base}/api/v1/openapi.json") as response:
            checker = Checker(await response.json())
        buyer, factory = [
            await stack.enter_async_context(
                person(base, checker, kind=kind, organisation=f"The {kind}", name="Kim")
            )
            for kind in ("buyer", "factory")
        ]
        order = (await buyer.call("POST", "/orders", a_quote(factory.organisation_id))).ok(201)
        for to in ("in_production", "quality_check", "shipped"):
            (await factory.advance(order["id"], to)).ok()
        yield buyer, factory, (await buyer.call("POST", f"/orders/{order['id']}/receipt", {})).ok()


def good_event(type_: str, deal: Deal) -> Event:
    """Give an event that its consumers have work with: the documented one, of an order that there is."""
    buyer, factory, order = deal
    fact = next(fact for fact in EVENTS if fact.type == type_)
    really = {
        examples._ORDER: order["id"],
        examples._BUYER: buyer.organisation_id,
        examples._FACTORY: factory.organisation_id,
        examples._ANN.user_id: buyer.user_id,
        examples._LIN.user_id: factory.user_id,
        examples.EXAMPLES[QuoteAccepted].data.quote_id: uuid4().hex,
    }
    text = examples.EXAMPLES[fact].model_dump_json()
    for old, new in really.items():
        text = text.replace(old, new)
    event: Event = json.loads(text) | {"id": uuid4().hex, "time": utc_now().isoformat()}
    if type_.startswith("order."):
        event["data"] |= {"status": order["status"], "history": order["history"]}
    return event


def rubbish(good: Event) -> Iterator[tuple[bytes, dict[str, Any], str]]:
    """Give what is no event of a type, each with its properties and what its cause has to say."""
    yield b"\xff\xfe", {}, "malformed-event: not JSON"
    yield b"", {}, "malformed-event: not JSON"
    yield b'{"id":', {}, "malformed-event: not JSON"
    yield b"[" * 100_000, {}, "malformed-event: not JSON"
    yield b"[]", {}, "malformed-event: "
    yield b"null", {}, "malformed-event: "
    yield b"{}", {}, "malformed-event: /id: Field required"
    whole = json.dumps(good).encode()
    yield whole, {"content_type": "text/xml"}, "malformed-event: content type is 'text/xml'"
    yield b"\x00" * 100, {"content_type": "application/octet-stream"}, "malformed-event: content type"
    for attribute in ("id", "source", "type", "time", "data"):
        without = {name: value for name, value in good.items() if name != attribute}
        yield json.dumps(without).encode(), {}, f"malformed-event: /{attribute}: Field required"
    for wrong in (
        {"specversion": "0.3"},
        {"id": ""},
        {"time": "yesterday"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"data": []},
        {"data": {}},
        {"sequence": "first"},
    ):
        yield json.dumps(good | wrong).encode(), {}, "malformed-event: /"
    aggregate, _, version = good["type"].rpartition(".")
    assert version == "v1"
    yield json.dumps(good | {"type": f"{aggregate}.v99"}).encode(), {}, "type is"
    yield json.dumps(good | {"type": "thing.happened.v1"}).encode(), {}, "type is"
    # A stranger's headers are no instructions.
    yield b"{}", {"headers": {messaging.ATTEMPT_HEADER: "many"}}, "malformed-event: /"
    yield b"{}", {"headers": {messaging.ATTEMPT_HEADER: -7, "traceparent": "\x00"}}, "malformed-event: /"


def test_there_is_an_example_for_every_queue() -> None:
    assert len(set(QUEUES)) == len(QUEUES) > 10
    assert set(TYPE_OF.values()) <= {fact.type for fact in EVENTS}


async def test_rubbish_rests_with_its_cause_and_what_stands_behind_it_is_handled(
    broker: Broker, deal: Deal
) -> None:
    expected: dict[str, dict[str, str]] = {queue: {} for queue in QUEUES}
    for queue in QUEUES:
        good = good_event(TYPE_OF[queue], deal)
        for body, properties, cause in rubbish(good):
            expected[queue][await broker.put(queue, body, **properties)] = cause
        await broker.put(queue, json.dumps(good).encode())

    # The last one of each queue was handled: it is not there, not among the dead, and not retried.
    await eventually(lambda: they_were_handled(deal), within=60, every=0.3)
    await broker.nothing_waits()

    async def all_rest() -> bool:
        for queue in QUEUES:
            # One whose acknowledgement was lost rests twice.
            assert await broker.count(messaging.dead(queue)) >= len(expected[queue]), queue
        return True

    await eventually(all_rest, within=60, every=0.3)
    for queue in QUEUES:
        dead = await broker.dead(queue)
        assert dead.keys() == expected[queue].keys(), queue
        for message_id, cause in expected[queue].items():
            assert cause in dead[message_id], queue


async def test_what_has_died_is_handled_when_it_is_replayed_after_a_fix(
    broker: Broker, deal: Deal, database: Link
) -> None:
    await broker.nothing_waits()
    database.down = True
    database.cut()
    # One of each service dies now, as its database is away; in the other queues it is as if one had died before.
    dying = {queue.partition(".")[0]: queue for queue in QUEUES}.values()
    for queue, type_ in TYPE_OF.items():
        where, died = (
            (queue, {}) if queue in dying else (messaging.dead(queue), {messaging.CAUSE_HEADER: "x"})
        )
        body = json.dumps(good_event(type_, deal)).encode()
        await broker.put(where, body, headers=LAST_ATTEMPT | died)

    async def all_are_dead() -> bool:
        alive = [queue for queue in QUEUES if not await broker.count(messaging.dead(queue))]
        assert not alive, alive
        return True

    await eventually(all_are_dead, within=60, every=0.3)
    for queue in dying:
        (cause,) = (await broker.dead(queue)).values()
        assert "ServerSelectionTimeout" in cause or "AutoReconnect" in cause, f"{queue}: {cause}"
    database.down = False
    await eventually(all_are_dead, within=60, every=0.3)  # also those that were looked at are back

    replayed = await asyncio.to_thread(CliRunner().invoke, app, ["replay", "--amqp", broker.amqp_url])

    assert replayed.stdout == f"{len(QUEUES)} put back\n"
    await eventually(lambda: they_were_handled(deal), within=60, every=0.3)
    await broker.nothing_waits()
    assert [await broker.count(messaging.dead(queue)) for queue in QUEUES] == [0] * len(QUEUES)


async def they_were_handled(deal: Deal) -> bool:
    """See some of what the events of the queues have brought about."""
    buyer, factory, order = deal
    assert (await buyer.get(f"/orders/{order['id']}"))["status"] == "completed", "of review.submitted"
    assert len((await buyer.get("/orders"))["items"]) == 2, "of quote.accepted"
    kinds = {each["kind"] for each in (await factory.get("/notifications?limit=100"))["items"]}
    assert {"order_overdue", "review_received"} <= kinds
    return True
