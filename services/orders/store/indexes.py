"""The orders collection's indexes: each list, count and timer has one that answers it alone."""

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.orders.store import blocks
from shared.identity import Side
from shared.mongo import Database

ORDERS: Final = "orders"

OWNER: Final[dict[Side, str]] = {"buyer": "buyer_id", "factory": "factory_id"}
SORT_FIELD: Final = {"deadline": "deadline", "updated": "updated_at", "value": "total.amount"}


def list_index(owner: str, field: str) -> str:
    return f"list_{owner}_{field}"


def stats_index(owner: str) -> str:
    return f"stats_{owner}"


def completed_index(owner: str) -> str:
    return f"completed_{owner}"


async def ensure_indexes(db: Database) -> None:
    await blocks.ensure_indexes(db)
    owned = [index for side, owner in OWNER.items() for index in _indexes_of(side, owner)]
    await db[ORDERS].create_indexes(
        [
            *owned,
            IndexModel([("factory_id", ASCENDING), ("on_time", ASCENDING)], name="on_time"),
            IndexModel("quote_id", unique=True),
            IndexModel("number", unique=True),
            IndexModel("next_timer_at", sparse=True),
        ]
    )


def _indexes_of(side: Side, owner: str) -> list[IndexModel]:
    lists = [
        IndexModel(
            [(owner, ASCENDING), ("active", ASCENDING), (field, ASCENDING), ("_id", ASCENDING)],
            name=list_index(owner, field),
        )
        for field in SORT_FIELD.values()
    ]
    stats = IndexModel(
        [
            (owner, ASCENDING),
            ("active", ASCENDING),
            ("status", ASCENDING),
            ("due_soon_at", ASCENDING),
            ("overdue_at", ASCENDING),
            ("total.currency", ASCENDING),
            ("total.amount", ASCENDING),
        ],
        name=stats_index(owner),
    )
    # The piece stands first: so the planner may try the scan of each piece, and take the rarest.
    search = IndexModel([(f"search_{side}.pieces", ASCENDING), (owner, ASCENDING)], name=f"search_{side}")
    completed = IndexModel(
        [(owner, ASCENDING), ("completed_at", DESCENDING), ("_id", DESCENDING)], name=completed_index(owner)
    )
    return [*lists, stats, search, completed]
