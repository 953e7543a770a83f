"""Order, its states and rules: pure, and total over every status, action and caller."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from services.orders import tracking as carriers
from shared.api.orders import (
    Action,
    Due,
    HistoryEntry,
    NewOrder,
    NewTracking,
    NextStep,
    Party,
    Product,
    ReviewRecorded,
    Status,
    SystemActor,
    Tracking,
)
from shared.errors import Conflict, Invalid, TooMany, ValidationFailed
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated
from shared.identity import Caller, Person, Side
from shared.money import Money

PIPELINE: Final = tuple(Status)
FACTORY_STEPS: Final = (Status.IN_PRODUCTION, Status.QUALITY_CHECK, Status.SHIPPED)
# The contract's "soon": 7 days or fewer are left.
DUE_SOON_DAYS: Final = 7
# Days before the event at which people are told of it.
NOTICE_DAYS: Final = (7, 3, 1)

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
    name: str
    kind: Side
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class Order:
    id: str
    number: str
    quote_id: str
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
    shipping_terms: str | None
    destination: str | None
    buyer: Party
    factory: Party
    tracking: Tracking | None
    history: tuple[HistoryEntry, ...]
    automatic: NextStep | None
    extended_by: frozenset[Side]
    reviewed_by: frozenset[Side]
    receipt_requested_at: datetime | None
    fired: frozenset[str]
    """Notices given so far, by the name of their timer."""
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None

    @property
    def delivered_at(self) -> datetime | None:
        return next((entry.at for entry in self.history if entry.status is Status.DELIVERED), None)


class InvalidTransition(Conflict):
    """No step is skipped, repeated or undone."""

    title = "This step is not possible now"

    def __init__(self, current: Status, allowed: list[Status]) -> None:
        possible = f"possible now: {', '.join(allowed)}" if allowed else "you have no step to take now"
        super().__init__(
            f"the order is {current.replace('_', ' ')}; {possible}", current_status=current, allowed=allowed
        )


class AwaitingBuyerConfirmation(Conflict):
    """Only the buyer confirms that the goods arrived."""

    title = "The buyer has to confirm receipt"

    def __init__(self) -> None:
        super().__init__(
            "an order becomes delivered when its buyer confirms receipt; you can send the buyer a reminder",
            current_status=Status.SHIPPED,
            allowed=[],
        )


class ReceiptAlreadyExtended(Conflict):
    """Each side may put the automatic receipt off once."""

    title = "Already extended by your side"


class ReceiptRecentlyRequested(TooMany):
    """The buyer was reminded less than 24 h ago."""

    title = "The buyer was reminded already"


class QuoteAlreadyAccepted(Conflict):
    """Another buyer's order stands for this quote."""

    title = "Quote already accepted"


class QuoteContradicted(Conflict):
    """A repeated event tells something else than the one that made the order."""

    title = "Contradicts the order that exists for this quote"


class NotAFactory(Invalid):
    title = "Not a factory"


class NotABuyer(Invalid):
    title = "Not a buyer"


def accept(
    quote: NewOrder,
    *,
    order_id: str,
    number: str,
    buyer: Organisation,
    factory: Organisation,
    by: Person | SystemActor,
    accepted_at: datetime,
    now: datetime,
) -> tuple[Order, OrderCreated]:
    """Turn an accepted quote into an order.

    Raises:
        ValidationFailed: the deadline is past, in the factory's time zone, when the quote was accepted.
        NotAFactory, NotABuyer: an organisation is of the wrong kind.
    """
    if factory.kind != "factory":
        raise NotAFactory(f"organisation {factory.id} is a {factory.kind}, not a factory")
    if buyer.kind != "buyer":
        raise NotABuyer(f"organisation {buyer.id} is a {buyer.kind}, not a buyer")
    if quote.deadline < accepted_at.astimezone(ZoneInfo(factory.time_zone)).date():
        raise ValidationFailed.at("/deadline", "is in the past where the factory is")
    order = Order(
        id=order_id,
        number=number,
        quote_id=quote.quote_id,
        version=1,
        status=Status.CONFIRMED,
        product=quote.product,
        quantity=quote.quantity,
        unit=quote.unit,
        unit_price=quote.unit_price,
        total=quote.unit_price.times(quote.quantity),
        deadline=quote.deadline,
        time_zone=factory.time_zone,
        shipping_terms=quote.shipping_terms,
        destination=quote.destination,
        buyer=Party(id=buyer.id, name=buyer.name),
        factory=Party(id=factory.id, name=factory.name),
        tracking=None,
        history=(HistoryEntry(status=Status.CONFIRMED, at=accepted_at, by=by),),
        automatic=None,
        extended_by=frozenset(),
        reviewed_by=frozenset(),
        receipt_requested_at=None,
        fired=frozenset(),
        created_at=now,
        updated_at=now,
        completed_at=None,
    )
    created = OrderCreated(
        **_facts(order), quote_id=order.quote_id, quantity=order.quantity, unit=order.unit, total=order.total
    )
    return order, created


