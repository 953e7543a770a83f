"""The reviews service."""

from fastapi import FastAPI
from pydantic import Field

from services.reviews import api, consumers, store
from shared import service
from shared.settings import Settings as SharedSettings
from shared.settings import load


class Settings(SharedSettings):
    port: int = Field(default=8083, description="port to listen on")


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    return service.create(
        name="reviews",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        ensure_indexes=store.ensure_indexes,
        outbox_of=(store.REVIEWS, store.OPENINGS, store.BLOCKS),
    )


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="reviews", settings=settings)
