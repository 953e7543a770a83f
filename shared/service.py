"""One service as a process: HTTP, consumers, relay and background work, started and stopped in order."""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from socket import socket
from types import MappingProxyType
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from faststream.rabbit import RabbitBroker, RabbitRouter

from shared import http, messaging, migrations, mongo, telemetry
from shared.connection import Connection
from shared.mongo import Database
from shared.outbox import Outbox
from shared.settings import Settings

log = structlog.get_logger(__name__)

Background = Callable[[Database], Awaitable[None]]


def create(  # noqa: PLR0913 - the list of what a service is made of
    *,
    name: str,
    settings: Settings,
    api: APIRouter,
    consumers: RabbitRouter,
    ensure_indexes: Callable[[Database], Awaitable[None]],
    outbox_of: tuple[str, ...],
    context: Mapping[str, Any] = MappingProxyType({}),
    background: Sequence[Background] = (),
    steps_of: migrations.Steps = MappingProxyType({}),
    parts: Callable[[FastAPI], contextlib.AbstractAsyncContextManager[Any]] | None = None,
    ready: dict[str, http.Check] | None = None,
) -> FastAPI:
    """Put a service together.

    Args:
        context: what consumers may ask for by name, besides `db`.
        outbox_of: the collections whose documents hold events.
        steps_of: the migrations of each collection, taken once before the service serves.
        background: loops that run beside HTTP, each called with the database and begun again if it fails.
        parts: what else lives as long as the service, such as a store of files.
        ready: further checks for `/health/ready`.
    """
    broker = messaging.create_broker(url=settings.amqp_url, routers=(consumers,))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with database(name=name, settings=settings, broker=broker, outbox_of=outbox_of) as db:
            app.state.db = db
            app.state.broker = broker
            with mongo.unhurried():
                await migrations.run(db, steps_of)
                await ensure_indexes(db)
            for key, value in {"db": db, **context}.items():
                broker.context.set_global(key, value)
            async with (
                parts(app) if parts else contextlib.nullcontext(),
                messaging.connected(broker),
                db.outbox.relaying(),
                messaging.consuming(broker),
                _running(background, db),
            ):
                yield

    app = FastAPI(
        title=f"millrace-{name}",
        lifespan=lifespan,
        openapi_url=None,  # the document is in docs/openapi; nobody but the gateway has business here
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(http.OnlySigned, secret=settings.service_secret.get_secret_value())

    async def database_answers() -> None:
        await app.state.db.ping()

    http.install(
        app,
        ready={"database": database_answers, "broker": partial(messaging.answers, broker), **(ready or {})},
    )
    app.include_router(api)
    return app


@asynccontextmanager
async def database(
    *, name: str, settings: Settings, broker: RabbitBroker, outbox_of: tuple[str, ...]
) -> AsyncIterator[Database]:
    """Open an application's database, with an outbox that publishes through the broker."""
    async with mongo.connect(
        url=settings.mongo_url, name=f"{settings.mongo_db_prefix}{name}", driver=settings.mongo_driver
    ) as db:
        db.outbox = Outbox(db=db, collections=outbox_of, publish=partial(messaging.publish, broker))
        yield db


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        # What stands after the start stands for good. Looking through it again and again took up to 6 % of
        # the processor's time, and calls waited 50 ms for it.
        gc.collect()
        gc.freeze()


def run(app: FastAPI, *, name: str, settings: Settings, trusted_proxies: str = "") -> None:
    """Serve until SIGTERM or SIGINT; requests in hand get 15 s to end.

    Args:
        trusted_proxies: addresses or networks, with commas between, whose `X-Forwarded-For` and
            `X-Forwarded-Proto` are believed.
    """
    telemetry.set_up(name=name, level=settings.log_level, otlp_endpoint=settings.otlp_endpoint)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=Connection,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=15,
    )
    # Motor works in threads, which each wait so long for one that is busy: 5 ms by default, several times a call.
    sys.setswitchinterval(0.0005)
    server = _Server(config)
    server.run()
    if not server.started:
        sys.exit(3)


@asynccontextmanager
async def _running(background: Sequence[Background], db: Database) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_keep_going(work, db)) for work in background]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_going(work: Background, db: Database) -> None:
    while True:
        try:
            await work(db)
        except Exception as error:  # noqa: BLE001 - it may succeed when its part is back
            log.warning("background work failed", work=getattr(work, "__name__", "work"), cause=repr(error))
        await asyncio.sleep(1)
