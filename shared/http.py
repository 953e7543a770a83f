"""What every application's HTTP has: problem documents, request ids, metrics, health, and who is asking."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry.trace import SpanKind
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import errors, identity, telemetry, wording
from shared.clock import utc_now
from shared.mongo import LOST, Database, DatabaseUnavailable

log = structlog.get_logger(__name__)

PROBLEM: Final = "application/problem+json"
_STATUS: Final[dict[type[errors.Refusal], int]] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.TooLarge: 413,
    errors.Unsupported: 415,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
_LATENCY: Final = Histogram(
    "http_request_seconds",
    "Time to answer, by method, route and status",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

# Versions begin with 1.
_NO_VERSION: Final = 0

Check = Callable[[], Awaitable[None]]


class Problem(BaseModel):
    """RFC 9457 problem details; some problems carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="stable URI path that names the problem")
    title: str
    status: int
    detail: str
    instance: str = Field(description="the request's id, as in `X-Request-ID` and in the logs")


Limit = Annotated[int, Query(ge=1, le=100, description="most items of one answer")]
Cursor = Annotated[
    str | None, Query(min_length=1, max_length=1000, description="`next_cursor` of the answer before")
]


# These are coroutines because FastAPI hands every plain function to a thread, which costs more than they do.
async def _db(request: Request) -> Database:
    db: Database = request.app.state.db
    return db


async def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now


async def _caller(request: Request) -> identity.Caller:
    caller: identity.Caller | None = request.state.caller
    if caller is None:
        raise errors.Unauthenticated("this call needs somebody who is signed in")
    return caller


