"""Deadlines: calendar dates where the factory is, and the instants at which they mean something."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.orders.domain.order import Order, OrderHeader
from shared.api.orders import Due, Status

# The contract's "soon": 7 days or fewer are left.
DUE_SOON_DAYS: Final = 7


def start_of_day(day: date, time_zone: str) -> datetime:
    """Give the instant at which a calendar day begins somewhere, also where a clock change skips midnight."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def due_soon_at(order: OrderHeader) -> datetime:
    """Give the instant from which few enough days are left."""
    return start_of_day(order.deadline - timedelta(days=DUE_SOON_DAYS), order.time_zone)


def overdue_at(order: OrderHeader) -> datetime:
    """Give the instant at which the deadline's day is over."""
    return start_of_day(order.deadline + timedelta(days=1), order.time_zone)


def due_of(order: OrderHeader, *, now: datetime) -> Due:
    """Tell how the deadline stands, by the calendar of the factory."""
    days_left = (order.deadline - now.astimezone(ZoneInfo(order.time_zone)).date()).days
    if order.status is Status.COMPLETED:
        return Due(state="done", days_left=days_left)
    if days_left < 0:
        return Due(state="overdue", days_left=days_left)
    return Due(state="due_soon" if days_left <= DUE_SOON_DAYS else "on_track", days_left=days_left)


def on_time(order: Order) -> bool | None:
    """Tell whether the goods were shipped by the deadline's day; `None` before they reached the buyer."""
    shipped_at = order.reached_at(Status.SHIPPED)
    if not order.is_delivered or shipped_at is None:
        return None
    return shipped_at < overdue_at(order)
