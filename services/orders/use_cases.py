"""One function for each thing that a user, an event or a timer can cause."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from services.orders import domain, store
from services.orders.domain import Order, OrderEvent, QuoteAlreadyAccepted, QuoteContradicted, Rules
from shared.api.orders import Advance, NewOrder, ReviewRecorded, SystemActor
from shared.errors import StaleVersion, Unavailable, ValidationFailed
from shared.events.orders import QuoteAccepted
from shared.identity import Caller, Person
from shared.ids import new_id
from shared.mongo import Database
from shared.outbox import sealed

# Each lost race means that somebody else's change was stored, so a dozen is more than an order has steps.
_MOST_RACES: Final = 12

ChangeT = TypeVar("ChangeT", bound=OrderEvent)


async def accept_quote(db: Database, *, quote: NewOrder, caller: Caller, now: datetime) -> tuple[Order, bool]:
    """Make the order of a quote that the caller accepts; tell whether it is new.

    Raises:
        WrongSide, RoleNotSufficient: the caller cannot accept quotes.
        ValidationFailed: there is no such factory, or the deadline is past.
        OrganisationNotKnown: the factory's or the buyer's record has not arrived yet.
        QuoteAlreadyAccepted: by another buyer.
    """
    caller.must_be("buyer")
    caller.must_write()
    existing = await store.find_order_of_quote(db, quote.quote_id)
    if existing is None:
        factory = await store.get_organisation(db, quote.factory_id)
        buyer = await store.get_organisation(db, caller.organisation_id)
        if factory.kind != "factory":
            raise ValidationFailed.at("/factory_id", "is no factory")
        order, created = domain.accept(
            quote,
            order_id=new_id(),
            number=await store.next_number(db, year=now.year),
            buyer=buyer,
            factory=factory,
            by=caller.person,
            accepted_at=now,
            now=now,
        )
        try:
            await store.insert_order(db, order, sealed([created], now=now))
        except store.QuoteTaken:
            existing = await store.find_order_of_quote(db, quote.quote_id)
        else:
            return order, True
    if existing is None or existing.buyer.id != caller.organisation_id:
        raise QuoteAlreadyAccepted("another buyer has accepted this quote")
    return existing, False


async def on_quote_accepted(db: Database, *, quote: QuoteAccepted, now: datetime) -> None:
    """Make the order of a quote that the marketplace says was accepted; once, however often it says so.

    Raises:
        NotAFactory, NotABuyer, ValidationFailed, QuoteContradicted: the event cannot be right.
        OrganisationNotKnown: an organisation's record has not arrived yet.
    """
    existing = await store.find_order_of_quote(db, quote.quote_id)
    if existing is None:
        by: Person | SystemActor = SystemActor()
        if quote.accepted_by:
            name = await store.find_member_name(db, quote.accepted_by)
            by = Person(user_id=quote.accepted_by, name=name or quote.accepted_by, side="buyer")
        order, created = domain.accept(
            quote,
            order_id=new_id(),
            number=await store.next_number(db, year=now.year),
            factory=await store.get_organisation(db, quote.factory_id),
            buyer=await store.get_organisation(db, quote.buyer_id),
            by=by,
            accepted_at=min(quote.accepted_at or now, now),
            now=now,
        )
        try:
            await store.insert_order(db, order, sealed([created], now=now))
        except store.QuoteTaken:
            existing = await store.find_order_of_quote(db, quote.quote_id)
        else:
            return
    if existing is None or not domain.tells_the_same(existing, quote, buyer_id=quote.buyer_id):
        raise QuoteContradicted(
            f"quote {quote.quote_id} was accepted before, with another buyer, factory, product, quantity, price or "
            "deadline; the first order stands"
        )


async def advance(
    db: Database,
    *,
    order_id: str,
    step: Advance,
    caller: Caller,
    expected_version: int | None,
    now: datetime,
    rules: Rules,
) -> Order:
    """Take the factory's next step."""
    return await _change(
        db,
        order_id=order_id,
        caller=caller,
        expected_version=expected_version,
        now=now,
        rule=lambda order: domain.advance(
            order, to=step.to, by=caller, note=step.note, tracking=step.tracking, now=now, rules=rules
        ),
    )


async def confirm_receipt(
    db: Database,
    *,
    order_id: str,
    note: str | None,
    caller: Caller,
    expected_version: int | None,
    now: datetime,
    rules: Rules,
) -> Order:
    """Record that the buyer has the goods."""
    return await _change(
        db,
        order_id=order_id,
        caller=caller,
        expected_version=expected_version,
        now=now,
        rule=lambda order: domain.confirm_receipt(order, by=caller, note=note, now=now, rules=rules),
    )


async def request_receipt(
    db: Database, *, order_id: str, caller: Caller, expected_version: int | None, now: datetime, rules: Rules
) -> Order:
    """Remind the buyer to confirm receipt."""
    return await _change(
        db,
        order_id=order_id,
        caller=caller,
        expected_version=expected_version,
        now=now,
        rule=lambda order: domain.request_receipt(order, by=caller, now=now, rules=rules),
    )


async def extend_receipt(
    db: Database, *, order_id: str, caller: Caller, expected_version: int | None, now: datetime, rules: Rules
) -> Order:
    """Put the automatic receipt off."""
    return await _change(
        db,
        order_id=order_id,
        caller=caller,
        expected_version=expected_version,
        now=now,
        rule=lambda order: domain.extend_receipt(order, by=caller, now=now, rules=rules),
    )


async def record_review(
    db: Database, *, order_id: str, review: ReviewRecorded, now: datetime, rules: Rules
) -> None:
    """Take note of a review, once; the buyer's completes the order."""
    for _ in range(_MOST_RACES):
        order = await store.get_order_for_event(db, order_id)
        changed = domain.record_review(order, review, now=now, rules=rules)
        if changed is None or await _stored(db, order, changed, now=now):
            return
    raise _TooManyRaces


async def fire_timers(db: Database, *, now: datetime, rules: Rules) -> int:
    """Do what has become due by itself; tell how many orders were changed. Safe in many instances at once."""
    count = 0
    for order_id in await store.find_orders_with_due_timers(db, now=now, limit=100):
        order = await store.get_order_for_event(db, order_id)
        changed = domain.fire(order, now=now, rules=rules)
        # Where another instance was faster there is nothing left to do.
        if changed is not None and await _stored(db, order, changed, now=now):
            count += 1
    return count


async def _change(
    db: Database,
    *,
    order_id: str,
    caller: Caller,
    expected_version: int | None,
    now: datetime,
    rule: Callable[[Order], tuple[Order, ChangeT]],
) -> Order:
    for _ in range(_MOST_RACES):
        order = await store.get_order(db, order_id, caller=caller)
        if expected_version is not None and order.version != expected_version:
            raise StaleVersion(current_version=order.version)
        changed = rule(order)
        if await _stored(db, order, changed, now=now):
            return changed[0]
    raise _TooManyRaces


async def _stored(db: Database, before: Order, changed: tuple[Order, OrderEvent], *, now: datetime) -> bool:
    order, event = changed
    try:
        await store.save_order(db, order, sealed([event], now=now), previous_version=before.version)
    except store.VersionTaken:
        return False
    return True


class _TooManyRaces(Unavailable):
    title = "Too many changes at once"

    def __init__(self) -> None:
        super().__init__("others keep changing this order at this moment; try again", retry_after=1)
