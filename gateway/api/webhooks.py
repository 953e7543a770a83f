"""Webhooks and the event feed: for an organisation's own systems."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.clients import ServiceUnavailable
from gateway.forward import Forward, identifier
from gateway.idempotency import IdempotencyKeyReused, Once
from gateway.limits import TooManyRequests, limited
from gateway.session import CsrfHeaderMissing
from shared import errors
from shared.api.page import Page
from shared.api.webhooks import Delivery, EventPage, NewWebhook, Webhook, WebhookChanges, WebhookWithSecret
from shared.http import Cursor, Limit, problems

router = APIRouter(tags=["integration"])

_READ = (errors.Unauthenticated, errors.RoleNotSufficient, errors.NotFound, ServiceUnavailable)
_WRITE = (*_READ, CsrfHeaderMissing, errors.ValidationFailed, errors.Conflict, TooManyRequests)


@router.post(
    "/webhooks",
    status_code=201,
    response_model=WebhookWithSecret,
    responses=problems(*_WRITE, IdempotencyKeyReused),
)
async def create_webhook(body: NewWebhook, forward: Forward, once: Once) -> Response:
    """Have the organisation's events delivered, signed by the Standard Webhooks specification."""
    del body

    async def produce() -> Response:
        return await forward("notifications")

    return await once(produce)


@router.get("/webhooks", response_model=Page[Webhook], responses=problems(*_READ, errors.ValidationFailed))
async def list_webhooks(forward: Forward, limit: Limit = 20, cursor: Cursor = None) -> Response:
    del limit, cursor
    return await forward("notifications")


@router.patch(
    "/webhooks/{webhook_id}", response_model=Webhook, dependencies=[limited], responses=problems(*_WRITE)
)
async def change_webhook(webhook_id: str, body: WebhookChanges, forward: Forward) -> Response:
    """Change a webhook, or switch it off or on again."""
    del body
    return await forward("notifications", path=f"/webhooks/{identifier(webhook_id)}")


@router.delete("/webhooks/{webhook_id}", status_code=204, dependencies=[limited], responses=problems(*_WRITE))
async def delete_webhook(webhook_id: str, forward: Forward) -> Response:
    return await forward("notifications", path=f"/webhooks/{identifier(webhook_id)}")


@router.post(
    "/webhooks/{webhook_id}/secret",
    response_model=WebhookWithSecret,
    dependencies=[limited],
    responses=problems(*_WRITE),
)
async def rotate_secret(webhook_id: str, forward: Forward) -> Response:
    """Renew the secret; the old one signs beside it for a day."""
    return await forward("notifications", path=f"/webhooks/{identifier(webhook_id)}/secret")


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    response_model=Page[Delivery],
    responses=problems(*_READ, errors.ValidationFailed),
)
async def list_deliveries(
    webhook_id: str, forward: Forward, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    """Read what was sent, newest first, with every attempt."""
    del limit, cursor
    return await forward("notifications", path=f"/webhooks/{identifier(webhook_id)}/deliveries")


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=Delivery,
    dependencies=[limited],
    responses=problems(*_WRITE),
)
async def redeliver(webhook_id: str, delivery_id: str, forward: Forward) -> Response:
    """Send a delivery again, with the same `webhook-id`."""
    path = f"/webhooks/{identifier(webhook_id)}/deliveries/{identifier(delivery_id)}/redeliver"
    return await forward("notifications", path=path)


@router.get(
    "/events",
    response_model=EventPage,
    responses=problems(errors.Unauthenticated, errors.ValidationFailed, ServiceUnavailable),
)
async def read_events(
    forward: Forward,
    limit: Limit = 20,
    after: Annotated[str | None, Query(max_length=1000, description="`cursor` of the answer before")] = None,
) -> Response:
    """Poll the organisation's events, oldest first, instead of being called."""
    del limit, after
    return await forward("notifications")
