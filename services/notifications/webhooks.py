"""Calls the systems of organisations, and nothing inside the operator's own network.

The address is looked up and checked in one step with the connection: what was checked is what is
connected to, so a name that answers differently a moment later gains nothing. Redirects are not followed.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notifications.domain import addresses, webhook
from services.notifications.domain.addresses import AddressRules
from services.notifications.domain.webhook import Delivery, Webhook
from shared.api.webhooks import Attempt

_LOOKUP_SECONDS: Final = 5


class AddressRefused(OSError):  # noqa: N818 - the answer to a request, not a fault
    """The name leads to an address that must not be called."""


class _CheckedResolver(AbstractResolver):
    def __init__(self, rules: AddressRules) -> None:
        self._rules = rules

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - both kinds are checked
    ) -> list[ResolveResult]:
        allowed = [found for found in await look_up(host, port) if self._rules.allows(found)]
        if not allowed:
            raise AddressRefused(f"{host} leads to an address that is not allowed")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in allowed
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def look_up(host: str, port: int) -> list[str]:
    """List the addresses of a host.

    Raises:
        OSError: it has none, or nobody answers.
    """
    async with asyncio.timeout(_LOOKUP_SECONDS):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def why_not(url: str, *, rules: AddressRules) -> str | None:
    """Tell why a webhook may not go there; `None`: it may, as far as can be seen now.

    A name that nobody can look up at this moment passes: it is looked up again for each request.
    """
    try:
        parts, host = addresses.split(url)
    except ValueError as error:
        return str(error)
    if addresses.is_local_name(host) and not rules.allowed:
        return "must be a public address"
    literal = addresses.literal(host)
    try:
        found = [literal] if literal else await look_up(host, parts.port or 443)
    except OSError:
        found = []
    if not all(rules.allows(address) for address in found):
        return "must be a public address"
    if parts.scheme == "http" and not rules.allows_plain(found):
        return "must begin with https://"
    return None


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends one request at a time for each call, and tells what came of it."""

    http: aiohttp.ClientSession
    rules: AddressRules
    clock: Callable[[], datetime]

    async def send(self, hook: Webhook, delivery: Delivery) -> Attempt:
        """Send it once; whatever goes wrong is in the answer."""
        at, started = self.clock(), time.perf_counter()
        status, error = None, None
        try:
            status = await self._post(hook, delivery, now=at)
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = _explain(failure)
        if status is not None and not 200 <= status < 300:  # noqa: PLR2004
            error = f"the receiver answered {status}"
        duration = round((time.perf_counter() - started) * 1000)
        return Attempt(at=at, status=status, error=error, duration_ms=duration)

    async def _post(self, hook: Webhook, delivery: Delivery, *, now: datetime) -> int:
        parts, host = addresses.split(hook.url)
        literal = addresses.literal(host)
        # A literal address is never looked up, so it has to be checked here.
        if literal and not self.rules.allows(literal):
            raise AddressRefused(f"{host} is not allowed")
        if parts.scheme == "http" and not self.rules.allows_plain(
            [literal] if literal else await look_up(host, parts.port or 80)
        ):
            raise AddressRefused("plain HTTP is not allowed")
        async with self.http.post(
            hook.url,
            data=delivery.body.encode(),
            headers=webhook.headers(hook, event_id=delivery.event_id, body=delivery.body, now=now),
            allow_redirects=False,
        ) as response:
            return response.status


@asynccontextmanager
async def sender(
    *,
    rules: AddressRules,
    within: float,
    clock: Callable[[], datetime],
) -> AsyncIterator[Sender]:
    """Open what requests are sent with."""
    connector = aiohttp.TCPConnector(
        limit=0, resolver=_CheckedResolver(rules), use_dns_cache=False, force_close=True
    )
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=within), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield Sender(http=http, rules=rules, clock=clock)


def _explain(failure: Exception) -> str:
    refused = failure if isinstance(failure, AddressRefused) else failure.__cause__
    if isinstance(refused, AddressRefused):
        return str(refused)
    if isinstance(failure, TimeoutError):
        return "no answer in time"
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "the name cannot be looked up"
    if isinstance(failure, aiohttp.ClientSSLError):
        return "no trusted TLS connection"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "no connection"
    return "the connection broke" if isinstance(failure, (aiohttp.ClientError, OSError)) else "is no URL"
