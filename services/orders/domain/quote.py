"""How an accepted quote becomes an order, whichever door it comes through."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.orders.domain.order import Order, Organisation, facts
from shared.api.orders import HistoryEntry, NewOrder, Party, Status, SystemActor
from shared.errors import Conflict, ValidationFailed
from shared.events.orders import OrderCreated
from shared.identity import Person


class QuoteAlreadyAccepted(Conflict):
    """Another buyer's order stands for this quote."""

    title = "Quote already accepted"


class QuoteContradicted(Conflict):
    """A repeated event tells something else than the order that stands for its quote."""

    title = "Contradicts the order that exists for this quote"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{e['pointer']}: {e['detail']}" for e in errors), errors=errors)


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
        ValidationFailed: an organisation is of the wrong kind, or the deadline was past, in the factory's
            time zone, when the quote was accepted.
    """
    if factory.kind != "factory":
        raise ValidationFailed.at("/factory_id", f"organisation {factory.id} is a {factory.kind}, no factory")
    if buyer.kind != "buyer":
        raise ValidationFailed.at("/buyer_id", f"organisation {buyer.id} is a {buyer.kind}, no buyer")
    today = accepted_at.astimezone(ZoneInfo(factory.time_zone)).date()
    if quote.deadline < today:
        raise ValidationFailed.at(
            "/deadline", f"is in the past: where the factory is ({factory.time_zone}) it is {today}"
        )
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
        **facts(order), quote_id=order.quote_id, quantity=order.quantity, unit=order.unit, total=order.total
    )
    return order, created


def contradictions(order: Order, quote: NewOrder, *, buyer_id: str) -> list[dict[str, str]]:
    """Point at what a repeated event tells differently from the order that its quote made.

    A text that one of both leaves out contradicts nothing.
    """
    return [
        {
            "pointer": f"/data{pointer}",
            "detail": f"is {str(told)[:80]!r}; order {order.number} has {str(known)[:80]!r}",
        }
        for pointer, known, told in _side_by_side(order, quote, buyer_id=buyer_id)
        if known is not None and told is not None and known != told
    ]


def _side_by_side(order: Order, quote: NewOrder, *, buyer_id: str) -> Iterator[tuple[str, Any, Any]]:
    yield "/buyer_id", order.buyer.id, buyer_id
    yield "/factory_id", order.factory.id, quote.factory_id
    for field in ("name", "sku", "specification"):
        yield f"/product/{field}", getattr(order.product, field), getattr(quote.product, field)
    yield "/unit_price/amount", order.unit_price.amount, quote.unit_price.amount
    yield "/unit_price/currency", order.unit_price.currency, quote.unit_price.currency
    for field in ("quantity", "unit", "deadline", "shipping_terms", "destination"):
        yield f"/{field}", getattr(order, field), getattr(quote, field)
