"""From the outbox to a consumer: one process that publishes what its documents hold, another that hears it.

The documents stand before the clock begins. Both processes are made of what services are made of.
"""

import argparse
import asyncio
import os
import sys
import time
from functools import partial
from typing import Any, ClassVar, Final

import uvloop

from shared import messaging, mongo
from shared.clock import utc_now
from shared.events.base import CloudEvent, Fact
from shared.messaging import EVENTS, queue_for
from shared.outbox import Outbox, Sealed, sealed

DOCUMENTS: Final = "documents"


class Happened(Fact):
    type: ClassVar[str] = "bench.happened.v1"
    source: ClassVar[str] = "/bench"

    number: int
    text: str = "x" * 600

    @property
    def subject(self) -> str:
        return str(self.number)


async def hear(*, amqp_url: str, count: int) -> None:
    """Print `ready`, and in the end the time at which the last event was heard."""
    router = messaging.create_router()
    over = asyncio.Event()
    heard: set[int] = set()

    @router.subscriber(queue_for("bench", Happened), EVENTS)
    async def on_happened(event: CloudEvent[Happened]) -> None:
        heard.add(event.data.number)
        if len(heard) == count:
            over.set()

    broker = messaging.create_broker(url=amqp_url, routers=(router,))
    async with messaging.connected(broker), messaging.consuming(broker):
        print("ready", flush=True)  # noqa: T201
        await over.wait()
        print(time.time(), flush=True)  # noqa: T201


async def tell(*, mongo_url: str, amqp_url: str, count: int) -> None:
    """Print `ready` once all documents stand, wait for a line, print the time, and publish."""
    broker = messaging.create_broker(url=amqp_url)
    async with mongo.connect(url=mongo_url, name="bench_outbox", driver="motor") as db:
        db.outbox = Outbox(db=db, collections=(DOCUMENTS,), publish=partial(messaging.publish, broker))
        now = utc_now()
        events: dict[int, Sealed] = {each: sealed([Happened(number=each)], now=now) for each in range(count)}
        rows: list[dict[str, Any]] = [{"_id": each, **events[each].fields} for each in events]
        await db[DOCUMENTS].delete_many({})
        await db[DOCUMENTS].insert_many(rows)
        async with messaging.connected(broker):
            print("ready", flush=True)  # noqa: T201
            await asyncio.to_thread(sys.stdin.readline)
            print(time.time(), flush=True)  # noqa: T201
            async with db.outbox.relaying():
                for number, each in events.items():
                    db.outbox.send(DOCUMENTS, number, each)
                await asyncio.Event().wait()  # until it is ended


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["hear", "tell"])
    parser.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    mongo_url, amqp_url = os.environ["MILLRACE_MONGO_URL"], os.environ["MILLRACE_AMQP_URL"]
    if arguments.part == "hear":
        uvloop.run(hear(amqp_url=amqp_url, count=arguments.count))
    else:
        uvloop.run(tell(mongo_url=mongo_url, amqp_url=amqp_url, count=arguments.count))
