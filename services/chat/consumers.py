"""Events that chat hears."""

from typing import Annotated

from services.chat.use_cases import messages
from shared import messaging
from shared.api.chat import ThreadFacts
from shared.clock import utc_now
from shared.events.accounts import OrganisationChanged
from shared.events.base import CloudEvent
from shared.events.chat import MessageSent
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated
from shared.messaging import EVENTS, Context, queue_for
from shared.mongo import Database

router = messaging.create_router()

Db = Annotated[Database, Context("db")]


@router.subscriber(queue_for("chat", OrderCreated), EVENTS)
async def on_order_created(event: CloudEvent[OrderCreated], db: Db) -> None:
    """Begin the order's thread."""
    await messages.bring_up_to_date(db, _facts(event.data), now=utc_now())


@router.subscriber(queue_for("chat", OrderStatusChanged), EVENTS)
async def on_order_status_changed(event: CloudEvent[OrderStatusChanged], db: Db) -> None:
    """Tell of the step in the thread."""
    await messages.bring_up_to_date(db, _facts(event.data), now=utc_now())


@router.subscriber(queue_for("chat", OrderUpdated), EVENTS)
async def on_order_updated(event: CloudEvent[OrderUpdated], db: Db) -> None:
    """Keep up with the order's version."""
    await messages.bring_up_to_date(db, _facts(event.data), now=utc_now())


@router.subscriber(queue_for("chat", OrderOverdue), EVENTS)
async def on_order_overdue(event: CloudEvent[OrderOverdue], db: Db) -> None:
    """Keep up with the order's version."""
    await messages.bring_up_to_date(db, _facts(event.data), now=utc_now())


@router.subscriber(queue_for("chat", OrganisationChanged), EVENTS)
async def on_organisation_changed(event: CloudEvent[OrganisationChanged], db: Db) -> None:
    """Close the threads of an organisation that is closed, and open them again with it."""
    await messages.keep_organisation(db, event.data)


@router.subscriber(queue_for("chat", MessageSent), EVENTS)
async def on_message_sent(event: CloudEvent[MessageSent], db: Db) -> None:
    """Add the message to what its reader's organisation was sent."""
    if event.data.message.sender.side != "system":
        await messages.add_up(db, event.data.order_id)


def _facts(order: OrderCreated | OrderStatusChanged | OrderUpdated | OrderOverdue) -> ThreadFacts:
    tracking = order.tracking if isinstance(order, OrderStatusChanged) else None
    return ThreadFacts(
        order_id=order.order_id,
        number=order.number,
        version=order.version,
        buyer_id=order.buyer_id,
        factory_id=order.factory_id,
        status=order.status,
        sku=order.product.sku,
        tracking_number=tracking.number if tracking else None,
        history=order.history,
    )
