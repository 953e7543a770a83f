"""The broker, the log or the gateway goes away and comes back."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import aio_pika
import pytest

from deploy import ports
from deploy.parts import PART_PORTS, Parts, plan
from deploy.process import end_leftovers
from gateway.live import Live, log
from shared import messaging
from tests.gateway.live import small_gateway
from tests.gateway.live.builders import an_event
from tests.gateway.live.conftest import Publish, StartGateway, hears_all, serving
from tests.gateway.live.link import linked
from tests.gateway.live.processes import gateway_process
from tests.gateway.live.sse import listening
from tests.waiting import eventually

pytestmark = pytest.mark.parts

BUYER = "wei/buyer/s1"
FIRST_STREAM_SETTLES = messaging.FIRST_STREAM_SETTLES


async def test_a_lost_connection_to_the_broker_loses_no_event(amqp_url: str, publish: Publish) -> None:
    events = [an_event() for _ in range(30)]

    async with (
        linked(amqp_url) as link,
        serving(small_gateway.create_app(amqp_url=link.url)) as gateway,
        listening(gateway.url, BUYER) as buyer,
    ):
        await eventually(lambda: buyer.types == ["ready"])
        await publish(*events[:10])
        link.down = True
        link.cut()
        await publish(*events[10:20])
        link.down = False
        await publish(*events[20:])
        await eventually(lambda: len(buyer.event_ids) >= 30)

    assert buyer.event_ids == [event["id"] for event in events]
    assert buyer.connections == 1
    assert "resync" not in buyer.types


async def test_a_gateway_that_does_not_hear_the_log_says_so_and_still_takes_clients(
    amqp_url: str, publish: Publish
) -> None:
    async with linked(amqp_url) as link, serving(small_gateway.create_app(amqp_url=link.url)) as gateway:
        link.down = True
        link.cut()
        await eventually(lambda: not_heard(gateway.app.state.live))
        async with listening(gateway.url, BUYER) as buyer:
            await eventually(lambda: buyer.types == ["ready"])
            await publish(event := an_event())
            link.down = False
            await eventually(lambda: buyer.event_ids == [event["id"]])


async def test_a_client_of_another_gateway_waits_until_this_one_hears_the_log_again(
    amqp_url: str, start_gateway: StartGateway, publish: Publish
) -> None:
    async with (
        linked(amqp_url) as link,
        serving(small_gateway.create_app(amqp_url=link.url)) as cut_off,
        start_gateway() as other,
    ):
        async with listening(other.url, BUYER) as buyer:
            await eventually(lambda: buyer.types == ["ready"])
            link.down = True
            link.cut()
            await eventually(lambda: not_heard(cut_off.app.state.live))
            await publish(heard := an_event())
            await eventually(lambda: buyer.event_ids == [heard["id"]])
        async with listening(cut_off.url, BUYER, last_event_id=buyer.last_event_id) as again:
            await eventually(lambda: again.connections == 1)
            await asyncio.sleep(3)
            assert again.types == []
            link.down = False
            await publish(later := an_event())
            await eventually(lambda: again.event_ids == [later["id"]])

    assert "resync" not in again.types


async def test_when_the_log_is_replaced_clients_reload_and_go_on(
    start_gateway: StartGateway, amqp_url: str, publish: Publish
) -> None:
    async with start_gateway() as gateway, listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(*(before := [an_event() for _ in range(5)]))
        await eventually(lambda: len(buyer.event_ids) == 5)

        async with await aio_pika.connect(amqp_url) as connection:
            await (await connection.channel()).queue_delete(log.STREAM.name)
        await eventually(lambda: "resync" in buyer.types)
        await publish(after := an_event())
        await eventually(lambda: buyer.event_ids == [event["id"] for event in [*before, after]])

        old_cursor = buyer.heard[3].id
        async with listening(gateway.url, BUYER, last_event_id=old_cursor) as again:
            await eventually(lambda: again.types == ["ready", "resync"])


async def test_a_gateway_may_start_before_the_broker_and_its_clients_wait_for_ready(
    amqp_url: str, publish: Publish
) -> None:
    async with linked(amqp_url) as link:
        link.down = True
        app = small_gateway.create_app(amqp_url=link.url, ping_every=timedelta(seconds=0.1))
        async with serving(app, wait=False) as gateway, listening(gateway.url, BUYER) as buyer:
            await eventually(lambda: buyer.connections == 1)
            await publish(event := an_event())
            assert buyer.types == []
            link.down = False
            await eventually(lambda: "ready" in buyer.types)
            await publish(later := an_event())
            await eventually(lambda: buyer.event_ids[-1:] == [later["id"]])

    assert buyer.types[0] == "ready"
    assert event["id"] not in buyer.event_ids, "it was published before `ready`, to which the client reads"


async def test_at_sigterm_all_streams_end_and_the_process_too(amqp_url: str) -> None:
    async with (
        gateway_process(amqp_url) as gateway,
        listening(gateway.url, BUYER, pause=60) as buyer,
        listening(gateway.url, "li/factory/s2", pause=60) as factory,
    ):
        await eventually(lambda: buyer.types == factory.types == ["ready"])

        async with asyncio.timeout(30):
            assert await gateway.end(signal.SIGTERM) in {0, -signal.SIGTERM}

    assert buyer.failures == factory.failures == 0, "each stream ends as a whole answer"


async def test_replay_outlives_a_restart_of_all_gateways_and_of_rabbitmq(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log is new when this RabbitMQ is killed.
    monkeypatch.setattr(messaging, "FIRST_STREAM_SETTLES", FIRST_STREAM_SETTLES)
    async with (
        own_rabbitmq(parts, tmp_path) as (url, restart),
        publishing_as_a_service(url) as publish,
    ):
        async with (
            serving(small_gateway.create_app(amqp_url=url)) as old,
            listening(old.url, BUYER) as buyer,
            listening(old.url, "li/factory/s2") as staying,
        ):
            await eventually(lambda: buyer.types == staying.types == ["ready"])
            await publish(before := an_event())
            await eventually(lambda: buyer.event_ids == staying.event_ids == [before["id"]])
            await buyer.cut()
            await publish(missed := an_event())
            restarted = asyncio.create_task(restart())
            # As soon as RabbitMQ takes them, which is before its stream is back.
            await publish(*(later := [an_event() for _ in range(20)]))
            await restarted
            ids = [event["id"] for event in (before, missed, *later)]
            await eventually(lambda: staying.event_ids == ids, within=60)
        async with (
            serving(small_gateway.create_app(amqp_url=url)) as new,
            listening(new.url, BUYER, last_event_id=buyer.last_event_id) as again,
        ):
            await eventually(lambda: again.event_ids == ids[1:])

    assert "resync" not in again.types + staying.types


@asynccontextmanager
async def own_rabbitmq(parts: Parts, home: Path) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """Start a RabbitMQ of this test alone; give its address, and how to kill it and start it again."""
    at = ports.choose(PART_PORTS, remembered_in=home / "ports.json")
    elsewhere = {
        "MILLRACE_MONGO_URL": parts.mongo_url,
        "MILLRACE_S3_ENDPOINT": parts.s3.endpoint,
        "MILLRACE_S3_ACCESS_KEY": parts.s3.access_key,
        "MILLRACE_S3_SECRET_KEY": parts.s3.secret_key,
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    ours = plan(home=home, env=environ | elsewhere, at=at)
    (rabbitmq,) = ours.programs

    async def start() -> None:
        rabbitmq.start()
        await asyncio.to_thread(rabbitmq.wait_until_ready, within=60, cancelled=Event())

    async def restart() -> None:
        await asyncio.to_thread(rabbitmq.kill)
        await start()

    try:
        await start()
        yield ours.amqp_url, restart
    finally:
        await asyncio.to_thread(rabbitmq.kill)
        end_leftovers(home)


@asynccontextmanager
async def publishing_as_a_service(url: str) -> AsyncIterator[Publish]:
    """Publish as an outbox does: again and again until RabbitMQ says that it has the event."""
    broker = messaging.create_broker(url=url)

    async def publish(*events: dict[str, Any]) -> None:
        for event in events:
            row = {"body": json.dumps(event), "id": event["id"], "type": event["type"]}
            await eventually(partial(attempt, row | {"correlation_id": None, "traceparent": None}), within=60)

    async def attempt(row: dict[str, Any]) -> bool:
        try:
            await messaging.publish(broker, [row])
        except Exception:  # noqa: BLE001 - RabbitMQ is away
            return False
        return True

    async with messaging.connected(broker):
        yield publish


async def not_heard(live: Live) -> bool:
    return not await hears_all(live)
