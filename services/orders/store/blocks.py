"""What was refused for contact information: no text, only the event for moderators until it is published."""

from datetime import datetime, timedelta
from typing import Final

from shared.ids import new_id
from shared.mongo import Database
from shared.outbox import Sealed

BLOCKS: Final = "blocks"
# Long past any outage of the broker that nobody repairs.
_KEPT: Final = timedelta(days=30)


async def ensure_indexes(db: Database) -> None:
    await db[BLOCKS].create_index("at", expireAfterSeconds=int(_KEPT.total_seconds()), name="expiry")


async def insert_block(db: Database, events: Sealed, *, now: datetime) -> None:
    block_id = new_id()
    await db[BLOCKS].insert_one({"_id": block_id, "at": now} | events.fields)
    db.outbox.send(BLOCKS, block_id, events)
