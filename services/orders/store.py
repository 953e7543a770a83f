"""Orders and the organisations they name, in MongoDB."""

from datetime import date, datetime
from typing import Any, Final

from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.orders import domain, search
from services.orders.domain import Order, Organisation
from shared import inbox, mongo
from shared.api.orders import (
    DueState,
    HistoryEntry,
    NextStep,
    OrderQuery,
    OrderStats,
    Party,
    Product,
    Sort,
    Status,
    Tracking,
)
from shared.api.page import read_cursor, write_cursor
from shared.errors import NotFound, ValidationFailed
from shared.events.accounts import OrganisationChanged
from shared.identity import Caller, Side
from shared.money import Money
from shared.mongo import Database, Document
from shared.outbox import Sealed

ORDERS: Final = "orders"
ORGANISATIONS: Final = "organisations"
MEMBERS: Final = "members"
NUMBERS: Final = "numbers"

_OWNER: Final[dict[Side, str]] = {"buyer": "buyer_id", "factory": "factory_id"}
_SORT_FIELD: Final = {"deadline": "deadline", "updated": "updated_at", "value": "total.amount"}


class OrderNotFound(NotFound):
    """No such order, or none of the caller's: which of the two is not told."""

    title = "No such order"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no order {order_id[:100]!r} of yours")


class OrganisationNotKnown(NotFound):
    """Orders has not heard of this organisation yet; whoever knows it may introduce it."""

    title = "Organisation not known yet"

    def __init__(self, organisation_id: str) -> None:
        super().__init__(f"organisation {organisation_id!r} is not known", organisation_id=organisation_id)


class QuoteTaken(Exception):  # noqa: N818 - tells of a lost race, not of a fault
    """Another order for this quote was stored first."""


class VersionTaken(Exception):  # noqa: N818 - tells of a lost race, not of a fault
    """Another change of this order was stored first."""


async def ensure_indexes(db: Database) -> None:
    lists = [
        IndexModel([(owner, ASCENDING), ("active", ASCENDING), (field, ASCENDING), ("_id", ASCENDING)])
        for owner in _OWNER.values()
        for field in _SORT_FIELD.values()
    ]
    stats = [
        IndexModel(
            [
                (owner, ASCENDING),
                ("active", ASCENDING),
                ("status", ASCENDING),
                ("due_soon_at", ASCENDING),
                ("overdue_at", ASCENDING),
                ("total.currency", ASCENDING),
                ("total.amount", ASCENDING),
            ],
            name=f"stats_{owner}",
        )
        for owner in _OWNER.values()
    ]
    searches = [
        IndexModel([(owner, ASCENDING), ("search.pieces", ASCENDING)], name=f"search_{owner}")
        for owner in _OWNER.values()
    ]
    records = [
        IndexModel(
            [(owner, ASCENDING), ("completed_at", DESCENDING), ("_id", DESCENDING)], name=f"completed_{owner}"
        )
        for owner in _OWNER.values()
    ]
    await db[ORDERS].create_indexes(
        [
            *lists,
            *stats,
            *searches,
            *records,
            IndexModel([("factory_id", ASCENDING), ("on_time", ASCENDING)], name="on_time"),
            IndexModel("quote_id", unique=True),
            IndexModel("number", unique=True),
            IndexModel("next_timer_at", sparse=True),
        ]
    )


# -- organisations ------------------------------------------------------------------------------


async def keep_organisation(db: Database, record: OrganisationChanged) -> None:
    """Keep a newer public record, and its name and time zone on the orders that show them."""
    newer = await inbox.keep_newer(
        db[ORGANISATIONS],
        record.organisation_id,
        version=record.version,
        record={"name": record.name, "kind": record.kind, "time_zone": record.time_zone},
    )
    if newer and record.version > 1:
        owner = _OWNER[record.kind]
        await db[ORDERS].update_many(
            {owner: record.organisation_id, f"{record.kind}_name": {"$ne": record.name}},
            {"$set": {f"{record.kind}_name": record.name}},
        )


async def get_organisation(db: Database, organisation_id: str) -> Organisation:
    """Read what is known of an organisation.

    Raises:
        OrganisationNotKnown: nothing yet.
    """
    found = await db[ORGANISATIONS].find_one({"_id": organisation_id})
    if found is None:
        raise OrganisationNotKnown(organisation_id)
    return Organisation(id=found["_id"], name=found["name"], kind=found["kind"], time_zone=found["time_zone"])


async def keep_member(db: Database, *, user_id: str, version: int, name: str) -> None:
    await inbox.keep_newer(db[MEMBERS], user_id, version=version, record={"name": name})


async def find_member_name(db: Database, user_id: str) -> str | None:
    found = await db[MEMBERS].find_one({"_id": user_id})
    return found["name"] if found else None


