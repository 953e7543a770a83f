"""Writing the mails that wait, from what is true when they leave, and handing them over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Final

import structlog

from services.notifications import mail as channel
from services.notifications.domain import letter, unsubscribing, wording
from services.notifications.domain.letter import Envelope, Item, Links, Told
from services.notifications.domain.mail import Mail
from services.notifications.domain.notification import Notification
from services.notifications.domain.unsubscribing import What
from services.notifications.store import feed, mails, people, support
from shared.api.notifications import Preferences
from shared.api.text import Language
from shared.mongo import Database

log = structlog.get_logger(__name__)

_AGAIN_AFTER: Final = timedelta(minutes=1)
# Servers that do not know a sender yet want to see it come back after a while.
_PUT_OFF: Final = timedelta(minutes=15)
_MOST_ITEMS: Final = 50
_WEBHOOKS: Final = "/settings/webhooks"


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where mails come from, and where their links lead."""

    sender: str
    support_address: str | None
    public_url: str
    secret: str

    def envelope(self, mail: Mail, *, to: str, now: datetime, reply_to: str | None = None) -> Envelope:
        # The same at every try, so that a mailbox can tell a repeat from a second mail.
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        return Envelope(
            sender=self.sender, to=to, message_id=f"<{mail.id}@{domain}>", at=now, reply_to=reply_to
        )

    def links(self, *, user_id: str, what: What) -> Links:
        token = unsubscribing.sign(user_id=user_id, what=what, secret=self.secret)
        return Links(
            settings=f"{self.public_url}/settings/notifications",
            unsubscribe=f"{self.public_url}/api/v1/notifications/unsubscribe?token={token}",
        )


async def send_due(
    db: Database, *, connection: channel.Connection, office: Office, clock: Callable[[], datetime]
) -> int:
    """Send what is due, as long as anything is and the server plays along; tell how many mails went out.

    Raises:
        SMTPException, OSError: the server has trouble; what was in hand is sent later.
    """
    sent = 0
    while mail := await mails.lease_mail(db, support=office.support_address is not None, now=clock()):
        message = await _write(db, mail, office=office, now=clock())
        if message is None and mail.purpose == "support":
            # Its writer's address is still on its way, by an event.
            await mails.postpone(db, mail, until=clock() + _AGAIN_AFTER)
            continue
        if message is None:
            await mails.end(db, mail, state="needless", now=clock())
            continue
        try:
            await connection.send(message)
        except channel.MailRefused as refused:
            log.warning("mail is refused", mail_id=mail.id, code=refused.code)
            await mails.end(db, mail, state="refused", now=clock())
        except channel.MailPutOff:
            await mails.postpone(db, mail, until=clock() + _PUT_OFF)
        except channel.Trouble:
            await mails.postpone(db, mail, until=clock() + _AGAIN_AFTER)
            raise
        else:
            await mails.end(db, mail, state="sent", now=clock())
            sent += 1
    return sent


async def unsubscribe(db: Database, *, token: str, secret: str) -> Language:
    """Switch off the mails that a link names; tell in which language to confirm it.

    Raises:
        UnsubscribeLinkBroken: the link is none of ours.
    """
    user_id, what = unsubscribing.read(token, secret=secret)
    chosen = await people.choices_of(db, user_id)
    await people.save_choices(db, user_id, unsubscribing.without(chosen, what))
    return (await people.preferences_of_user(db, user_id)).language


async def _write(db: Database, mail: Mail, *, office: Office, now: datetime) -> EmailMessage | None:
    """Write a mail as it is true now; `None`: nobody needs it any more."""
    if mail.purpose == "support":
        return await _support_request(db, mail, office=office, now=now)
    member = await people.find_member(db, mail.user_id)
    if member is None:
        return None
    wanted = (await people.preferences_of(db, {mail.user_id: member.organisation_id}))[mail.user_id]
    told = await _what_is_told(db, mail, wanted)
    if not told:
        return None
    what: What = "daily" if mail.purpose == "digest" else told[0].kind
    return letter.notice(
        _items(told, language=wanted.language, office=office),
        is_digest=mail.purpose == "digest",
        name=member.name,
        language=wanted.language,
        links=office.links(user_id=mail.user_id, what=what),
        envelope=office.envelope(mail, to=member.email, now=now),
    )


async def _what_is_told(db: Database, mail: Mail, wanted: Preferences) -> list[Notification]:
    if mail.purpose == "digest" and mail.since and mail.until:
        unread = await feed.find_unread(
            db, mail.user_id, since=mail.since, until=mail.until, limit=_MOST_ITEMS
        )
        return [notification for notification in unread if wanted.kinds[notification.kind].email == "daily"]
    notification = await feed.find_notification(db, mail.about)
    if notification is None or wanted.kinds[notification.kind].email == "off":
        return []
    is_read = notification.read_at is not None or notification.opened_by != mail.opened_by
    return [] if mail.purpose == "messages" and is_read else [notification]


async def _support_request(db: Database, mail: Mail, *, office: Office, now: datetime) -> EmailMessage | None:
    address = await people.find_address(db, mail.user_id)
    if office.support_address is None or address is None:
        return None
    request = await support.get_request(db, mail.about)
    about = [
        ("Reference", request.reference),
        ("From", f"{request.user_name}, {request.organisation_name} ({request.side})"),
        ("User", request.user_id),
        ("Organisation", request.organisation_id),
        ("Order", f"{request.order_number or ''} {request.order_id or ''}".strip() or "none"),
    ]
    return letter.support_request(
        reference=request.reference,
        subject=request.subject,
        text=request.message,
        about=about,
        envelope=office.envelope(mail, to=office.support_address, now=now, reply_to=address),
    )


def _items(told: list[Notification], *, language: Language, office: Office) -> list[Item]:
    """Put together what is about one order, in the order in which the first of each happened."""
    by_order: dict[str | None, list[Told]] = {}
    for notification in told:
        title, body = wording.title_and_body(notification, language=language)
        of_this = by_order.setdefault(notification.order_id, [])
        titles = of_this.pop().titles if of_this and of_this[-1].body == body else ()
        of_this.append(Told(titles=(*titles, title), body=body))
    return [
        Item(
            told=tuple(things),
            url=f"{office.public_url}/orders/{order_id}" if order_id else f"{office.public_url}{_WEBHOOKS}",
            is_order=order_id is not None,
        )
        for order_id, things in by_order.items()
    ]
