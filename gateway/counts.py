"""Calls of the last minute, counted in the database, so that a limit holds for all gateways together.

A count is acknowledged by one member of the replica set: a failover may forget a few, and nobody waits.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from pymongo import IndexModel, WriteConcern

from shared.mongo import Database

CALLS: Final = "recent_calls"
_WINDOW: Final = timedelta(minutes=1)
_MILLISECONDS: Final = int(_WINDOW.total_seconds() * 1000)


async def ensure_indexes(db: Database) -> None:
    await db[CALLS].create_indexes([IndexModel("until", expireAfterSeconds=0)])


async def count(db: Database, what: str, *, most: int, now: datetime) -> int | None:
    """Count a call; where there were as many as may be already, tell in how many seconds there is room."""
    calls = db[CALLS].with_options(write_concern=WriteConcern(w=1))
    recent = {"$filter": {"input": {"$ifNull": ["$at", []]}, "cond": {"$gt": ["$$this", now - _WINDOW]}}}
    found = await calls.find_one_and_update(
        {"_id": what},
        [
            {"$set": {"at": recent, "until": now + _WINDOW}},
            {"$set": {"is_full": {"$gte": [{"$size": "$at"}, most]}}},
            {"$set": {"at": {"$cond": ["$is_full", "$at", {"$concatArrays": ["$at", [now]]}]}}},
        ],
        projection={"is_full": 1, "room_at": {"$add": [{"$first": "$at"}, _MILLISECONDS]}},
        upsert=True,
        return_document=True,
    )
    if not found["is_full"]:
        return None
    room_at: datetime = found["room_at"]
    return max(1, math.ceil((room_at - now).total_seconds()))
