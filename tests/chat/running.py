"""A chat service in the test's own event loop, called as the gateway calls it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import uvicorn
from yarl import URL

from services.chat.main import Settings, create_app
from shared import identity
from shared.api.chat import OBJECT_LINK, OBJECT_RANGE
from shared.clock import utc_now
from shared.identity import Caller
from shared.mongo import Database

SECRET = "a secret that only tests of chat know, 32 and more"


@dataclass(kw_only=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def problem(self) -> str:
        return str(self.json["type"]).removeprefix("/problems/")


@dataclass(kw_only=True)
class Chat:
    """The gateway's view of the service."""

    session: aiohttp.ClientSession
    url: str
    db: Database
    app: Any

    def signed(self, by: Caller) -> dict[str, str]:
        return {identity.HEADER: identity.sign(by, secret=SECRET, now=utc_now())}

    async def call(
        self, method: str, path: str, *, by: Caller, headers: dict[str, str] | None = None, **options: Any
    ) -> Answer:
        async with self.session.request(
            method, f"{self.url}{path}", headers=self.signed(by) | (headers or {}), **options
        ) as response:
            answer = Answer(status=response.status, headers=response.headers, body=await response.read())
        if link := answer.headers.get(OBJECT_LINK):
            wanted = {"Range": answer.headers.get(OBJECT_RANGE, "bytes=0-")}
            async with self.session.get(URL(link, encoded=True), headers=wanted) as stored:
                answer.body = await stored.read()
        return answer


@dataclass(kw_only=True)
class Published:
    """Every event that reached the broker since the test began."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def of(self, event_type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == event_type]


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Chat]:
    app = create_app(settings)
    config = uvicorn.Config(
        app, port=0, http="httptools", log_config=None, access_log=False, timeout_keep_alive=75
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        if running.done():
            running.result()
            raise RuntimeError("the chat service did not start")
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Chat(session=session, url=f"http://127.0.0.1:{port}", db=app.state.db, app=app)
    finally:
        server.should_exit = True
        await running
