"""The systems of organisations that webhooks call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Behavior = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class Receiver:
    """Notes what it gets, and answers as its behavior says."""

    behavior: Behavior
    url: str = ""
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.text()))
        return await self.behavior(request)


def answering(status: int, **headers: str) -> Behavior:
    async def behave(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return behave


def failing_first(times: int) -> Behavior:
    left = times

    async def behave(_: web.Request) -> web.StreamResponse:
        nonlocal left
        left -= 1
        return web.Response(status=500 if left >= 0 else 200)

    return behave


async def hanging(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def receiving(*behaviors: Behavior) -> AsyncIterator[list[Receiver]]:
    """Run a receiver for each behavior."""
    runners: list[web.AppRunner] = []
    receivers = [Receiver(behavior=behavior) for behavior in behaviors]
    try:
        for receiver in receivers:
            app = web.Application()
            app.router.add_post("/hook", receiver._answer)
            runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            receiver.url = f"http://127.0.0.1:{_port(runner)}/hook"
        yield receivers
    finally:
        for runner in runners:
            await runner.cleanup()


def _port(runner: Any) -> int:
    port: int = runner.addresses[0][1]
    return port
