"""Everything fails at random times, and nobody misses anything; nobody hears what is not his."""

import asyncio
import json
import random
import signal
from collections import defaultdict
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

import aio_pika
import pytest

from shared.events import catalog
from tests.gateway.live import builders
from tests.gateway.live.builders import an_event
from tests.gateway.live.conftest import Publish, StartGateway
from tests.gateway.live.link import Link, linked
from tests.gateway.live.processes import GatewayProcess, gateway_process
from tests.gateway.live.sse import Listener, listening
from tests.gateway.live.test_audience import BOTH_SIDES, ITS_USER
from tests.waiting import eventually

pytestmark = pytest.mark.parts

SHORT, LONG = 600, 10_000
TYPES = ["order.status_changed.v1", "order.updated.v1", "message.sent.v1", "message.read.v1"]
BOTH = pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])


@BOTH
async def test_each_client_hears_each_event_once_and_in_order_whatever_dies(
    amqp_url: str, count: int
) -> None:
    """40 orders of 7 organisations with two users each; two gateways, each with its own wire to the broker."""
    chance = random.Random(count)  # noqa: S311 - no secret
    orders = [(f"buyer{n % 4}", f"factory{n % 3}") for n in range(40)]
    organisations = sorted({side for order in orders for side in order})
    versions = [0] * len(orders)
    expected: defaultdict[str, list[str]] = defaultdict(list)

    async with AsyncExitStack() as stack:
        links = [await stack.enter_async_context(linked(amqp_url)) for _ in range(2)]
        gateways = [await stack.enter_async_context(gateway_process(link.url)) for link in links]
        listeners = {
            (organisation, n): Listener(
                url=lambda: chance.choice(gateways).url, token=f"{organisation}-{n}/{organisation}/s"
            )
            for organisation in organisations
            for n in range(2)
        }
        for listener in listeners.values():
            listener.start()
            stack.push_async_callback(listener.cut)
        await eventually(lambda: all(listener.last_event_id for listener in listeners.values()))
        mischief = await stack.enter_async_context(Mischief(chance, gateways, links, [*listeners.values()]))
        connection = await stack.enter_async_context(await aio_pika.connect(amqp_url))
        exchange = await builders.events_exchange(await connection.channel())

        for _ in range(count):
            mischief.sometimes()
            number = chance.randrange(len(orders))
            versions[number] += 1
            buyer, factory = orders[number]
            event = an_event(
                chance.choice(TYPES),
                order_id=f"order{number}",
                buyer_id=buyer,
                factory_id=factory,
                version=versions[number],
            )
            expected[buyer].append(event["id"])
            expected[factory].append(event["id"])
            body = json.dumps(event).encode()
            for _ in range(chance.choice([1] * 19 + [2])):  # an outbox may publish twice
                await exchange.publish(builders.message(body), routing_key=event["type"], mandatory=False)
        await mischief.ends()
        await eventually(
            lambda: all(
                len(listener.event_ids) >= len(expected[organisation])
                for (organisation, _), listener in listeners.items()
            ),
            within=60,
            every=0.5,
        )

    for (organisation, _), listener in listeners.items():
        assert listener.event_ids == expected[organisation]
        assert "resync" not in listener.types
    assert mischief.done > 5
    print(f"{count} events, {mischief.done} faults, {sum(map(len, expected.values())) * 2} deliveries")  # noqa: T201


def has_heard(listener: Listener, event_id: str) -> bool:
    return event_id in listener.event_ids


