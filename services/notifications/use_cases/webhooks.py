"""An organisation's own systems: what they are told, and what becomes of it."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from services.notifications import webhooks as channel
from services.notifications.domain import webhook as rules
from services.notifications.domain.addresses import AddressRules
from services.notifications.domain.mail import Mailing
from services.notifications.domain.webhook import Delivery, Happened, Secret, Webhook
from services.notifications.store import events, webhooks
from services.notifications.use_cases import feed
from shared.api.webhooks import EVENT_TYPES, NewWebhook, WebhookChanges
from shared.errors import ValidationFailed
from shared.identity import Caller
from shared.ids import new_id
from shared.mongo import Database

log = structlog.get_logger(__name__)

# Longer than a request may take, so that a lease ends only where its holder does.
_LEASE: Final = timedelta(seconds=60)
_TURN: Final = 50


async def offer(db: Database, happened: list[Happened]) -> list[None]:
    """Keep events for those who ask, and have them sent to those who want to be called; once each."""
    await events.keep_events(db, happened)
    enabled = await webhooks.find_enabled(db, {each for event in happened for each in event.organisations})
    for event in happened:
        for webhook in enabled:
            if webhook.wants(event):
                delivery = Delivery(
                    id=new_id(),
                    webhook_id=webhook.id,
                    organisation_id=webhook.organisation_id,
                    event_id=event.id,
                    event_type=event.type,
                    body=event.body,
                    state="pending",
                    tries=0,
                    attempts=(),
                    next_at=event.heard_at,
                    created_at=event.heard_at,
                )
                await webhooks.insert_delivery(db, delivery)
    return [None] * len(happened)


async def create(
    db: Database, *, new: NewWebhook, caller: Caller, addresses: AddressRules, now: datetime
) -> Webhook:
    """Make a webhook with a secret of its own.

    Raises:
        RoleNotSufficient: a viewer only reads.
        ValidationFailed: the URL is none that may be called.
        TooManyWebhooks: the organisation has enough.
    """
    caller.must_write()
    await _check(new.url, addresses)
    if len(await webhooks.find_webhooks(db, caller.organisation_id)) >= rules.MOST_WEBHOOKS:
        raise rules.TooManyWebhooks(f"an organisation has at most {rules.MOST_WEBHOOKS} webhooks")
    webhook = Webhook(
        id=new_id(),
        organisation_id=caller.organisation_id,
        url=new.url,
        event_types=tuple(new.event_types or EVENT_TYPES),
        secrets=(Secret(value=_secret(), expires_at=None),),
        enabled=True,
        disabled_reason=None,
        failing_since=None,
        silent=0,
        created_at=now,
    )
    await webhooks.insert_webhook(db, webhook)
    return webhook


async def change(
    db: Database, *, webhook_id: str, changes: WebhookChanges, caller: Caller, addresses: AddressRules
) -> Webhook:
    """Change a webhook; switched on again, it begins with a clean record.

    Raises:
        WebhookNotFound, RoleNotSufficient: not the caller's to change.
        ValidationFailed: the URL is none that may be called.
    """
    webhook = await _own(db, webhook_id, caller=caller)
    if changes.url is not None:
        await _check(changes.url, addresses)
        webhook = replace(webhook, url=changes.url)
    if changes.event_types is not None:
        webhook = replace(webhook, event_types=tuple(changes.event_types))
    if changes.enabled is not None:
        webhook = replace(
            webhook, enabled=changes.enabled, disabled_reason=None, failing_since=None, silent=0
        )
    await webhooks.save_webhook(db, webhook)
    return webhook


async def rotate_secret(db: Database, *, webhook_id: str, caller: Caller, now: datetime) -> Webhook:
    """Give a webhook a new secret; for a day, requests are signed with the old one too.

    Raises:
        WebhookNotFound, RoleNotSufficient: not the caller's to change.
    """
    webhook = rules.rotate(await _own(db, webhook_id, caller=caller), secret=_secret(), now=now)
    await webhooks.save_webhook(db, webhook)
    return webhook


async def delete(db: Database, *, webhook_id: str, caller: Caller) -> None:
    """Take a webhook away, with the log of what was sent to it.

    Raises:
        WebhookNotFound, RoleNotSufficient: not the caller's to delete.
    """
    await webhooks.delete_webhook(db, await _own(db, webhook_id, caller=caller))


async def redeliver(
    db: Database, *, webhook_id: str, delivery_id: str, caller: Caller, now: datetime
) -> Delivery:
    """Send an event once more, whatever became of it before.

    Raises:
        WebhookNotFound, DeliveryNotFound, RoleNotSufficient: not the caller's to send.
        WebhookDisabled: nothing is sent to this webhook.
    """
    webhook = await _own(db, webhook_id, caller=caller)
    if not webhook.enabled:
        raise rules.WebhookDisabled("switch the webhook on first")
    delivery = rules.again(await webhooks.get_delivery(db, delivery_id, webhook=webhook), now=now)
    await webhooks.save_delivery(db, delivery)
    return delivery


async def lease(db: Database, *, now: datetime) -> Webhook | None:
    """Take the webhook that waits longest for its turn."""
    return await webhooks.lease_webhook(db, now=now, until=now + _LEASE)


async def take_turn(
    db: Database,
    webhook: Webhook,
    *,
    leased_at: datetime,
    sender: channel.Sender,
    clock: Callable[[], datetime],
    disable_after: timedelta,
    mailing: Mailing,
) -> int:
    """Send what is due to a leased webhook, oldest first; tell how many requests that were.

    A receiver that does not answer ends its turn, so that it costs no more than one timeout a pause.
    """
    leased_until, count = leased_at + _LEASE, 0
    for delivery in await webhooks.find_due(db, webhook, now=clock(), limit=_TURN):
        until = clock() + _LEASE
        if not await webhooks.prolong(db, webhook, leased_until=leased_until, until=until):
            return count
        leased_until = until
        attempt = await sender.send(webhook, delivery)
        count += 1
        now = clock()
        await webhooks.save_delivery(db, rules.after_attempt(delivery, attempt, now=now))
        webhook = rules.judged(webhook, attempt, now=now, disable_after=disable_after)
        if not webhook.enabled:
            # Before it is stored, as nobody would come back to tell it after a crash in between.
            log.warning("webhook is switched off", webhook_id=webhook.id, reason=webhook.disabled_reason)
            await feed.tell_of_webhook(db, webhook=webhook, mailing=mailing, now=now)
        await webhooks.save_judgment(db, webhook)
        if attempt.status is None or not webhook.enabled:
            break
    rest_until = clock() + rules.pause_of(webhook)
    await webhooks.end_lease(db, webhook, leased_until=leased_until, rest_until=rest_until)
    return count


async def _own(db: Database, webhook_id: str, *, caller: Caller) -> Webhook:
    webhook = await webhooks.get_webhook(db, webhook_id, caller=caller)
    caller.must_write()
    return webhook


async def _check(url: str, addresses: AddressRules) -> None:
    reason = await channel.why_not(url, rules=addresses)
    if reason:
        raise ValidationFailed.at("/url", reason)


def _secret() -> str:
    return rules.new_secret(secrets.token_bytes(rules.SECRET_BYTES))
