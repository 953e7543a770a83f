"""The live stream alone, as a process or inside a test; whoever comes is believed to be who he says."""

import argparse
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Header

from gateway import session
from gateway.accounts.domain import Session
from gateway.live import Live, api
from shared import http
from shared.errors import Unauthenticated
from shared.identity import Caller


def create_app(*, amqp_url: str, **options: Any) -> FastAPI:
    """Make an application; a token is `<user>/<organisation>/<session>`, dead once it is in `state.revoked`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async def still_valid(session_ids: Collection[str]) -> Collection[str]:
            return set(session_ids) - app.state.revoked

        app.state.live = Live(amqp_url=amqp_url, still_valid=still_valid, **options)
        async with app.state.live.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.state.revoked = set()

    async def log_is_heard() -> None:
        await app.state.live.answers()

    http.install(app, ready={"live": log_is_heard})
    app.add_middleware(api.LongStreams)
    app.include_router(api.router)
    app.dependency_overrides[session._current_session] = _believe
    return app


def _believe(authorization: Annotated[str, Header()] = "") -> Session:
    if not authorization:
        raise Unauthenticated
    user_id, organisation_id, session_id = authorization.removeprefix("Bearer ").split("/")
    caller = Caller(
        user_id=user_id,
        name="Li",
        role="member",
        organisation_id=organisation_id,
        organisation_name="Mill",
        side="buyer",
    )
    return Session(id=session_id, caller=caller)


def config(app: FastAPI, *, port: int = 0) -> uvicorn.Config:
    """Serve as `shared.service` does."""
    return uvicorn.Config(
        app,
        port=port,
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=15,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--amqp-url", required=True)
    arguments = parser.parse_args()
    uvicorn.Server(config(create_app(amqp_url=arguments.amqp_url), port=arguments.port)).run()
