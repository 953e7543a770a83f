"""Lists, counts and sums of one organisation's orders, each answered by an index."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING

from services.orders.domain import OrderHeader
from services.orders.store import search
from services.orders.store.documents import HEADER, header_from_document, money
from services.orders.store.indexes import (
    ORDERS,
    OWNER,
    SORT_FIELD,
    completed_index,
    list_index,
    stats_index,
)
from services.orders.store.organisations import (
    find_completed_tally,
    get_organisation,
    keep_completed_tally,
)
from shared import mongo
from shared.api.orders import DueState, OrderQuery, OrderStats, Sort, Status
from shared.api.page import read_cursor, write_cursor
from shared.errors import ValidationFailed
from shared.identity import Caller
from shared.mongo import Database, Document

# So many completed orders are counted one by one before their number is kept.
_MOST_COUNTED: Final = 500
# No write that began so long ago is still on its way.
_SETTLED: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def find_orders(
    db: Database, query: OrderQuery, *, caller: Caller, now: datetime
) -> tuple[list[OrderHeader], str | None]:
    """List orders of the caller's organisation, and the cursor of what follows."""
    owner, other = OWNER[caller.side], OWNER["factory" if caller.side == "buyer" else "buyer"]
    if not (active := _active(query)):
        return [], None
    # Naming every value of `active` that can be keeps the sort inside the index.
    criteria: list[Document] = [{owner: caller.organisation_id}, {"active": {"$in": active}}]
    if query.status:
        criteria.append({"status": {"$in": [status.value for status in query.status]}})
    if query.counterparty:
        criteria.append({other: query.counterparty})
    if query.due:
        criteria.append(_due_filter(query.due, now=now))
    if query.q:
        criteria.append(search.query(query.q, under=f"search_{caller.side}"))
    field = SORT_FIELD[query.sort.removeprefix("-")]
    direction = DESCENDING if query.sort.startswith("-") else ASCENDING
    if query.cursor:
        criteria.append(_after(query.cursor, sort=query.sort, field=field, direction=direction))
    cursor = db[ORDERS].find({"$and": criteria}, HEADER).sort([(field, direction), ("_id", direction)])
    if not query.q:
        # The planner, too, would find it, after trying others. With a text it has a real choice:
        # to walk the list until enough match, or to sort the few that hold the rarest piece.
        cursor = cursor.hint(list_index(owner, field))
    found = await cursor.limit(query.limit + 1).to_list(query.limit + 1)
    orders = [header_from_document(document) for document in found[: query.limit]]
    if len(found) <= query.limit:
        return orders, None
    return orders, write_cursor(query.sort, _position(orders[-1], query.sort), orders[-1].id)


async def each_active_order(db: Database, *, caller: Caller) -> AsyncIterator[OrderHeader]:
    """Give all active orders of the caller's organisation, most urgent first, in memory that does not grow."""
    owner = OWNER[caller.side]
    async for found in (
        db[ORDERS]
        .find({owner: caller.organisation_id, "active": True}, HEADER)
        .sort([("deadline", ASCENDING), ("_id", ASCENDING)])
        .hint(list_index(owner, "deadline"))
        .batch_size(100)
    ):
        yield header_from_document(found)


async def stats(db: Database, *, caller: Caller, now: datetime) -> OrderStats:
    """Count and add up the orders of the caller's organisation, from indexes without reading an order."""
    owner = OWNER[caller.side]
    rows, completed = await asyncio.gather(
        mongo.aggregate(
            db[ORDERS],
            [
                {"$match": {owner: caller.organisation_id, "active": True}},
                {
                    "$group": {
                        "_id": "$total.currency",
                        "active": {"$sum": 1},
                        "overdue": {"$sum": {"$cond": [{"$lte": ["$overdue_at", now]}, 1, 0]}},
                        "soon": {"$sum": {"$cond": [{"$lte": ["$due_soon_at", now]}, 1, 0]}},
                        "awaiting": {"$sum": {"$cond": [{"$eq": ["$status", Status.SHIPPED.value]}, 1, 0]}},
                        "value": {"$sum": "$total.amount"},
                    }
                },
                {"$sort": {"_id": 1}},
            ],
            hint=stats_index(owner),
        ),
        _count_completed(db, owner=owner, organisation_id=caller.organisation_id, now=now),
    )
    overdue = sum(row["overdue"] for row in rows)
    return OrderStats(
        active=sum(row["active"] for row in rows),
        due_soon=sum(row["soon"] for row in rows) - overdue,
        overdue=overdue,
        awaiting_receipt=sum(row["awaiting"] for row in rows),
        completed=completed,
        open_value=[money({"amount": row["value"], "currency": row["_id"]}) for row in rows],
    )


