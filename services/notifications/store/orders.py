"""What notifications keeps of orders, for events that name only an order's id."""

from dataclasses import asdict
from typing import Final

from services.notifications.domain.facts import KnownOrder
from shared import inbox
from shared.errors import NotFound
from shared.mongo import Database

ORDERS: Final = "orders"


class OrderNotKnown(NotFound):
    """No event of this order has arrived yet."""

    title = "Order not known yet"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id!r} is not known")


async def keep_order(db: Database, order: KnownOrder, *, version: int) -> None:
    record = asdict(order)
    await inbox.keep_newer(db, ORDERS, record.pop("id"), version=version, record=record)


async def get_order(db: Database, order_id: str) -> KnownOrder:
    """Read what is known of an order.

    Raises:
        OrderNotKnown: nothing yet.
    """
    found = await db.find_by_id(ORDERS, order_id)
    if found is None:
        raise OrderNotKnown(order_id)
    return KnownOrder(id=order_id, **{name: found[name] for name in found.keys() - {"_id", "version"}})


async def find_number(db: Database, order_id: str, *, organisation_id: str) -> str | None:
    """Read an order's number for one of its two organisations; `None`: not known yet.

    Raises:
        OrderNotKnown: it is known, and none of theirs.
    """
    found = await db[ORDERS].find_one({"_id": order_id})
    if found is None:
        return None
    if organisation_id not in {found["buyer_id"], found["factory_id"]}:
        raise OrderNotKnown(order_id)
    number: str = found["number"]
    return number
