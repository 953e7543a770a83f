import asyncio
from typing import Any

import pytest

from services.notifications.store import events as store
from shared.clock import utc_now
from shared.identity import Caller
from tests.notifications.builders import a_caller, a_member, created, overdue, sent
from tests.notifications.telling import tell
from tests.service_client import Service

PEOPLE = (a_member("ann"), a_member("fei"))


async def page(notifications: Service, caller: Caller | None = None, **query: Any) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await notifications.call("GET", f"/events?{asked}", caller=caller or a_caller("ann"))
    assert answer.status == 200, answer.json
    return answer.json


async def test_an_organisations_systems_read_its_events_in_order_and_once(notifications: Service) -> None:
    await tell(notifications, *PEOPLE, created(), sent(1), overdue())

    first = await page(notifications, limit=2)
    second = await page(notifications, after=first["next_cursor"])

    types = [event["type"] for event in first["items"] + second["items"]]
    assert types == ["order.created.v1", "message.sent.v1", "order.overdue.v1"]
    assert first["items"][0]["data"]["order_id"] == "order-1"
    assert second["next_cursor"] is None


async def test_polling_goes_on_where_it_stopped(notifications: Service) -> None:
    await tell(notifications, *PEOPLE, created())
    first = await page(notifications)

    nothing_new = await page(notifications, after=first["cursor"])
    await tell(notifications, overdue())
    something_new = await page(notifications, after=nothing_new["cursor"])

    assert nothing_new["items"] == []
    assert [event["type"] for event in something_new["items"]] == ["order.overdue.v1"]


async def test_a_repeated_event_is_listed_once_and_one_of_others_never(notifications: Service) -> None:
    await tell(notifications, *PEOPLE)
    same = {"event_id": "event-1", "at": utc_now()}

    await asyncio.gather(*(tell(notifications, created(), **same) for _ in range(8)))

    listed = await page(notifications, limit=100)
    stranger = await page(notifications, a_caller("sam", side="buyer", organisation_id="buyer-2"))
    assert [event["id"] for event in listed["items"]] == ["event-1"]
    assert stranger == {"items": [], "next_cursor": None, "cursor": None}


async def test_a_reader_who_polls_in_a_storm_misses_nothing(notifications: Service) -> None:
    await tell(notifications, *PEOPLE)
    total, seen, after = 120, [], ""
    storm = asyncio.gather(
        *(tell(notifications, created(order_id=f"order-{n}", number=f"MR-{n}")) for n in range(total))
    )

    is_over = False
    while not is_over:
        is_over = storm.done()
        polled = await page(notifications, limit=7, **({"after": after} if after else {}))
        seen += [event["data"]["order_id"] for event in polled["items"]]
        after = polled["cursor"] or after
        assert len(set(seen)) == len(seen)
        is_over = is_over and not polled["items"]

    await storm
    assert set(seen) == {f"order-{n}" for n in range(total)}


async def test_where_another_process_has_added_meanwhile_an_event_takes_the_next_number(
    notifications: Service,
) -> None:
    await tell(notifications, *PEOPLE, created())
    db = notifications.app.state.db
    ours = await db["events"].find_one({"organisation_id": "buyer-1"})
    theirs = {
        "_id": "theirs",
        "event_id": "theirs",
        "number": ours["number"] + 1,
        "body": '{"type": "theirs"}',
    }
    await db["events"].insert_one(ours | theirs)

    await tell(notifications, overdue())

    for who in (a_caller("ann"), a_caller("fei", side="factory", organisation_id="factory-1")):
        listed = await page(notifications, who)
        types = [event["type"] for event in listed["items"]]
        assert [kind for kind in types if kind != "theirs"] == ["order.created.v1", "order.overdue.v1"]
    numbers = await db["events"].distinct("number", {"organisation_id": "buyer-1"})
    assert sorted(numbers) == list(range(ours["number"], ours["number"] + 3))


async def test_a_cursor_of_events_that_are_all_gone_is_not_taken_for_one_of_later_events(
    notifications: Service,
) -> None:
    await tell(notifications, *PEOPLE, created(), sent(1))
    cursor = (await page(notifications))["cursor"]
    await notifications.app.state.db["events"].delete_many({})
    store._end.cache_clear()  # as in a process that was started since

    await tell(notifications, overdue())
    answer = await notifications.call("GET", f"/events?after={cursor}", caller=a_caller("ann"))

    assert (answer.status, answer.json["type"]) == (409, "/problems/events-expired")
    rest = await page(notifications, after=answer.json["cursor"])
    assert [event["type"] for event in rest["items"]] == ["order.overdue.v1"]


async def test_a_cursor_that_is_older_than_what_is_kept_is_refused_with_where_to_go_on(
    notifications: Service,
) -> None:
    await tell(notifications, *PEOPLE, created(), sent(1), overdue())
    first = await page(notifications, limit=1)
    db = notifications.app.state.db
    oldest = await db["events"].find({"organisation_id": "buyer-1"}).sort("number", 1).to_list(2)
    await db["events"].delete_many({"_id": {"$in": [each["_id"] for each in oldest]}})

    answer = await notifications.call("GET", f"/events?after={first['cursor']}", caller=a_caller("ann"))

    assert (answer.status, answer.json["type"]) == (409, "/problems/events-expired")
    rest = await page(notifications, after=answer.json["cursor"])
    assert [event["type"] for event in rest["items"]] == ["order.overdue.v1"]


@pytest.mark.parametrize(
    ("query", "pointer"), [("after=nonsense", "/after"), ("limit=0", "/limit"), ("limit=101", "/limit")]
)
async def test_a_wrong_page_is_refused_with_a_pointer(
    notifications: Service, query: str, pointer: str
) -> None:
    answer = await notifications.call("GET", f"/events?{query}", caller=a_caller("ann"))

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == pointer


async def test_a_cursor_of_another_organisation_is_refused(notifications: Service) -> None:
    await tell(notifications, *PEOPLE, created())
    cursor = (await page(notifications))["cursor"]

    answer = await notifications.call("GET", f"/events?after={cursor}", caller=a_caller("fei"))

    assert answer.status == 422