async def _count_completed(db: Database, *, owner: str, organisation_id: str, now: datetime) -> int:
    # Completed orders only become more, so those that were counted once need not be counted again.
    counted, up_to = await find_completed_tally(db, organisation_id) or (0, _EPOCH)
    later = {"$gt": up_to}
    count: int = counted + await db[ORDERS].count_documents(
        {owner: organisation_id, "completed_at": later}, hint=completed_index(owner)
    )
    if count - counted > _MOST_COUNTED:
        settled = now - _SETTLED
        known = counted + await db[ORDERS].count_documents(
            {owner: organisation_id, "completed_at": later | {"$lte": settled}}, hint=completed_index(owner)
        )
        await keep_completed_tally(db, organisation_id, count=known, up_to=settled)
    return count


async def find_completed(
    db: Database, *, organisation_id: str, limit: int, cursor: str | None
) -> tuple[list[OrderHeader], str | None]:
    """List an organisation's completed orders, newest first, for its public profile."""
    criteria: Document = {"completed_at": {"$type": "date"}}
    if cursor:
        # Read first, as what is no cursor is refused for an organisation that was not heard of yet as well.
        at, order_id = read_cursor(cursor, length=2)
        instant = _instant(at)
        criteria["completed_at"]["$lte"] = instant
        criteria["$or"] = [{"completed_at": {"$lt": instant}}, {"_id": {"$lt": str(order_id)}}]
    organisation = await get_organisation(db, organisation_id)
    criteria[OWNER[organisation.kind]] = organisation_id
    found = (
        await db[ORDERS]
        .find(criteria, HEADER)
        .sort([("completed_at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    orders = [header_from_document(document) for document in found[:limit]]
    last = orders[-1] if len(found) > limit else None
    return orders, write_cursor(last.completed_at, last.id) if last else None


async def on_time_rate(db: Database, *, organisation_id: str) -> float | None:
    """Tell the share of a factory's delivered orders that were shipped in time; `None` without any."""
    rows = await mongo.aggregate(
        db[ORDERS],
        [
            {"$match": {"factory_id": organisation_id, "on_time": {"$in": [True, False]}}},
            {"$group": {"_id": None, "all": {"$sum": 1}, "kept": {"$sum": {"$cond": ["$on_time", 1, 0]}}}},
        ],
        hint="on_time",
    )
    return rows[0]["kept"] / rows[0]["all"] if rows else None


def _active(query: OrderQuery) -> list[bool]:
    possible = {True, False}
    if query.state:
        possible &= {query.state == "active"}
    if query.due:
        possible &= {query.due != "done"}
    if query.status:
        possible &= {status is not Status.COMPLETED for status in query.status}
    return sorted(possible)


def _due_filter(due: DueState, *, now: datetime) -> Document:
    match due:
        case "done":
            return {}
        case "overdue":
            return {"overdue_at": {"$lte": now}}
        case "due_soon":
            return {"due_soon_at": {"$lte": now}, "overdue_at": {"$gt": now}}
        case "on_track":
            return {"due_soon_at": {"$gt": now}}


def _position(order: OrderHeader, sort: Sort) -> str:
    match sort.removeprefix("-"):
        case "deadline":
            return order.deadline.isoformat()
        case "updated":
            return order.updated_at.isoformat()
        case _:
            return str(order.total.amount)


def _after(cursor: str, *, sort: Sort, field: str, direction: int) -> Document:
    of_sort, position, order_id = read_cursor(cursor, length=3)
    if of_sort != sort or not isinstance(position, str) or not isinstance(order_id, str):
        raise ValidationFailed.at("/cursor", "belongs to a list in another order")
    value: Any = position
    if field == "updated_at":
        value = _instant(position)
    elif field == "total.amount":
        try:
            value = Decimal128(position)
        except ArithmeticError as error:
            raise ValidationFailed.at("/cursor", "is no cursor of this list") from error
    beyond = "$gt" if direction == ASCENDING else "$lt"
    return {f"{field}": {f"{beyond}e": value}, "$or": [{field: {beyond: value}}, {"_id": {beyond: order_id}}]}


def _instant(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationFailed.at("/cursor", "is no cursor of this list") from error
