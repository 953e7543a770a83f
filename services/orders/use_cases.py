"""One function for each thing that a user, an event or a timer can cause."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import structlog

from services.orders import domain, store
from services.orders.domain import (
    Order,
    OrderEvent,
    Organisation,
    QuoteAlreadyAccepted,
    QuoteContradicted,
    Rules,
)
from shared.api.orders import Advance, NewOrder, ReviewRecorded, SystemActor
from shared.api.text import tidy
from shared.contact_guard import Context
from shared.contact_refusal import ContactInfoBlocked, refuse_contact_info
from shared.errors import Unavailable, ValidationFailed
from shared.events.accounts import OrganisationChanged
from shared.events.chat import MessageBlocked
from shared.events.orders import QuoteAccepted
from shared.identity import Caller, Person
from shared.ids import new_id
from shared.mongo import Database
from shared.outbox import sealed

log = structlog.get_logger(__name__)

# Each lost race means that somebody else's change was stored, so a dozen is more than an order has steps.
_MOST_RACES: Final = 12


async def accept_quote(db: Database, *, quote: NewOrder, caller: Caller, now: datetime) -> tuple[Order, bool]:
    """Make the order of a quote that the caller accepts; tell whether it is new.

    Raises:
        WrongSide, RoleNotSufficient: the caller cannot accept quotes.
        ValidationFailed: the factory is none, or the deadline is past.
        OrganisationNotKnown: the factory's or the buyer's record has not arrived yet.
        QuoteAlreadyAccepted: by another buyer.
    """
    caller.must_be("buyer")
    caller.must_write()
    order, is_new = await _order_of(
        db, quote=quote, buyer_id=caller.organisation_id, by=caller.person, accepted_at=now, now=now
    )
    if order.buyer.id != caller.organisation_id:
        raise QuoteAlreadyAccepted("another buyer has accepted this quote")
    return order, is_new


async def on_quote_accepted(db: Database, *, quote: QuoteAccepted, now: datetime) -> None:
    """Make the order of a quote that the marketplace says was accepted; once, however often it says so.

    Raises:
        ValidationFailed, QuoteContradicted: the event cannot be right.
        OrganisationNotKnown: an organisation's record has not arrived yet.
    """
    order, is_new = await _order_of(
        db,
        quote=quote,
        buyer_id=quote.buyer_id,
        by=await _accepter(db, quote),
        accepted_at=min(quote.accepted_at or now, now),
        now=now,
    )
    if not is_new and (found := domain.contradictions(order, quote, buyer_id=quote.buyer_id)):
        raise QuoteContradicted(found)


async def _accepter(db: Database, quote: QuoteAccepted) -> Person | SystemActor:
    if quote.accepted_by is None:
        return SystemActor()
    member = await store.find_member(db, quote.accepted_by)
    if member is None:
        # The organisation's name is the best there is for a person of whom nothing has been heard.
        buyer = await store.get_organisation(db, quote.buyer_id)
        return Person(user_id=quote.accepted_by, name=buyer.name, side="buyer")
    if member.organisation_id != quote.buyer_id:
        raise ValidationFailed.at("/accepted_by", f"user {quote.accepted_by} is not of the buyer")
    return Person(user_id=quote.accepted_by, name=member.name, side="buyer")


async def _order_of(
    db: Database,
    *,
    quote: NewOrder,
    buyer_id: str,
    by: Person | SystemActor,
    accepted_at: datetime,
    now: datetime,
) -> tuple[Order, bool]:
    if existing := await store.find_order_of_quote(db, quote.quote_id):
        return existing, False
    factory = await store.get_organisation(db, quote.factory_id)
    buyer = await store.get_organisation(db, buyer_id)
    order, created = domain.accept(
        quote,
        order_id=new_id(),
        number=await store.next_number(db, year=now.year),
        buyer=buyer,
        factory=factory,
        by=by,
        accepted_at=accepted_at,
        now=now,
    )
    try:
        await store.insert_order(db, order, sealed([created], now=now))
    except store.QuoteTaken:
        existing = await store.find_order_of_quote(db, quote.quote_id)
        if existing is None:
            raise
        return existing, False
    for known in (factory, buyer):
        # What changed between reading the record and storing the order has missed the order.
        if (current := await store.get_organisation(db, known.id)) != known:
            await _follow(db, current, now=now)
    return order, True


async def keep_organisation(db: Database, *, record: OrganisationChanged, now: datetime) -> None:
    """Keep an organisation's public record, and let its orders follow its name and time zone.

    Raises:
        ValidationFailed: its time zone is none.
    """
    await store.keep_organisation(db, record)
    if record.version > 1:
        # Also when the record was known: whoever kept it may have been stopped half way.
        await _follow(db, await store.get_organisation(db, record.organisation_id), now=now)


async def _follow(db: Database, organisation: Organisation, *, now: datetime) -> None:
    await _show(db, organisation, now=now)
    # Another instance may have shown a newer record meanwhile, which this one has painted over.
    while (current := await store.get_organisation(db, organisation.id)) != organisation:
        organisation = current
        await _show(db, organisation, now=now)


async def _show(db: Database, organisation: Organisation, *, now: datetime) -> None:
    await store.show_name(db, organisation)
    if organisation.kind == "factory":
        async for order_id in store.find_active_orders_elsewhere(db, organisation):
            await _change_in_the_name_of_an_event(
                db,
                order_id=order_id,
                now=now,
                rule=lambda order: domain.follow_time_zone(order, time_zone=organisation.time_zone, now=now),
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
        now=now,
        note=step.note,
        rule=lambda order: domain.advance(
            order,
            to=step.to,
            by=caller,
            expected_version=expected_version,
            note=_kept(step.note),
            tracking=step.tracking,
            now=now,
            rules=rules,
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
        now=now,
        note=note,
        rule=lambda order: domain.confirm_receipt(
            order, by=caller, expected_version=expected_version, note=_kept(note), now=now, rules=rules
        ),
    )


async def request_receipt(
    db: Database, *, order_id: str, caller: Caller, expected_version: int | None, now: datetime, rules: Rules
) -> Order:
    """Remind the buyer to confirm receipt."""
    return await _change(
        db,
        order_id=order_id,
        caller=caller,
        now=now,
        rule=lambda order: domain.request_receipt(
            order, by=caller, expected_version=expected_version, now=now, rules=rules
        ),
    )


async def extend_receipt(
    db: Database, *, order_id: str, caller: Caller, expected_version: int | None, now: datetime, rules: Rules
) -> Order:
    """Put the automatic receipt off."""
    return await _change(
        db,
        order_id=order_id,
        caller=caller,
        now=now,
        rule=lambda order: domain.extend_receipt(
            order, by=caller, expected_version=expected_version, now=now, rules=rules
        ),
    )


async def record_review(
    db: Database, *, order_id: str, review: ReviewRecorded, now: datetime, rules: Rules
) -> None:
    """Take note of a review, once; the buyer's completes the order."""
    await _change_in_the_name_of_an_event(
        db,
        order_id=order_id,
        now=now,
        rule=lambda order: domain.record_review(order, review, now=now, rules=rules),
    )


