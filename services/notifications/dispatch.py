"""Loops that send what waits, as long as the service runs; many instances share the work by leases."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from services.notifications import mail as mail_channel
from services.notifications import webhooks as webhook_channel
from services.notifications.domain.addresses import AddressRules
from services.notifications.domain.mail import Mailing
from services.notifications.domain.webhook import Webhook
from services.notifications.store import mails
from services.notifications.use_cases import mail, webhooks
from services.notifications.use_cases.mail import Office
from shared.clock import utc_now
from shared.mongo import Database

log = structlog.get_logger(__name__)

_LOOK_EVERY: Final = 0.25
_LONGEST_PAUSE: Final = 60.0
# Each waits for a receiver most of the time, so that many that hang leave room for the others.
_MOST_TURNS: Final = 200


async def send_mails(db: Database, *, url: str, office: Office) -> None:
    """Send mails over one connection while any are due; a server in trouble is asked again later and later."""
    support, pause = office.support_address is not None, _LOOK_EVERY
    while True:
        await asyncio.sleep(pause)
        if not await mails.is_any_due(db, support=support, now=utc_now()):
            continue
        try:
            async with mail_channel.connected(url) as connection:
                await mail.send_due(db, connection=connection, office=office, clock=utc_now)
            pause = _LOOK_EVERY
        except mail_channel.Trouble as error:
            pause = min(max(pause * 2, 1.0), _LONGEST_PAUSE)
            log.warning("mail server has trouble", cause=type(error).__name__, again_after=pause)


async def call_webhooks(
    db: Database, *, rules: AddressRules, answer_within: timedelta, disable_after: timedelta, mailing: Mailing
) -> None:
    """Serve the webhooks that something is due to, side by side."""
    slots = asyncio.Semaphore(_MOST_TURNS)

    async def turn(webhook: Webhook, leased_at: datetime, sender: webhook_channel.Sender) -> None:
        try:
            await webhooks.take_turn(
                db,
                webhook,
                leased_at=leased_at,
                sender=sender,
                clock=utc_now,
                disable_after=disable_after,
                mailing=mailing,
            )
        except Exception as error:  # noqa: BLE001 - its lease ends, and another turn begins
            log.warning("turn of a webhook failed", webhook_id=webhook.id, cause=repr(error))
        finally:
            slots.release()

    async with (
        webhook_channel.sender(rules=rules, within=answer_within.total_seconds(), clock=utc_now) as sender,
        asyncio.TaskGroup() as turns,
    ):
        while True:
            await slots.acquire()
            now = utc_now()
            webhook = await webhooks.lease(db, now=now)
            if webhook:
                turns.create_task(turn(webhook, now, sender))
            else:
                slots.release()
                await asyncio.sleep(_LOOK_EVERY)
