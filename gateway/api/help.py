"""Votes on help pages, questions to the operator, and the link that ends mails."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from gateway.clients import ServiceUnavailable
from gateway.forward import CurrentServices, Forward, identifier, respond
from gateway.idempotency import IdempotencyKeyReused, Once
from gateway.limits import TooManyRequests
from gateway.session import CsrfHeaderMissing
from shared import errors
from shared.api.support import HelpFeedback, NewSupportRequest, SupportRequest
from shared.http import problems

router = APIRouter(tags=["help"])

_WRITE = (
    errors.Unauthenticated,
    CsrfHeaderMissing,
    errors.ValidationFailed,
    TooManyRequests,
    IdempotencyKeyReused,
    ServiceUnavailable,
)


@router.post("/help/feedback", status_code=201, response_model=HelpFeedback, responses=problems(*_WRITE))
async def give_feedback(body: HelpFeedback, forward: Forward, once: Once) -> Response:
    """Say whether a help page helped."""
    del body

    async def produce() -> Response:
        return await forward("notifications")

    return await once(produce)


@router.post(
    "/support/requests",
    status_code=201,
    response_model=SupportRequest,
    responses=problems(*_WRITE, errors.NotFound),
)
async def ask_support(body: NewSupportRequest, forward: Forward, once: Once) -> Response:
    """Ask the operator's support; the answer comes by mail."""

    async def produce() -> Response:
        if body.order_id is not None:
            # Only orders can tell an order that is new from one that is none, or another's. Whoever asks
            # for help because it is away is heard all the same.
            path = f"/orders/{identifier(body.order_id)}"
            with suppress(ServiceUnavailable):
                order = await forward.services.call("orders", "GET", path, caller=forward.caller)
                if order.status == 404:  # noqa: PLR2004
                    return respond(order)
        return await forward("notifications")

    return await once(produce)


@router.get(
    "/notifications/unsubscribe",
    status_code=200,
    response_class=HTMLResponse,
    responses=problems(errors.ValidationFailed),
)
async def show_unsubscribing(
    token: Annotated[str, Query(max_length=2000)], services: CurrentServices, request: Request
) -> Response:
    """Open the link in a mail; looking changes nothing."""
    del token
    return await _unsubscribing(request, services)


@router.post(
    "/notifications/unsubscribe",
    status_code=200,
    response_class=HTMLResponse,
    responses=problems(errors.ValidationFailed),
)
async def unsubscribe(
    token: Annotated[str, Query(max_length=2000)], services: CurrentServices, request: Request
) -> Response:
    """End mails of a kind by one click in a mail program (RFC 8058)."""
    del token
    return await _unsubscribing(request, services)


async def _unsubscribing(request: Request, services: CurrentServices) -> Response:
    answer = await services.call(
        "notifications",
        request.method,
        "/notifications/unsubscribe",
        caller=None,
        query=request.url.query,
    )
    return respond(answer)