# -- one order ----------------------------------------------------------------------------------


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
    document = _to_document(order)
    texts = [order.number, order.product.name, order.product.sku, order.buyer.name, order.factory.name]
    document["search"] = {
        "pieces": search.pieces(texts),
        "text": " ".join(search.fold(text) for text in texts if text),
    }
    try:
        await db[ORDERS].insert_one(document | events.fields)
    except DuplicateKeyError as error:
        raise QuoteTaken from error
    db.outbox.send(ORDERS, order.id, events)


async def save_order(db: Database, order: Order, events: Sealed, *, previous_version: int) -> None:
    """Store a change with its event, if nothing else changed the order since it was read.

    Raises:
        VersionTaken: something did.
    """
    changes = _to_document(order)
    del changes["_id"]
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
    found = await db[ORDERS].find_one(
        {"_id": order_id, _OWNER[caller.side]: caller.organisation_id}, {"search": 0, "outbox": 0}
    )
    if found is None:
        raise OrderNotFound(order_id)
    return _from_document(found)


async def get_order_for_event(db: Database, order_id: str) -> Order:
    """Read an order in the name of an event, or of a timer.

    Raises:
        OrderNotFound: there is none (yet).
    """
    found = await db[ORDERS].find_one({"_id": order_id}, {"search": 0, "outbox": 0})
    if found is None:
        raise OrderNotFound(order_id)
    return _from_document(found)


async def find_order_of_quote(db: Database, quote_id: str) -> Order | None:
    found = await db[ORDERS].find_one({"quote_id": quote_id}, {"search": 0, "outbox": 0})
    return _from_document(found) if found else None


async def find_orders_with_due_timers(db: Database, *, now: datetime, limit: int) -> list[str]:
    cursor = (
        db[ORDERS].find({"next_timer_at": {"$lte": now}}, {"_id": 1}).sort("next_timer_at", 1).limit(limit)
    )
    return [found["_id"] async for found in cursor]


# -- lists --------------------------------------------------------------------------------------


async def find_orders(
    db: Database, query: OrderQuery, *, caller: Caller, now: datetime
) -> tuple[list[Order], str | None]:
    """List orders of the caller's organisation, and the cursor of what follows."""
    owner, other = _OWNER[caller.side], _OWNER["factory" if caller.side == "buyer" else "buyer"]
    # Naming both values of `active` keeps the sort inside the index.
    active = {"active": True, "completed": False}.get(query.state or "", {"$in": [True, False]})
    criteria: list[Document] = [{owner: caller.organisation_id}, {"active": active}]
    if query.status:
        criteria.append({"status": {"$in": [status.value for status in query.status]}})
    if query.counterparty:
        criteria.append({other: query.counterparty})
    if query.due:
        criteria.append(_due_filter(query.due, now=now))
    if query.q and query.q.strip():
        criteria.append(search.query(query.q))
    field = _SORT_FIELD[query.sort.removeprefix("-")]
    direction = DESCENDING if query.sort.startswith("-") else ASCENDING
    if query.cursor:
        criteria.append(_after(query.cursor, sort=query.sort, field=field, direction=direction))
    found = (
        await db[ORDERS]
        .find({"$and": criteria}, {"search": 0, "outbox": 0})
        .sort([(field, direction), ("_id", direction)])
        .limit(query.limit + 1)
        .to_list(query.limit + 1)
    )
    orders = [_from_document(document) for document in found[: query.limit]]
    if len(found) <= query.limit:
        return orders, None
    return orders, write_cursor(query.sort, _position(orders[-1], query.sort), orders[-1].id)


async def stats(db: Database, *, caller: Caller, now: datetime) -> OrderStats:
    """Count and add up the orders of the caller's organisation, from one index without reading an order."""
    owner = _OWNER[caller.side]
    rows = await mongo.aggregate(
        db[ORDERS],
        [
            {"$match": {owner: caller.organisation_id, "active": True}},
            {
                "$group": {
                    "_id": "$total.currency",
                    "active": {"$sum": 1},
                    "overdue": {"$sum": {"$cond": [{"$lte": ["$overdue_at", now]}, 1, 0]}},
                    "soon": {"$sum": {"$cond": [{"$lte": ["$due_soon_at", now]}, 1, 0]}},
                    "awaiting": {"$sum": {"$cond": [{"$eq": ["$status", Status.SHIPPED]}, 1, 0]}},
                    "value": {"$sum": "$total.amount"},
                }
            },
            {"$sort": {"_id": 1}},
        ],
        hint=f"stats_{owner}",
    )
    completed = await db[ORDERS].count_documents(
        {owner: caller.organisation_id, "active": False}, hint=f"stats_{owner}"
    )
    overdue = sum(row["overdue"] for row in rows)
    return OrderStats(
        active=sum(row["active"] for row in rows),
        due_soon=sum(row["soon"] for row in rows) - overdue,
        overdue=overdue,
        awaiting_receipt=sum(row["awaiting"] for row in rows),
        completed=completed,
        open_value=[_money({"amount": row["value"], "currency": row["_id"]}) for row in rows],
    )


