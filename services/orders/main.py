"""The orders service."""

import asyncio
from datetime import timedelta

from fastapi import FastAPI
from pydantic import Field

from services.orders import api, consumers, store, use_cases
from services.orders.domain import Rules
from shared import service
from shared.clock import utc_now
from shared.mongo import Database
from shared.settings import Settings as SharedSettings
from shared.settings import load

_TIMERS_AT_ONCE = 100


class Settings(SharedSettings):
    """Durations are ISO 8601 (`P30D`, `PT10M`)."""

    port: int = Field(default=8081, description="port to listen on")
    receipt_after: timedelta = Field(
        default=timedelta(days=30), description="receipt counts as confirmed this long after shipping"
    )
    receipt_extension: timedelta = Field(
        default=timedelta(days=15), description="what each side may once add to that"
    )
    completion_after: timedelta = Field(
        default=timedelta(days=14),
        description="an order without a review is completed this long after delivery",
    )
    chat_open_after_completion: timedelta = Field(
        default=timedelta(days=90), description="a completed order's chat takes messages this long"
    )
    timers_every: timedelta = Field(
        default=timedelta(seconds=1), description="how often an instance looks for timers that are due"
    )


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    rules = Rules(
        receipt_after=settings.receipt_after,
        receipt_extension=settings.receipt_extension,
        completion_after=settings.completion_after,
        request_every=timedelta(hours=24),
        chat_open_after_completion=settings.chat_open_after_completion,
    )

    async def fire_timers(db: Database) -> None:
        while True:
            # Many deadlines share one midnight: as long as there are more, there is no pause.
            while await use_cases.fire_timers(db, now=utc_now(), rules=rules, limit=_TIMERS_AT_ONCE):
                pass
            await asyncio.sleep(settings.timers_every.total_seconds())

    app = service.create(
        name="orders",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        context={"rules": rules},
        ensure_indexes=store.ensure_indexes,
        outbox_of=(store.ORDERS, store.BLOCKS),
        background=(fire_timers,),
    )
    app.state.rules = rules
    return app


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="orders", settings=settings)
