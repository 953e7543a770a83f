"""The notifications service."""

from datetime import timedelta
from typing import Annotated

from fastapi import FastAPI
from pydantic import AfterValidator, Field

from services.notifications import api, consumers
from services.notifications.dispatch import call_webhooks
from services.notifications.domain import addresses
from services.notifications.store import events, feed, people, webhooks
from shared import service
from shared.mongo import Database
from shared.settings import Settings as SharedSettings
from shared.settings import load


def _networks(text: str) -> str:
    spaced = text.replace(",", " ")
    addresses.parse_networks(spaced.split())
    return spaced


class Settings(SharedSettings):
    """Durations are ISO 8601 (`P30D`, `PT10M`)."""

    port: int = Field(default=8084, description="port to listen on")
    webhook_allow_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="CIDRs, with spaces or commas between them, that webhooks may reach beside public addresses, "
        "also by plain HTTP: `10.0.0.0/8 192.168.7.0/24`",
    )
    webhook_timeout: timedelta = Field(
        default=timedelta(seconds=15), description="how long a webhook's receiver has to answer"
    )
    webhook_disable_after: timedelta = Field(
        default=timedelta(days=5), description="a webhook that fails this long is switched off"
    )


async def _ensure_indexes(db: Database) -> None:
    for collection in (events, feed, people, webhooks):
        await collection.ensure_indexes(db)


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    rules = addresses.AddressRules(allowed=addresses.parse_networks(settings.webhook_allow_networks.split()))

    async def send_webhooks(db: Database) -> None:
        await call_webhooks(
            db,
            rules=rules,
            answer_within=settings.webhook_timeout,
            disable_after=settings.webhook_disable_after,
        )

    app = service.create(
        name="notifications",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        ensure_indexes=_ensure_indexes,
        outbox_of=(feed.NOTIFICATIONS,),
        background=(send_webhooks,),
    )
    app.state.address_rules = rules
    return app


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="notifications", settings=settings)
