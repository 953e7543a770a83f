"""Webhooks and what was sent to each.

A webhook is served by one instance at a time (`leased_until`), which sends what is due in its order.
`due_at` is when something is due next; it is never later than the truth, and an instance that dies with
a lease leaves it standing, so nothing waits for good.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.notifications.domain.webhook import (
    Delivery,
    DeliveryNotFound,
    Secret,
    State,
    Webhook,
    WebhookNotFound,
)
from services.notifications.store import positions
from shared import inbox
from shared.api.page import write_cursor
from shared.api.webhooks import Attempt, EventType
from shared.identity import Caller
from shared.mongo import Database, Document

WEBHOOKS: Final = "webhooks"
DELIVERIES: Final = "deliveries"

KEPT_FOR: Final = timedelta(days=30)


async def ensure_indexes(db: Database) -> None:
    await db[WEBHOOKS].create_indexes([IndexModel("organisation_id"), IndexModel("due_at", sparse=True)])
    await db[DELIVERIES].create_indexes(
        [
            IndexModel([("webhook_id", ASCENDING), ("event_id", ASCENDING)], unique=True),
            IndexModel(
                [("webhook_id", ASCENDING), ("next_at", ASCENDING), ("_id", ASCENDING)],
                partialFilterExpression={"state": "pending"},
                name="due",
            ),
            IndexModel([("webhook_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel("created_at", expireAfterSeconds=int(KEPT_FOR.total_seconds())),
        ]
    )


async def insert_webhook(db: Database, webhook: Webhook) -> None:
    record = {
        "_id": webhook.id,
        "organisation_id": webhook.organisation_id,
        "created_at": webhook.created_at,
        "leased_until": webhook.created_at,
    }
    await db[WEBHOOKS].insert_one(record | _changes(webhook))


async def save_webhook(db: Database, webhook: Webhook) -> None:
    """Store what its owner changed."""
    await db[WEBHOOKS].update_one({"_id": webhook.id}, {"$set": _changes(webhook)})


async def delete_webhook(db: Database, webhook: Webhook) -> None:
    await db[WEBHOOKS].delete_one({"_id": webhook.id})
    await db[DELIVERIES].delete_many({"webhook_id": webhook.id})


async def get_webhook(db: Database, webhook_id: str, *, caller: Caller) -> Webhook:
    """Read a webhook of the caller's organisation.

    Raises:
        WebhookNotFound: there is none.
    """
    found = await db[WEBHOOKS].find_one({"_id": webhook_id, "organisation_id": caller.organisation_id})
    if found is None:
        raise WebhookNotFound(f"there is no webhook {webhook_id[:100]!r} of yours")
    return _webhook(found)


async def find_webhooks(db: Database, organisation_id: str) -> list[Webhook]:
    found = await db[WEBHOOKS].find({"organisation_id": organisation_id}).sort("_id", 1).to_list(None)
    return [_webhook(document) for document in found]


async def find_enabled(db: Database, organisation_ids: Collection[str]) -> list[Webhook]:
    """List those of some organisations that are switched on."""
    found = db[WEBHOOKS].find({"organisation_id": {"$in": list(organisation_ids)}, "enabled": True})
    return [_webhook(document) for document in await found.to_list(None)]


async def insert_delivery(db: Database, delivery: Delivery) -> None:
    """Have an event sent to a webhook, once."""
    document = _delivery_document(delivery) | {
        "_id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "organisation_id": delivery.organisation_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "body": delivery.body,
        "created_at": delivery.created_at,
    }
    await inbox.insert_once(db, DELIVERIES, document)
    # Also when it was there already: whoever stored it may have died before this line.
    await _is_due(db, delivery.webhook_id, at=delivery.created_at)


async def get_delivery(db: Database, delivery_id: str, *, webhook: Webhook) -> Delivery:
    """Read one delivery of a webhook.

    Raises:
        DeliveryNotFound: there is none.
    """
    found = await db[DELIVERIES].find_one({"_id": delivery_id, "webhook_id": webhook.id})
    if found is None:
        raise DeliveryNotFound(f"there is no delivery {delivery_id[:100]!r} of this webhook")
    return _delivery(found)


async def find_deliveries(
    db: Database, webhook: Webhook, *, limit: int, cursor: str | None
) -> tuple[list[Delivery], str | None]:
    """List what was sent or is to be sent, newest first, and the cursor of what follows."""
    found = (
        await db[DELIVERIES]
        .find({"webhook_id": webhook.id} | positions.older_than(cursor))
        .sort([("created_at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    deliveries = [_delivery(document) for document in found[:limit]]
    last = deliveries[-1] if len(found) > limit else None
    return deliveries, write_cursor(last.created_at, last.id) if last else None


async def save_delivery(db: Database, delivery: Delivery) -> None:
    await db[DELIVERIES].update_one({"_id": delivery.id}, {"$set": _delivery_document(delivery)})
    if delivery.next_at is not None:
        await _is_due(db, delivery.webhook_id, at=delivery.next_at)


async def lease_webhook(db: Database, *, now: datetime, until: datetime) -> Webhook | None:
    """Take the webhook that waits longest, if anything is due, for oneself until then."""
    found = await db[WEBHOOKS].find_one_and_update(
        {"due_at": {"$lte": now}, "enabled": True, "leased_until": {"$lte": now}},
        {"$set": {"leased_until": until}},
        sort=[("due_at", ASCENDING)],
        return_document=True,
    )
    return _webhook(found) if found else None


async def find_due(db: Database, webhook: Webhook, *, now: datetime, limit: int) -> list[Delivery]:
    found = (
        await db[DELIVERIES]
        .find({"webhook_id": webhook.id, "state": "pending", "next_at": {"$lte": now}})
        .sort([("next_at", ASCENDING), ("_id", ASCENDING)])
        .limit(limit)
        .to_list(limit)
    )
    return [_delivery(document) for document in found]


async def prolong(db: Database, webhook: Webhook, *, leased_until: datetime, until: datetime) -> bool:
    """Keep a lease; `False`: it is lost, or the webhook is gone or switched off."""
    result = await db[WEBHOOKS].update_one(
        {"_id": webhook.id, "leased_until": leased_until, "enabled": True}, {"$set": {"leased_until": until}}
    )
    return bool(result.matched_count)


async def save_judgment(db: Database, webhook: Webhook) -> None:
    """Store how the receiver did."""
    await db[WEBHOOKS].update_one(
        {"_id": webhook.id, "enabled": True},
        {
            "$set": {
                "enabled": webhook.enabled,
                "disabled_reason": webhook.disabled_reason,
                "failing_since": webhook.failing_since,
                "silent": webhook.silent,
            }
        },
    )


async def end_lease(db: Database, webhook: Webhook, *, leased_until: datetime, rest_until: datetime) -> None:
    """Give a webhook back, to be served again when something is due, and not before it has rested."""
    held = {"_id": webhook.id, "leased_until": leased_until}
    # Put off first, looked up second: what becomes due in between makes it earlier again, and if this
    # process dies in between, the end of its lease is when somebody looks.
    await db[WEBHOOKS].update_one(held, {"$set": {"due_at": leased_until}})
    waiting = await db[DELIVERIES].find_one(
        {"webhook_id": webhook.id, "state": "pending"}, {"next_at": 1}, sort=[("next_at", ASCENDING)]
    )
    found = waiting["next_at"] if waiting else "$$REMOVE"
    untouched = {"$eq": ["$due_at", leased_until]}
    earliest = {"$min": ["$due_at", waiting["next_at"]]} if waiting else "$due_at"
    await db[WEBHOOKS].update_one(
        held,
        [{"$set": {"due_at": {"$cond": [untouched, found, earliest]}, "leased_until": rest_until}}],
    )


async def _is_due(db: Database, webhook_id: str, *, at: datetime) -> None:
    await db[WEBHOOKS].update_one({"_id": webhook_id}, {"$min": {"due_at": at}})


def _changes(webhook: Webhook) -> Document:
    return {
        "url": webhook.url,
        "event_types": list(webhook.event_types),
        "secrets": [{"value": secret.value, "expires_at": secret.expires_at} for secret in webhook.secrets],
        "enabled": webhook.enabled,
        "disabled_reason": webhook.disabled_reason,
        "failing_since": webhook.failing_since,
        "silent": webhook.silent,
    }


def _webhook(found: Document) -> Webhook:
    return Webhook(
        id=found["_id"],
        organisation_id=found["organisation_id"],
        url=found["url"],
        event_types=tuple(found["event_types"]),
        secrets=tuple(Secret(**secret) for secret in found["secrets"]),
        enabled=found["enabled"],
        disabled_reason=found["disabled_reason"],
        failing_since=found["failing_since"],
        silent=found["silent"],
        created_at=found["created_at"],
    )


def _delivery_document(delivery: Delivery) -> Document:
    return {
        "state": delivery.state,
        "tries": delivery.tries,
        "attempts": [attempt.model_dump() for attempt in delivery.attempts],
        "next_at": delivery.next_at,
    }


def _delivery(found: Document) -> Delivery:
    event_type: EventType = found["event_type"]
    state: State = found["state"]
    attempts: list[dict[str, Any]] = found["attempts"]
    return Delivery(
        id=found["_id"],
        webhook_id=found["webhook_id"],
        organisation_id=found["organisation_id"],
        event_id=found["event_id"],
        event_type=event_type,
        body=found["body"],
        state=state,
        tries=found["tries"],
        attempts=tuple(Attempt.model_validate(attempt) for attempt in attempts),
        next_at=found["next_at"],
        created_at=found["created_at"],
    )
