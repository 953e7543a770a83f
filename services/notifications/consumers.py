"""Events that notifications hears."""

from typing import Annotated, TypeVar, cast

from services.notifications.domain.mail import Mailing
from services.notifications.domain.webhook import Happened
from services.notifications.store import people
from services.notifications.use_cases import feed, webhooks
from shared import messaging
from shared.api.webhooks import EventType
from shared.clock import utc_now
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.events.base import CloudEvent
from shared.events.chat import MessageRead, MessageSent
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated
from shared.events.reviews import ReviewOpened, ReviewSubmitted
from shared.messaging import EVENTS, Context, queue_for
from shared.mongo import Database

router = messaging.create_router()

Db = Annotated[Database, Context("db")]
CurrentMailing = Annotated[Mailing, Context("mailing")]

OfAnOrder = (
    OrderCreated
    | OrderStatusChanged
    | OrderUpdated
    | OrderOverdue
    | MessageSent
    | MessageRead
    | ReviewOpened
    | ReviewSubmitted
)
FactT = TypeVar("FactT", bound=OfAnOrder)


async def _offer(db: Database, event: CloudEvent[FactT]) -> None:
    """Let both organisations' own systems have it."""
    happened = Happened(
        id=event.id,
        type=cast("EventType", event.type),
        body=event.model_dump_json(),
        at=event.time,
        heard_at=utc_now(),
        organisations=(event.data.buyer_id, event.data.factory_id),
    )
    await db.together(webhooks.offer)(happened)


@router.subscriber(queue_for("notifications", MemberChanged), EVENTS)
async def on_member_changed(event: CloudEvent[MemberChanged], db: Db) -> None:
    """Keep who belongs to which organisation."""
    await people.keep_member(db, event.data)


@router.subscriber(queue_for("notifications", OrganisationChanged), EVENTS)
async def on_organisation_changed(event: CloudEvent[OrganisationChanged], db: Db) -> None:
    """Keep in which language and time zone its members read."""
    await people.keep_organisation(db, event.data)


@router.subscriber(queue_for("notifications", OrderCreated), EVENTS)
async def on_order_created(event: CloudEvent[OrderCreated], db: Db, mailing: CurrentMailing) -> None:
    """Tell the factory of its new order."""
    await _offer(db, event)
    await feed.tell_of_order(db, event=event.data, at=event.time, mailing=mailing, now=utc_now())


@router.subscriber(queue_for("notifications", OrderStatusChanged), EVENTS)
async def on_order_status_changed(
    event: CloudEvent[OrderStatusChanged], db: Db, mailing: CurrentMailing
) -> None:
    """Tell the other side of a step, or both when a timer took it."""
    await _offer(db, event)
    await feed.tell_of_order(db, event=event.data, at=event.time, mailing=mailing, now=utc_now())


@router.subscriber(queue_for("notifications", OrderUpdated), EVENTS)
async def on_order_updated(event: CloudEvent[OrderUpdated], db: Db, mailing: CurrentMailing) -> None:
    """Pass on the reminders."""
    await _offer(db, event)
    await feed.tell_of_order(db, event=event.data, at=event.time, mailing=mailing, now=utc_now())


@router.subscriber(queue_for("notifications", OrderOverdue), EVENTS)
async def on_order_overdue(event: CloudEvent[OrderOverdue], db: Db, mailing: CurrentMailing) -> None:
    """Tell both sides that the deadline has passed."""
    await _offer(db, event)
    await feed.tell_of_order(db, event=event.data, at=event.time, mailing=mailing, now=utc_now())


@router.subscriber(queue_for("notifications", MessageSent), EVENTS)
async def on_message_sent(event: CloudEvent[MessageSent], db: Db, mailing: CurrentMailing) -> None:
    """Tell the other side that it has messages."""
    await _offer(db, event)
    await feed.tell_of_message(db, event=event.data, mailing=mailing, now=utc_now())


@router.subscriber(queue_for("notifications", MessageRead), EVENTS)
async def on_message_read(event: CloudEvent[MessageRead], db: Db) -> None:
    """Take back what was read in the thread itself."""
    await _offer(db, event)
    await feed.note_messages_read(db, event=event.data, now=utc_now())


@router.subscriber(queue_for("notifications", ReviewOpened), EVENTS)
async def on_review_opened(event: CloudEvent[ReviewOpened], db: Db, mailing: CurrentMailing) -> None:
    """Tell a side that it may review."""
    await _offer(db, event)
    await feed.tell_of_review(db, event=event.data, at=event.time, mailing=mailing, now=utc_now())


@router.subscriber(queue_for("notifications", ReviewSubmitted), EVENTS)
async def on_review_submitted(event: CloudEvent[ReviewSubmitted], db: Db, mailing: CurrentMailing) -> None:
    """Tell a side that it was reviewed."""
    await _offer(db, event)
    await feed.tell_of_review(db, event=event.data, at=event.time, mailing=mailing, now=utc_now())
