"""Orders as this caller sees them at this moment."""

from datetime import datetime
from typing import Any

from services.orders import domain
from services.orders.domain import Order, OrderHeader, Rules
from shared.api import orders as api
from shared.events.base import rfc3339
from shared.identity import Caller
from shared.money import Money


def order(order: Order, *, caller: Caller, now: datetime, rules: Rules) -> api.Order:
    return api.Order.model_construct(
        id=order.id,
        number=order.number,
        quote_id=order.quote_id,
        version=order.version,
        status=order.status,
        next_status=domain.next_status(order),
        allowed_actions=domain.allowed_actions(order, caller=caller, now=now, rules=rules),
        product=order.product,
        quantity=order.quantity,
        unit=order.unit,
        unit_price=order.unit_price,
        total=order.total,
        deadline=order.deadline,
        shipping_terms=order.shipping_terms,
        destination=order.destination,
        next_automatic_step=order.automatic,
        due=domain.due_of(order, now=now),
        buyer=order.buyer,
        factory=order.factory,
        tracking=order.tracking,
        history=list(order.history),
        created_at=order.created_at,
        updated_at=order.updated_at,
        completed_at=order.completed_at,
    )


def card(order: OrderHeader, *, caller: Caller, now: datetime, rules: Rules) -> dict[str, Any]:
    """Write an `OrderCard` as JSON has it; lists are long, and its model would take most of their time."""
    due = domain.due_of(order, now=now)
    return {
        "id": order.id,
        "number": order.number,
        "version": order.version,
        "product": vars(order.product),
        "counterparty": vars(order.factory if caller.side == "buyer" else order.buyer),
        "quantity": order.quantity,
        "unit": order.unit,
        "unit_price": _money(order.unit_price),
        "total": _money(order.total),
        "deadline": order.deadline,
        "due": vars(due),
        "status": order.status,
        "next_status": domain.next_status(order),
        "allowed_actions": domain.allowed_actions(order, caller=caller, now=now, rules=rules),
        "next_automatic_step": order.automatic and order.automatic.model_dump(mode="json"),
        "tracking": order.tracking and order.tracking.model_dump(mode="json"),
        "created_at": rfc3339(order.created_at),
        "updated_at": rfc3339(order.updated_at),
    }


def _money(amount: Money) -> dict[str, str]:
    return {"amount": format(amount.amount, "f"), "currency": amount.currency}


def completed(order: OrderHeader) -> api.CompletedOrder:
    """Show what a profile shows: never the price, and no specification."""
    return api.CompletedOrder.model_construct(
        id=order.id,
        number=order.number,
        product=api.Product(name=order.product.name, sku=order.product.sku),
        quantity=order.quantity,
        unit=order.unit,
        buyer=order.buyer,
        factory=order.factory,
        created_at=order.created_at,
        completed_at=order.completed_at,  # type: ignore[arg-type] # completed
    )
