# ruff: noqa: T201 - it prints what it measures
"""Measure what a factory with 1,000 active orders waits for, in databases of growing size.

`python -m tests.bench.orders_scale 10000 100000` fills a database of its own on the MongoDB that
MILLRACE_MONGO_URL names, for each size; a tenth of the orders are the factory's, and all but 1,000 of
these are completed. It times the calls of the store, then the service over HTTP.
"""

import argparse
import asyncio
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

from services.orders import domain, sheet, store
from services.orders.domain import Order
from services.orders.main import Settings, create_app
from services.orders.store.documents import to_document
from shared import mongo
from shared.api.orders import OrderQuery, Status
from shared.clock import utc_now
from shared.mongo import Database
from shared.outbox import Outbox
from tests.orders.builders import a_caller, a_record, an_order
from tests.service_client import SECRET, serving

ACTIVE = 1000
OURS = a_caller("factory")
NAMES = (
    "Hex bolt M8",
    "Flange nut",
    "高强度不锈钢六角螺栓",
    "PCB assembly rev C",
    "Injection moulded housing",
    "铝合金散热片",
)


def orders(count: int) -> Iterator[Order]:
    """Make orders as they come: ours are a tenth, and the last 1,000 of ours are active."""
    chance = random.Random(42)  # noqa: S311 - the same orders each time
    now = utc_now()
    ours_completed = count // 10 - ACTIVE
    done = an_order("completed", accepted_at=now - timedelta(days=200))
    active = [an_order(status, accepted_at=now - timedelta(days=20)) for status in domain.PIPELINE[:5]]
    for number in range(count):
        ours = number % 10 == 0
        is_done = number // 10 < ours_completed if ours else chance.random() < 0.9
        template = done if is_done else chance.choice(active)
        age = timedelta(seconds=number)
        quantity = chance.randrange(1, 10_000)
        yield replace(
            template,
            id=f"{number:012d}-{uuid4()}",
            number=f"MR-2026-{number:06d}",
            quote_id=str(uuid4()),
            product=template.product.model_copy(
                update={
                    "name": f"{chance.choice(NAMES)} lot {chance.randrange(10**6)}",
                    "sku": f"SKU-{number}",
                }
            ),
            quantity=quantity,
            total=template.unit_price.times(quantity),
            deadline=date.today() + timedelta(days=chance.randrange(-10, 90)),  # noqa: DTZ011 - near enough
            factory=template.factory.model_copy(
                update={"id": OURS.organisation_id if ours else f"factory-{chance.randrange(2, 200)}"}
            ),
            buyer=template.buyer.model_copy(
                update={"id": f"buyer-{chance.randrange(50)}", "name": f"Buyer {chance.randrange(50)} GmbH"}
            ),
            updated_at=template.updated_at + age,
            completed_at=template.completed_at + age if template.completed_at else None,
        )


async def fill(db: Database, count: int) -> None:
    await store.ensure_indexes(db)
    await store.keep_organisation(db, a_record())
    made = orders(count)
    while batch := [to_document(order) for order in islice(made, 1000)]:
        # What nobody looks at is not to be done while the clock runs.
        for document in batch:
            document.pop("next_timer_at", None)
        await db[store.ORDERS].insert_many(batch, ordered=False)


async def timed(call: Callable[[], Awaitable[Any]], *, times: int = 50) -> str:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return f"p50 {statistics.median(taken):7.1f} ms   p95 {taken[int(times * 0.95)]:7.1f} ms"


async def measure(db: Database, settings: Settings) -> None:
    now = utc_now()

    def listing(**query: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: store.find_orders(db, OrderQuery(**query), caller=OURS, now=now)

    async def export() -> None:
        async for _ in sheet.write(store.each_active_order(db, caller=OURS), side="factory", now=now):
            pass

    some = await db[store.ORDERS].find_one({"factory_id": OURS.organisation_id, "active": True})
    deep = None
    for _ in range(5):
        _, deep = await store.find_orders(
            db, OrderQuery(state="active", limit=100, cursor=deep), caller=OURS, now=now
        )
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "stats": lambda: store.stats(db, caller=OURS, now=now),
        "first page of 20": listing(state="active"),
        "page of 100": listing(state="active", limit=100),
        "page after 500": listing(state="active", cursor=deep),
        "overdue only": listing(due="overdue"),
        "on track only, by value": listing(due="on_track", sort="-value"),
        "one status": listing(status=[Status.SHIPPED]),
        "everything, by update": listing(sort="-updated"),
        "search: a number": listing(q=some["number"]),
        "search: half a number": listing(q=some["number"][-4:]),
        "search: common word": listing(q="bolt"),
        "search: Chinese": listing(q="不锈钢"),
        "search: nothing": listing(q="zzz nothing"),
        "search: two letters": listing(q="ut"),
        "on-time rate": lambda: store.on_time_rate(db, organisation_id=OURS.organisation_id),
        "CSV of 1,000": export,
    }
    for name, call in calls.items():
        print(f"  {name:26}{await timed(call, times=10 if name.startswith('CSV') else 50)}", flush=True)
    async with serving(create_app(settings)) as service:
        for path in ("/dashboard?limit=20", "/dashboard?limit=100", "/orders?limit=20"):
            call = lambda path=path: service.call("GET", path, caller=OURS)  # noqa: E731
            print(f"  HTTP {path:21}{await timed(call)}", flush=True)
        started = time.perf_counter()
        await asyncio.gather(*(_repeat(service, 50) for _ in range(16)))
        print(f"  HTTP dashboard, c=16      {800 / (time.perf_counter() - started):7.0f} / s", flush=True)


async def _repeat(service: Any, times: int) -> None:
    for _ in range(times):
        await service.call("GET", "/dashboard?limit=20", caller=OURS)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--driver", default="motor")
    arguments = parser.parse_args()
    url = os.environ["MILLRACE_MONGO_URL"]
    for size in arguments.sizes:
        prefix = f"bench_{uuid4().hex[:8]}_"
        settings = Settings(
            mongo_url=url,
            mongo_db_prefix=prefix,
            mongo_driver=arguments.driver,
            amqp_url=os.environ["MILLRACE_AMQP_URL"],
            service_secret=SECRET,
        )
        async with mongo.connect(url=url, name=f"{prefix}orders", driver=arguments.driver) as db:
            db.outbox = Outbox(db=db, collections=(), publish=_to_nobody)
            try:
                started = time.perf_counter()
                await fill(db, size)
                print(f"{size} orders ({time.perf_counter() - started:.0f} s to write), {arguments.driver}")
                await measure(db, settings)
            finally:
                await db.client.drop_database(f"{prefix}orders")


async def _to_nobody(_: object) -> None:
    raise AssertionError


asyncio.run(main())
