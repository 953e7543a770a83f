"""An order as a document, and back."""

from datetime import date
from decimal import Decimal
from typing import Final

from bson.decimal128 import Decimal128

from services.orders import domain
from services.orders.domain import Order
from services.orders.store import search
from shared.api.orders import HistoryEntry, NextStep, Party, Product, Status, Tracking
from shared.identity import Side
from shared.money import Money
from shared.mongo import Document

# What readers of whole orders never need.
HIDDEN: Final = {"search_buyer": 0, "search_factory": 0, "outbox": 0}


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
        id=found["_id"],
        number=found["number"],
        quote_id=found["quote_id"],
        version=found["version"],
        status=Status(found["status"]),
        product=Product.model_construct(**found["product"]),
        quantity=found["quantity"],
        unit=found["unit"],
        unit_price=money(found["unit_price"]),
        total=money(found["total"]),
        deadline=date.fromisoformat(found["deadline"]),
        time_zone=found["time_zone"],
        shipping_terms=found.get("shipping_terms"),
        destination=found.get("destination"),
        # Where there is little to check, pydantic checks faster than `model_construct` does without.
        buyer=Party(id=found["buyer_id"], name=found["buyer_name"]),
        factory=Party(id=found["factory_id"], name=found["factory_name"]),
        tracking=Tracking.model_validate(found["tracking"]) if found.get("tracking") else None,
        history=tuple(HistoryEntry.model_validate(entry) for entry in found["history"]),
        automatic=_next_step(found.get("automatic")),
        extended_by=frozenset(found["extended_by"]),
        reviewed_by=frozenset(found["reviewed_by"]),
        receipt_requested_at=found.get("receipt_requested_at"),
        fired=frozenset(found["fired"]),
        created_at=found["created_at"],
        updated_at=found["updated_at"],
        completed_at=found.get("completed_at"),
    )


def money(found: Document) -> Money:
    return Money.model_construct(amount=_decimal(found["amount"]), currency=found["currency"])


def _decimal(found: Decimal128) -> Decimal:
    # A tenth of what `to_decimal` takes, which was most of reading an order. Sign, exponent and
    # coefficient stand so for all numbers of up to 34 digits; others are never stored.
    bits = int.from_bytes(found.bid, "little")
    sign, exponent, coefficient = bits >> 127, (bits >> 113 & 0x3FFF) - 6176, bits & (1 << 113) - 1
    return Decimal(f"{'-' if sign else ''}{coefficient}E{exponent}")


def _next_step(found: Document | None) -> NextStep | None:
    return NextStep.model_validate(found) if found else None


def _money_document(amount: Money) -> Document:
    return {"amount": Decimal128(amount.amount), "currency": amount.currency}