async def fire_timers(db: Database, *, now: datetime, rules: Rules, limit: int = 100) -> int:
    """Do what has become due by itself; tell how many orders were changed. Safe in many instances at once."""
    count = 0
    for order_id in await store.find_orders_with_due_timers(db, now=now, limit=limit):
        try:
            order = await store.get_order_for_event(db, order_id)
            fired = domain.fire(order, now=now, rules=rules)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            log.error("an order's timer cannot be read", order_id=order_id, cause=repr(error))  # noqa: TRY400 - it comes again every second
            continue
        # Where another instance was faster there is nothing left to do.
        if fired is not None and await _stored(db, order, *fired, now=now):
            count += 1
    return count


async def _change(
    db: Database,
    *,
    order_id: str,
    caller: Caller,
    now: datetime,
    rule: Callable[[Order], tuple[Order, OrderEvent]],
    note: str | None = None,
) -> Order:
    for _ in range(_MOST_RACES):
        order = await store.get_order(db, order_id, caller=caller)
        changed, event = rule(order)
        if kept := _kept(note):
            await _refuse_contact_info(db, changed, kept, submitted=note, caller=caller, now=now)
        if await _stored(db, order, changed, (event,), now=now):
            return changed
    raise _TooManyRaces


def _kept(note: str | None) -> str | None:
    return tidy(note or "") or None


async def _refuse_contact_info(
    db: Database, order: Order, note: str, *, submitted: str | None, caller: Caller, now: datetime
) -> None:
    known = [order.number, order.quote_id, order.product.sku, order.tracking and order.tracking.number]
    try:
        refuse_contact_info(
            note,
            pointer="/note",
            context=Context(known=tuple(text for text in known if text)),
            submitted=submitted,
        )
    except ContactInfoBlocked as refusal:
        blocked = MessageBlocked(
            order_id=order.id,
            buyer_id=order.buyer.id,
            factory_id=order.factory.id,
            user_id=caller.user_id,
            where="note",
            kinds=refusal.kinds,
            rules=refusal.rules,
        )
        await store.insert_block(db, sealed([blocked], now=now), now=now)
        raise


async def _change_in_the_name_of_an_event(
    db: Database,
    *,
    order_id: str,
    now: datetime,
    rule: Callable[[Order], tuple[Order, OrderEvent] | None],
) -> None:
    for _ in range(_MOST_RACES):
        order = await store.get_order_for_event(db, order_id)
        changed = rule(order)
        if changed is None or await _stored(db, order, changed[0], (changed[1],), now=now):
            return
    raise _TooManyRaces


async def _stored(
    db: Database, before: Order, order: Order, events: Iterable[OrderEvent], *, now: datetime
) -> bool:
    try:
        await store.save_order(db, order, sealed(events, now=now), previous_version=before.version)
    except store.VersionTaken:
        return False
    return True


class _TooManyRaces(Unavailable):
    title = "Too many changes at once"

    def __init__(self) -> None:
        super().__init__("others keep changing this order at this moment; try again", retry_after=1)
