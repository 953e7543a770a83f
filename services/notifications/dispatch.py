"""Loops that send what waits, as long as the service runs; many instances share the work by leases."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from services.notifications import webhooks as channel
from services.notifications.domain.addresses import AddressRules
from services.notifications.domain.webhook import Webhook
from services.notifications.use_cases import webhooks
from shared.clock import utc_now
from shared.mongo import Database

log = structlog.get_logger(__name__)

_LOOK_EVERY: Final = 0.25
# Each waits for a receiver most of the time, so that many that hang leave room for the others.
_MOST_TURNS: Final = 200


async def call_webhooks(
    db: Database,
    *,
    rules: AddressRules,
    answer_within: timedelta,
    disable_after: timedelta,
) -> None:
    """Serve the webhooks that something is due to, side by side."""
    slots = asyncio.Semaphore(_MOST_TURNS)

    async def turn(webhook: Webhook, leased_at: datetime, sender: channel.Sender) -> None:
        try:
            await webhooks.take_turn(
                db, webhook, leased_at=leased_at, sender=sender, clock=utc_now, disable_after=disable_after
            )
        except Exception as error:  # noqa: BLE001 - its lease ends, and another turn begins
            log.warning("turn of a webhook failed", webhook_id=webhook.id, cause=repr(error))
        finally:
            slots.release()

    async with (
        channel.sender(rules=rules, within=answer_within.total_seconds(), clock=utc_now) as sender,
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
