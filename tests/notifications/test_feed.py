import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from shared.api.orders import Status, SystemActor
from shared.clock import utc_now
from shared.events.base import Fact
from shared.events.notifications import NotificationCreated
from shared.messaging import RETRY_DELAYS, dead, queue_for, retry_queue
from tests.notifications.builders import (
    ANN,
    a_caller,
    a_member,
    an_organisation,
    created,
    moved,
    overdue,
    read,
    review_opened,
    review_submitted,
    sent,
    updated,
)
from tests.notifications.telling import feed_of, tell
from tests.service_client import Events, Service
from tests.waiting import eventually


async def test_the_factory_hears_of_a_new_order_and_the_buyer_who_made_it_does_not(
    notifications: Service,
) -> None:
    await tell(notifications, a_member("ann"), a_member("fei"), created())

    [item] = await eventually(lambda: feed_of(notifications, "fei"))
    assert (item["kind"], item["order_id"], item["read_at"]) == ("order_created", "order-1", None)
    assert item["title"] == "New order MR-2026-000001"
    assert item["body"] == "Bright Goods accepted your quote for Bracket."
    assert await feed_of(notifications, "ann") == []


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (created(by=SystemActor()), {"ann": "order_created", "fei": "order_created"}),
        (moved(Status.SHIPPED), {"ann": "order_status_changed"}),
        (moved(Status.DELIVERED, by=ANN), {"fei": "order_status_changed"}),
        (
            moved(Status.COMPLETED, by=SystemActor()),
            {"ann": "order_status_changed", "fei": "order_status_changed"},
        ),
        (updated("receipt_requested"), {"ann": "receipt_requested"}),
        (updated("receipt_reminder"), {"ann": "receipt_reminder"}),
        (updated("deadline_near"), {"fei": "deadline_near"}),
        (updated("receipt_extended"), {}),
        (updated("reviewed"), {}),
        (overdue(), {"ann": "order_overdue", "fei": "order_overdue"}),
        (review_opened("buyer"), {"ann": "review_opened"}),
        (review_opened("factory"), {"fei": "review_opened"}),
        (review_submitted(), {"fei": "review_received"}),
        (sent(3), {"ann": "message_received"}),
        (sent(3, by=ANN), {"fei": "message_received"}),
        (sent(3, by=None), {}),
    ],
)
async def test_each_fact_is_told_to_those_whom_it_concerns(
    notifications: Service, fact: Fact, told: dict[str, str]
) -> None:
    await tell(notifications, a_member("ann"), a_member("fei"))
    if fact.type != "order.created.v1":
        await tell(notifications, created(by=ANN))

    await tell(notifications, fact)

    by_user = {user: [item["kind"] for item in await feed_of(notifications, user)] for user in ("ann", "fei")}
    if fact.type != "order.created.v1":
        by_user["fei"].remove("order_created")
    assert by_user == {user: [told[user]] if user in told else [] for user in ("ann", "fei")}


async def test_an_organisations_whole_team_is_told_but_not_those_who_left_or_came_later(
    notifications: Service,
) -> None:
    await tell(
        notifications,
        a_member("ann"),
        a_member("fei"),
        a_member("gao", role="viewer"),
        a_member("han", removed=True, version=2),
        a_member("ivy", joined_at=utc_now() + timedelta(days=1)),
    )
    await tell(notifications, a_member("han"), created())

    told = {user: len(await feed_of(notifications, user)) for user in ("fei", "gao", "han", "ivy")}
    assert told == {"fei": 1, "gao": 1, "han": 0, "ivy": 0}


async def test_an_event_that_comes_before_its_people_is_told_when_they_are_known(
    notifications: Service, events: Events
) -> None:
    await events.publish(created())
    await eventually(lambda: _waits(events))

    await events.publish(a_member("fei"))

    assert await eventually(lambda: feed_of(notifications, "fei"), within=60)


async def _waits(events: Events) -> bool:
    return any([await events.waiting_in(retry_queue(delay)) for delay in RETRY_DELAYS])


