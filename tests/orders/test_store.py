"""Orders in a real MongoDB, with both drivers: lists, counts, search, races, and the server's own plans."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Self

import pytest

from services.orders import domain, sheet, store, use_cases
from services.orders.domain import Order, OrderHeader, Organisation
from services.orders.store.lists import _MOST_COUNTED
from shared.api.orders import OrderQuery, Status
from shared.errors import ValidationFailed
from shared.events.accounts import OrganisationChanged
from shared.identity import Side
from shared.mongo import Database
from shared.outbox import sealed
from tests.orders.builders import NOW, RULES, a_caller, a_record, an_order

pytestmark = pytest.mark.parts

BUYER, FACTORY = a_caller("buyer"), a_caller("factory")
SORTS = ("deadline", "-deadline", "updated", "-updated", "value", "-value")


async def insert(db: Database, *orders: Order) -> None:
    for order in orders:
        await store.insert_order(db, order, sealed([], now=NOW))


async def walk(db: Database, *, now: datetime = NOW, side: Side = "buyer", **query: Any) -> list[OrderHeader]:
    """Page through a list to its end."""
    found: list[OrderHeader] = []
    cursor = None
    while True:
        page, cursor = await store.find_orders(
            db, OrderQuery(cursor=cursor, **query), caller=a_caller(side), now=now
        )
        found += page
        if cursor is None:
            return found


def header(order: Order) -> OrderHeader:
    """Leave out what lists do not show."""
    return OrderHeader(**{each.name: getattr(order, each.name) for each in fields(OrderHeader)})


def many(count: int, **changes: Any) -> Iterator[Order]:
    """Make orders of all statuses, with deadlines, prices and times of change that also coincide."""
    for number in range(count):
        order = an_order(
            domain.PIPELINE[number % 6],
            accepted_at=NOW + timedelta(minutes=number % 7),
            deadline=date(2026, 12, 1) + timedelta(days=number * 7 % 40),
            quantity=1 + number % 5,
            unit_price={"amount": "10.00", "currency": ("USD", "EUR", "CNY")[number % 3]},
            **changes,
        )
        yield order


async def test_an_order_is_read_back_as_it_was_stored(db: Database) -> None:
    for status in Status:
        order = an_order(status, product={"name": "六角螺栓"}, destination="Hamburg")
        order, _ = domain.follow_time_zone(order, time_zone="Europe/Berlin", now=NOW) or (order, None)
        await insert(db, order)

        assert await store.get_order(db, order.id, caller=BUYER) == order
        assert await store.get_order_for_event(db, order.id) == order
        assert await store.find_order_of_quote(db, order.quote_id) == order


async def test_a_quote_has_one_order(db: Database) -> None:
    await insert(db, an_order(quote_id="q-1"))

    with pytest.raises(store.QuoteTaken):
        await insert(db, an_order(quote_id="q-1"))


async def test_a_second_order_with_the_same_number_is_a_fault_and_no_race(db: Database) -> None:
    order = an_order()
    await insert(db, order)

    with pytest.raises(Exception, match="duplicate key") as failure:
        await insert(db, replace(an_order(), number=order.number))

    assert not isinstance(failure.value, store.QuoteTaken)


async def test_numbers_are_given_once_also_at_once_and_begin_anew_each_year(db: Database) -> None:
    numbers = await asyncio.gather(*(store.next_number(db, year=2026) for _ in range(50)))

    assert sorted(numbers) == [f"MR-2026-{number:06d}" for number in range(1, 51)]
    assert await store.next_number(db, year=2027) == "MR-2027-000001"


async def test_of_two_changes_of_one_version_one_is_stored(db: Database) -> None:
    order = an_order()
    await insert(db, order)
    changed, event = domain.follow_time_zone(order, time_zone="UTC", now=NOW) or (order, None)
    assert event

    await store.save_order(db, changed, sealed([event], now=NOW), previous_version=1)
    with pytest.raises(store.VersionTaken):
        await store.save_order(db, changed, sealed([event], now=NOW), previous_version=1)

    stored = await db[store.ORDERS].find_one({"_id": order.id})
    assert len(stored["outbox"]) == 1


@pytest.mark.parametrize("sort", SORTS)
async def test_a_list_is_sorted_and_its_pages_join_without_gap_or_repetition(db: Database, sort: str) -> None:
    orders = list(many(43))
    await insert(db, *orders, *many(5, buyer_id="buyer-2"))
    key = {
        "deadline": lambda order: (order.deadline, order.id),
        "updated": lambda order: (order.updated_at, order.id),
        "value": lambda order: (order.total.amount, order.id),
    }[sort.removeprefix("-")]

    for state in (None, "active", "completed"):
        found = await walk(db, sort=sort, limit=7, state=state)

        wanted = [
            order
            for order in orders
            if state is None or (order.status is not Status.COMPLETED) == (state == "active")
        ]
        assert found == [header(order) for order in sorted(wanted, key=key, reverse=sort.startswith("-"))]


async def test_filters_agree_with_what_the_orders_show(db: Database) -> None:
    orders = [*many(30), *many(12, factory_id="factory-2")]
    await insert(db, *orders)
    now = datetime(2026, 12, 20, 3, tzinfo=UTC)

    for status in Status:
        found = await walk(db, status=[status], now=now)
        assert {order.id for order in found} == {order.id for order in orders if order.status is status}
    for due in ("on_track", "due_soon", "overdue", "done"):
        wanted = {order.id for order in orders if domain.due_of(order, now=now).state == due}
        assert wanted
        assert {order.id for order in await walk(db, due=due, now=now)} == wanted
    both = await walk(db, status=["shipped", "completed"], counterparty="factory-2")
    assert {order.factory.id for order in both} == {"factory-2"}
    assert len(both) == 4
    assert not await walk(db, due="done", state="active")


async def test_a_list_stays_in_place_while_its_orders_change(db: Database) -> None:
    orders = list(many(20))
    await insert(db, *orders)
    page, cursor = await store.find_orders(db, OrderQuery(limit=10), caller=BUYER, now=NOW)
    shown = {order.id for order in page}

    for order in orders:
        if order.id in shown and order.status in {Status.CONFIRMED, Status.IN_PRODUCTION}:
            to = domain.next_status(order)
            assert to
            moved, _ = domain.steps.step(
                order, to=to, by=FACTORY.person, note=None, now=NOW + timedelta(days=1), rules=RULES
            )
            await store.save_order(db, moved, sealed([], now=NOW), previous_version=order.version)
    await insert(db, an_order(deadline=date(2026, 11, 30)))
    rest, end = await store.find_orders(db, OrderQuery(limit=100, cursor=cursor), caller=BUYER, now=NOW)

    assert end is None
    assert sorted(order.id for order in [*page, *rest]) == sorted(order.id for order in orders)


async def test_a_cursor_belongs_to_its_order_of_the_list(db: Database) -> None:
    await insert(db, *many(3))
    _, cursor = await store.find_orders(db, OrderQuery(limit=1), caller=BUYER, now=NOW)

    with pytest.raises(ValidationFailed):
        await store.find_orders(db, OrderQuery(sort="-value", cursor=cursor), caller=BUYER, now=NOW)


SEARCHES = [
    ("hex", True),
    ("HEX bolt", True),
    ("bolt hex", True),
    ("ex bo", True),  # each word by itself: "ex" and "bo"
    ("m8", True),
    ("8", True),
    ("hb-m8-40", True),
    ("B-M8-4", True),
    ("不锈钢", True),
    ("锈", True),
    ("不钢", False),
    ("螺栓 hex", True),
    ("ＨＥＸ", True),
    ("straße", True),
    ("STRASSE", True),
    ("mr-2026", True),
    ("the factory-1", True),
    ("buyer-1", False),  # one's own name would find everything
    ("hex nut", False),
    (".*", False),
    ("(", False),
    ("secret", False),  # the specification is not searched
    ("", True),
    ("   ", True),
]


async def test_texts_are_found_inside_words_and_sentences(db: Database) -> None:
    name = "Hex bolt M8 高强度不锈钢六角螺栓，镀锌 Hauptstraße"
    order = an_order(product={"name": name, "sku": "HB-M8-40", "specification": "secret"})
    other = an_order(product={"name": "Plain washer", "sku": "W-1"}, factory_id="factory-3")
    await insert(db, order, other)

    for text, is_found in SEARCHES:
        found = await walk(db, q=text)
        assert (header(order) in found) is is_found, text
    assert await walk(db, q=order.number[-6:], side="factory") == [header(order)]
    assert await walk(db, q="buyer-1", side="factory") == [header(order)]
    assert await walk(db, q="washer") == [header(other)]


async def test_a_search_is_paged_and_sorted_like_any_list(db: Database) -> None:
    orders = list(many(25))
    await insert(db, *orders, *many(10, product={"name": "Washer"}))

    found = await walk(db, q="hex bolt", limit=4, sort="-deadline", state="active")

    wanted = [order for order in orders if order.status is not Status.COMPLETED]
    last_first = sorted(wanted, key=lambda order: (order.deadline, order.id), reverse=True)
    assert found == [header(order) for order in last_first]


async def test_stats_agree_with_a_count_by_hand_in_several_currencies(db: Database) -> None:
    orders = list(many(60))
    await insert(db, *orders, *many(6, buyer_id="buyer-2", factory_id="factory-2"))
    now = datetime(2026, 12, 20, 3, tzinfo=UTC)
    active = [order for order in orders if order.status is not Status.COMPLETED]
    states = [domain.due_of(order, now=now).state for order in active]

    for caller in (BUYER, FACTORY):
        stats = await store.stats(db, caller=caller, now=now)

        assert stats.active == len(active)
        assert stats.due_soon == states.count("due_soon") > 0
        assert stats.overdue == states.count("overdue") > 0
        assert stats.awaiting_receipt == sum(order.status is Status.SHIPPED for order in orders)
        assert stats.completed == 10
        assert {money.currency: money.amount for money in stats.open_value} == {
            currency: sum(order.total.amount for order in active if order.total.currency == currency)
            for currency in ("CNY", "EUR", "USD")
        }


async def test_stats_of_nothing_are_zero(db: Database) -> None:
    stats = await store.stats(db, caller=BUYER, now=NOW)

    assert stats.model_dump() == {
        "active": 0,
        "due_soon": 0,
        "overdue": 0,
        "awaiting_receipt": 0,
        "completed": 0,
        "open_value": [],
    }


async def test_completed_orders_are_counted_once_and_never_lost(db: Database) -> None:
    await use_cases.keep_organisation(db, record=a_record("buyer"), now=NOW)
    await insert(db, *(an_order("completed") for _ in range(_MOST_COUNTED + 5)))
    now = NOW + timedelta(hours=7)

    counts = [(await store.stats(db, caller=BUYER, now=now)).completed for _ in range(3)]
    await insert(db, an_order("completed", accepted_at=now))
    kept = await db["organisations"].find_one({"_id": "buyer-1"})

    assert counts == [_MOST_COUNTED + 5] * 3
    assert kept["completed"]["count"] == _MOST_COUNTED + 5
    assert (await store.stats(db, caller=BUYER, now=now)).completed == _MOST_COUNTED + 6


async def test_whoever_is_slow_with_an_old_name_shows_the_newest_in_the_end(db: Database) -> None:
    old = await kept(db, a_record(version=2, name="Old Works", time_zone="Europe/Oslo"))
    await insert(db, an_order())
    await use_cases.keep_organisation(
        db, record=a_record(version=3, name="New Works", time_zone="America/Lima"), now=NOW
    )

    # Another instance had read the old record before.
    await use_cases._follow(db, old, now=NOW)

    (order,) = await walk(db)
    assert (order.factory.name, order.time_zone) == ("New Works", "America/Lima")


async def kept(db: Database, record: OrganisationChanged) -> Organisation:
    await store.keep_organisation(db, record)
    return await store.get_organisation(db, record.organisation_id)


async def test_a_renamed_organisation_is_followed_on_all_its_orders(db: Database) -> None:
    await use_cases.keep_organisation(db, record=a_record(name="Old Works"), now=NOW)
    active, completed = an_order(), an_order("completed")
    await insert(db, active, completed)

    renamed = a_record(version=2, name="New Works", time_zone="America/Los_Angeles")
    await use_cases.keep_organisation(db, record=renamed, now=NOW)
    await use_cases.keep_organisation(db, record=renamed, now=NOW)
    await use_cases.keep_organisation(db, record=a_record(version=1, name="Old Works"), now=NOW)

    first = await store.get_order(db, active.id, caller=BUYER)
    second = await store.get_order(db, completed.id, caller=BUYER)
    assert first.factory.name == second.factory.name == "New Works"
    assert {order.id for order in await walk(db, q="new works")} == {active.id, completed.id}
    assert (first.time_zone, first.version) == ("America/Los_Angeles", 2)
    assert (second.time_zone, second.version) == ("Asia/Shanghai", 6)
    stored = await db[store.ORDERS].find_one({"_id": active.id})
    assert stored["overdue_at"] == domain.overdue_at(first)
    assert stored["next_timer_at"] == domain.next_timer_at(first)
    assert [event["type"] for event in stored["outbox"]] == ["order.updated.v1"]


async def test_a_change_that_was_stopped_half_way_is_finished_when_its_event_comes_again(
    db: Database,
) -> None:
    order = an_order()
    await insert(db, order)
    renamed = a_record(version=2, name="New Works")
    await store.keep_organisation(db, renamed)  # and here the process died

    await use_cases.keep_organisation(db, record=renamed, now=NOW)

    assert (await store.get_order(db, order.id, caller=BUYER)).factory.name == "New Works"


async def test_a_step_does_not_bring_an_old_name_back(db: Database) -> None:
    order = an_order("shipped")
    await insert(db, order)
    await use_cases.keep_organisation(db, record=a_record(version=2, name="New Works"), now=NOW)

    moved, event = domain.confirm_receipt(
        order, by=BUYER, expected_version=None, note=None, now=NOW, rules=RULES
    )
    await store.save_order(db, moved, sealed([event], now=NOW), previous_version=order.version)

    assert (await store.get_order(db, order.id, caller=BUYER)).factory.name == "New Works"


async def test_an_organisation_without_a_real_time_zone_is_refused(db: Database) -> None:
    for time_zone in ("Mars/Olympus", "", "../etc/passwd", "Asia/Shanghai\x00", "x" * 300):
        with pytest.raises(ValidationFailed):
            await use_cases.keep_organisation(db, record=a_record(time_zone=time_zone), now=NOW)


async def test_due_timers_fire_once_in_many_instances(db: Database) -> None:
    orders = [an_order("shipped", deadline=date(2028, 1, 1)) for _ in range(20)]
    await insert(db, *orders)
    now = NOW + timedelta(days=40)

    counts = await asyncio.gather(*(use_cases.fire_timers(db, now=now, rules=RULES) for _ in range(8)))

    assert sum(counts) == 20
    async for stored in db[store.ORDERS].find():
        assert stored["status"] == "delivered"
        assert [event["type"] for event in stored["outbox"]] == ["order.status_changed.v1"]
    assert await use_cases.fire_timers(db, now=now, rules=RULES) == 0
    assert await use_cases.fire_timers(db, now=now + timedelta(days=14), rules=RULES) == 20


async def test_an_order_that_cannot_be_read_does_not_stop_the_timers_of_others(db: Database) -> None:
    broken, fine = an_order("shipped"), an_order("shipped")
    await insert(db, broken, fine)
    await db[store.ORDERS].update_one({"_id": broken.id}, {"$set": {"time_zone": "Mars/Olympus"}})
    await db[store.ORDERS].update_one({"_id": broken.id}, {"$set": {"next_timer_at": NOW}})

    assert await use_cases.fire_timers(db, now=NOW + timedelta(days=40), rules=RULES) == 1


async def test_the_sheet_holds_every_active_order_most_urgent_first(db: Database) -> None:
    orders = list(many(230))
    await insert(db, *orders)

    rows = [
        line async for line in sheet.write(store.each_active_order(db, caller=BUYER), side="buyer", now=NOW)
    ]

    active = sorted(
        (order for order in orders if order.status is not Status.COMPLETED),
        key=lambda order: (order.deadline, order.id),
    )
    assert [row.split(b",")[0].decode() for row in rows[1:]] == [order.number for order in active]


# -- what the server does ---------------------------------------------------------------------------


def stages(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan
        for value in plan.values():
            yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


class Profile:
    """Reads back how the server ran every query of a block."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def __aenter__(self) -> Self:
        # The server's own size, 1 MB, is too small for a thousand queries.
        await self.db.handle.command("create", "system.profile", capped=True, size=64 * 2**20)
        await self.db.handle.command("profile", 2)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.db.handle.command("profile", 0)

    async def queries(self) -> list[dict[str, Any]]:
        found = self.db["system.profile"].find(
            {"ns": {"$regex": "\\.orders$"}, "planSummary": {"$exists": True}}
        )
        rows: list[dict[str, Any]] = await found.to_list(None)
        return rows


