"""The gateway: accounts, the public HTTP API, dashboards, live updates and the web pages."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal

import aiohttp
from fastapi import FastAPI
from pydantic import Field

from gateway import clients, counts, dashboards, idempotency, limits, pages
from gateway.accounts import api as accounts_api
from gateway.accounts import store
from gateway.accounts.oidc import Provider
from gateway.api import appeals, chat, notifications, orders, reviews, webhooks
from gateway.api import help as help_pages
from gateway.head import HeadAsGet
from gateway.live import Live
from gateway.live import api as live_api
from gateway.security import SecurityHeaders
from gateway.session import CsrfHeaderMissing
from gateway.steps import Steps
from shared import errors, http, messaging, migrations, mongo, service
from shared.clock import utc_now
from shared.settings import Settings as SharedSettings
from shared.settings import load
from shared.together import OneAnswer

PREFIX = "/api/v1"


class Settings(SharedSettings):
    port: int = Field(default=8080, description="port to listen on")
    orders_url: str = Field(default="http://127.0.0.1:8081", description="where orders listens")
    chat_url: str = Field(default="http://127.0.0.1:8082", description="where chat listens")
    reviews_url: str = Field(default="http://127.0.0.1:8083", description="where reviews listens")
    notifications_url: str = Field(default="http://127.0.0.1:8084", description="where notifications listens")
    rate_limits: Literal["on", "off"] = Field(
        default="on", description="`off` for load tests; warns at start"
    )
    limit_logins: Annotated[int, Field(ge=1)] = Field(
        default=10, description="attempts to sign in, a minute, address and account"
    )
    limit_messages: Annotated[int, Field(ge=1)] = Field(default=60, description="messages a minute and user")
    limit_uploads: Annotated[int, Field(ge=1)] = Field(default=30, description="uploads a minute and user")
    limit_writes: Annotated[int, Field(ge=1)] = Field(
        default=120, description="other writes a minute and user"
    )
    live_keep: Annotated[timedelta, Field(ge=timedelta(minutes=10), le=timedelta(hours=1))] = Field(
        default=timedelta(minutes=15), description="how far back a live stream can be caught up"
    )
    live_streams_per_user: Annotated[int, Field(ge=1)] = Field(
        default=10, description="live streams that a user may have open on one gateway"
    )
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=64 * 1024, description="largest request body outside uploads"
    )
    trusted_proxies: str = Field(
        default="",
        description="addresses or networks, with commas between, whose `X-Forwarded-*` headers are believed",
    )
    oidc_issuer: str | None = Field(
        default=None, description="identity provider whose tokens are accepted too, as in their `iss`"
    )
    oidc_audience: str = Field(default="millrace", description="what those tokens' `aud` has to name")
    oidc_claim_organisation_id: str = Field(
        default="organisation_id", description="claim with the organisation's id"
    )
    oidc_claim_organisation_name: str = Field(default="organisation_name", description="claim with its name")
    oidc_claim_organisation_kind: str = Field(
        default="organisation_kind", description="claim with `factory` or `buyer`"
    )
    oidc_claim_role: str = Field(
        default="role", description="claim with `owner`, `member` (also without it) or `viewer`"
    )


def create_app(settings: Settings) -> FastAPI:
    """Put the gateway together."""
    broker = messaging.create_broker(url=settings.amqp_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        secret = settings.service_secret.get_secret_value()
        async with (
            service.database(
                name="gateway",
                settings=settings,
                broker=broker,
                outbox_of=(store.ORGANISATIONS, store.USERS, store.BLOCKS),
            ) as db,
            clients.connect(urls=_urls(settings), secret=secret) as services,
        ):
            with mongo.unhurried():
                await migrations.run(db, store.STEPS_OF)
                await store.ensure_indexes(db)
                await idempotency.ensure_indexes(db)
                await counts.ensure_indexes(db)

            async def still_valid(session_ids: Collection[str]) -> Collection[str]:
                return await store.find_live_sessions(db, session_ids, now=utc_now())

            app.state.db = db
            app.state.services = services
            app.state.oidc = _provider(settings, services.http)
            app.state.live = Live(
                amqp_url=settings.amqp_url,
                still_valid=still_valid,
                keep=settings.live_keep,
                most_streams_per_user=(
                    None if settings.rate_limits == "off" else settings.live_streams_per_user
                ),
            )
            async with messaging.connected(broker), db.outbox.relaying(), app.state.live.running():
                yield

    app = FastAPI(
        title="Millrace",
        version="1",
        summary="Orders, chat, reviews and live dashboards, from the accepted quote on",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=f"{PREFIX}/docs",
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )

    async def database_answers() -> None:
        await app.state.db.ping()

    async def live_log_is_heard() -> None:
        await app.state.live.answers()

    app.add_middleware(HeadAsGet, but=f"{PREFIX}/stream")
    app.add_middleware(limits.LimitBody, most_bytes=settings.max_body_bytes, is_upload=_carries_a_file)
    http.install(
        app,
        ready={
            "database": database_answers,
            "broker": partial(messaging.answers, broker),
            "live log": live_log_is_heard,
        },
        log_requests=True,
    )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(live_api.LongStreams)
    app.state.steps = Steps()
    app.state.composing = OneAnswer[clients.Answer]()
    app.state.limits = limits.off() if settings.rate_limits == "off" else _limits(settings)
    # They are asked one after the other, so what is called most stands first.
    for part in (
        orders,
        dashboards,
        chat,
        notifications,
        live_api,
        accounts_api,
        appeals,
        reviews,
        webhooks,
        help_pages,
    ):
        app.include_router(part.router, prefix=PREFIX)
    _declare_what_any_call_may_answer(app)
    pages.mount(app)
    return app


def _carries_a_file(method: str, path: str) -> bool:
    return chat.is_upload(method, path) or accounts_api.is_upload(method, path)


def _declare_what_any_call_may_answer(app: FastAPI) -> None:
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        for path in document["paths"].values():
            for method, operation in path.items():
                refusals: list[type[errors.Refusal]] = [clients.ServiceUnavailable]
                if "security" in operation:
                    refusals.append(errors.Unauthenticated)
                if method != "get":
                    refusals += [CsrfHeaderMissing, limits.TooManyRequests, limits.BodyTooLarge]
                for status, declared in http.problems(*refusals).items():
                    operation["responses"].setdefault(str(status), declared)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _urls(settings: Settings) -> dict[clients.ServiceName, str]:
    return {
        "orders": settings.orders_url.rstrip("/"),
        "chat": settings.chat_url.rstrip("/"),
        "reviews": settings.reviews_url.rstrip("/"),
        "notifications": settings.notifications_url.rstrip("/"),
    }


def _provider(settings: Settings, http_client: aiohttp.ClientSession) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    return Provider(
        http=http_client,
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        claim_names={
            "id": settings.oidc_claim_organisation_id,
            "name": settings.oidc_claim_organisation_name,
            "kind": settings.oidc_claim_organisation_kind,
            "role": settings.oidc_claim_role,
        },
    )


def _limits(settings: Settings) -> limits.Limits:
    return limits.Limits(
        logins_a_minute=settings.limit_logins,
        a_minute={
            "messages": settings.limit_messages,
            "uploads": settings.limit_uploads,
            "writes": settings.limit_writes,
        },
    )


if __name__ == "__main__":
    settings = load(Settings)
    service.run(
        create_app(settings), name="gateway", settings=settings, trusted_proxies=settings.trusted_proxies
    )
