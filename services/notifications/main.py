"""The notifications service."""

import asyncio
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from pydantic import AfterValidator, Field, SecretStr

from services.notifications import api, consumers, dispatch
from services.notifications.domain import addresses
from services.notifications.domain.mail import Mailing
from services.notifications.mail import is_own_address, parse_address, parse_url, sender_at
from services.notifications.store import events, feed, mails, people, support, webhooks
from services.notifications.use_cases.mail import Office
from shared import service
from shared.mongo import Database
from shared.settings import Settings as SharedSettings
from shared.settings import load

log = structlog.get_logger(__name__)


def _networks(text: str) -> str:
    spaced = text.replace(",", " ")
    addresses.parse_networks(spaced.split())
    return spaced


def _smtp_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None:
        parse_url(url.get_secret_value())
    return url


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must look like https://millrace.example")
    return url.rstrip("/")


def _address(address: str | None) -> str | None:
    if address is not None:
        parse_address(address)
    return address


class Settings(SharedSettings):
    """Durations are ISO 8601 (`P30D`, `PT10M`)."""

    port: int = Field(default=8084, description="port to listen on")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="http://127.0.0.1:8080", description="the gateway's address for people, in the links of mails"
    )
    smtp_url: Annotated[SecretStr | None, AfterValidator(_smtp_url)] = Field(
        default=None,
        description="mail server: `smtp://user:password@host:587` (STARTTLS if offered) or `smtps://host:465`; "
        "no mails without it",
    )
    mail_from: Annotated[str | None, AfterValidator(_address)] = Field(
        default=None,
        description="whom mails come from, as `Name <address>`; "
        "without it, `no-reply` at the host of `MILLRACE_PUBLIC_URL`",
    )
    mail_unread_after: timedelta = Field(
        default=timedelta(minutes=10),
        description="one mail tells of an order's messages that are unread this long",
    )
    support_address: Annotated[str | None, AfterValidator(_address)] = Field(
        default=None, description="mailbox for support requests; they wait while it is not set"
    )
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
    for collection in (events, feed, mails, people, support, webhooks):
        await collection.ensure_indexes(db)


def create_app(settings: Settings) -> FastAPI:
    """Put the service together."""
    rules = addresses.AddressRules(allowed=addresses.parse_networks(settings.webhook_allow_networks.split()))
    if settings.smtp_url and not settings.mail_from and is_own_address(settings.public_url):
        log.warning("mails come from an address that others refuse: set MILLRACE_MAIL_FROM")
    mailing = Mailing(enabled=settings.smtp_url is not None, unread_after=settings.mail_unread_after)
    office = Office(
        sender=settings.mail_from or sender_at(settings.public_url),
        support_address=settings.support_address,
        public_url=settings.public_url,
        secret=settings.service_secret.get_secret_value(),
    )

    async def send_mails(db: Database) -> None:
        if settings.smtp_url is None:
            await asyncio.Event().wait()
        else:
            await dispatch.send_mails(db, url=settings.smtp_url.get_secret_value(), office=office)

    async def call_webhooks(db: Database) -> None:
        await dispatch.call_webhooks(
            db,
            rules=rules,
            answer_within=settings.webhook_timeout,
            disable_after=settings.webhook_disable_after,
            mailing=mailing,
        )

    app = service.create(
        name="notifications",
        settings=settings,
        api=api.router,
        consumers=consumers.router,
        context={"mailing": mailing},
        ensure_indexes=_ensure_indexes,
        outbox_of=(feed.NOTIFICATIONS,),
        background=(send_mails, call_webhooks),
    )
    app.state.address_rules = rules
    app.state.mailing = mailing
    app.state.link_secret = office.secret
    return app


if __name__ == "__main__":
    settings = load(Settings)
    service.run(create_app(settings), name="notifications", settings=settings)