async def test_every_list_is_read_from_an_index_in_its_order(db: Database) -> None:
    await insert(db, *many(60))
    states, dues = (None, "active", "completed"), (None, "on_track", "due_soon", "overdue", "done")
    statuses: tuple[list[str], ...] = ([], ["shipped"], ["confirmed", "completed"])
    combinations = list(product(("buyer", "factory"), SORTS, states, dues, statuses, (None, "factory-1")))
    assert len(combinations) == 1080
    _, cursor = await store.find_orders(db, OrderQuery(limit=2), caller=BUYER, now=NOW)
    assert cursor

    async with Profile(db) as profile:
        for side, sort, state, due, status, counterparty in combinations:
            query = OrderQuery.model_validate(
                {"sort": sort, "state": state, "due": due, "status": status, "counterparty": counterparty}
            )
            caller = BUYER if side == "buyer" else FACTORY
            await store.find_orders(db, query, caller=caller, now=NOW)
        await store.find_orders(db, OrderQuery(cursor=cursor), caller=BUYER, now=NOW)
        [order async for order in store.each_active_order(db, caller=BUYER)]
        rows = await profile.queries()

    assert len(rows) == 722  # a third are filters that nothing can pass, and ask nothing
    for row in rows:
        assert not row.get("hasSortStage"), row["command"]
        assert "COLLSCAN" not in row["planSummary"], row["command"]


