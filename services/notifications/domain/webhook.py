"""Webhooks by the Standard Webhooks specification: what is sent, when again, and when no more; pure."""

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from standardwebhooks import Webhook as Signer

from shared.api.webhooks import Attempt, EventType
from shared.errors import Conflict, NotFound

# After each failure, until the next try; over 31 hours in all.
RETRY_DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
# A receiver that does not answer at all is left alone for a while, whatever else waits for it.
_PAUSES: Final = (5, 15, 60, 300)
SECRET_BYTES: Final = 32
OLD_SECRET_LASTS: Final = timedelta(hours=24)
MOST_WEBHOOKS: Final = 20
_GONE: Final = 410

State = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, kw_only=True)
class Secret:
    value: str
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Happened:
    """An event as it was published, for the organisations that it belongs to."""

    id: str
    type: EventType
    body: str
    at: datetime
    heard_at: datetime
    organisations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Webhook:
    id: str
    organisation_id: str
    url: str
    event_types: tuple[EventType, ...]
    secrets: tuple[Secret, ...]
    """The newest first."""
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    silent: int
    """How many times in a row nothing answered."""
    created_at: datetime

    def wants(self, event: Happened) -> bool:
        """Tell whether it is called for an event of one of these organisations, if it is switched on."""
        return (
            self.organisation_id in event.organisations
            and event.type in self.event_types
            and self.created_at <= event.at
        )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    id: str
    webhook_id: str
    organisation_id: str
    event_id: str
    event_type: EventType
    body: str
    state: State
    tries: int
    """Since it was made, or sent again by hand."""
    attempts: tuple[Attempt, ...]
    next_at: datetime | None
    created_at: datetime


class WebhookNotFound(NotFound):
    """No such webhook, or another organisation's: which of the two is not told."""

    title = "No such webhook"


class DeliveryNotFound(NotFound):
    title = "No such delivery"


class TooManyWebhooks(Conflict):
    """An organisation has a handful of systems, not hundreds."""

    title = "Too many webhooks"


class WebhookDisabled(Conflict):
    """Nothing is sent to a webhook that is switched off."""

    title = "The webhook is switched off"


def new_secret(random: bytes) -> str:
    return "whsec_" + base64.b64encode(random).decode()


def rotate(webhook: Webhook, *, secret: str, now: datetime) -> Webhook:
    """Give it a new secret; the one before is signed with too, for a day."""
    previous = replace(webhook.secrets[0], expires_at=now + OLD_SECRET_LASTS)
    return replace(webhook, secrets=(Secret(value=secret, expires_at=None), previous))


def headers(webhook: Webhook, *, event_id: str, body: str, now: datetime) -> dict[str, str]:
    """Sign a request with every secret that is still good, the newest first."""
    good = [secret for secret in webhook.secrets if secret.expires_at is None or secret.expires_at > now]
    signatures = [Signer(secret.value).sign(event_id, now, body) for secret in good]
    return {
        "content-type": "application/json",
        "user-agent": "Millrace-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def is_success(attempt: Attempt) -> bool:
    return attempt.status is not None and 200 <= attempt.status < 300  # noqa: PLR2004


def after_attempt(delivery: Delivery, attempt: Attempt, *, now: datetime) -> Delivery:
    """Note a try, and when the next one is; after the last delay there is none."""
    tried = replace(delivery, tries=delivery.tries + 1, attempts=(*delivery.attempts, attempt)[-20:])
    if is_success(attempt):
        return replace(tried, state="delivered", next_at=None)
    if tried.tries > len(RETRY_DELAYS):
        return replace(tried, state="failed", next_at=None)
    return replace(tried, next_at=now + RETRY_DELAYS[tried.tries - 1])


def again(delivery: Delivery, *, now: datetime) -> Delivery:
    """Send it once more from the beginning, by hand; its id stays."""
    return replace(delivery, state="pending", tries=0, next_at=now)


def judged(webhook: Webhook, attempt: Attempt, *, now: datetime, disable_after: timedelta) -> Webhook:
    """Note how a receiver did; one that failed for days, or says that it is gone, is switched off."""
    if is_success(attempt):
        return replace(webhook, failing_since=None, silent=0)
    failing_since = webhook.failing_since or now
    silent = webhook.silent + 1 if attempt.status is None else 0
    failing = replace(webhook, failing_since=failing_since, silent=silent)
    if attempt.status == _GONE:
        return replace(failing, enabled=False, disabled_reason="the receiver answered 410 Gone")
    if now - failing_since >= disable_after:
        days = disable_after / timedelta(days=1)
        return replace(failing, enabled=False, disabled_reason=f"every try failed for {days:g} days")
    return failing


def pause_of(webhook: Webhook) -> timedelta:
    """Tell how long a receiver that does not answer is left alone."""
    if webhook.silent == 0:
        return timedelta()
    return timedelta(seconds=_PAUSES[min(webhook.silent, len(_PAUSES)) - 1])
