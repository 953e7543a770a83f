"""Orders as this caller sees them at this moment."""

from datetime import datetime

from services.orders import domain
from services.orders.domain import Order, Rules
from shared.api import orders as api
from shared.identity import Caller


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


def card(order: Order, *, caller: Caller, now: datetime, rules: Rules) -> api.OrderCard:
    return api.OrderCard.model_construct(
        id=order.id,
        number=order.number,
        version=order.version,
        product=order.product,
        counterparty=order.factory if caller.side == "buyer" else order.buyer,
        quantity=order.quantity,
        unit=order.unit,
        unit_price=order.unit_price,
        total=order.total,
        deadline=order.deadline,
        due=domain.due_of(order, now=now),
        status=order.status,
        next_status=domain.next_status(order),
        allowed_actions=domain.allowed_actions(order, caller=caller, now=now, rules=rules),
        next_automatic_step=order.automatic,
        tracking=order.tracking,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )


def completed(order: Order) -> api.CompletedOrder:
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
