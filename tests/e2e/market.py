"""A client that speaks the domain: one signed-in person of one organisation, through the gateway alone.

Every answer is checked against the gateway's own OpenAPI document.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import aiohttp

from tests.e2e.openapi import Checker
from tests.waiting import eventually


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    def ok(self, status: int = 200) -> Any:
        """Give the body of an answer that has to have this status."""
        assert self.status == status, f"{self.status}: {self.body}"
        return self.body

    def problem(self, status: int, slug: str) -> Any:
        """Give the body of a refusal that has to be this one."""
        assert self.status == status, f"{self.status}: {self.body}"
        assert self.headers["content-type"] == "application/problem+json"
        assert self.body["type"] == f"/problems/{slug}", self.body
        return self.body


@dataclass(kw_only=True)
class Stream:
    """What arrived on `GET /stream` so far."""

    events: list[tuple[str, str, Any]] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, kind: str) -> list[Any]:
        return [data for name, _, data in self.events if name == kind]


@dataclass(kw_only=True)
class Person:
    http: aiohttp.ClientSession
    base: str
    checker: Checker
    token: str = ""
    organisation_id: str = ""
    user_id: str = ""
    email: str = ""

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        async with self.http.request(
            method, f"{self.base}/api/v1{path}", json=body, data=data, headers=sent
        ) as response:
            raw = await response.read()
            kind = response.headers.get("Content-Type", "")
            parsed = json.loads(raw) if "json" in kind and raw else raw
            answer = Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=parsed,
            )
        self.checker.check(method, path.split("?", maxsplit=1)[0], answer.status, kind, parsed)
        return answer

    async def answered(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        is_good: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """Get an answer, and ask again where a service is late, as on a busy machine."""

        async def in_time() -> Answer | None:
            answer = await self.call("GET", path, headers=headers)
            return answer if answer.status != HTTPStatus.SERVICE_UNAVAILABLE and is_good(answer) else None

        found = await eventually(in_time, every=0.1)
        assert found is not None
        return found

    async def get(self, path: str) -> Any:
        return (await self.answered(path)).ok()

    async def whole(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Get a dashboard or a profile that lacks nothing, and ask again where a service was late."""

        def is_whole(answer: Answer) -> bool:
            return answer.status != HTTPStatus.OK or not answer.body["degraded"]

        return await self.answered(path, headers, is_good=is_whole)

    async def advance(self, order_id: str, to: str, **more: Any) -> Answer:
        return await self.call("POST", f"/orders/{order_id}/status", {"to": to, **more})

    async def say(self, order_id: str, text: str, **more: Any) -> Any:
        answer = await self.call("POST", f"/orders/{order_id}/messages", {"text": text, **more})
        return answer.ok(201)

    async def upload(
        self,
        order_id: str,
        name: str,
        content: bytes,
        content_type: str,
        *,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(content), filename=name, content_type=content_type)
        return await self.call("POST", f"/orders/{order_id}/attachments", data=form, headers=headers)

    async def set_logo(
        self,
        content: bytes,
        *,
        name: str = "logo",
        content_type: str = "application/octet-stream",
        organisation_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(content), filename=name, content_type=content_type)
        path = f"/organisations/{organisation_id or self.organisation_id}/logo"
        return await self.call("PUT", path, data=form, headers=headers)

    @asynccontextmanager
    async def listening(self, *, last_event_id: str | None = None) -> AsyncIterator[Stream]:
        """Read the live stream as long as the context lasts."""
        stream = Stream()
        task = asyncio.create_task(self._listen(stream, last_event_id))
        try:
            await asyncio.wait_for(stream.ready.wait(), timeout=30)
            yield stream
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, stream: Stream, last_event_id: str | None) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.http.get(f"{self.base}/api/v1/stream", headers=headers, timeout=timeout) as response:
            assert response.status == 200, await response.text()
            frame: dict[str, str] = {}
            async for raw in response.content:
                line = raw.decode().rstrip("\r\n")
                if line:
                    name, _, value = line.partition(": ")
                    frame[name] = value
                    continue
                if "event" in frame:
                    data = json.loads(frame["data"]) if frame.get("data") else None
                    stream.events.append((frame["event"], frame.get("id", ""), data))
                    if frame["event"] == "ready":
                        stream.ready.set()
                frame = {}


@asynccontextmanager
async def person(
    base: str, checker: Checker, *, kind: str, organisation: str, name: str
) -> AsyncIterator[Person]:
    """Register somebody with a new organisation, and sign in."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
        who = Person(http=http, base=base, checker=checker, email=f"{uuid4().hex[:12]}@{kind}.example")
        registered = await who.call(
            "POST",
            "/auth/register",
            {
                "email": who.email,
                "password": "correct horse battery",
                "display_name": name,
                "organisation": {
                    "name": organisation,
                    "kind": kind,
                    "country": "CN" if kind == "factory" else "NO",
                },
            },
        )
        registered.ok(201)
        signed_in = (
            await who.call("POST", "/auth/login", {"email": who.email, "password": "correct horse battery"})
        ).ok()
        who.token = signed_in["access_token"]
        who.organisation_id = signed_in["organisation"]["id"]
        who.user_id = signed_in["user"]["id"]
        yield who
