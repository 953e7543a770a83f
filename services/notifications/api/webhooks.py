"""Webhooks of the caller's organisation, and the feed of its events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.notifications import views
from services.notifications.domain.addresses import AddressRules
from services.notifications.store import events, webhooks
from services.notifications.use_cases import webhooks as use_cases
from shared.api.page import Page, page_of
from shared.api.webhooks import Delivery, EventPage, NewWebhook, Webhook, WebhookChanges, WebhookWithSecret
from shared.http import CurrentCaller, Cursor, Db, Limit, Now

router = APIRouter()


async def _rules(request: Request) -> AddressRules:
    rules: AddressRules = request.app.state.address_rules
    return rules


CurrentRules = Annotated[AddressRules, Depends(_rules)]


@router.post("/webhooks", status_code=201)
async def create_webhook(
    body: NewWebhook, caller: CurrentCaller, db: Db, now: Now, rules: CurrentRules
) -> WebhookWithSecret:
    webhook = await use_cases.create(db, new=body, caller=caller, addresses=rules, now=now)
    return views.webhook_with_secret(webhook)


@router.get("/webhooks")
async def list_webhooks(
    caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> Page[Webhook]:
    caller.must_write()
    found = [views.webhook(webhook) for webhook in await webhooks.find_webhooks(db, caller.organisation_id)]
    return page_of(found, id_of=lambda webhook: webhook.id, limit=limit, cursor=cursor)


@router.patch("/webhooks/{webhook_id}")
async def change_webhook(
    webhook_id: str, body: WebhookChanges, caller: CurrentCaller, db: Db, rules: CurrentRules
) -> Webhook:
    changed = await use_cases.change(db, webhook_id=webhook_id, changes=body, caller=caller, addresses=rules)
    return views.webhook(changed)


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: str, caller: CurrentCaller, db: Db) -> None:
    await use_cases.delete(db, webhook_id=webhook_id, caller=caller)


@router.post("/webhooks/{webhook_id}/secret")
async def rotate_secret(webhook_id: str, caller: CurrentCaller, db: Db, now: Now) -> WebhookWithSecret:
    webhook = await use_cases.rotate_secret(db, webhook_id=webhook_id, caller=caller, now=now)
    return views.webhook_with_secret(webhook)


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: str, caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> Page[Delivery]:
    webhook = await webhooks.get_webhook(db, webhook_id, caller=caller)
    caller.must_write()
    found, next_cursor = await webhooks.find_deliveries(db, webhook, limit=limit, cursor=cursor)
    return Page[Delivery](items=[views.delivery(delivery) for delivery in found], next_cursor=next_cursor)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(webhook_id: str, delivery_id: str, caller: CurrentCaller, db: Db, now: Now) -> Delivery:
    delivery = await use_cases.redeliver(
        db, webhook_id=webhook_id, delivery_id=delivery_id, caller=caller, now=now
    )
    return views.delivery(delivery)


@router.get("/events")
async def read_events(
    caller: CurrentCaller,
    db: Db,
    limit: Limit = 20,
    after: Annotated[str | None, Query(max_length=1000, description="`cursor` of the answer before")] = None,
) -> EventPage:
    return await events.read_events(db, organisation_id=caller.organisation_id, after=after, limit=limit)
