"""One order at a time: made, read, changed."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from services.orders.domain import Order, Organisation
from services.orders.store.documents import (
    HIDDEN,
    changing_fields,
    from_document,
    name_fields,
    to_document,
)
from services.orders.store.indexes import ORDERS, OWNER
from shared.errors import NotFound
from shared.identity import Caller
from shared.mongo import Database, Document
from shared.outbox import Sealed

NUMBERS: Final = "numbers"
_BATCH: Final = 500


class OrderNotFound(NotFound):
    """No such order, or none of the caller's: which of the two is not told."""

    title = "No such order"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no order {order_id[:100]!r} of yours")


class QuoteTaken(Exception):  # noqa: N818 - tells of a lost race, not of a fault
    """Another order for this quote was stored first."""


class VersionTaken(Exception):  # noqa: N818 - tells of a lost race, not of a fault
    """Another change of this order was stored first."""


async def next_number(db: Database, *, year: int) -> str:
    """Take the year's next number; one that is taken and not used leaves a gap."""
    counter = await db[NUMBERS].find_one_and_update(
        {"_id": year}, {"$inc": {"last": 1}}, upsert=True, return_document=True
    )
    return f"MR-{year}-{counter['last']:06d}"


async def insert_order(db: Database, order: Order, events: Sealed) -> None:
    """Store a new order with its event.

    Raises:
        QuoteTaken: an order for its quote stands already.
    """
    try:
        await db[ORDERS].insert_one(to_document(order) | events.fields)
    except DuplicateKeyError as error:
        if "quote_id" not in (error.details or {}).get("keyPattern", {}):
            raise
        raise QuoteTaken from error
    db.outbox.send(ORDERS, order.id, events)


async def save_order(db: Database, order: Order, events: Sealed, *, previous_version: int) -> None:
    """Store a change with its events, if nothing else changed the order since it was read.

    Raises:
        VersionTaken: something did.
    """
    changes = changing_fields(order)
    gone = {name: "" for name, value in changes.items() if value is None}
    update: Document = {"$set": {name: value for name, value in changes.items() if value is not None}}
    if gone:
        update["$unset"] = gone
    result = await db[ORDERS].update_one({"_id": order.id, "version": previous_version}, events.into(update))
    if result.matched_count == 0:
        raise VersionTaken
    db.outbox.send(ORDERS, order.id, events)


async def get_order(db: Database, order_id: str, *, caller: Caller) -> Order:
    """Read an order of the caller's organisation.

    Raises:
        OrderNotFound: there is none.
    """
    found = await db.find_by_id(ORDERS, order_id, hiding=tuple(HIDDEN))
    if found is None or found[OWNER[caller.side]] != caller.organisation_id:
        raise OrderNotFound(order_id)
    return from_document(found)


async def get_order_for_event(db: Database, order_id: str) -> Order:
    """Read an order in the name of an event, or of a timer.

    Raises:
        OrderNotFound: there is none (yet).
    """
    found = await db.find_by_id(ORDERS, order_id, hiding=tuple(HIDDEN))
    if found is None:
        raise OrderNotFound(order_id)
    return from_document(found)


async def find_order_of_quote(db: Database, quote_id: str) -> Order | None:
    found = await db[ORDERS].find_one({"quote_id": quote_id}, HIDDEN)
    return from_document(found) if found else None


async def find_orders_with_due_timers(db: Database, *, now: datetime, limit: int) -> list[str]:
    cursor = (
        db[ORDERS].find({"next_timer_at": {"$lte": now}}, {"_id": 1}).sort("next_timer_at", 1).limit(limit)
    )
    return [found["_id"] async for found in cursor]


async def find_active_orders_elsewhere(db: Database, factory: Organisation) -> AsyncIterator[str]:
    """Give the ids of a factory's active orders whose deadlines are still counted in another time zone."""
    elsewhere = {"factory_id": factory.id, "active": True, "time_zone": {"$ne": factory.time_zone}}
    async for found in db[ORDERS].find(elsewhere, {"_id": 1}):
        yield found["_id"]


async def show_name(db: Database, organisation: Organisation) -> None:
    """Show an organisation's name on all its orders, and let the other side find them by it."""
    side = organisation.kind
    renamed = {OWNER[side]: organisation.id, f"{side}_name": {"$ne": organisation.name}}
    updates: list[UpdateOne] = []
    async for found in db[ORDERS].find(renamed, HIDDEN):
        fields = name_fields(from_document(found), side=side, name=organisation.name)
        updates.append(UpdateOne({"_id": found["_id"]}, {"$set": fields}))
        if len(updates) == _BATCH:
            await db[ORDERS].bulk_write(updates, ordered=False)
            updates = []
    if updates:
        await db[ORDERS].bulk_write(updates, ordered=False)
