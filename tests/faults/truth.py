"""What is true after a run: everything that the databases, the broker and S3 hold."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import aio_pika
import aiohttp
import orjson
from pymongo import MongoClient

from shared import messaging
from tests.faults.stage import BUCKET, Stage

SHADOW: Final = "tests.shadow"
Document = dict[str, Any]


@dataclass(kw_only=True)
class Verdict:
    """Counts what was checked, and keeps what was found wrong."""

    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def that(self, is_so: object, complaint: str) -> None:
        self.checked += 1
        if not is_so:
            self.wrong.append(complaint)

    def same(self, found: object, expected: object, what: str) -> None:
        self.that(found == expected, f"{what}: {_difference(found, expected)}")


def _difference(found: object, expected: object) -> str:
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        found, expected = (
            {key: value for key, value in one.items() if other.get(key) != value}
            for one, other in ((found, expected), (expected, found))
        )
    elif isinstance(found, AbstractSet) and isinstance(expected, AbstractSet):
        found, expected = found - expected, expected - found
    return f"{str(found)[:800]} instead of {str(expected)[:800]}"


@dataclass(kw_only=True)
class Truth:
    databases: dict[str, dict[str, list[Document]]]
    events: list[Document]
    """As they were published, repeats included."""
    objects: dict[str, tuple[int, str]]
    """Size and SHA-256 by key."""

    def of(self, service: str, collection: str) -> list[Document]:
        return self.databases.get(service, {}).get(collection, [])

    def by_id(self, service: str, collection: str) -> dict[str, Document]:
        return {document["_id"]: document for document in self.of(service, collection)}

    def grouped(self, service: str, collection: str, by: str) -> dict[str, list[Document]]:
        groups = defaultdict(list)
        for document in self.of(service, collection):
            groups[document[by]].append(document)
        return groups

    def distinct(self, *types: str) -> list[Document]:
        """List the events of some types, each once however often it was published."""
        return list({event["id"]: event for event in self.events if event["type"] in types}.values())


async def shadow(amqp_url: str) -> None:
    """Have the broker keep a copy of every event from now on."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(messaging.EVENTS.name, "topic", durable=True)
        queue = await channel.declare_queue(SHADOW, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(exchange, "#")


async def read(stage: Stage) -> Truth:
    databases, objects, events = await asyncio.gather(
        asyncio.to_thread(_databases, stage), asyncio.to_thread(_objects, stage), _events(stage)
    )
    return Truth(databases=databases, events=events, objects=objects)


def waiting_events(stage: Stage) -> list[str]:
    """Name the documents, of whatever collection, that still hold an event."""
    with MongoClient[Document](stage.parts.mongo_url) as client:
        return [
            f"{name}.{collection} {found['_id']}"
            for name in _names(client)
            for collection in client[name].list_collection_names()
            for found in client[name][collection].find(
                {"$or": [{"outbox_at": {"$exists": True}}, {"outbox": {"$exists": True}}]}, {"_id": 1}
            )
        ]


def give_up_cut_off_uploads(stage: Stage) -> None:
    """Let the time pass after which the sweeper removes uploads that were never finished."""
    with MongoClient[Document](stage.parts.mongo_url) as client:
        client["chat"]["attachments"].update_many(
            {"state": {"$in": ["pending", "expired"]}}, [{"$set": {"expires_at": "$$NOW"}}]
        )


def unfinished_uploads(stage: Stage) -> int:
    with MongoClient[Document](stage.parts.mongo_url) as client:
        return client["chat"]["attachments"].count_documents({"state": {"$in": ["pending", "expired"]}})


async def queues(stage: Stage) -> dict[str, Document]:
    """Ask the broker for all its queues, by name."""
    address = urlsplit(stage.parts.management_url or "")
    login = aiohttp.encode_basic_auth(address.username or "", address.password or "")
    url = f"http://{address.hostname}:{address.port}/api/queues?disable_stats=true&enable_queue_totals=true"
    async with aiohttp.ClientSession(headers={"Authorization": login}) as http, http.get(url) as response:
        return {queue["name"]: queue for queue in await response.json()}


async def letters(stage: Stage, queue: str) -> list[Any]:
    """Look at what rests in a queue; it stays there."""
    async with await aio_pika.connect(stage.parts.amqp_url) as connection:
        channel = await connection.channel()
        declared = await channel.declare_queue(queue, passive=True)
        found = []
        while (message := await declared.get(fail=False)) is not None:
            found.append(message)
        return found


def _names(client: MongoClient[Document]) -> list[str]:
    return [name for name in client.list_database_names() if name not in {"admin", "config", "local"}]


def _databases(stage: Stage) -> dict[str, dict[str, list[Document]]]:
    with MongoClient[Document](stage.parts.mongo_url, tz_aware=True) as client:
        return {
            name: {
                collection: list(client[name][collection].find())
                for collection in client[name].list_collection_names()
            }
            for name in _names(client)
        }


def _objects(stage: Stage) -> dict[str, tuple[int, str]]:
    s3 = stage.s3()
    found = {}
    for each in s3.list_objects(BUCKET, recursive=True):
        response = s3.get_object(BUCKET, each.object_name)
        try:
            content = response.read()
        finally:
            response.close()
            response.release_conn()
        found[each.object_name] = (len(content), hashlib.sha256(content).hexdigest())
    return found


async def _events(stage: Stage) -> list[Document]:
    async with await aio_pika.connect(stage.parts.amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(SHADOW, passive=True)
        count = queue.declaration_result.message_count or 0
        events: list[Document] = []
        if count:
            async with asyncio.timeout(60), queue.iterator(no_ack=True) as messages:
                async for message in messages:
                    events.append(orjson.loads(message.body))
                    if len(events) == count:
                        break
        return events