@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.soak)])
async def test_a_storm_of_repeated_and_late_events_tells_each_fact_once_to_each_reader(
    notifications: Service, events: Events, count: int
) -> None:
    people = ["ann", "bob", "fei", "gao"]
    await tell(notifications, *(a_member(user) for user in people))
    orders = [f"order-{n}" for n in range(count)]
    facts: list[Fact] = []
    for order in orders:
        facts += [created(order_id=order), *(moved(step, order_id=order) for step in list(Status)[1:4])]
        facts += [
            moved(Status.DELIVERED, by=ANN, order_id=order),
            updated("receipt_requested", order_id=order),
        ]
        facts += [review_opened("buyer", order_id=order), review_submitted(order_id=order)]
        facts += [sent(seq, order_id=order) for seq in range(2, 7)]
    storm = facts * 4
    random.Random(3).shuffle(storm)  # noqa: S311 - the same storm each time

    await asyncio.gather(*(events.publish(fact) for fact in storm))

    def expected(kinds: list[str]) -> Counter[tuple[str, str]]:
        return Counter((order, kind) for order in orders for kind in kinds)

    buyers = ["order_status_changed"] * 3 + ["receipt_requested", "review_opened", "message_received"]
    factories = ["order_created", "order_status_changed", "review_received"]

    async def all_is_told() -> bool:
        for user in people:
            items = await feed_of(notifications, user)
            told = Counter((item["order_id"], item["kind"]) for item in items)
            assert told == expected(buyers if user < "f" else factories)
            assert all(item["count"] == 5 for item in items if item["kind"] == "message_received")
        return True

    await eventually(lambda: _is_drained(events, facts), within=60 + 5 * count)
    await eventually(all_is_told, within=60)
    readers = 2 * len(orders) * (len(buyers) + len(factories))
    await eventually(lambda: len(events.of(NotificationCreated)) >= readers)
    ids = [event["data"]["notification"]["id"] for event in events.of(NotificationCreated)]
    assert len(set(ids)) == readers


async def _is_drained(events: Events, facts: list[Fact]) -> bool:
    own = {queue_for("notifications", type(fact)).name for fact in facts}
    assert not any([await events.waiting_in(dead(queue)) for queue in own])
    return not any([await events.waiting_in(queue) for queue in own | set(map(retry_queue, RETRY_DELAYS))])


async def test_messages_of_an_order_are_one_notification_until_they_are_read(
    notifications: Service, events: Events
) -> None:
    await tell(notifications, a_member("ann"), a_member("fei"), created())

    for seq in (1, 2, 2, 3):
        await tell(notifications, sent(seq))

    [item] = await feed_of(notifications, "ann")
    assert (item["count"], item["title"]) == (3, "3 new messages on order MR-2026-000001")
    assert item["created_at"] == "2026-11-23T09:00:03.000Z"
    assert item["body"] == "From Fei, Fine Parts"
    await eventually(lambda: len(_to("ann", events)) == 1)

    await tell(notifications, read(2))
    [item] = await feed_of(notifications, "ann")
    assert (item["count"], item["read_at"]) == (1, None)

    await tell(notifications, read(3))
    await tell(notifications, sent(3), sent(2), read(1))
    [item] = await feed_of(notifications, "ann")
    assert item["read_at"] is not None

    await tell(notifications, sent(4))
    [item] = await feed_of(notifications, "ann")
    assert (item["count"], item["read_at"]) == (1, None)
    await eventually(lambda: len(_to("ann", events)) == 2)
    assert [event["data"]["notification"]["id"] for event in _to("ann", events)] == [item["id"]] * 2


async def test_messages_that_were_read_before_they_are_told_are_not_told(
    notifications: Service, events: Events
) -> None:
    await tell(notifications, a_member("ann"), a_member("fei"), created())

    await tell(notifications, read(2))
    await tell(notifications, sent(1), sent(2))
    assert await feed_of(notifications, "ann") == []

    await tell(notifications, sent(3))
    [item] = await feed_of(notifications, "ann")
    [event] = await eventually(lambda: _to("ann", events))
    assert event["data"]["notification"]["id"] == item["id"]


async def test_marking_messages_read_in_the_feed_lasts_until_the_next_message(notifications: Service) -> None:
    await tell(notifications, a_member("ann"), a_member("fei"), created(), sent(1))
    [item] = await eventually(lambda: feed_of(notifications, "ann"))

    answer = await notifications.call(
        "POST", "/notifications/read", caller=a_caller("ann"), json={"ids": [item["id"]]}
    )
    await tell(notifications, sent(1))

    assert answer.json == {"unread": 0}
    [item] = await feed_of(notifications, "ann")
    assert item["read_at"] is not None
    await tell(notifications, sent(2))
    [item] = await feed_of(notifications, "ann")
    assert (item["read_at"], item["count"]) == (None, 1)


def _to(user: str, events: Events) -> list[dict[str, Any]]:
    return [event for event in events.of(NotificationCreated) if event["data"]["user_id"] == user]


