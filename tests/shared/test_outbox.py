"""Events leave exactly with their change: crashes between two lines, two relays, a broker that is away."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.orders import domain
from shared import messaging, mongo, outbox, telemetry
from shared.clock import utc_now
from shared.events.orders import OrderCreated
from shared.mongo import Database
from shared.outbox import Outbox, sealed
from tests.orders.builders import NOW, an_order
from tests.service_client import SECRET, Events, listening
from tests.waiting import eventually

pytestmark = pytest.mark.parts

TRACEPARENT = r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"


def a_fact() -> OrderCreated:
    order = an_order()
    return OrderCreated(
        **domain.order.facts(order),
        quote_id=order.quote_id,
        quantity=order.quantity,
        unit=order.unit,
        total=order.total,
    )


async def test_every_event_names_its_cause_and_a_trace_that_it_shares_with_it() -> None:
    telemetry.take_request_id("request-7")
    of_a_request = [orjson.loads(row["body"]) for row in sealed([a_fact(), a_fact()], now=NOW).rows]
    telemetry.take_request_id(None)
    by_itself = [orjson.loads(row["body"]) for row in sealed([a_fact(), a_fact()], now=NOW).rows]

    names = [event["correlationid"] for event in of_a_request + by_itself]
    traces = [re.fullmatch(TRACEPARENT, event["traceparent"])[1] for event in of_a_request + by_itself]
    assert names[:2] == ["request-7"] * 2
    assert traces[0] == traces[1]
    assert len({names[0], *names[2:]}) == len({traces[0], *traces[2:]}) == 3


class Broker:
    """Takes what is published, as long as it may, or is away."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.is_away = False
        self.slow = 0.0
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def publish(self, rows: Iterable[dict[str, Any]]) -> None:
        ids = [row["id"] for row in rows]
        self.asked += 1
        await self.may_answer.wait()
        await asyncio.sleep(self.slow)
        if self.is_away:
            raise ConnectionError
        self.taken += ids


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture(params=["motor", "pymongo"])
async def db(
    request: pytest.FixtureRequest, mongo_url: str, mongo_db_prefix: str, broker: Broker
) -> AsyncIterator[Database]:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}test", driver=request.param) as db:
        db.outbox = Outbox(db=db, collections=("things",), publish=broker.publish)
        yield db


async def write(db: Database, key: str = "one", *, count: int = 1, crash: bool = False) -> list[str]:
    """Change a document with its events; a writer that crashes does not come to sending them."""
    events = sealed([a_fact() for _ in range(count)], now=NOW)
    await db["things"].update_one({"_id": key}, events.into({"$inc": {"version": 1}}), upsert=True)
    if not crash:
        db.outbox.send("things", key, events)
    return [row["id"] for row in events.rows]


async def waiting(db: Database, key: str = "one") -> list[str]:
    found = await db["things"].find_one({"_id": key})
    return [row["id"] for row in found.get("outbox", [])]


async def is_clean(db: Database) -> bool:
    return await db["things"].count_documents({"outbox_at": {"$exists": True}}) == 0


async def test_what_was_written_is_published_at_once_and_taken_out(db: Database, broker: Broker) -> None:
    async with db.outbox.relaying():
        ids = await write(db, count=3)

        await eventually(lambda: is_clean(db))

    assert broker.taken == ids
    found = await db["things"].find_one({"_id": "one"})
    assert found == {"_id": "one", "version": 1}


async def test_a_crash_before_publishing_leaves_the_events_to_any_sweep(db: Database, broker: Broker) -> None:
    ids = await write(db, crash=True, count=2)

    assert await db.outbox.sweep(now=utc_now()) == 0  # its writer may still be at it
    assert await db.outbox.sweep(now=utc_now() + 2 * outbox.LEASE) == 2

    assert broker.taken == ids
    assert await is_clean(db)


async def test_a_crash_between_publishing_and_taking_out_repeats_the_same_event(
    db: Database, broker: Broker
) -> None:
    ids = await write(db, crash=True)
    found = await db["things"].find_one({"_id": "one"})
    await broker.publish(found["outbox"])

    await db.outbox.sweep(now=utc_now() + 2 * outbox.LEASE)

    assert broker.taken == ids * 2


async def test_a_slow_writer_and_a_sweep_may_both_take_an_event_out(db: Database, broker: Broker) -> None:
    broker.may_answer.clear()
    async with db.outbox.relaying():
        ids = await write(db)
        sweep = asyncio.create_task(db.outbox.sweep(now=utc_now() + 2 * outbox.LEASE))
        await eventually(lambda: broker.asked == 2)
        broker.may_answer.set()
        await sweep
        await eventually(lambda: is_clean(db))
    assert broker.taken == ids * 2
    assert await db["things"].find_one({"_id": "one"}) == {"_id": "one", "version": 1}

    async with db.outbox.relaying():
        await write(db)
        await eventually(lambda: is_clean(db))

    assert len(broker.taken) == 3


