"""An order's chat and its files."""

import asyncio
import re
from contextlib import suppress
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import StreamingResponse

from gateway import idempotency, introduce
from gateway.clients import Answer, ServiceUnavailable
from gateway.forward import Forward, OrderId, download, identifier, respond
from gateway.idempotency import IdempotencyKeyReused, Once
from gateway.limits import Limits, TooManyRequests, limited
from gateway.session import CsrfHeaderMissing
from gateway.steps import CurrentSteps
from shared import errors
from shared.api.chat import Attachment, Message, Messages, NewMessage, ReadUpTo, Signal, Unread
from shared.contact_refusal import ContactInfoBlocked
from shared.http import PROBLEM, Db, Limit, Now, problems

router = APIRouter(tags=["chat"])

_UPLOADS: Final = re.compile(r"/api/v1/orders/[^/]+/attachments")
_UPLOAD_HEADERS: Final = ("Content-Type", "Content-Length", "Idempotency-Key")


class ThreadClosed(errors.Conflict):
    """The order was completed so long ago that its chat only reads."""

    title = "This chat is closed"


class OrganisationClosed(errors.Conflict):
    title = "The organisation is closed"


class AttachmentTooLarge(errors.TooLarge):
    title = "Attachment too large"


class AttachmentTypeUnsupported(errors.Unsupported):
    title = "Attachment type not supported"


class AttachmentNotScanned(errors.Conflict):
    title = "The file is not scanned yet"


class AttachmentInfected(errors.Invalid):
    title = "The file is infected"


_SCANNED = (AttachmentNotScanned, AttachmentInfected)
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    206: {"description": "the range that was asked for", "content": {"*/*": {}}},
    304: {"description": "what the client has is current"},
    416: {
        "description": "`/problems/range-not-satisfiable`: the range begins beyond the end; `size` tells where that is",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}
_READ = (errors.Unauthenticated, errors.NotFound, ServiceUnavailable)
_WRITE = (
    *_READ,
    CsrfHeaderMissing,
    errors.RoleNotSufficient,
    errors.ValidationFailed,
    ContactInfoBlocked,
    TooManyRequests,
)


def is_upload(method: str, path: str) -> bool:
    """Tell which requests carry a file, and so may be larger than others.

    No other: the framework holds a body in memory before it asks who sends it.
    """
    return method == "POST" and _UPLOADS.fullmatch(path) is not None


@router.get(
    "/orders/{order_id}/messages",
    response_model=Messages,
    responses=problems(*_READ, errors.ValidationFailed),
)
async def list_messages(
    order_id: OrderId,
    forward: Forward,
    before: Annotated[int | None, Query(ge=1, description="only messages with a lower `seq`")] = None,
    after: Annotated[int | None, Query(ge=0, description="only messages with a higher `seq`")] = None,
    q: Annotated[str | None, Query(max_length=200, description="only messages with these words")] = None,
    limit: Limit = 20,
) -> Response:
    """Read an order's thread, oldest first; without `before` and `after` its newest page."""
    del before, after, q, limit  # chat reads them from the forwarded query
    answer, order = await asyncio.gather(
        forward.ask("chat"), forward.ask("orders", path=f"/orders/{order_id}", query="")
    )
    if not order.ok:
        return respond(order)
    current = order.json()
    behind = answer.ok and int(answer.headers.get("X-Order-Version", 0)) < current["version"]
    if behind or answer.is_problem(introduce.THREAD_NOT_KNOWN):
        await introduce.thread(forward.services, current, caller=forward.caller)
        answer = await forward.ask("chat")
    return respond(answer)


@router.post(
    "/orders/{order_id}/messages",
    status_code=201,
    response_model=Message,
    responses=problems(*_WRITE, ThreadClosed, OrganisationClosed, IdempotencyKeyReused),
)
async def send_message(
    order_id: OrderId, body: NewMessage, forward: Forward, once: Once, steps: CurrentSteps
) -> Response:
    """Send a message, with a text or attachments or both."""
    del body

    async def produce() -> Response:
        if (mark := steps.untold(order_id)) is not None:
            with suppress(ServiceUnavailable):  # the line may come late, the message goes through
                if await _introduce(order_id, forward) is None:
                    steps.told(order_id, mark)
        return respond(await _in_thread(order_id, forward))

    return await once(produce, kind="messages")