async def find_completed(
    db: Database, *, organisation_id: str, limit: int, cursor: str | None
) -> tuple[list[Order], str | None]:
    """List an organisation's completed orders, newest first, for its public profile."""
    organisation = await get_organisation(db, organisation_id)
    criteria: Document = {_OWNER[organisation.kind]: organisation_id, "completed_at": {"$type": "date"}}
    if cursor:
        at, order_id = read_cursor(cursor, length=2)
        instant = _instant(at)
        criteria["completed_at"] = {"$type": "date", "$lte": instant}
        criteria["$or"] = [{"completed_at": {"$lt": instant}}, {"_id": {"$lt": str(order_id)}}]
    found = (
        await db[ORDERS]
        .find(criteria, {"search": 0, "outbox": 0})
        .sort([("completed_at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    orders = [_from_document(document) for document in found[:limit]]
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


def _due_filter(due: DueState, *, now: datetime) -> Document:
    match due:
        case "done":
            return {"active": False}
        case "overdue":
            return {"active": True, "overdue_at": {"$lte": now}}
        case "due_soon":
            return {"active": True, "due_soon_at": {"$lte": now}, "overdue_at": {"$gt": now}}
        case "on_track":
            return {"active": True, "due_soon_at": {"$gt": now}}


def _position(order: Order, sort: Sort) -> str:
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
        return datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ValidationFailed.at("/cursor", "is no cursor of this list") from error


# -- document and model -------------------------------------------------------------------------


def _to_document(order: Order) -> Document:
    return {
        "_id": order.id,
        "number": order.number,
        "quote_id": order.quote_id,
        "version": order.version,
        "status": order.status.value,
        "active": order.status is not Status.COMPLETED,
        "product": order.product.model_dump(),
        "quantity": order.quantity,
        "unit": order.unit,
        "unit_price": _money_document(order.unit_price),
        "total": _money_document(order.total),
        "deadline": order.deadline.isoformat(),
        "time_zone": order.time_zone,
        "due_soon_at": domain.due_soon_at(order),
        "overdue_at": domain.overdue_at(order),
        "shipping_terms": order.shipping_terms,
        "destination": order.destination,
        "buyer_id": order.buyer.id,
        "buyer_name": order.buyer.name,
        "factory_id": order.factory.id,
        "factory_name": order.factory.name,
        "tracking": order.tracking.model_dump() if order.tracking else None,
        "history": [entry.model_dump() | {"status": entry.status.value} for entry in order.history],
        "automatic": {"to": order.automatic.to.value, "at": order.automatic.at} if order.automatic else None,
        "extended_by": sorted(order.extended_by),
        "reviewed_by": sorted(order.reviewed_by),
        "receipt_requested_at": order.receipt_requested_at,
        "fired": sorted(order.fired),
        "next_timer_at": domain.next_timer_at(order),
        "on_time": domain.on_time(order),
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "completed_at": order.completed_at,
    }


def _from_document(found: Document) -> Order:
    return Order(
        id=found["_id"],
        number=found["number"],
        quote_id=found["quote_id"],
        version=found["version"],
        status=Status(found["status"]),
        product=Product.model_construct(**found["product"]),
        quantity=found["quantity"],
        unit=found["unit"],
        unit_price=_money(found["unit_price"]),
        total=_money(found["total"]),
        deadline=date.fromisoformat(found["deadline"]),
        time_zone=found["time_zone"],
        shipping_terms=found.get("shipping_terms"),
        destination=found.get("destination"),
        buyer=Party.model_construct(id=found["buyer_id"], name=found["buyer_name"]),
        factory=Party.model_construct(id=found["factory_id"], name=found["factory_name"]),
        tracking=Tracking.model_construct(**found["tracking"]) if found.get("tracking") else None,
        history=tuple(HistoryEntry.model_validate(entry) for entry in found["history"]),
        automatic=_next_step(found.get("automatic")),
        extended_by=frozenset(found["extended_by"]),
        reviewed_by=frozenset(found["reviewed_by"]),
        receipt_requested_at=found.get("receipt_requested_at"),
        fired=frozenset(found["fired"]),
        created_at=found["created_at"],
        updated_at=found["updated_at"],
        completed_at=found.get("completed_at"),
    )


def _next_step(found: Document | None) -> NextStep | None:
    return NextStep.model_construct(to=Status(found["to"]), at=found["at"]) if found else None


def _money_document(money: Money) -> Document:
    return {"amount": Decimal128(money.amount), "currency": money.currency}


def _money(found: Document) -> Money:
    return Money.model_construct(amount=found["amount"].to_decimal(), currency=found["currency"])
