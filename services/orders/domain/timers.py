"""What happens to an order by itself, and when."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.orders.domain.deadline import due_of, overdue_at, start_of_day
from services.orders.domain.order import Order, OrderEvent, Rules, facts
from services.orders.domain.steps import step, updated
from shared.api.orders import Status, SystemActor
from shared.events.orders import OrderOverdue

# Days before the deadline, or before the automatic receipt, at which people are told of it.
NOTICE_DAYS: Final = (7, 3, 1)


@dataclass(frozen=True, kw_only=True)
class Timer:
    name: str
    at: datetime
    kind: Literal["step", "receipt_reminder", "deadline_near", "overdue"]


def timers(order: Order) -> Iterator[Timer]:
    """List what is still to happen by itself, in no order."""
    if order.automatic:
        yield Timer(name="step", at=order.automatic.at, kind="step")
    yield from (timer for timer in _notices(order) if timer.name not in order.fired)


def _notices(order: Order) -> Iterator[Timer]:
    if order.is_delivered:
        return
    shipped_at = order.reached_at(Status.SHIPPED)
    if order.automatic and shipped_at:
        for days in NOTICE_DAYS:
            at = order.automatic.at - timedelta(days=days)
            if at > shipped_at:
                yield Timer(name=f"receipt_reminder:{days}", at=at, kind="receipt_reminder")
    for days in NOTICE_DAYS:
        at = start_of_day(order.deadline - timedelta(days=days), order.time_zone)
        if at > order.created_at:
            yield Timer(name=f"deadline_near:{days}", at=at, kind="deadline_near")
    yield Timer(name="overdue", at=overdue_at(order), kind="overdue")


def next_timer_at(order: Order) -> datetime | None:
    return min((timer.at for timer in timers(order)), default=None)


def fire(order: Order, *, now: datetime, rules: Rules) -> tuple[Order, tuple[OrderEvent, ...]] | None:
    """Do what is most overdue by now; of notices of one kind that were missed together only the last is given."""
    due = sorted((timer for timer in timers(order) if timer.at <= now), key=lambda timer: timer.at)
    if not due:
        return None
    if order.automatic and any(timer.kind == "step" for timer in due):
        moved, changed = step(order, to=order.automatic.to, by=SystemActor(), note=None, now=now, rules=rules)
        return moved, (changed,)
    kind = due[0].kind
    fired = replace(order, fired=order.fired | {timer.name for timer in due if timer.kind == kind})
    match kind:
        case "overdue":
            late, change = updated(fired, change="overdue", by=SystemActor(), now=now)
            return late, (
                OrderOverdue(**facts(late), days_left=due_of(late, now=now).days_left),
                change,
            )
        case "receipt_reminder" | "deadline_near":
            told, change = updated(fired, change=kind, by=SystemActor(), now=now)
            return told, (change,)
        case "step":  # it is done above
            return None
