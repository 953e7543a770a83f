"""A process that stores twenty orders and is killed before it publishes their events."""

import asyncio
import os
import signal

from services.orders import store, use_cases
from services.orders.main import Settings
from shared import messaging, service
from shared.api.orders import NewOrder
from shared.clock import utc_now
from shared.settings import load
from tests.orders.builders import a_caller, a_quote, a_record


async def main() -> None:
    settings = load(Settings)
    broker = messaging.create_broker(url=settings.amqp_url)
    async with (
        service.database(name="orders", settings=settings, broker=broker, outbox_of=(store.ORDERS,)) as db,
        messaging.connected(broker),
    ):
        await store.ensure_indexes(db)
        for side in ("factory", "buyer"):
            await use_cases.keep_organisation(db, record=a_record(side), now=utc_now())
        for _ in range(20):
            quote = NewOrder.model_validate(a_quote())
            await use_cases.accept_quote(db, quote=quote, caller=a_caller(), now=utc_now())
        os.kill(os.getpid(), signal.SIGKILL)


asyncio.run(main())
