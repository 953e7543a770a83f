"""The notifications service."""

from fastapi import FastAPI
from pydantic import Field

from services.notifications import api, consumers
from services.notifications.store import feed, people
from shared import service
from shared.mongo import Database
from shared.settings import Settings as SharedSettings
from shared.settings import load


class Settings(SharedSettings):
    port: int = Field(default=8084, description="port to listen on")


async def _ensure_indexes(db: Database) -> None:
    for collection in (feed, people):
        await collection.ensure_indexes(db)


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    return service.create(
        name="notifications",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        ensure_indexes=_ensure_indexes,
        outbox_of=(feed.NOTIFICATIONS,),
    )


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="notifications", settings=settings)
