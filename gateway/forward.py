"""Pass a call on to the service that owns it, and its answer back as it is."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request, Response
from fastapi.responses import StreamingResponse

from gateway.clients import Answer, ServiceName, Services
from gateway.session import CurrentCaller
from shared.api.chat import OBJECT_LENGTH, OBJECT_LINK, OBJECT_RANGE
from shared.errors import NotFound
from shared.identity import Caller

_PASSED_ON: Final = ("If-Match", "If-None-Match", "Idempotency-Key")
_PASSED_BACK: Final = ("ETag", "Retry-After", "Location", "Allow", "Content-Range")
_DOWNLOAD_HEADERS: Final = ("Range", "If-Range", "If-None-Match", "If-Modified-Since")
_FILE_HEADERS: Final = (
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Content-Disposition",
    "Content-Security-Policy",
    "Accept-Ranges",
    "Cache-Control",
    "ETag",
    "Last-Modified",
    "X-Content-Type-Options",
)
# Larger ones no longer fit into a processor's cache on their way through: a third more work.
_PIECE: Final = 64 * 1024
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


# Coroutines, because FastAPI hands every plain function and class to a thread, which costs more than they do.
async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


CurrentServices = Annotated[Services, Depends(_services)]


def identifier(value: str) -> str:
    """Let only what can be an identifier into a service's path.

    Raises:
        NotFound: nothing can have this name.
    """
    if not _IDENTIFIER.fullmatch(value):
        raise NotFound("there is nothing with this identifier")
    return value


async def _order_id(order_id: Annotated[str, Path()]) -> str:
    return identifier(order_id)


async def _organisation_id(organisation_id: Annotated[str, Path()]) -> str:
    return identifier(organisation_id)


OrderId = Annotated[str, Depends(_order_id)]
OrganisationId = Annotated[str, Depends(_organisation_id)]


class _Forward:
    """The current call, ready to be passed on."""

    def __init__(self, request: Request, caller: Caller, services: Services) -> None:
        self.request = request
        self.caller = caller
        self.services = services

    async def ask(
        self,
        service: ServiceName,
        *,
        path: str | None = None,
        body: bytes | None = None,
        query: str | None = None,
    ) -> Answer:
        """Make the same call on a service; `path` and `body` are the caller's own unless given.

        Raises:
            ServiceUnavailable: it does not answer.
        """
        request = self.request
        return await self.services.call(
            service,
            request.method,
            path or request.url.path.removeprefix("/api/v1"),
            caller=self.caller,
            query=request.url.query if query is None else query,
            body=body if body is not None else await self._body(),
            headers={name: value for name in _PASSED_ON if (value := request.headers.get(name))},
        )

    async def _body(self) -> bytes | None:
        # That of a read means nothing, and nothing bounds it.
        return None if self.request.method == "GET" else await self.request.body() or None

    async def __call__(
        self, service: ServiceName, *, path: str | None = None, body: bytes | None = None
    ) -> Response:
        return respond(await self.ask(service, path=path, body=body))


async def _forward(request: Request, caller: CurrentCaller, services: CurrentServices) -> _Forward:
    return _Forward(request, caller, services)


Forward = Annotated[_Forward, Depends(_forward)]


def respond(answer: Answer) -> Response:
    """Give a service's answer to the client."""
    headers: dict[str, Any] = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
    if answer.status == 204:  # noqa: PLR2004
        return Response(status_code=204, headers=headers)
    return Response(
        answer.body,
        answer.status,
        headers=headers,
        media_type=answer.headers.get("Content-Type", "application/json"),
    )


async def download(forward: Forward, service: ServiceName, path: str) -> Response:
    """Pass a file or a long list through without holding it.

    Raises:
        ServiceUnavailable: no answer came.
    """
    wanted = {name: value for name in _DOWNLOAD_HEADERS if (value := forward.request.headers.get(name))}
    opened = AsyncExitStack()
    response = await opened.enter_async_context(
        forward.services.open(service, "GET", path, caller=forward.caller, headers=wanted)
    )
    if response.status >= 400:  # noqa: PLR2004
        async with opened:
            return respond(
                Answer(status=response.status, headers=response.headers, body=await response.read())
            )
    headers = {name: response.headers[name] for name in _FILE_HEADERS if name in response.headers}
    source = response
    if link := response.headers.get(OBJECT_LINK):
        await opened.aclose()
        source = await opened.enter_async_context(
            forward.services.fetch(service, link, byte_range=response.headers.get(OBJECT_RANGE))
        )
        # Of a range not every store tells the length.
        headers["Content-Length"] = response.headers.get(OBJECT_LENGTH) or source.headers["Content-Length"]

    async def body() -> AsyncIterator[bytes]:
        async with opened:
            async for piece in source.content.iter_chunked(_PIECE):
                yield piece

    return StreamingResponse(body(), response.status, headers=headers)
