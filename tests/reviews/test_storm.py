"""Ratings after a storm: two instances, every call and event several times, late and out of order."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

import pytest

from services.reviews import use_cases
from services.reviews.main import Settings, create_app
from shared.api.orders import Status
from shared.clock import utc_now
from shared.events.reviews import ReviewOpened, ReviewSubmitted
from tests.reviews.builders import a_buyer, a_factory, a_status_change, a_submission
from tests.service_client import Answer, Events, Service, serving
from tests.waiting import eventually

ORGANISATIONS = 5
REPEATS = 3
AT_ONCE = 40

T = TypeVar("T")


async def limited(work: Iterable[Awaitable[T]]) -> list[T]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(piece: Awaitable[T]) -> T:
        async with slots:
            return await piece

    return await asyncio.gather(*(one(piece) for piece in work))


def parties(number: int) -> tuple[str, str]:
    return f"buyer-{number % ORGANISATIONS}", f"factory-{number // ORGANISATIONS % ORGANISATIONS}"


async def submit(instance: Service, number: int, side: str, stars: int) -> Answer:
    buyer, factory = parties(number)
    body = a_submission(
        rating=stars,
        order_id=f"order-{number}",
        buyer={"id": buyer, "name": buyer},
        factory={"id": factory, "name": factory},
    )
    caller = a_buyer(organisation_id=buyer) if side == "buyer" else a_factory("fei", organisation_id=factory)
    return await instance.call("POST", f"/orders/order-{number}/reviews", caller=caller, json=body)


@pytest.mark.parametrize("orders", [30, pytest.param(1000, marks=pytest.mark.soak)])
async def test_after_a_storm_a_recount_gives_every_rating(
    settings: Settings, reviews: Service, events: Events, orders: int
) -> None:
    dice = random.Random(7)  # noqa: S311 - the same storm each time
    async with serving(create_app(settings)) as second:
        calls: list[Awaitable[Any]] = [
            submit(dice.choice((reviews, second)), number, side, dice.randint(1, 5))
            for number in range(orders)
            for side in ("buyer", "factory")
            for _ in range(REPEATS)
        ]
        told: list[Awaitable[Any]] = [
            events.publish(a_status_change(status, order_id=f"order-{number}"))
            for number in range(orders)
            for status in (Status.SHIPPED, Status.DELIVERED, Status.COMPLETED)
            for _ in range(REPEATS)
        ]
        storm = calls + told
        dice.shuffle(storm)
        answers = await limited(storm)

        db = reviews.app.state.db
        for hidden in await db["reviews"].find({}).limit(orders // 10).to_list(None):
            await use_cases.hide_review(db, review_id=hidden["_id"], reason="insults", now=utc_now())
        await eventually(lambda: len(events.of(ReviewOpened)) >= 2 * orders, within=120)
        await eventually(lambda: len(events.of(ReviewSubmitted)) >= 2 * orders, within=60)

        statuses = Counter(answer.status for answer in answers if isinstance(answer, Answer))
        assert statuses == {201: 2 * orders, 409: 2 * orders * (REPEATS - 1)}
        recounted: dict[str, Counter[Any]] = {}
        async for stored in db["reviews"].find({}):
            stars = recounted.setdefault(stored["about"]["id"], Counter())
            stars["hidden" if stored["hidden"] else str(stored["rating"])] += 1
        assert sum(stars.total() for stars in recounted.values()) == 2 * orders
        for organisation, stars in recounted.items():
            path = f"/organisations/{organisation}/reputation"
            shown = (await second.call("GET", path, caller=a_buyer())).json["rating"]
            count = stars.total() - stars["hidden"]
            assert shown["distribution"] == {str(n): stars[str(n)] for n in range(1, 6)}
            assert (shown["count"], shown["hidden"]) == (count, stars["hidden"])
            assert shown["average"] == sum(n * stars[str(n)] for n in range(1, 6)) / count
    for fact in (ReviewOpened, ReviewSubmitted):
        # An event may come twice, but no second one tells the same.
        told_of = {
            event["id"]: (event["data"]["order_id"], event["data"]["by_side"]) for event in events.of(fact)
        }
        assert len(told_of) == len(set(told_of.values())) == 2 * orders
