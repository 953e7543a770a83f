"""The chat service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Literal

from fastapi import FastAPI
from pydantic import Field, SecretStr

from services.chat import api, consumers, store
from services.chat.attachments.contents import Contents
from services.chat.attachments.objects import Objects
from services.chat.attachments.scanning import Scanner
from services.chat.attachments.thumbnails import Thumbnails
from services.chat.domain import Rules
from services.chat.use_cases import files, inside
from services.chat.use_cases.blocking import APPEALS
from services.chat.use_cases.files import Parts
from services.chat.use_cases.signals import Signals
from shared import service
from shared.clock import utc_now
from shared.locked import Lock
from shared.mongo import Database
from shared.settings import Settings as SharedSettings
from shared.settings import load

# Seconds between two looks for files that clamd has not judged.
_SCAN_AGAIN: Final = 5
# Seconds between two looks for files that are not searched.
_SEARCH_AGAIN: Final = 2


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
    attachment_max_bytes: int = Field(
        default=20 * 1024 * 1024, gt=0, description="size of the largest file that can be sent"
    )
    attachment_max_pixels: int = Field(
        default=100_000_000, gt=0, description="width times height of the largest picture that can be sent"
    )
    attachment_unsent_for: timedelta = Field(
        default=timedelta(days=1), description="an uploaded file that is not sent is removed after this long"
    )
    attachment_sweep_every: timedelta = Field(
        default=timedelta(minutes=1), description="how often an instance looks for files to remove"
    )
    attachment_contact_info: Literal["flag", "withhold"] = Field(
        default="flag",
        description="what becomes of a file in which contact information is found: `flag` reports it to moderators, "
        "`withhold` also keeps it from everybody but its uploader",
    )
    clamav: str | None = Field(
        default=None,
        pattern=r"^(/.+|[^/:\s]+:[0-9]{1,5})$",
        description="clamd, as `host:port` or the path of its socket; without it files are not scanned",
    )


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    parts = Parts(
        objects=Objects(
            endpoint=settings.s3_endpoint,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key.get_secret_value(),
            bucket=settings.s3_bucket,
        ),
        scanner=Scanner(settings.clamav),
        thumbnails=Thumbnails(),
        contents=Contents(),
        lock=Lock(settings.service_secret.get_secret_value(), purpose=APPEALS),
    )

    rules = Rules(
        open_after_completion=settings.chat_open_after_completion,
        split_window=settings.chat_split_window,
        largest_file=settings.attachment_max_bytes,
        most_pixels=settings.attachment_max_pixels,
        unsent_for=settings.attachment_unsent_for,
        withholds=settings.attachment_contact_info == "withhold",
    )

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        app.state.parts = parts
        app.state.lock = parts.lock
        app.state.signals = Signals(app.state.broker)
        async with parts.objects.opened():
            yield
        await parts.thumbnails.close()
        await parts.contents.close()

    async def sweep(db: Database) -> None:
        while True:
            await files.sweep(db, parts, now=utc_now())
            await asyncio.sleep(settings.attachment_sweep_every.total_seconds())

    async def search_waiting(db: Database) -> None:
        while True:
            if not await inside.search_next(db, parts, now=utc_now(), rules=rules):
                await parts.contents.nudged(within=_SEARCH_AGAIN)

    async def scan_waiting(db: Database) -> None:
        while True:
            if not await files.scan_waiting(db, parts):
                await asyncio.sleep(_SCAN_AGAIN)

    app = service.create(
        name="chat",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        ensure_indexes=store.ensure_indexes,
        outbox_of=store.OUTBOX_OF,
        background=(sweep, search_waiting, *([scan_waiting] if settings.clamav else [])),
        parts=opened,
        ready={"storage": parts.objects.check},
    )
    app.state.rules = rules
    return app


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="chat", settings=settings)