def tells_the_same(order: Order, quote: NewOrder, *, buyer_id: str) -> bool:
    """Compare a repeated quote with the order that it made."""
    return (
        order.buyer.id == buyer_id
        and order.factory.id == quote.factory_id
        and order.product == quote.product
        and order.quantity == quote.quantity
        and order.unit_price == quote.unit_price
        and order.deadline == quote.deadline
    )


def advance(
    order: Order,
    *,
    to: Status,
    by: Caller,
    note: str | None,
    tracking: NewTracking | None,
    now: datetime,
    rules: Rules,
) -> tuple[Order, OrderStatusChanged]:
    """Take the factory's next step.

    Raises:
        WrongSide, RoleNotSufficient: the caller is no one to take it.
        AwaitingBuyerConfirmation: the next step is the buyer's.
        InvalidTransition: `to` is not the next status.
        ValidationFailed: tracking comes with another step than shipping.
    """
    by.must_be("factory")
    by.must_write()
    if order.status is Status.SHIPPED and to is Status.DELIVERED:
        raise AwaitingBuyerConfirmation
    if to is not next_status(order) or to not in FACTORY_STEPS:
        raise InvalidTransition(order.status, steps_of(order, "factory"))
    if tracking is not None and to is not Status.SHIPPED:
        raise ValidationFailed.at("/tracking", "goes with the step to shipped")
    tracked = carriers.describe(tracking) if tracking else None
    return _step(replace(order, tracking=tracked), to=to, by=by.person, note=note, now=now, rules=rules)


def confirm_receipt(
    order: Order, *, by: Caller, note: str | None, now: datetime, rules: Rules
) -> tuple[Order, OrderStatusChanged]:
    """Record that the buyer has the goods.

    Raises:
        WrongSide, RoleNotSufficient: the caller is no one to confirm it.
        InvalidTransition: the goods are not on their way.
    """
    by.must_be("buyer")
    by.must_write()
    if order.status is not Status.SHIPPED:
        raise InvalidTransition(order.status, steps_of(order, "buyer"))
    return _step(order, to=Status.DELIVERED, by=by.person, note=note, now=now, rules=rules)


def request_receipt(order: Order, *, by: Caller, now: datetime, rules: Rules) -> tuple[Order, OrderUpdated]:
    """Remind the buyer to confirm receipt.

    Raises:
        WrongSide, RoleNotSufficient: the caller is no one to ask.
        InvalidTransition: nothing is on its way.
        ReceiptRecentlyRequested: the last reminder is too young.
    """
    by.must_be("factory")
    by.must_write()
    if order.status is not Status.SHIPPED:
        raise InvalidTransition(order.status, steps_of(order, "factory"))
    if order.receipt_requested_at and (age := now - order.receipt_requested_at) < rules.request_every:
        wait = rules.request_every - age
        raise ReceiptRecentlyRequested(
            "the buyer can be reminded once in 24 hours", retry_after=max(1, round(wait.total_seconds()))
        )
    asked = replace(order, receipt_requested_at=now)
    return _updated(asked, change="receipt_requested", by=by.person, now=now)


