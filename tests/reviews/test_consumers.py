import asyncio
import random
from typing import Any

import pytest

from services.reviews import store
from shared.api.orders import Status
from shared.clock import utc_now
from shared.events.accounts import OrganisationChanged
from shared.events.reviews import ReviewOpened
from tests.reviews.builders import a_buyer, a_status_change, a_submission
from tests.service_client import Events, Service
from tests.waiting import eventually

LAST = a_status_change(Status.COMPLETED, order_id="last")


async def opened(events: Events, *orders: str) -> list[str]:
    """Wait for the marker order, whose events come after all others, and list what was opened."""
    await events.publish(LAST)
    await eventually(lambda: {"last:buyer", "last:factory"} <= set(_openings(events)))
    return sorted(name for name in _openings(events) if name.split(":")[0] in orders)


def _openings(events: Events) -> list[str]:
    return [f"{event['data']['order_id']}:{event['data']['by_side']}" for event in events.of(ReviewOpened)]


@pytest.mark.usefixtures("reviews")
async def test_delivery_opens_the_buyers_review_and_completion_the_factorys(events: Events) -> None:
    for status in (Status.SHIPPED, Status.DELIVERED):
        await events.publish(a_status_change(status))
    assert await opened(events, "order-1") == ["order-1:buyer"]

    await events.publish(a_status_change(Status.COMPLETED))

    await eventually(lambda: "order-1:factory" in _openings(events))
    assert _openings(events).count("order-1:buyer") == 1


@pytest.mark.usefixtures("reviews")
async def test_a_storm_of_repeated_and_late_events_opens_each_review_once(events: Events) -> None:
    orders = [f"order-{n}" for n in range(20)]
    storm = [
        a_status_change(status, order_id=order)
        for order in orders
        for status in (Status.SHIPPED, Status.DELIVERED, Status.COMPLETED)
        for _ in range(3)
    ]
    random.Random(1).shuffle(storm)  # noqa: S311 - the same storm each time

    await asyncio.gather(*(events.publish(fact) for fact in storm))

    expected = sorted(f"{order}:{side}" for order in orders for side in ("buyer", "factory"))
    await eventually(lambda: len(_openings(events)) >= len(expected))
    assert await opened(events, *orders) == expected


async def test_a_new_name_of_an_organisation_is_shown_on_its_reviews(
    reviews: Service, events: Events
) -> None:
    await reviews.call("POST", "/orders/order-1/reviews", caller=a_buyer(), json=a_submission())
    renamed = a_record(version=2, name="Brighter Goods")

    await events.publish(renamed, at=utc_now())

    async def shows_the_name() -> bool:
        listed = await reviews.call("GET", "/orders/order-1/reviews", caller=a_buyer())
        return bool(listed.json["items"][0]["organisation"]["name"] == "Brighter Goods")

    await eventually(shows_the_name)


async def test_a_name_that_was_heard_before_a_review_is_shown_on_it(reviews: Service, events: Events) -> None:
    renamed = a_record(version=2, name="Brighter Goods")
    await events.publish(renamed, at=utc_now())
    await eventually(lambda: is_known(reviews, renamed))

    await reviews.call("POST", "/orders/order-1/reviews", caller=a_buyer(), json=a_submission())

    listed = await reviews.call("GET", "/orders/order-1/reviews", caller=a_buyer())
    assert listed.json["items"][0]["organisation"]["name"] == "Brighter Goods"


async def test_a_rename_that_was_cut_off_is_finished_when_it_comes_again(
    reviews: Service, events: Events
) -> None:
    await reviews.call("POST", "/orders/order-1/reviews", caller=a_buyer(), json=a_submission())
    renamed = a_record(version=2, name="Brighter Goods")
    # The instance that kept the name died before it came to the reviews.
    kept = {"_id": renamed.organisation_id, "version": renamed.version, "name": renamed.name}
    await reviews.app.state.db[store.ORGANISATIONS].insert_one(kept)

    await events.publish(renamed, at=utc_now())

    async def shows_the_name() -> bool:
        listed = await reviews.call("GET", "/orders/order-1/reviews", caller=a_buyer())
        return bool(listed.json["items"][0]["organisation"]["name"] == "Brighter Goods")

    await eventually(shows_the_name)


async def is_known(reviews: Service, record: OrganisationChanged) -> bool:
    found = await reviews.app.state.db[store.ORGANISATIONS].find_one({"_id": record.organisation_id})
    return bool(found and found["version"] == record.version)


def a_record(**changes: Any) -> OrganisationChanged:
    facts = {"organisation_id": "buyer-1", "kind": "buyer", "country": None, "time_zone": "UTC"}
    return OrganisationChanged.model_validate(facts | changes)
