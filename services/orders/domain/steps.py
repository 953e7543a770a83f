"""What people do to an order: each rule gives the next order and its event, or one named refusal."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.orders.domain import tracking as carriers
from services.orders.domain.deadline import due_of
from services.orders.domain.order import FACTORY_STEPS, Order, Rules, facts, next_status, steps_of
from shared.api.orders import HistoryEntry, NewTracking, NextStep, ReviewRecorded, Status, SystemActor
from shared.errors import Conflict, StaleVersion, TooMany, ValidationFailed
from shared.events.orders import Change, OrderStatusChanged, OrderUpdated
from shared.identity import Caller, Person, Side


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


def advance(
    order: Order,
    *,
    to: Status,
    by: Caller,
    expected_version: int | None,
    note: str | None,
    tracking: NewTracking | None,
    now: datetime,
    rules: Rules,
) -> tuple[Order, OrderStatusChanged]:
    """Take the factory's next step.

    Raises:
        WrongSide, RoleNotSufficient: the caller is no one to take it.
        StaleVersion: the caller has not seen the last change.
        AwaitingBuyerConfirmation: the next step is the buyer's.
        InvalidTransition: `to` is not the next status.
        ValidationFailed: tracking comes with another step than shipping.
    """
    _may(order, by=by, side="factory", expected_version=expected_version)
    if order.status is Status.SHIPPED and to is Status.DELIVERED:
        raise AwaitingBuyerConfirmation
    if to is not next_status(order) or to not in FACTORY_STEPS:
        raise InvalidTransition(order.status, steps_of(order, "factory"))
    if tracking is not None and to is not Status.SHIPPED:
        raise ValidationFailed.at("/tracking", "goes with the step to shipped")
    tracked = carriers.describe(tracking) if tracking else None
    return step(replace(order, tracking=tracked), to=to, by=by.person, note=note, now=now, rules=rules)


def confirm_receipt(
    order: Order, *, by: Caller, expected_version: int | None, note: str | None, now: datetime, rules: Rules
) -> tuple[Order, OrderStatusChanged]:
    """Record that the buyer has the goods.

    Raises:
        WrongSide, RoleNotSufficient: the caller is no one to confirm it.
        StaleVersion: the caller has not seen the last change.
        InvalidTransition: the goods are not on their way.
    """
    _may(order, by=by, side="buyer", expected_version=expected_version)
    if order.status is not Status.SHIPPED:
        raise InvalidTransition(order.status, steps_of(order, "buyer"))
    return step(order, to=Status.DELIVERED, by=by.person, note=note, now=now, rules=rules)


def request_receipt(
    order: Order, *, by: Caller, expected_version: int | None, now: datetime, rules: Rules
) -> tuple[Order, OrderUpdated]:
    """Remind the buyer to confirm receipt.

    Raises:
        WrongSide, RoleNotSufficient: the caller is no one to ask.
        StaleVersion: the caller has not seen the last change.
        InvalidTransition: nothing is on its way.
        ReceiptRecentlyRequested: the last reminder is too young.
    """
    _may(order, by=by, side="factory", expected_version=expected_version)
    if order.status is not Status.SHIPPED:
        raise InvalidTransition(order.status, steps_of(order, "factory"))
    if order.receipt_requested_at and (age := now - order.receipt_requested_at) < rules.request_every:
        wait = rules.request_every - age
        raise ReceiptRecentlyRequested(
            "the buyer can be reminded once in 24 hours", retry_after=max(1, round(wait.total_seconds()))
        )
    asked = replace(order, receipt_requested_at=now)
    return updated(asked, change="receipt_requested", by=by.person, now=now)


def extend_receipt(
    order: Order, *, by: Caller, expected_version: int | None, now: datetime, rules: Rules
) -> tuple[Order, OrderUpdated]:
    """Put the automatic receipt off, once for each side.

    Raises:
        RoleNotSufficient: a viewer only reads.
        StaleVersion: the caller has not seen the last change.
        InvalidTransition: no automatic receipt is waiting.
        ReceiptAlreadyExtended: this side did so before.
    """
    _may(order, by=by, side=None, expected_version=expected_version)
    if order.status is not Status.SHIPPED or order.automatic is None:
        raise InvalidTransition(order.status, steps_of(order, by.side))
    if by.side in order.extended_by:
        raise ReceiptAlreadyExtended("each side may extend the time for receipt once")
    later = order.automatic.at + rules.receipt_extension
    extended = replace(
        order,
        automatic=NextStep(to=Status.DELIVERED, at=later),
        extended_by=order.extended_by | {by.side},
        # Reminders are given anew, before the new date.
        fired=frozenset(name for name in order.fired if not _is_ahead(name, of=later, now=now)),
    )
    return updated(extended, change="receipt_extended", by=by.person, now=now)


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
        return step(reviewed, to=Status.COMPLETED, by=by, note=None, now=now, rules=rules)
    return updated(reviewed, change="reviewed", by=by, now=now)


def follow_time_zone(order: Order, *, time_zone: str, now: datetime) -> tuple[Order, OrderUpdated] | None:
    """Let the deadline's day follow the factory to another time zone. `None`: nothing changes."""
    if order.time_zone == time_zone or order.status is Status.COMPLETED:
        return None
    moved = replace(order, time_zone=ZoneInfo(time_zone).key)
    return updated(moved, change="time_zone_changed", by=SystemActor(), now=now)


def step(
    order: Order, *, to: Status, by: Person | SystemActor, note: str | None, now: datetime, rules: Rules
) -> tuple[Order, OrderStatusChanged]:
    """Take a step that has been allowed."""
    automatic = {
        Status.SHIPPED: NextStep(to=Status.DELIVERED, at=now + rules.receipt_after),
        Status.DELIVERED: NextStep(to=Status.COMPLETED, at=now + rules.completion_after),
    }.get(to)
    moved = replace(
        order,
        version=order.version + 1,
        status=to,
        history=(*order.history, HistoryEntry(status=to, at=now, by=by, note=note)),
        automatic=automatic,
        updated_at=now,
        completed_at=now if to is Status.COMPLETED else None,
    )
    changed = OrderStatusChanged(
        **facts(moved),
        previous=order.status,
        by_user_id=by.user_id if isinstance(by, Person) else None,
        tracking=moved.tracking,
        next_automatic_step=moved.automatic,
    )
    return moved, changed


def updated(
    order: Order, *, change: Change, by: Person | SystemActor, now: datetime
) -> tuple[Order, OrderUpdated]:
    """Give a change that is no step its version and its event."""
    order = replace(order, version=order.version + 1, updated_at=now)
    event = OrderUpdated(
        **facts(order),
        change=change,
        by_user_id=by.user_id if isinstance(by, Person) else None,
        by_side=by.side,
        next_automatic_step=order.automatic,
        due=due_of(order, now=now),
    )
    return order, event


def _may(order: Order, *, by: Caller, side: Side | None, expected_version: int | None) -> None:
    # Who may not do it at all is told so first, whatever the version: RFC 9110, 13.2.1.
    if side is not None:
        by.must_be(side)
    by.must_write()
    if expected_version is not None and order.version != expected_version:
        raise StaleVersion(current_version=order.version)


def _is_ahead(fired: str, *, of: datetime, now: datetime) -> bool:
    kind, _, days = fired.partition(":")
    return kind == "receipt_reminder" and of - timedelta(days=int(days)) > now