async def test_reading_counts_down_and_never_touches_the_feed_of_another(notifications: Service) -> None:
    await tell(notifications, a_member("fei"), a_member("gao"))
    await tell(notifications, *(created(order_id=f"order-{n}") for n in range(3)))
    items = await feed_of(notifications, "fei")
    others = await feed_of(notifications, "gao")

    async def mark(body: dict[str, Any]) -> Any:
        answer = await notifications.call("POST", "/notifications/read", caller=a_caller("fei"), json=body)
        return answer.json

    assert await mark({"ids": [items[0]["id"], others[0]["id"], "unknown"]}) == {"unread": 2}
    assert await mark({"all": True}) == {"unread": 0}
    unread = await notifications.call("GET", "/notifications/unread", caller=a_caller("gao"))
    assert unread.json == {"unread": 3}


@pytest.mark.parametrize("body", [{}, {"all": False}, {"ids": ["a"], "all": True}, {"ids": ["a"] * 101}])
async def test_marking_read_says_which_or_all(notifications: Service, body: dict[str, Any]) -> None:
    answer = await notifications.call("POST", "/notifications/read", caller=a_caller("fei"), json=body)

    assert answer.status == 422


async def test_the_feed_pages_newest_first(notifications: Service) -> None:
    await tell(notifications, a_member("fei"))
    for n in range(5):
        await tell(notifications, created(order_id=f"order-{n}"))

    seen: list[str] = []
    cursor = ""
    while True:
        page = await notifications.call("GET", f"/notifications?limit=2{cursor}", caller=a_caller("fei"))
        seen += [item["order_id"] for item in page.json["items"]]
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"

    assert seen == [f"order-{n}" for n in (4, 3, 2, 1, 0)]


async def test_the_reader_chooses_language_and_kinds(notifications: Service, events: Events) -> None:
    await tell(notifications, a_member("ann"), a_member("fei"))
    wanted = {"language": "zh", "time_zone": "Asia/Shanghai", "kinds": {"order_overdue": {"in_app": False}}}

    answer = await notifications.call(
        "PUT", "/notifications/preferences", caller=a_caller("fei"), json=wanted
    )
    await tell(notifications, created(), overdue())

    assert answer.json["kinds"]["order_overdue"] == {"in_app": False, "email": "immediate"}
    assert answer.json["kinds"]["order_created"]["in_app"] is True
    kept = await notifications.call("GET", "/notifications/preferences", caller=a_caller("fei"))
    assert kept.json == answer.json
    [item] = await feed_of(notifications, "fei")
    assert item["title"] == "新订单 MR-2026-000001"
    [event] = await eventually(lambda: _to("fei", events))
    assert event["data"]["notification"]["title"] == "新订单 MR-2026-000001"


async def test_who_chose_nothing_reads_as_the_organisation_does(notifications: Service) -> None:
    ann = a_caller("ann")
    path = "/notifications/preferences"
    china = {"language": "zh", "time_zone": "Asia/Shanghai"}
    before = await notifications.call("GET", path, caller=ann)
    await tell(
        notifications,
        a_member("ann"),
        a_member("fei"),
        an_organisation("buyer", version=2, **china),
        an_organisation("buyer", version=1),  # late
        moved(Status.IN_PRODUCTION),
    )

    followed = await notifications.call("GET", path, caller=ann)
    chosen = await notifications.call("PUT", path, caller=ann, json={"language": "en"})
    back = await notifications.call("PUT", path, caller=ann, json={"language": None})

    assert [(answer.json["language"], answer.json["time_zone"]) for answer in (before, followed)] == [
        ("en", "UTC"),
        ("zh", "Asia/Shanghai"),
    ]
    assert (chosen.json["language"], chosen.json["time_zone"]) == ("en", "Asia/Shanghai")
    assert back.json == followed.json
    [item] = await feed_of(notifications, "ann")
    assert "生产中" in item["title"] + item["body"]


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"language": "de"}, "/language"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"kinds": {"order_created": {"email": "weekly"}}}, "/kinds/order_created/email"),
        ({"kinds": {"gossip": {}}}, "/kinds/gossip"),
    ],
)
async def test_wrong_preferences_are_refused_with_a_pointer(
    notifications: Service, wanted: dict[str, Any], pointer: str
) -> None:
    answer = await notifications.call(
        "PUT", "/notifications/preferences", caller=a_caller("fei"), json=wanted
    )

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == pointer