class Mischief:
    """Kills and cuts at random moments, several things at once; what it killed it starts again."""

    def __init__(
        self,
        chance: random.Random,
        gateways: list[GatewayProcess],
        links: list[Link],
        clients: list[Listener],
    ) -> None:
        self._chance = chance
        # Of its own, so that as much is done each time: whoever reconnects draws from the other one too.
        self._whether = random.Random(0)  # noqa: S311 - no secret
        self._gateways = gateways
        self._links = links
        self._clients = clients
        self._busy: set[asyncio.Task[None]] = set()
        self._dead: set[int] = set()
        self.done = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ends()

    def sometimes(self) -> None:
        if self._whether.random() < 0.03:  # of the events
            self.done += 1
            deed = self._chance.choice([self._kill_a_gateway, self._cut_a_link, self._cut_a_client])
            task = asyncio.create_task(deed())
            self._busy.add(task)

    async def ends(self) -> None:
        """Wait until everything is up again."""
        await asyncio.gather(*self._busy)

    async def _kill_a_gateway(self) -> None:
        gateway = self._chance.choice(self._gateways)
        if gateway.port in self._dead:
            return
        self._dead.add(gateway.port)
        await gateway.end(self._chance.choice([signal.SIGKILL, signal.SIGTERM]))
        await gateway.start()
        await eventually(gateway.is_ready, within=60)
        self._dead.discard(gateway.port)

    async def _cut_a_link(self) -> None:
        self._chance.choice(self._links).cut()

    async def _cut_a_client(self) -> None:
        client = self._chance.choice(self._clients)
        await client.cut()
        client.start()


@BOTH
async def test_no_event_reaches_a_stranger(start_gateway: StartGateway, publish: Publish, count: int) -> None:
    """50 users of 20 organisations that deal with each other at random."""
    chance = random.Random(count)  # noqa: S311 - no secret
    users = {f"user{n}": f"organisation{n % 20}" for n in range(50)}
    organisations = sorted(set(users.values()))
    expected: dict[str, list[str]] = {user: [] for user in users}

    async with start_gateway() as gateway, AsyncExitStack() as stack:
        listeners = {
            user: await stack.enter_async_context(
                listening(gateway.url, f"{user}/{organisation}/session-of-{user}")
            )
            for user, organisation in users.items()
        }
        await eventually(lambda: all(listener.types == ["ready"] for listener in listeners.values()))
        for _ in range(count // 2):
            fact = chance.choice(catalog.EVENTS)
            buyer, factory = chance.sample(organisations, 2)
            whose = chance.choice(sorted(users))
            event = an_event(
                fact.type,
                buyer_id=buyer,
                factory_id=factory,
                user_id=whose,
                organisation_id=users[whose],
            )
            for user, organisation in users.items():
                if (fact.type in BOTH_SIDES and organisation in {buyer, factory}) or (
                    fact.type in ITS_USER and user == whose
                ):
                    expected[user].append(event["id"])
            await publish(event)
        everybody = [an_event(buyer_id=each, factory_id=each) for each in organisations]
        await publish(*everybody)  # behind these nothing else comes

        for user, organisation in users.items():
            last = everybody[organisations.index(organisation)]["id"]
            await eventually(partial(has_heard, listeners[user], last))
            assert listeners[user].event_ids == [*expected[user], last], f"{user} of {organisation}"


@BOTH
async def test_replay_and_live_flow_join_without_a_gap_a_double_or_a_swap(
    start_gateway: StartGateway, publish: Publish, count: int
) -> None:
    """Clients come back at random moments while events go on and on."""
    chance = random.Random(count)  # noqa: S311 - no secret
    async with start_gateway() as one, start_gateway() as other, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(listening(one.url, f"user{n}/buyer/s", pause=0)) for n in range(5)
        ]
        for client in clients:
            client.url = lambda: chance.choice([one.url, other.url])
        await eventually(lambda: all(client.types == ["ready"] for client in clients))
        events = []
        for _ in range(count):
            events.append(event := an_event())
            await publish(event)
            if chance.random() < 0.1:
                client = chance.choice(clients)
                await client.cut()
                client.start()

        ids = [event["id"] for event in events]
        await eventually(lambda: all(client.event_ids[-1:] == ids[-1:] for client in clients), within=60)

    for client in clients:
        assert client.event_ids == ids
        assert "resync" not in client.types
