"""Orders: from the accepted quote on."""

from dataclasses import replace
from typing import Annotated

import orjson
from fastapi import APIRouter, Body, Query, Response

from gateway import dashboards, introduce
from gateway.accounts.domain import OrganisationNotFound
from gateway.clients import Answer, ServiceUnavailable
from gateway.forward import Forward, OrderId, respond
from gateway.idempotency import IdempotencyKeyReused, Once
from gateway.limits import TooManyRequests, limited
from gateway.session import CsrfHeaderMissing
from gateway.steps import CurrentSteps, Steps
from shared import errors
from shared.api.orders import Advance, Card, NewOrder, Order, OrderQuery, ReceiptNote
from shared.api.page import Page
from shared.contact_refusal import ContactInfoBlocked
from shared.http import Db, problems

router = APIRouter(tags=["orders"])


class InvalidTransition(errors.Conflict):
    """With `current_status` and `allowed`."""

    title = "This step is not possible now"


class AwaitingBuyerConfirmation(errors.Conflict):
    title = "The buyer has to confirm receipt"


class QuoteAlreadyAccepted(errors.Conflict):
    title = "Another buyer accepted this quote"


class ReceiptAlreadyExtended(errors.Conflict):
    title = "Already extended by your side"


class ReceiptRecentlyRequested(errors.TooMany):
    title = "The buyer was reminded less than 24 h ago"


_READ = (errors.Unauthenticated, errors.NotFound, ServiceUnavailable)
_WRITE = (
    *_READ,
    CsrfHeaderMissing,
    errors.WrongSide,
    errors.RoleNotSufficient,
    errors.ValidationFailed,
    TooManyRequests,
)


@router.post(
    "/orders",
    status_code=201,
    response_model=Order,
    responses=problems(*_WRITE, QuoteAlreadyAccepted, IdempotencyKeyReused)
    | {200: {"model": Order, "description": "the order that this buyer's quote made before"}},
)
async def accept_quote(body: NewOrder, forward: Forward, db: Db, once: Once) -> Response:
    """Accept a quote: exactly one order for one `quote_id`."""

    async def produce() -> Response:
        answer = await forward.ask("orders")
        if answer.is_problem(introduce.ORGANISATION_NOT_KNOWN):
            try:
                for organisation_id in (forward.caller.organisation_id, body.factory_id):
                    await introduce.organisation(forward.services, db, organisation_id, caller=forward.caller)
            except OrganisationNotFound:
                raise errors.ValidationFailed.at("/factory_id", "is no factory here") from None
            answer = await forward.ask("orders")
        return respond(answer)

    return await once(produce)


@router.get("/orders", response_model=Page[Card], responses=problems(*_READ, errors.ValidationFailed))
async def list_orders(
    query: Annotated[OrderQuery, Query()], forward: Forward, composing: dashboards.CurrentComposing
) -> Response:
    """List one's own organisation's orders, as cards."""
    del query  # orders reads the same from the forwarded query

    async def compose() -> Answer:
        answer = await forward.ask("orders")
        if not answer.ok:
            return answer
        page = answer.json()
        await dashboards.add_chat(forward.services, page["items"], caller=forward.caller)
        return replace(answer, body=orjson.dumps(page))

    return respond(await composing(("orders", forward.caller, forward.request.url.query), compose))


@router.get("/orders/{order_id}", response_model=Order, responses=problems(*_READ))
async def get_order(order_id: OrderId, forward: Forward) -> Response:
    """Read an order; its version is the strong `ETag`."""
    del order_id
    return await forward("orders")


@router.post(
    "/orders/{order_id}/status",
    response_model=Order,
    dependencies=[limited],
    responses=problems(
        *_WRITE, InvalidTransition, AwaitingBuyerConfirmation, errors.StaleVersion, ContactInfoBlocked
    ),
)
async def advance(order_id: OrderId, body: Advance, forward: Forward, steps: CurrentSteps) -> Response:
    """Take the factory's next step."""
    del body
    return await _step(order_id, forward, steps)


@router.post(
    "/orders/{order_id}/receipt",
    response_model=Order,
    dependencies=[limited],
    responses=problems(*_WRITE, InvalidTransition, errors.StaleVersion, ContactInfoBlocked),
)
async def confirm_receipt(
    order_id: OrderId,
    forward: Forward,
    steps: CurrentSteps,
    body: Annotated[ReceiptNote | None, Body()] = None,
) -> Response:
    """Confirm that the goods arrived: the buyer's step."""
    del body
    return await _step(order_id, forward, steps)


@router.post(
    "/orders/{order_id}/receipt-request",
    status_code=202,
    response_model=Order,
    dependencies=[limited],
    responses=problems(*_WRITE, InvalidTransition, ReceiptRecentlyRequested, errors.StaleVersion),
)
async def request_receipt(order_id: OrderId, forward: Forward) -> Response:
    """Remind the buyer to confirm receipt, once in 24 hours."""
    del order_id
    return await forward("orders")


@router.post(
    "/orders/{order_id}/receipt-extension",
    response_model=Order,
    dependencies=[limited],
    responses=problems(*_WRITE, InvalidTransition, ReceiptAlreadyExtended, errors.StaleVersion),
)
async def extend_receipt(order_id: OrderId, forward: Forward) -> Response:
    """Put the automatic receipt off, once for each side."""
    del order_id
    return await forward("orders")


async def _step(order_id: str, forward: Forward, steps: Steps) -> Response:
    answer = await forward.ask("orders")
    if answer.ok:
        steps.taken(order_id)
    return respond(answer)
