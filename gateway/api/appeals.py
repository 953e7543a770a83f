"""Appeals against texts that were refused for contact information."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from gateway.clients import ServiceUnavailable
from gateway.forward import Forward, OrderId, identifier, respond
from gateway.limits import TooManyRequests, limited
from gateway.session import CsrfHeaderMissing
from shared import errors
from shared.api.chat import Appeal, NewAppeal
from shared.http import problems

router = APIRouter(tags=["chat"])


@router.post(
    "/orders/{order_id}/messages/blocked/{ref}/appeal",
    status_code=201,
    dependencies=[limited],
    response_model=Appeal,
    responses=problems(
        errors.Unauthenticated,
        errors.NotFound,
        CsrfHeaderMissing,
        errors.RoleNotSufficient,
        errors.ValidationFailed,
        TooManyRequests,
        ServiceUnavailable,
    ),
)
async def appeal(
    order_id: OrderId, ref: str, forward: Forward, body: Annotated[NewAppeal | None, Body()] = None
) -> Response:
    """Say that a message or a file name was blocked by mistake; `ref` is a member of that answer.

    A person looks at it. The text is kept encrypted until then, and not at all without an appeal. The same
    call made again tells how the appeal stands; once it is granted, the same text can be sent in this thread.
    """
    del order_id, body
    identifier(ref)
    forward.caller.must_write()
    return respond(await forward.ask("chat"))