def extend_receipt(order: Order, *, by: Caller, now: datetime, rules: Rules) -> tuple[Order, OrderUpdated]:
    """Put the automatic receipt off, once for each side.

    Raises:
        RoleNotSufficient: a viewer only reads.
        InvalidTransition: no automatic receipt is waiting.
        ReceiptAlreadyExtended: this side did so before.
    """
    by.must_write()
    if order.status is not Status.SHIPPED or order.automatic is None:
        raise InvalidTransition(order.status, steps_of(order, by.side))
    if by.side in order.extended_by:
        raise ReceiptAlreadyExtended("each side may extend the time for receipt once")
    extended = replace(
        order,
        automatic=NextStep(to=Status.DELIVERED, at=order.automatic.at + rules.receipt_extension),
        extended_by=order.extended_by | {by.side},
        fired=frozenset(name for name in order.fired if not name.startswith("receipt_reminder")),
    )
    return _updated(extended, change="receipt_extended", by=by.person, now=now)


def record_review(
    order: Order, review: ReviewRecorded, *, now: datetime, rules: Rules
) -> tuple[Order, OrderStatusChanged | OrderUpdated] | None:
    """Take note of a review; the buyer's completes a delivered order. `None`: nothing changes.

    Raises:
        InvalidTransition: the order is not delivered yet.
    """
    if order.status not in {Status.DELIVERED, Status.COMPLETED}:
        raise InvalidTransition(order.status, [])
    if review.by_side in order.reviewed_by:
        return None
    by = Person(user_id=review.user_id, name=review.user_name, side=review.by_side)
    reviewed = replace(order, reviewed_by=order.reviewed_by | {review.by_side})
    if review.by_side == "buyer" and order.status is Status.DELIVERED:
        return _step(reviewed, to=Status.COMPLETED, by=by, note=None, now=now, rules=rules)
    return _updated(reviewed, change="reviewed", by=by, now=now)


@dataclass(frozen=True, kw_only=True)
class Timer:
    name: str
    at: datetime
    kind: Literal["step", "receipt_reminder", "deadline_near", "overdue"]


def timers(order: Order) -> Iterator[Timer]:
    """List what is still to happen by itself, in no order."""
    if order.automatic:
        yield Timer(name="step", at=order.automatic.at, kind="step")
        if order.status is Status.SHIPPED:
            for days in NOTICE_DAYS:
                yield from _unless_fired(
                    order,
                    f"receipt_reminder:{days}",
                    order.automatic.at - timedelta(days=days),
                    "receipt_reminder",
                )
    if PIPELINE.index(order.status) < PIPELINE.index(Status.DELIVERED):
        for days in NOTICE_DAYS:
            at = start_of_day(order.deadline - timedelta(days=days), order.time_zone)
            if at > order.created_at:
                yield from _unless_fired(order, f"deadline_near:{days}", at, "deadline_near")
        yield from _unless_fired(order, "overdue", overdue_at(order), "overdue")


def next_timer_at(order: Order) -> datetime | None:
    return min((timer.at for timer in timers(order)), default=None)


def fire(order: Order, *, now: datetime, rules: Rules) -> tuple[Order, OrderEvent] | None:
    """Do what is most overdue by now; of notices of one kind that were missed together only the last is given."""
    due = sorted((timer for timer in timers(order) if timer.at <= now), key=lambda timer: timer.at)
    if not due:
        return None
    if any(timer.kind == "step" for timer in due) and order.automatic:
        return _step(order, to=order.automatic.to, by=SystemActor(), note=None, now=now, rules=rules)
    kind = due[0].kind
    fired = replace(order, fired=order.fired | {timer.name for timer in due if timer.kind == kind})
    if kind == "overdue":
        fired = replace(fired, version=order.version + 1, updated_at=now)
        return fired, OrderOverdue(**_facts(fired), days_left=due_of(fired, now=now).days_left)
    change: Literal["receipt_reminder", "deadline_near"] = (
        "receipt_reminder" if kind == "receipt_reminder" else "deadline_near"
    )
    return _updated(fired, change=change, by=SystemActor(), now=now)