@router.post(
    "/orders/{order_id}/messages/read",
    response_model=Unread,
    responses=problems(errors.Unauthenticated, errors.NotFound, CsrfHeaderMissing, errors.ValidationFailed),
)
async def mark_read(order_id: OrderId, body: ReadUpTo, forward: Forward) -> Response:
    """Say up to which message one has read; it never goes backwards."""
    del body
    return respond(await _in_thread(order_id, forward))


@router.post(
    "/orders/{order_id}/typing",
    status_code=204,
    dependencies=[limited],
    responses=problems(
        errors.Unauthenticated, errors.NotFound, CsrfHeaderMissing, errors.RoleNotSufficient, TooManyRequests
    ),
)
async def typing(
    order_id: OrderId, forward: Forward, body: Annotated[Signal | None, Body()] = None
) -> Response:
    """Show the other side's open streams that one is writing, has the thread open, or has left it.

    Nobody keeps it. Send it every few seconds; the same one more than once a second is told once.
    """
    del body
    forward.caller.must_write()
    return respond(await _in_thread(order_id, forward))


@router.post(
    "/orders/{order_id}/attachments",
    status_code=201,
    response_model=Attachment,
    responses=problems(
        *_WRITE,
        AttachmentTooLarge,
        AttachmentTypeUnsupported,
        IdempotencyKeyReused,
        ThreadClosed,
        OrganisationClosed,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                }
            },
        }
    },
)
async def upload_attachment(
    order_id: OrderId, request: Request, forward: Forward, db: Db, now: Now, key: idempotency.Key
) -> Response:
    """Upload one file as the part `file` of `multipart/form-data`; send it with a message afterwards."""
    await idempotency.bind(
        db, user_id=forward.caller.user_id, key=key, call=f"{request.method} {request.url.path}"
    )
    forward.caller.must_write()
    limits: Limits = request.app.state.limits
    await limits.count(db, "uploads", user_id=forward.caller.user_id, now=now)
    # The body streams and cannot be sent twice, so the thread is introduced before it.
    if refusal := await _introduce(order_id, forward):
        return respond(refusal)
    async with forward.services.open(
        "chat",
        "POST",
        f"/orders/{order_id}/attachments",
        caller=forward.caller,
        body=request.stream(),
        headers={name: value for name in _UPLOAD_HEADERS if (value := request.headers.get(name))},
    ) as response:
        return respond(Answer(status=response.status, headers=response.headers, body=await response.read()))


@router.get(
    "/attachments/{attachment_id}",
    status_code=200,
    response_class=StreamingResponse,
    responses=problems(*_READ, *_SCANNED) | _FILE | {200: {"content": {"*/*": {}}}},
)
async def get_attachment(attachment_id: str, forward: Forward) -> Response:
    """Download a file; ranges work."""
    return await download(forward, "chat", f"/attachments/{identifier(attachment_id)}")


@router.get(
    "/attachments/{attachment_id}/thumbnail",
    status_code=200,
    response_class=StreamingResponse,
    responses=problems(*_READ, *_SCANNED)
    | {200: {"content": {"image/webp": {}}}, 304: {"description": "what the client has is current"}},
)
async def get_thumbnail(attachment_id: str, forward: Forward) -> Response:
    return await download(forward, "chat", f"/attachments/{identifier(attachment_id)}/thumbnail")


async def _in_thread(order_id: str, forward: Forward) -> Answer:
    answer = await forward.ask("chat")
    if answer.is_problem(introduce.THREAD_NOT_KNOWN):
        answer = await _introduce(order_id, forward) or await forward.ask("chat")
    return answer


async def _introduce(order_id: str, forward: Forward) -> Answer | None:
    """Bring the thread up to date with its order; answer the refusal of a caller who has no part in that."""
    order = await forward.services.call("orders", "GET", f"/orders/{order_id}", caller=forward.caller)
    if not order.ok:
        return order
    await introduce.thread(forward.services, order.json(), caller=forward.caller)
    return None
