"""The chat service."""

from datetime import timedelta

from fastapi import FastAPI
from pydantic import Field, SecretStr

from services.chat import api, consumers, store
from services.chat.domain import Rules
from services.chat.use_cases import Sums
from shared import service
from shared.settings import Settings as SharedSettings
from shared.settings import load


class Settings(SharedSettings):
    """Durations are ISO 8601 (`P90D`, `PT10M`)."""

    port: int = Field(default=8082, description="port to listen on")
    chat_open_after_completion: timedelta = Field(
        default=timedelta(days=90), description="a completed order's chat takes messages this long"
    )
    chat_split_window: timedelta = Field(
        default=timedelta(minutes=10),
        description="a message is searched for contact information together with its sender's last ones, "
        "as far back as this",
    )
    s3_endpoint: str = Field(description="S3 server for attachments: `http://host:9000`")
    s3_access_key: str = Field(description="user name at the S3 server")
    s3_secret_key: SecretStr = Field(description="password at the S3 server")
    s3_bucket: str = Field(default="attachments", description="bucket for attachments; made if it is missing")


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    app = service.create(
        name="chat",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        context={"sums": Sums()},
        ensure_indexes=store.ensure_indexes,
        outbox_of=store.OUTBOX_OF,
    )
    app.state.rules = Rules(
        open_after_completion=settings.chat_open_after_completion, split_window=settings.chat_split_window
    )
    return app


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="chat", settings=settings)