def next_status(order: Order) -> Status | None:
    """Give the next status of the pipeline, whoever takes the step."""
    index = PIPELINE.index(order.status) + 1
    return PIPELINE[index] if index < len(PIPELINE) else None


def steps_of(order: Order, side: Side) -> list[Status]:
    """List the statuses that a side may move the order to now."""
    following = next_status(order)
    if side == "factory" and following in FACTORY_STEPS:
        return [following]
    if side == "buyer" and following is Status.DELIVERED:
        return [following]
    return []


def allowed_actions(order: Order, *, caller: Caller, now: datetime, rules: Rules) -> list[Action]:
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


def start_of_day(day: date, time_zone: str) -> datetime:
    """Give the instant at which a calendar day begins somewhere."""
    return datetime.combine(day, time(), ZoneInfo(time_zone))


def due_soon_at(order: Order) -> datetime:
    """Give the instant from which few enough days are left."""
    return start_of_day(order.deadline - timedelta(days=DUE_SOON_DAYS), order.time_zone)


def overdue_at(order: Order) -> datetime:
    """Give the instant at which the deadline's day is over."""
    return start_of_day(order.deadline + timedelta(days=1), order.time_zone)


def due_of(order: Order, *, now: datetime) -> Due:
    """Tell how the deadline stands, by the calendar of the factory."""
    days_left = (order.deadline - now.astimezone(ZoneInfo(order.time_zone)).date()).days
    if order.status is Status.COMPLETED:
        return Due(state="done", days_left=days_left)
    if days_left < 0:
        return Due(state="overdue", days_left=days_left)
    return Due(state="due_soon" if days_left <= DUE_SOON_DAYS else "on_track", days_left=days_left)


def on_time(order: Order) -> bool | None:
    """Tell whether the goods were shipped by the deadline's day; `None` before they reached the buyer."""
    if order.delivered_at is None:
        return None
    shipped_at = next(entry.at for entry in order.history if entry.status is Status.SHIPPED)
    return shipped_at < overdue_at(order)


def _step(
    order: Order, *, to: Status, by: Person | SystemActor, note: str | None, now: datetime, rules: Rules
) -> tuple[Order, OrderStatusChanged]:
    automatic = {
        Status.SHIPPED: NextStep(to=Status.DELIVERED, at=now + rules.receipt_after),
        Status.DELIVERED: NextStep(to=Status.COMPLETED, at=now + rules.completion_after),
    }.get(to)
    moved = replace(
        order,
        version=order.version + 1,
        status=to,
        history=(*order.history, HistoryEntry(status=to, at=now, by=by, note=note or None)),
        automatic=automatic,
        updated_at=now,
        completed_at=now if to is Status.COMPLETED else None,
    )
    changed = OrderStatusChanged(
        **_facts(moved),
        previous=order.status,
        by_user_id=by.user_id if isinstance(by, Person) else None,
        tracking=moved.tracking,
        next_automatic_step=moved.automatic,
    )
    return moved, changed


def _updated(
    order: Order,
    *,
    change: Literal["receipt_requested", "receipt_extended", "receipt_reminder", "deadline_near", "reviewed"],
    by: Person | SystemActor,
    now: datetime,
) -> tuple[Order, OrderUpdated]:
    order = replace(order, version=order.version + 1, updated_at=now)
    event = OrderUpdated(
        **_facts(order),
        change=change,
        by_user_id=by.user_id if isinstance(by, Person) else None,
        by_side=by.side,
        next_automatic_step=order.automatic,
        due=due_of(order, now=now),
    )
    return order, event


def _unless_fired(
    order: Order, name: str, at: datetime, kind: Literal["receipt_reminder", "deadline_near", "overdue"]
) -> Iterator[Timer]:
    if name not in order.fired:
        yield Timer(name=name, at=at, kind=kind)


def _facts(order: Order) -> dict[str, Any]:
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
