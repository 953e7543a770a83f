"""Orders and the organisations they name, in MongoDB."""

from services.orders.store.blocks import BLOCKS, insert_block
from services.orders.store.indexes import ORDERS, ensure_indexes
from services.orders.store.lists import each_active_order, find_completed, find_orders, on_time_rate, stats
from services.orders.store.orders import (
    OrderNotFound,
    QuoteTaken,
    VersionTaken,
    find_active_orders_elsewhere,
    find_order_of_quote,
    find_orders_with_due_timers,
    get_order,
    get_order_for_event,
    insert_order,
    next_number,
    save_order,
    show_name,
)
from services.orders.store.organisations import (
    Member,
    OrganisationNotKnown,
    find_member,
    get_organisation,
    keep_member,
    keep_organisation,
)

__all__ = [
    "BLOCKS",
    "ORDERS",
    "Member",
    "OrderNotFound",
    "OrganisationNotKnown",
    "QuoteTaken",
    "VersionTaken",
    "each_active_order",
    "ensure_indexes",
    "find_active_orders_elsewhere",
    "find_completed",
    "find_member",
    "find_order_of_quote",
    "find_orders",
    "find_orders_with_due_timers",
    "get_order",
    "get_order_for_event",
    "get_organisation",
    "insert_block",
    "insert_order",
    "keep_member",
    "keep_organisation",
    "next_number",
    "on_time_rate",
    "save_order",
    "show_name",
    "stats",
]
