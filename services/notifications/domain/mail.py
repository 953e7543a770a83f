"""Which mail a notification causes, and when; pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from services.notifications.domain.notification import Notification
from shared.api.notifications import Preferences

# What happens after seven is in the next morning's mail: the hour is for events that come late.
_DIGEST_CLOSES: Final = time(7)
_DIGEST_LEAVES: Final = time(8)

Purpose = Literal["notification", "messages", "digest", "support"]


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """What an operator sets."""

    enabled: bool
    unread_after: timedelta
    """How long messages may wait unread before a mail tells of them."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail that waits: what it will say is found when it leaves."""

    key: str
    """Names what it is about: there is never a second one."""
    purpose: Purpose
    user_id: str
    about: str
    """Of the notification or the support request; of a digest, the day."""
    opened_by: int | None = None
    """The message that made the notification unread, for mails about messages."""
    since: datetime | None = None
    until: datetime | None = None
    """What a digest covers."""
    due_at: datetime
    id: str = ""


def mail_of(
    notification: Notification,
    wanted: Preferences,
    *,
    mailing: Mailing,
    told_at: datetime,
) -> Mail | None:
    """Tell which mail its reader wants of a notification; `None`: none."""
    choice = wanted.kinds[notification.kind].email
    if not mailing.enabled or choice == "off":
        return None
    if choice == "daily":
        return digest(user_id=notification.user_id, at=told_at, time_zone=wanted.time_zone)
    if notification.opened_by is not None:
        return Mail(
            key=f"messages:{notification.id}:{notification.opened_by}",
            purpose="messages",
            user_id=notification.user_id,
            about=notification.id,
            opened_by=notification.opened_by,
            due_at=told_at + mailing.unread_after,
        )
    return Mail(
        key=f"notification:{notification.id}",
        purpose="notification",
        user_id=notification.user_id,
        about=notification.id,
        due_at=told_at,
    )


def digest(*, user_id: str, at: datetime, time_zone: str) -> Mail:
    """Name the daily mail that tells of this moment; by the clock on its reader's wall."""
    zone = ZoneInfo(time_zone)
    local = at.astimezone(zone)
    day = local.date() if local.time() < _DIGEST_CLOSES else local.date() + timedelta(days=1)
    return Mail(
        key=f"digest:{user_id}:{day.isoformat()}",
        purpose="digest",
        user_id=user_id,
        about=day.isoformat(),
        since=_closing(day - timedelta(days=1), zone),
        until=_closing(day, zone),
        due_at=datetime.combine(day, _DIGEST_LEAVES, zone),
    )


def _closing(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, _DIGEST_CLOSES, zone)
