"""Events that reviews hears."""

from typing import Annotated

from services.reviews import store, use_cases
from shared import messaging
from shared.clock import utc_now
from shared.events.accounts import OrganisationChanged
from shared.events.base import CloudEvent
from shared.events.orders import OrderStatusChanged
from shared.messaging import EVENTS, Context, queue_for
from shared.mongo import Database

router = messaging.create_router()

Db = Annotated[Database, Context("db")]


@router.subscriber(queue_for("reviews", OrderStatusChanged), EVENTS)
async def on_order_status_changed(event: CloudEvent[OrderStatusChanged], db: Db) -> None:
    """Open the buyer's review on delivery and the factory's on completion."""
    await use_cases.open_reviews(db, order=event.data, now=utc_now())


@router.subscriber(queue_for("reviews", OrganisationChanged), EVENTS)
async def on_organisation_changed(event: CloudEvent[OrganisationChanged], db: Db) -> None:
    """Keep names."""
    await store.keep_name(
        db, organisation_id=event.data.organisation_id, version=event.data.version, name=event.data.name
    )
