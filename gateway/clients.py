"""Calls to the services: nothing else knows where they are."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiohttp
import orjson
from yarl import URL

from shared import identity, telemetry
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.identity import Caller

ServiceName = Literal["orders", "chat", "reviews", "notifications"]

# Past this a caller is better served by a clear "try again".
TIMEOUT: Final = 10.0


class ServiceUnavailable(Unavailable):
    """A service that the call needs does not answer."""

    title = "Service unavailable"

    def __init__(self, service: ServiceName) -> None:
        super().__init__(
            f"{service} does not answer at the moment; try again", retry_after=2, service=service
        )


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status < 400  # noqa: PLR2004

    def json(self) -> Any:
        return orjson.loads(self.body)

    def is_problem(self, slug: str) -> bool:
        """Tell whether the service refused with this problem."""
        return not self.ok and bool(self.body) and self.json().get("type") == f"/problems/{slug}"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The four services, each told who is asking."""

    http: aiohttp.ClientSession
    urls: Mapping[ServiceName, str]
    secret: str

    async def call(
        self,
        service: ServiceName,
        method: str,
        path: str,
        *,
        caller: Caller | None,
        query: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - it bounds the whole exchange, as aiohttp does
    ) -> Answer:
        """Make a call and read its answer.

        Raises:
            ServiceUnavailable: no answer came in time.
        """
        url = f"{self.urls[service]}{path}{'?' if query else ''}{query}"
        try:
            async with self.http.request(
                method,
                url,
                data=body,
                headers=self.headers(caller, body=body, extra=headers),
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                return Answer(status=response.status, headers=response.headers, body=await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServiceUnavailable(service) from error

    @asynccontextmanager
    async def open(
        self,
        service: ServiceName,
        method: str,
        path: str,
        *,
        caller: Caller,
        body: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a call whose body or answer is too large to hold.

        Raises:
            ServiceUnavailable: no answer came.
        """
        timeout = aiohttp.ClientTimeout(total=None, connect=TIMEOUT, sock_read=60)
        try:
            async with self.http.request(
                method,
                f"{self.urls[service]}{path}",
                data=body,
                headers=self.headers(caller, body=None, extra=headers),
                timeout=timeout,
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServiceUnavailable(service) from error

    @asynccontextmanager
    async def fetch(
        self, service: ServiceName, link: str, *, byte_range: str | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open what a service keeps in its store, by a link that the service made.

        Raises:
            ServiceUnavailable: the store does not give it.
        """
        timeout = aiohttp.ClientTimeout(total=None, connect=TIMEOUT, sock_read=60)
        headers = {"Range": byte_range} if byte_range else None
        try:
            async with self.http.get(URL(link, encoded=True), headers=headers, timeout=timeout) as response:
                if not response.ok:
                    raise ServiceUnavailable(service)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServiceUnavailable(service) from error

    def headers(
        self, caller: Caller | None, *, body: bytes | None, extra: Mapping[str, str] | None
    ) -> dict[str, str]:
        headers = {
            identity.HEADER: identity.sign(caller, secret=self.secret, now=utc_now()),
            "X-Request-ID": telemetry.current_request_id(),
            **(extra or {}),
        }
        if body:
            headers["Content-Type"] = "application/json"
        if (parent := telemetry.traceparent()) is not None:
            headers["traceparent"] = parent
        return headers


@asynccontextmanager
async def connect(*, urls: Mapping[ServiceName, str], secret: str) -> AsyncIterator[Services]:
    """Keep connections to the services for as long as the context lasts."""
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=30)
    async with aiohttp.ClientSession(
        connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield Services(http=http, urls=urls, secret=secret)


async def within(seconds: float, *calls: Any) -> list[Any]:
    """Make calls side by side under one time budget; what fails or is late comes back as its exception."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)