async def test_two_sweeps_at_once_publish_once(db: Database, broker: Broker) -> None:
    ids = [event for key in range(50) for event in await write(db, f"thing-{key}", crash=True)]
    broker.slow = 0.05

    counts = await asyncio.gather(*(db.outbox.sweep(now=utc_now() + 2 * outbox.LEASE) for _ in range(4)))

    assert sum(counts) == 50
    assert sorted(broker.taken) == sorted(ids)


async def test_a_sweep_that_dies_leaves_the_events_to_the_next(db: Database, broker: Broker) -> None:
    ids = await write(db, crash=True)
    later = utc_now() + 2 * outbox.LEASE
    broker.is_away = True

    with pytest.raises(ConnectionError):
        await db.outbox.sweep(now=later)
    broker.is_away = False

    assert await db.outbox.sweep(now=later) == 0  # leased
    assert await db.outbox.sweep(now=later + 2 * outbox.LEASE) == 1
    assert broker.taken == ids


async def test_a_document_that_changes_all_the_time_is_swept_too(db: Database, broker: Broker) -> None:
    lost = await write(db, crash=True)
    await db["things"].update_one({"_id": "one"}, {"$set": {"outbox_at": utc_now() - 2 * outbox.LEASE}})
    await db["things"].update_one({"_id": "one"}, {"$set": {"outbox.0.at": utc_now() - 2 * outbox.LEASE}})

    fresh = await write(db, crash=True)
    await db.outbox.sweep(now=utc_now())

    assert broker.taken == [*lost, *fresh]


async def test_taking_out_one_event_leaves_the_next_its_own_time(db: Database, broker: Broker) -> None:
    async with db.outbox.relaying():
        left = await write(db, crash=True)
        await write(db)
        await eventually(lambda: len(broker.taken) == 1)
        await eventually(lambda: _waits_for(db, left))

    found = await db["things"].find_one({"_id": "one"})
    assert found["outbox_at"] == found["outbox"][0]["at"]


async def _waits_for(db: Database, ids: list[str]) -> bool:
    return await waiting(db) == ids


async def test_while_the_broker_is_away_writes_go_on_and_nothing_is_lost(
    db: Database, broker: Broker
) -> None:
    async with db.outbox.relaying():
        broker.is_away = True
        ids = [event for key in range(300) for event in await write(db, f"thing-{key}")]
        assert await db["things"].count_documents({"outbox_at": {"$exists": True}}) == 300
        broker.is_away = False

        later = utc_now() + 2 * outbox.LEASE
        while await db.outbox.sweep(now=later):
            pass

    assert set(broker.taken) == set(ids)
    assert await is_clean(db)


async def test_a_process_that_ends_publishes_what_it_has_written(db: Database, broker: Broker) -> None:
    broker.slow = 0.05
    async with db.outbox.relaying():
        ids = [event for key in range(500) for event in await write(db, f"thing-{key}")]

    assert sorted(broker.taken) == sorted(ids)
    assert await is_clean(db)


async def test_a_process_that_ends_does_not_wait_for_a_broker_that_is_away(
    db: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LAST_WORDS", 0.1)
    broker.slow = 60
    async with db.outbox.relaying():
        ids = await write(db)

    assert await waiting(db) == ids


def test_a_change_without_events_leaves_no_trace() -> None:
    nothing = sealed([], now=NOW)

    assert nothing.fields == {}
    assert nothing.into({"$set": {"a": 1}}) == {"$set": {"a": 1}}


# -- a real service, a real broker, and real kills --------------------------------------------------


@pytest.fixture
async def events(amqp_url: str) -> AsyncIterator[Events]:
    async with listening(amqp_url) as events:
        yield events


async def test_a_service_that_is_killed_between_write_and_publish_loses_nothing(
    mongo_url: str, mongo_db_prefix: str, amqp_url: str, events: Events
) -> None:
    command = [sys.executable, str(Path(__file__).with_name("dies_after_writing.py"))]
    env = {
        "PATH": os.defpath,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "MILLRACE_MONGO_URL": mongo_url,
        "MILLRACE_MONGO_DB_PREFIX": mongo_db_prefix,
        "MILLRACE_AMQP_URL": amqp_url,
        "MILLRACE_SERVICE_SECRET": SECRET,
    }
    process = await asyncio.create_subprocess_exec(*command, env=env)
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    assert events.heard == []

    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}orders", driver="motor") as db:
        assert await db["orders"].count_documents({"outbox_at": {"$exists": True}}) == 20
        await _sweep_with_a_real_broker(db, amqp_url)

    await eventually(lambda: len(events.of(OrderCreated)) == 20)
    subjects = {event["subject"] for event in events.heard}
    assert len(subjects) == len(events.heard) == 20


async def _sweep_with_a_real_broker(db: Database, amqp_url: str) -> None:
    broker = messaging.create_broker(url=amqp_url)
    async with messaging.connected(broker):
        db.outbox = Outbox(db=db, collections=("orders",), publish=partial(messaging.publish, broker))
        await asyncio.gather(*(db.outbox.sweep(now=utc_now() + timedelta(seconds=10)) for _ in range(3)))
