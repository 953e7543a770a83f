"""What an order is, and what can be read from it without changing it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from shared.api.orders import Action, HistoryEntry, NextStep, Party, Product, Status, Tracking
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated
from shared.identity import Caller, Side
from shared.money import Money

PIPELINE: Final = tuple(Status)
FACTORY_STEPS: Final = (Status.IN_PRODUCTION, Status.QUALITY_CHECK, Status.SHIPPED)

OrderEvent = OrderCreated | OrderStatusChanged | OrderUpdated | OrderOverdue


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The durations that an operator may set."""

    receipt_after: timedelta
    receipt_extension: timedelta
    completion_after: timedelta
    request_every: timedelta
    chat_open_after_completion: timedelta


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What orders keeps of an organisation."""

    id: str
    version: int
    name: str
    kind: Side
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class OrderHeader:
    """What lists show of an order: all but its history and what only its own page tells."""

    id: str
    number: str
    version: int
    status: Status
    product: Product
    quantity: int
    unit: str
    unit_price: Money
    total: Money
    deadline: date
    time_zone: str
    """Of the factory: the deadline is a calendar date in it."""
    buyer: Party
    factory: Party
    tracking: Tracking | None
    automatic: NextStep | None
    extended_by: frozenset[Side]
    reviewed_by: frozenset[Side]
    receipt_requested_at: datetime | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Order(OrderHeader):
    quote_id: str
    shipping_terms: str | None
    destination: str | None
    history: tuple[HistoryEntry, ...]
    fired: frozenset[str]
    """Notices given so far, by the name of their timer."""

    def reached_at(self, status: Status) -> datetime | None:
        return next((entry.at for entry in self.history if entry.status is status), None)

    @property
    def is_delivered(self) -> bool:
        return PIPELINE.index(self.status) >= PIPELINE.index(Status.DELIVERED)


def next_status(order: OrderHeader) -> Status | None:
    """Give the next status of the pipeline, whoever takes the step."""
    index = PIPELINE.index(order.status) + 1
    return PIPELINE[index] if index < len(PIPELINE) else None


def steps_of(order: OrderHeader, side: Side) -> list[Status]:
    """List the statuses that a side may move the order to now."""
    following = next_status(order)
    if side == "factory" and following in FACTORY_STEPS:
        return [following]
    if side == "buyer" and following is Status.DELIVERED:
        return [following]
    return []


def allowed_actions(order: OrderHeader, *, caller: Caller, now: datetime, rules: Rules) -> list[Action]:
    """List what this caller may do now."""
    if caller.role == "viewer":
        return []
    shipped = order.status is Status.SHIPPED
    asked_lately = order.receipt_requested_at and now - order.receipt_requested_at < rules.request_every
    review_from = Status.DELIVERED if caller.side == "buyer" else Status.COMPLETED
    chat_closed = order.completed_at and now >= order.completed_at + rules.chat_open_after_completion
    possible: dict[Action, bool] = {
        "advance": caller.side == "factory" and bool(steps_of(order, "factory")),
        "request_receipt": caller.side == "factory" and shipped and not asked_lately,
        "extend_receipt": shipped and caller.side not in order.extended_by,
        "confirm_receipt": caller.side == "buyer" and shipped,
        "review": PIPELINE.index(order.status) >= PIPELINE.index(review_from)
        and caller.side not in order.reviewed_by,
        "send_message": not chat_closed,
    }
    return [action for action, allowed in possible.items() if allowed]


def facts(order: Order) -> dict[str, Any]:
    """Give the part of its events' data that all of them have."""
    return {
        "order_id": order.id,
        "number": order.number,
        "version": order.version,
        "buyer_id": order.buyer.id,
        "buyer_name": order.buyer.name,
        "factory_id": order.factory.id,
        "factory_name": order.factory.name,
        "status": order.status,
        "product": order.product,
        "deadline": order.deadline,
        "history": list(order.history),
    }
