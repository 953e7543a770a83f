"""Rubbish in every queue: a service handles it or puts it aside, and goes on.

Nothing may kill a consumer, come back for ever, hold up what stands behind it, or leave an event in an
outbox that cannot be published.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from fastapi import FastAPI
from pymongo import MongoClient

from deploy.local import SERVICES
from deploy.parts import S3
from docs.examples import EXAMPLES
from docs.generate import consumers_of, main_of, settings_of
from shared import messaging
from shared.events.catalog import EVENTS
from shared.ids import new_id
from tests.fuzz.mutations import mutated
from tests.service_client import SECRET, serving
from tests.waiting import eventually

HEADERS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {messaging.ATTEMPT_HEADER: "many"},
    {messaging.ATTEMPT_HEADER: -1},
    {messaging.ATTEMPT_HEADER: 10**12},
    {"traceparent": "00-zz-\n"},
    {"x-death": "none"},
)


@pytest.fixture
def settings(mongo_url: str, mongo_db_prefix: str, amqp_url: str, s3: S3) -> dict[str, Any]:
    return {
        "port": 0,
        "mongo_url": mongo_url,
        "mongo_db_prefix": mongo_db_prefix,
        "amqp_url": amqp_url,
        "service_secret": SECRET,
        "s3_endpoint": s3.endpoint,
        "s3_access_key": s3.access_key,
        "s3_secret_key": s3.secret_key,
        "s3_bucket": "fuzz-tests",
    }


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


@pytest.mark.parametrize("service", SERVICES)
async def test_no_event_stops_a_consumer(
    service: str, settings: dict[str, Any], channel: AbstractChannel
) -> None:
    await survive(service, settings, channel, seed=9, count=25)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("service", SERVICES)
async def test_no_event_stops_a_consumer_however_many(
    service: str, seed: int, settings: dict[str, Any], channel: AbstractChannel
) -> None:
    await survive(service, settings, channel, seed=seed, count=1000)


async def survive(
    service: str, settings: dict[str, Any], channel: AbstractChannel, *, seed: int, count: int
) -> None:
    heard = [fact for fact in EVENTS if service in consumers_of(fact)]
    queues = [messaging.queue_for(service, fact).name for fact in heard]
    assert queues

    async with serving(app_of(service, settings)):
        for fact, queue in zip(heard, queues, strict=True):
            right = EXAMPLES[fact].model_dump(mode="json")
            for message in messages(right, seed=seed, count=count):
                await channel.default_exchange.publish(message, queue, timeout=30)
        await all_settled(service, settings, channel, queues)
    for _ in range(3):  # a service may have had some in hand when it was told to stop
        if not await held(channel, queues):
            break
        async with serving(app_of(service, settings)):
            await all_settled(service, settings, channel, queues)
    assert await held(channel, queues) == []

    dead = {queue: await waiting(channel, messaging.dead(queue)) for queue in queues}
    assert all(dead.values()), dead  # what cannot be read is put aside at once, and not tried again


def app_of(service: str, settings: dict[str, Any]) -> FastAPI:
    known = settings_of(service)
    app: FastAPI = main_of(service).create_app(
        known(**{name: value for name, value in settings.items() if name in known.model_fields})
    )
    return app


async def all_settled(
    service: str, settings: dict[str, Any], channel: AbstractChannel, queues: list[str]
) -> None:
    async def all_taken() -> bool:
        return not any([await waiting(channel, queue) for queue in queues])

    def all_told() -> bool:
        return not left_in_outboxes(settings, service)

    await eventually(all_taken, within=180, every=0.1)
    await eventually(all_told, within=120, every=0.2)


async def held(channel: AbstractChannel, queues: list[str]) -> list[str]:
    """Name the queues with messages that came back because their consumer had not settled them."""
    found = []
    for name in queues:
        queue = await channel.get_queue(name, ensure=False)
        while (message := await queue.get(fail=False)) is not None:
            if message.headers.get(messaging.ATTEMPT_HEADER):  # tried again meanwhile, as it should be
                await message.ack()
                continue
            await message.nack(requeue=True)
            found.append(name)
            break
    return found


def messages(right: dict[str, Any], *, seed: int, count: int) -> Iterator[aio_pika.Message]:
    # It goes on into the events that follow from this one, and AMQP has its own mind about such names.
    named = [json.dumps(right | {"correlationid": name}).encode() for name in ("x" * 5000, "é" * 200, "a\nb")]
    for number, body in enumerate([*named, *mutated(right, seed=seed, count=count)]):
        yield aio_pika.Message(
            body,
            headers=HEADERS[number % len(HEADERS)],
            content_type=("application/cloudevents+json", "application/json", None)[number % 3],
            message_id=new_id() if number % 4 else None,
            correlation_id="a\nb" if number % 5 == 0 else None,
        )


async def waiting(channel: AbstractChannel, queue: str) -> int:
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0


def left_in_outboxes(settings: dict[str, Any], service: str) -> int:
    with MongoClient[dict[str, Any]](settings["mongo_url"]) as client:
        database = client[f"{settings['mongo_db_prefix']}{service}"]
        return sum(
            database[name].count_documents({"outbox_at": {"$exists": True}})
            for name in database.list_collection_names()
        )