async def test_a_search_looks_only_where_its_rarest_piece_is(db: Database) -> None:
    await insert(db, *many(300), an_order(product={"name": "Hex bolt with a rivet"}))

    async with Profile(db) as profile:
        found = await walk(db, q="hex rivet")
        [row] = await profile.queries()

    assert len(found) == 1
    assert "COLLSCAN" not in row["planSummary"]
    assert row["docsExamined"] < 20


async def test_stats_and_counts_are_read_from_indexes_alone(db: Database) -> None:
    await use_cases.keep_organisation(db, record=a_record("buyer"), now=NOW)
    await insert(db, *many(120))

    async with Profile(db) as profile:
        for caller in (BUYER, FACTORY):
            await store.stats(db, caller=caller, now=NOW)
        await store.on_time_rate(db, organisation_id="factory-1")
        rows = await profile.queries()

    assert len(rows) == 5
    for row in rows:
        assert row["docsExamined"] == 0, row["command"]
        assert "COLLSCAN" not in row["planSummary"]


async def test_single_orders_timers_and_profiles_are_found_by_index(db: Database) -> None:
    await use_cases.keep_organisation(db, record=a_record("buyer"), now=NOW)
    orders = list(many(60))
    await insert(db, *orders)

    async with Profile(db) as profile:
        await store.get_order(db, orders[0].id, caller=BUYER)
        await store.find_order_of_quote(db, orders[0].quote_id)
        await store.find_orders_with_due_timers(db, now=NOW, limit=10)
        await store.find_completed(db, organisation_id="buyer-1", limit=5, cursor=None)
        rows = await profile.queries()

    assert len(rows) == 4
    for row in rows:
        assert not row.get("hasSortStage"), row["command"]
        assert "COLLSCAN" not in row["planSummary"], row["command"]
        assert row["docsExamined"] <= row["nreturned"] + 1
