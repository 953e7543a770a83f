"""Calendar days where the factory is, and what happens by itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders import domain
from services.orders.domain import Order, OrderEvent
from shared.api.orders import SystemActor
from shared.errors import ValidationFailed
from tests.orders.builders import NOW, RULES, a_caller, an_event, an_order, an_organisation

SHANGHAI, LOS_ANGELES, KIRITIMATI = "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati"
ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def accept(deadline: str, *, time_zone: str, now: datetime) -> Order:
    order, _ = domain.accept(
        an_event(deadline=deadline),
        order_id="o",
        number="n",
        buyer=an_organisation("buyer"),
        factory=an_organisation(time_zone=time_zone),
        by=SystemActor(),
        accepted_at=now,
        now=now,
    )
    return order


@pytest.mark.parametrize(
    ("time_zone", "last_moment", "first_late_moment"),
    [
        (SHANGHAI, "2027-01-31T15:59:59.999Z", "2027-01-31T16:00:00Z"),
        (LOS_ANGELES, "2027-02-01T07:59:59.999Z", "2027-02-01T08:00:00Z"),
        (KIRITIMATI, "2027-01-31T09:59:59.999Z", "2027-01-31T10:00:00Z"),
    ],
)
def test_the_day_of_the_deadline_turns_where_the_factory_is(
    time_zone: str, last_moment: str, first_late_moment: str
) -> None:
    order = an_order(deadline=date(2027, 1, 31), time_zone=time_zone)

    before = domain.due_of(order, now=at(last_moment))
    after = domain.due_of(order, now=at(first_late_moment))

    assert (before.state, before.days_left) == ("due_soon", 0)
    assert (after.state, after.days_left) == ("overdue", -1)
    assert domain.overdue_at(order) == at(first_late_moment)


@pytest.mark.parametrize(
    ("time_zone", "still_today", "already_past"),
    [
        (SHANGHAI, "2026-11-23T15:59:59Z", "2026-11-23T16:00:00Z"),
        (LOS_ANGELES, "2026-11-24T07:59:59Z", "2026-11-24T08:00:00Z"),
        (KIRITIMATI, "2026-11-23T09:59:59Z", "2026-11-23T10:00:00Z"),
    ],
)
def test_a_deadline_of_today_is_accepted_where_it_is_still_today(
    time_zone: str, still_today: str, already_past: str
) -> None:
    assert accept("2026-11-23", time_zone=time_zone, now=at(still_today))

    with pytest.raises(ValidationFailed) as refused:
        accept("2026-11-23", time_zone=time_zone, now=at(already_past))

    assert refused.value.members["errors"][0]["pointer"] == "/deadline"
    assert "2026-11-24" in str(refused.value)


@pytest.mark.parametrize(
    ("time_zone", "deadline", "overdue_at"),
    [
        # The night of the change belongs to the day before it, however long that night is.
        (LOS_ANGELES, date(2027, 3, 13), "2027-03-14T08:00:00Z"),
        (LOS_ANGELES, date(2027, 3, 14), "2027-03-15T07:00:00Z"),
        (LOS_ANGELES, date(2027, 11, 7), "2027-11-08T08:00:00Z"),
        # Cairo's clocks skip midnight itself: the day begins at 01:00.
        ("Africa/Cairo", date(2027, 4, 29), "2027-04-29T22:00:00Z"),
    ],
)
def test_days_on_which_clocks_change_begin_where_the_calendar_says(
    time_zone: str, deadline: date, overdue_at: str
) -> None:
    order = an_order(deadline=deadline, time_zone=time_zone)

    assert domain.overdue_at(order) == at(overdue_at)
    assert domain.due_of(order, now=at(overdue_at)).state == "overdue"
    assert domain.due_of(order, now=at(overdue_at) - timedelta(milliseconds=1)).state == "due_soon"


@given(
    time_zone=st.sampled_from(ZONES),
    deadline=st.dates(date(2026, 12, 1), date(2036, 12, 31)),
    off=st.timedeltas(timedelta(days=-20), timedelta(days=20)),
)
def test_what_is_shown_and_what_is_counted_agree_in_every_time_zone(
    time_zone: str, deadline: date, off: timedelta
) -> None:
    order = an_order(deadline=deadline, time_zone=time_zone)
    now = datetime(deadline.year, deadline.month, deadline.day, tzinfo=UTC) + off

    state = domain.due_of(order, now=now).state

    assert (state == "overdue") == (domain.overdue_at(order) <= now)
    assert (state == "on_track") == (domain.due_soon_at(order) > now)


def test_the_furthest_deadline_fits_every_time_zone() -> None:
    for time_zone in ZONES:
        order = accept("2999-12-31", time_zone=time_zone, now=NOW)

        assert domain.next_timer_at(order)


def test_a_completed_order_is_done_whatever_its_deadline() -> None:
    late = at("2027-03-01T00:00:00Z")

    assert domain.due_of(an_order("completed"), now=late).state == "done"
    assert domain.due_of(an_order("delivered"), now=late).state == "overdue"


@pytest.mark.parametrize(("deadline", "expected"), [(date(2026, 11, 23), True), (date(2026, 11, 22), False)])
def test_an_order_is_on_time_if_it_was_shipped_by_the_end_of_the_deadlines_day(
    deadline: date, *, expected: bool
) -> None:
    order = an_order("delivered", accepted_at=at("2026-11-22T23:00:00Z"), time_zone="UTC", deadline=deadline)

    assert domain.on_time(order) is expected
    assert domain.on_time(an_order("shipped")) is None


def run(order: Order, *, until: datetime, step: timedelta) -> tuple[Order, list[tuple[datetime, OrderEvent]]]:
    """Let time pass in steps, as a loop that looks for timers does."""
    told: list[tuple[datetime, OrderEvent]] = []
    now = order.updated_at
    while now <= until:
        while fired := domain.fire(order, now=now, rules=RULES):
            order, events = fired
            told += [(now, event) for event in events]
        now += step
    return order, told


def what(told: list[tuple[datetime, OrderEvent]]) -> list[tuple[str, str]]:
    return [(f"{now:%m-%d}", getattr(event, "change", event.type)) for now, event in told]


def test_an_order_that_nobody_touches_is_announced_and_becomes_overdue_once() -> None:
    order, told = run(an_order(time_zone="UTC"), until=at("2027-03-01T00:00:00Z"), step=timedelta(hours=1))

    assert what(told) == [
        ("01-24", "deadline_near"),
        ("01-28", "deadline_near"),
        ("01-30", "deadline_near"),
        ("02-01", "order.overdue.v1"),
        ("02-01", "overdue"),
    ]
    assert order.status == "confirmed"
    assert [event.version for _, event in told] == [2, 3, 4, 5, 5]


def test_a_silent_buyer_is_reminded_then_receipt_and_completion_follow_by_themselves() -> None:
    shipped = an_order("shipped", deadline=date(2028, 1, 1))
    assert shipped.automatic
    assert shipped.automatic.at == shipped.updated_at + timedelta(days=30)

    order, told = run(shipped, until=at("2027-03-01T00:00:00Z"), step=timedelta(hours=1))

    assert what(told) == [
        ("12-16", "receipt_reminder"),
        ("12-20", "receipt_reminder"),
        ("12-22", "receipt_reminder"),
        ("12-23", "order.status_changed.v1"),
        ("01-06", "order.status_changed.v1"),
    ]
    assert order.status == "completed"
    assert [entry.by for entry in order.history[-2:]] == [SystemActor(), SystemActor()]
    assert domain.next_timer_at(order) is None


def test_after_an_extension_the_reminders_come_anew_before_the_new_date() -> None:
    shipped = an_order("shipped", deadline=date(2028, 1, 1))
    order, _ = run(shipped, until=at("2026-12-17T00:00:00Z"), step=timedelta(hours=1))

    order, _ = domain.extend_receipt(
        order, by=a_caller("buyer"), expected_version=None, now=at("2026-12-17T00:00:00Z"), rules=RULES
    )
    order, told = run(order, until=at("2027-01-08T00:00:00Z"), step=timedelta(hours=1))

    assert what(told) == [
        ("12-31", "receipt_reminder"),
        ("01-04", "receipt_reminder"),
        ("01-06", "receipt_reminder"),
        ("01-07", "order.status_changed.v1"),
    ]


def test_a_short_extension_does_not_repeat_a_reminder_at_once() -> None:
    rules = replace(RULES, receipt_extension=timedelta(days=1))
    shipped = an_order("shipped", deadline=date(2028, 1, 1))
    order, _ = run(shipped, until=at("2026-12-21T00:00:00Z"), step=timedelta(hours=1))
    now = at("2026-12-21T00:00:00Z")

    order, _ = domain.extend_receipt(order, by=a_caller("buyer"), expected_version=None, now=now, rules=rules)

    assert domain.fire(order, now=now, rules=rules) is None


def test_a_receipt_that_follows_within_minutes_is_not_announced_days_before() -> None:
    rules = replace(RULES, receipt_after=timedelta(minutes=10))

    order = an_order("shipped", rules=rules, deadline=date(2028, 1, 1))

    assert order.automatic
    assert domain.next_timer_at(order) == order.automatic.at


def test_of_notices_that_were_missed_together_only_the_last_is_given() -> None:
    order = an_order(time_zone="UTC")

    order, told = run(
        replace(order, updated_at=at("2027-01-30T12:00:00Z")),
        until=at("2027-01-30T12:00:00Z"),
        step=timedelta(hours=1),
    )

    assert what(told) == [("01-30", "deadline_near")]
    assert domain.next_timer_at(order) == at("2027-02-01T00:00:00Z")


def test_an_order_with_little_time_from_the_start_is_not_announced_at_once() -> None:
    order = accept("2026-11-25", time_zone="UTC", now=NOW)

    assert domain.next_timer_at(order) == at("2026-11-24T00:00:00Z")


def test_a_delivered_order_is_no_longer_called_overdue() -> None:
    order = an_order("delivered", time_zone="UTC", deadline=date(2026, 11, 24))

    _, told = run(order, until=at("2026-12-01T00:00:00Z"), step=timedelta(hours=1))

    assert told == []


def test_a_factory_that_moves_takes_its_deadlines_along() -> None:
    order = an_order(time_zone=SHANGHAI)

    moved = domain.follow_time_zone(order, time_zone=LOS_ANGELES, now=NOW)

    assert moved
    after, event = moved
    assert domain.overdue_at(after) - domain.overdue_at(order) == timedelta(hours=16)
    assert (event.change, event.version) == ("time_zone_changed", 2)
    assert domain.follow_time_zone(after, time_zone=LOS_ANGELES, now=NOW) is None
    assert domain.follow_time_zone(an_order("completed"), time_zone=LOS_ANGELES, now=NOW) is None


@given(zones=st.lists(st.sampled_from([SHANGHAI, LOS_ANGELES, KIRITIMATI]), max_size=6))
def test_however_often_a_factory_moves_an_order_becomes_overdue_once(zones: list[str]) -> None:
    order: Any = an_order()
    overdue = 0
    for day, zone in enumerate(["UTC", *zones, "UTC"]):
        now = at("2027-01-31T00:00:00Z") + timedelta(hours=12 * day)
        if moved := domain.follow_time_zone(order, time_zone=zone, now=now):
            order, _ = moved
        order, told = run(replace(order, updated_at=now), until=now, step=timedelta(hours=1))
        overdue += sum(event.type == "order.overdue.v1" for _, event in told)

    _, told = run(order, until=at("2027-02-10T00:00:00Z"), step=timedelta(hours=12))

    assert overdue + sum(event.type == "order.overdue.v1" for _, event in told) == 1


def test_every_zone_that_is_tested_is_known() -> None:
    assert {SHANGHAI, LOS_ANGELES, KIRITIMATI} <= {ZoneInfo(zone).key for zone in ZONES}
