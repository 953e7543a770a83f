"""An order as a document, and back."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from bson.decimal128 import Decimal128

from services.orders import domain
from services.orders.domain import Order, OrderHeader
from services.orders.store import search
from shared.api.orders import HistoryEntry, NextStep, Party, Product, Status, Tracking
from shared.identity import Side
from shared.money import Money
from shared.mongo import Document

# What readers of whole orders never need, and what readers of headers need.
HIDDEN: Final = {"search_buyer": 0, "search_factory": 0, "outbox": 0}
HEADER: Final = dict.fromkeys(
    (
        *("number", "version", "status", "product", "quantity", "unit", "unit_price", "total", "deadline"),
        *("time_zone", "buyer_id", "buyer_name", "factory_id", "factory_name", "tracking", "automatic"),
        *("extended_by", "reviewed_by", "receipt_requested_at", "created_at", "updated_at", "completed_at"),
    ),
    1,
)


def to_document(order: Order) -> Document:
    """Write a new order."""
    return {
        "_id": order.id,
        "number": order.number,
        "quote_id": order.quote_id,
        "product": order.product.model_dump(),
        "quantity": order.quantity,
        "unit": order.unit,
        "unit_price": _money_document(order.unit_price),
        "total": _money_document(order.total),
        "deadline": order.deadline.isoformat(),
        "shipping_terms": order.shipping_terms,
        "destination": order.destination,
        "buyer_id": order.buyer.id,
        "factory_id": order.factory.id,
        "created_at": order.created_at,
        **name_fields(order, side="buyer", name=order.buyer.name),
        **name_fields(order, side="factory", name=order.factory.name),
        **{name: value for name, value in changing_fields(order).items() if value is not None},
    }


def changing_fields(order: Order) -> Document:
    """Write what changes with an order's version; `None` for what it does not have."""
    return {
        "version": order.version,
        "status": order.status.value,
        "active": order.status is not Status.COMPLETED,
        "time_zone": order.time_zone,
        "due_soon_at": domain.due_soon_at(order),
        "overdue_at": domain.overdue_at(order),
        "tracking": order.tracking.model_dump() if order.tracking else None,
        "history": [entry.model_dump() | {"status": entry.status.value} for entry in order.history],
        "automatic": {"to": order.automatic.to.value, "at": order.automatic.at} if order.automatic else None,
        "extended_by": sorted(order.extended_by),
        "reviewed_by": sorted(order.reviewed_by),
        "receipt_requested_at": order.receipt_requested_at,
        "fired": sorted(order.fired),
        "next_timer_at": domain.next_timer_at(order),
        "on_time": domain.on_time(order),
        "updated_at": order.updated_at,
        "completed_at": order.completed_at,
    }


def name_fields(order: Order, *, side: Side, name: str) -> Document:
    """Write the name of one side, and how the other side finds the order by it.

    Names are their organisation's, not the order's: they change without a version of the order.
    """
    other = "factory" if side == "buyer" else "buyer"
    texts = [order.number, order.product.name, order.product.sku, name]
    return {f"{side}_name": name, f"search_{other}": search.document(texts)}


def from_document(found: Document) -> Order:
    return Order(
        **_header_fields(found),
        quote_id=found["quote_id"],
        shipping_terms=found.get("shipping_terms"),
        destination=found.get("destination"),
        history=tuple(HistoryEntry.model_validate(entry) for entry in found["history"]),
        fired=frozenset(found["fired"]),
    )


def header_from_document(found: Document) -> OrderHeader:
    return OrderHeader(**_header_fields(found))


def _header_fields(found: Document) -> dict[str, Any]:
    return {
        "id": found["_id"],
        "number": found["number"],
        "version": found["version"],
        "status": Status(found["status"]),
        "product": Product.model_construct(**found["product"]),
        "quantity": found["quantity"],
        "unit": found["unit"],
        "unit_price": money(found["unit_price"]),
        "total": money(found["total"]),
        "deadline": date.fromisoformat(found["deadline"]),
        "time_zone": found["time_zone"],
        "buyer": _party(found["buyer_id"], found["buyer_name"]),
        "factory": _party(found["factory_id"], found["factory_name"]),
        "tracking": Tracking.model_validate(found["tracking"]) if found.get("tracking") else None,
        "automatic": _next_step(found.get("automatic")),
        "extended_by": frozenset(found["extended_by"]),
        "reviewed_by": frozenset(found["reviewed_by"]),
        "receipt_requested_at": found.get("receipt_requested_at"),
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "completed_at": found.get("completed_at"),
    }


# The same parties and prices are read again and again, and a list has many of them: they are made once.
@lru_cache(10_000)
def _party(party_id: str, name: str) -> Party:
    return Party(id=party_id, name=name)


def money(found: Document) -> Money:
    return _money(found["amount"].bid, found["currency"])


@lru_cache(10_000)
def _money(amount: bytes, currency: str) -> Money:
    return Money.model_construct(amount=_decimal(amount), currency=currency)


def _decimal(bid: bytes) -> Decimal:
    # A tenth of what `to_decimal` takes, which was most of reading an order. Sign, exponent and
    # coefficient stand so for all numbers of up to 34 digits; others are never stored.
    bits = int.from_bytes(bid, "little")
    sign, exponent, coefficient = bits >> 127, (bits >> 113 & 0x3FFF) - 6176, bits & (1 << 113) - 1
    return Decimal(f"{'-' if sign else ''}{coefficient}E{exponent}")


def _next_step(found: Document | None) -> NextStep | None:
    return NextStep.model_validate(found) if found else None


def _money_document(amount: Money) -> Document:
    return {"amount": Decimal128(amount.amount), "currency": amount.currency}
