"""Reviews of both sides, and their replies."""

import asyncio

from fastapi import APIRouter, Response

from gateway.clients import ServiceUnavailable
from gateway.forward import Forward, OrderId, identifier, respond
from gateway.idempotency import IdempotencyKeyReused, Once
from gateway.limits import TooManyRequests
from gateway.session import CsrfHeaderMissing
from gateway.steps import CurrentSteps
from shared import errors
from shared.api.orders import Party, ReviewRecorded
from shared.api.page import Page
from shared.api.reviews import NewReply, NewReview, Review, ReviewedOrder, SubmittedReview
from shared.contact_refusal import ContactInfoBlocked
from shared.http import Cursor, Limit, problems

router = APIRouter(tags=["reviews"])

# The review is stored; orders only has to be told, which its event does as well.
_TRIES = 5


class ReviewNotOpen(errors.Conflict):
    """The buyer reviews from delivery on, the factory from completion on."""

    title = "Too early for this review"


class ReviewAlreadySubmitted(errors.Conflict):
    title = "Your side has reviewed this order"


class ReplyAlreadyGiven(errors.Conflict):
    title = "There is a reply"


_WRITE = (
    errors.Unauthenticated,
    errors.NotFound,
    CsrfHeaderMissing,
    errors.RoleNotSufficient,
    errors.WrongSide,
    errors.ValidationFailed,
    ContactInfoBlocked,
    TooManyRequests,
    IdempotencyKeyReused,
    ServiceUnavailable,
)


@router.post(
    "/orders/{order_id}/reviews",
    status_code=201,
    response_model=Review,
    responses=problems(*_WRITE, ReviewNotOpen, ReviewAlreadySubmitted),
)
async def submit_review(
    order_id: OrderId, body: NewReview, forward: Forward, once: Once, steps: CurrentSteps
) -> Response:
    """Review the other side; the buyer's review completes the order."""

    async def produce() -> Response:
        order = await forward.services.call("orders", "GET", f"/orders/{order_id}", caller=forward.caller)
        if not order.ok:
            return respond(order)
        facts = order.json()
        submitted = SubmittedReview(
            review=body,
            order=ReviewedOrder(
                order_id=facts["id"],
                number=facts["number"],
                status=facts["status"],
                buyer=Party.model_validate(facts["buyer"]),
                factory=Party.model_validate(facts["factory"]),
            ),
        )
        answer = await forward.ask("reviews", body=submitted.model_dump_json().encode())
        if answer.ok:
            await _tell_orders(order_id, forward)
            steps.taken(order_id)
        return respond(answer)

    return await once(produce)


@router.get(
    "/orders/{order_id}/reviews",
    response_model=Page[Review],
    responses=problems(errors.Unauthenticated, errors.NotFound, errors.ValidationFailed, ServiceUnavailable),
)
async def list_reviews(
    order_id: OrderId, forward: Forward, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    """Read an order's reviews, as far as they exist."""
    del limit, cursor  # reviews reads them from the forwarded query
    order = await forward.services.call("orders", "GET", f"/orders/{order_id}", caller=forward.caller)
    return respond(order) if not order.ok else await forward("reviews")


@router.post(
    "/reviews/{review_id}/reply",
    status_code=201,
    response_model=Review,
    responses=problems(*_WRITE, ReplyAlreadyGiven),
)
async def reply(review_id: str, body: NewReply, forward: Forward, once: Once) -> Response:
    """Answer a review in public, once, as the reviewed side."""
    del body
    path = f"/reviews/{identifier(review_id)}/reply"

    async def produce() -> Response:
        return await forward("reviews", path=path)

    return await once(produce)


async def _tell_orders(order_id: str, forward: Forward) -> None:
    """Let the order show the review before the answer goes out.

    Raises:
        ServiceUnavailable: orders went away just now; its event will tell it, and so will a retry of the call.
    """
    caller = forward.caller
    body = ReviewRecorded(by_side=caller.side, user_id=caller.user_id, user_name=caller.name)
    for pause in range(_TRIES):
        try:
            answer = await forward.services.call(
                "orders",
                "POST",
                f"/orders/{order_id}/reviews-recorded",
                caller=caller,
                body=body.model_dump_json().encode(),
            )
        except ServiceUnavailable:
            answer = None
        if answer is not None and answer.ok:
            return
        await asyncio.sleep(pause * 0.2)
    raise ServiceUnavailable("orders")