async def _expected_version(if_match: Annotated[str | None, Header()] = None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"', if_match.strip())
    if match is None:
        raise errors.ValidationFailed.at("/if-match", 'must be one ETag, such as "3"')
    weak, tag = match.groups()
    # A tag that we never gave, or a weak one, is that of no version.
    return int(tag) if not weak and re.fullmatch(r"[0-9]{1,9}", tag) else _NO_VERSION


Db = Annotated[Database, Depends(_db)]
Now = Annotated[datetime, Depends(_now)]
CurrentCaller = Annotated[identity.Caller, Depends(_caller)]
ExpectedVersion = Annotated[int | None, Depends(_expected_version)]
"""The version that `If-Match` names; `None` without the header."""


def status_of(refusal: errors.Refusal | type[errors.Refusal]) -> int:
    kinds = (type(refusal) if isinstance(refusal, errors.Refusal) else refusal).__mro__
    return next(_STATUS[kind] for kind in kinds if kind in _STATUS)


def problem(
    *, slug: str, title: str, status: int, detail: str, members: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Write a problem document in the name of the current request."""
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": telemetry.current_request_id(),
    } | dict(members or {})
    headers = {"Retry-After": str(body["retry_after"])} if "retry_after" in body else None
    if status == 401:  # noqa: PLR2004
        headers = {"WWW-Authenticate": "Bearer"}
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=headers)


def problems(*refusals: type[errors.Refusal]) -> dict[int | str, dict[str, Any]]:
    """Declare a route's refusals, for its `responses=`."""
    by_status: dict[int | str, list[type[errors.Refusal]]] = {}
    for refusal in refusals:
        by_status.setdefault(status_of(refusal), []).append(refusal)
    return {
        status: {
            "description": "; ".join(f"`/problems/{kind.slug()}`: {kind.title}" for kind in kinds),
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, kinds in by_status.items()
    }


def install(app: FastAPI, *, ready: Mapping[str, Check], log_requests: bool = False) -> None:
    """Give an application what this module is about; `ready` names what must answer before it is ready."""
    app.state.clock = utc_now
    app.add_exception_handler(errors.Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _framework_says_no)
    for lost in LOST:
        app.add_exception_handler(lost, _database_is_lost)
    app.add_exception_handler(ClientDisconnect, _client_is_gone)
    app.add_middleware(_Requests, log_requests=log_requests)
    _describe_problems(app)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", include_in_schema=False)
    async def is_ready() -> JSONResponse:
        failures = await asyncio.gather(*(_check(check) for check in ready.values()))
        parts = {name: failure or "ok" for name, failure in zip(ready, failures, strict=True)}
        status = 503 if any(failures) else 200
        return JSONResponse({"status": "ready" if status == 200 else "not ready", "parts": parts}, status)  # noqa: PLR2004

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _check(check: Check) -> str | None:
    try:
        await asyncio.wait_for(check(), timeout=2)
    except Exception as error:  # noqa: BLE001 - any failure means not ready
        return type(error).__name__
    return None


def refusal_response(refusal: errors.Refusal) -> JSONResponse:
    """Write a refusal as a problem document."""
    return problem(
        slug=refusal.slug(),
        title=refusal.title,
        status=status_of(refusal),
        detail=str(refusal),
        members=refusal.members,
    )


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.Refusal)  # noqa: S101 - for the type checker
    return refusal_response(error)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    return await _refused(request, errors.ValidationFailed(pointers(error.errors())))


def pointers(found: Sequence[Any]) -> list[dict[str, str]]:
    """Turn pydantic's errors of a request into `{"pointer", "detail"}`: the place without `body` or `query`."""
    return [
        {
            "pointer": ""
            if problem["type"] == "json_invalid"
            # Pydantic's own name for "the key, not its value" is no place in the document.
            else "".join(f"/{step}" for step in problem["loc"][1:] if step != "[key]"),
            "detail": wording.of(problem),
        }
        for problem in found
    ]


async def _framework_says_no(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    if error.status_code == 400:  # noqa: PLR2004 - not UTF-8, numbers without end, brackets without end
        return await _refused(request, errors.ValidationFailed.at("", "the body cannot be read"))
    slug = re.sub(r"[^a-z]+", "-", str(error.detail).lower()).strip("-")
    answer = problem(
        slug=slug,
        title=str(error.detail),
        status=error.status_code,
        detail=f"{error.detail}: there is no such call",
    )
    answer.headers.update(error.headers or {})
    return answer


async def _database_is_lost(_: Request, error: Exception) -> JSONResponse:
    log.warning("database is lost", cause=type(error).__name__)
    return refusal_response(DatabaseUnavailable())


async def _client_is_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # for our own counts; nobody is there to read it


def _broken() -> JSONResponse:
    return problem(
        slug="internal-error", title="Internal error", status=500, detail="the failure is in our logs"
    )


def _describe_problems(app: FastAPI) -> None:
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path in document.get("paths", {}).values():
            for operation in path.values():
                if "422" in operation["responses"]:
                    operation["responses"]["422"] = {
                        "description": operation["responses"]["422"]["description"],
                        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                    }
        return document

    app.openapi = openapi  # type: ignore[method-assign]


class OnlySigned:
    """Answer 401 on every path but health and metrics to whoever does not come through the gateway.

    It leaves the caller in `request.state.caller`, where `CurrentCaller` finds it.
    """

    def __init__(self, app: ASGIApp, *, secret: str) -> None:
        self.app = app
        self.secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(("/health/", "/metrics")):
            name = identity.HEADER.lower().encode()
            token = next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
            try:
                scope.setdefault("state", {})["caller"] = identity.read(token, secret=self.secret)
            except errors.Unauthenticated as refusal:
                await refusal_response(refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class ServerStopping(errors.Unavailable):
    """The call may have been carried out, or not; nothing of it is half done."""

    title = "Server is stopping"

    def __init__(self) -> None:
        super().__init__("this server is being stopped; try again", retry_after=1)


class _Requests:
    """Give each request an id, measure it, and put it into its trace; plain ASGI, as it runs on every call."""

    def __init__(self, app: ASGIApp, *, log_requests: bool) -> None:
        self.app = app
        self.log_requests = log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {
            name: value for name, value in scope["headers"] if name in {b"x-request-id", b"traceparent"}
        }
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        telemetry.take_request_id(given)
        request_id = telemetry.current_request_id().encode()
        status, has_started = 500, False
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, has_started
            if message["type"] == "http.response.start":
                status, has_started = message["status"], True
                message.setdefault("headers", [])
                message["headers"].append((b"x-request-id", request_id))
            await send(message)

        parent = headers.get(b"traceparent", b"").decode("latin-1")
        with telemetry.span(f"{scope['method']} {scope['path']}", parent=parent, kind=SpanKind.SERVER):
            try:
                await self.app(scope, receive, send_with_id)
            except asyncio.CancelledError:
                # The server stops, and has waited for this call as long as it may.
                if not has_started:
                    await refusal_response(ServerStopping())(scope, receive, send_with_id)
                raise
            except Exception:
                if has_started:
                    raise
                # Here and not further out, where the answer would lack what every answer carries.
                log.exception("request failed")
                await _broken()(scope, receive, send_with_id)
            finally:
                self._measure(scope, status=status, seconds=time.perf_counter() - started)

    def _measure(self, scope: MutableMapping[str, Any], *, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        _LATENCY.labels(scope["method"], route, status).observe(seconds)
        if self.log_requests and not route.startswith(("/health", "/metrics")):
            log.info(
                "request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1)
            )
