"""A client of the stream, as an integrator would write one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Event:
    type: str
    id: str | None
    data: str

    @property
    def event_id(self) -> str:
        return str(json.loads(self.data)["id"])


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """Read a response by the rules of the HTML standard, as far as a server of ours uses them."""
    type_, id_, data = "", None, []
    async for raw in response.content:
        line = raw.decode().removesuffix("\n")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                type_ = value
            case "id":
                id_ = value
            case "data":
                data.append(value)
            case "" if not line and data:
                yield Event(type_, id_, "\n".join(data))
                type_, id_, data = "", None, []
            case _:
                pass


@dataclass(kw_only=True)
class Listener:
    """One user's client; it comes back with its last cursor whenever the stream ends, until `stop`."""

    url: Callable[[], str]
    token: str
    pause: float = 0.05
    heard: list[Event] = field(default_factory=list)
    last_event_id: str | None = None
    connections: int = 0
    failures: int = 0
    """How often it was not the end of an answer that ended a connection."""
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task and not self._task.done():
            return  # whoever cut it at the same moment has started it again
        self._task = asyncio.create_task(self._listen_forever())

    async def cut(self) -> None:
        """Lose the connection at this very moment, whatever is on its way."""
        assert self._task
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen_forever(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            while True:
                try:
                    await self._listen(session)
                except (aiohttp.ClientError, OSError):
                    self.failures += 1
                await asyncio.sleep(self.pause)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": self.token}
        if self.last_event_id is not None:
            headers["Last-Event-ID"] = self.last_event_id
        async with session.get(f"{self.url()}/stream", headers=headers) as response:
            response.raise_for_status()
            self.connections += 1
            async for event in events(response):
                self.heard.append(event)
                self.hear(event)
                if event.id is not None:
                    self.last_event_id = event.id

    def hear(self, event: Event) -> None:
        """Act on an event as it comes."""

    @property
    def event_ids(self) -> list[str]:
        return [event.event_id for event in self.heard if "." in event.type]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.heard]


@asynccontextmanager
async def listening(url: str, token: str, **more: Any) -> AsyncIterator[Listener]:
    listener = Listener(url=lambda: url, token=token, **more)
    listener.start()
    try:
        yield listener
    finally:
        await listener.cut()
