"""Events that orders hears."""

from typing import Annotated

from services.orders import store, use_cases
from services.orders.domain import Rules
from shared import messaging
from shared.api.orders import ReviewRecorded
from shared.clock import utc_now
from shared.errors import ValidationFailed
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.events.base import CloudEvent
from shared.events.orders import QuoteAccepted
from shared.events.reviews import ReviewSubmitted
from shared.messaging import EVENTS, Context, queue_for
from shared.mongo import Database

router = messaging.create_router()

Db = Annotated[Database, Context("db")]


@router.subscriber(queue_for("orders", QuoteAccepted), EVENTS)
async def on_quote_accepted(event: CloudEvent[QuoteAccepted], db: Db) -> None:
    """Begin the order of a quote that was accepted in the marketplace's quoting system."""
    try:
        await use_cases.on_quote_accepted(db, quote=event.data, now=utc_now())
    except ValidationFailed as refusal:
        # Integrators read the cause beside the whole event, where all of it is below `data`.
        raise refusal.below("/data") from refusal


@router.subscriber(queue_for("orders", ReviewSubmitted), EVENTS)
async def on_review_submitted(
    event: CloudEvent[ReviewSubmitted], db: Db, rules: Annotated[Rules, Context("rules")]
) -> None:
    """Complete the order that its buyer reviewed."""
    review = ReviewRecorded(
        by_side=event.data.by_side, user_id=event.data.user_id, user_name=event.data.user_name
    )
    await use_cases.record_review(db, order_id=event.data.order_id, review=review, now=utc_now(), rules=rules)


@router.subscriber(queue_for("orders", OrganisationChanged), EVENTS)
async def on_organisation_changed(event: CloudEvent[OrganisationChanged], db: Db) -> None:
    """Keep names and time zones."""
    await use_cases.keep_organisation(db, record=event.data, now=utc_now())


@router.subscriber(queue_for("orders", MemberChanged), EVENTS)
async def on_member_changed(event: CloudEvent[MemberChanged], db: Db) -> None:
    """Keep the names of people, for quotes that were accepted elsewhere."""
    await store.keep_member(db, event.data)
