"""Telling people what happened, in the feed of each."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from services.notifications import views
from services.notifications.domain import facts
from services.notifications.domain.facts import Draft, OrderFact
from services.notifications.domain.mail import Mailing, mail_of
from services.notifications.domain.notification import Notification, Recipient
from services.notifications.domain.webhook import Webhook
from services.notifications.store import feed, mails, orders, people
from shared.api.notifications import MarkRead, Preferences
from shared.events.chat import MessageRead, MessageSent
from shared.events.notifications import NotificationCreated
from shared.events.reviews import ReviewOpened, ReviewSubmitted
from shared.identity import Caller, Side
from shared.ids import new_id
from shared.mongo import Database
from shared.outbox import Sealed, sealed


async def tell_of_order(
    db: Database, *, event: OrderFact, at: datetime, mailing: Mailing, now: datetime
) -> None:
    """Tell of an order's event, once, whom it concerns.

    Raises:
        MembersNotKnown: nobody of an organisation is known yet.
    """
    await orders.keep_order(db, facts.known_order(event), version=event.version)
    draft = facts.draft_of_order_event(event, at=at)
    if draft:
        await _tell(db, draft, mailing=mailing, now=now)


async def tell_of_review(
    db: Database, *, event: ReviewOpened | ReviewSubmitted, at: datetime, mailing: Mailing, now: datetime
) -> None:
    """Tell a side that it may review, or that it was reviewed.

    Raises:
        OrderNotKnown, MembersNotKnown: an earlier event is still on its way.
    """
    order = await orders.get_order(db, event.order_id)
    await _tell(db, facts.draft_of_review_event(event, order=order, at=at), mailing=mailing, now=now)


async def tell_of_message(db: Database, *, event: MessageSent, mailing: Mailing, now: datetime) -> None:
    """Count a message in the one notification that each of its readers has for the order.

    Raises:
        OrderNotKnown, MembersNotKnown: an earlier event is still on its way.
    """
    side = event.message.sender.side
    if side == "system":  # such a line is told of by the event that it is about
        return
    draft = facts.draft_of_message(event, order=await orders.get_order(db, event.order_id), side=side)
    for side, recipient, wanted in await _readers(db, draft):
        notification = _written(draft, side=side, recipient=recipient)
        listed = wanted.kinds[draft.kind].in_app
        told = partial(_told, wanted=wanted, now=now)
        seq = event.message.seq
        opened = await feed.add_message(db, notification, events_of=told, seq=seq, listed=listed, now=now)
        if opened:
            opener = replace(notification, id=opened.id, opened_by=seq)
            mail = mail_of(opener, wanted, mailing=mailing, told_at=opened.told_at)
            if mail:
                await mails.insert_mail(db, mail)


async def note_messages_read(db: Database, *, event: MessageRead, now: datetime) -> None:
    """Take back what the reader of a thread has now seen there.

    Raises:
        OrderNotKnown: an earlier event is still on its way.
    """
    order = await orders.get_order(db, event.order_id)
    reader = Notification(
        id=new_id(),
        key=f"{event.order_id}:messages:{event.user_id}",
        user_id=event.user_id,
        organisation_id=order.organisation(event.side),
        side=event.side,
        kind="message_received",
        order_id=event.order_id,
        facts=order.facts,
        count=0,
        created_at=now,
        read_at=None,
    )
    await feed.clear_messages(db, reader, up_to=event.up_to)


async def tell_of_webhook(db: Database, *, webhook: Webhook, mailing: Mailing, now: datetime) -> None:
    """Tell those who look after webhooks that one was switched off."""
    known = await people.recipients(db, webhook.organisation_id, at=now, doer=None)
    keepers = [recipient for recipient in known if recipient.role != "viewer"]
    wanted = await people.preferences_of(db, {keeper.user_id: keeper.organisation_id for keeper in keepers})
    for keeper in keepers:
        notification = Notification(
            id=new_id(),
            key=f"{webhook.id}:disabled:{webhook.failing_since}:{keeper.user_id}",
            user_id=keeper.user_id,
            organisation_id=keeper.organisation_id,
            side=None,
            kind="webhook_disabled",
            order_id=None,
            facts={"host": urlsplit(webhook.url).hostname},
            count=1,
            created_at=now,
            read_at=None,
        )
        await _put(db, notification, wanted[keeper.user_id], mailing=mailing, now=now)


async def mark_read(db: Database, *, which: MarkRead, caller: Caller, now: datetime) -> int:
    """Mark some of the caller's notifications as read, or all; tell how many are still unread."""
    await feed.mark_read(db, caller.user_id, ids=which.ids, now=now)
    return await feed.unread(db, caller.user_id)


async def _tell(db: Database, draft: Draft, *, mailing: Mailing, now: datetime) -> None:
    for side, recipient, wanted in await _readers(db, draft):
        await _put(db, _written(draft, side=side, recipient=recipient), wanted, mailing=mailing, now=now)


async def _put(
    db: Database, notification: Notification, wanted: Preferences, *, mailing: Mailing, now: datetime
) -> None:
    listed = wanted.kinds[notification.kind].in_app
    events = _told(notification, wanted=wanted, now=now)
    stored = await feed.insert_notification(db, notification, events, listed=listed, now=now)
    # Also when it was there already: whoever stored it may have died before this line.
    mail = mail_of(replace(notification, id=stored.id), wanted, mailing=mailing, told_at=stored.told_at)
    if mail:
        await mails.insert_mail(db, mail)


async def _readers(db: Database, draft: Draft) -> list[tuple[Side, Recipient, Preferences]]:
    found = [
        (side, recipient)
        for side in draft.sides
        for recipient in await people.recipients(
            db, draft.order.organisation(side), at=draft.at, doer=draft.doer
        )
    ]
    wanted = await people.preferences_of(
        db, {recipient.user_id: recipient.organisation_id for _, recipient in found}
    )
    return [(side, recipient, wanted[recipient.user_id]) for side, recipient in found]


def _written(draft: Draft, *, side: Side, recipient: Recipient) -> Notification:
    return Notification(
        id=new_id(),
        key=f"{draft.key}:{recipient.user_id}",
        user_id=recipient.user_id,
        organisation_id=recipient.organisation_id,
        side=side,
        kind=draft.kind,
        order_id=draft.order.id,
        facts=draft.facts,
        count=1,
        created_at=draft.at,
        read_at=None,
    )


def _told(notification: Notification, *, wanted: Preferences, now: datetime) -> Sealed:
    if not wanted.kinds[notification.kind].in_app:
        return sealed([], now=now)
    created = NotificationCreated(
        user_id=notification.user_id,
        organisation_id=notification.organisation_id,
        notification=views.notification(notification, language=wanted.language),
    )
    return sealed([created], now=now)
