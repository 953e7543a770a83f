"""How consumers bear events that come twice, late or out of order.

Most effects have a natural key: one order for a quote, one review for a side, one notification for a
fact and a recipient. A unique index on it makes the second time a no-op, without a list of what was
seen. Copies of another service's records keep the version that they show, and take a newer one only.
"""

from typing import Any

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from shared import mongo
from shared.mongo import Database, Document


async def keep_newer(db: Database, collection: str, key: Any, *, version: int, record: Document) -> None:
    """Replace the copy under `_id` unless it shows this version or a newer one."""
    await db.together(_keep_newer, collection)((key, version, record))


async def _keep_newer(
    db: Database, collection: str, copies: list[tuple[Any, int, Document]]
) -> list[DuplicateKeyError | None]:
    updates = [
        ({"_id": key, "version": {"$lt": version}}, {"$set": record | {"version": version}})
        for key, version, record in copies
    ]
    refused = await mongo.refused_of(
        db[collection].bulk_write([UpdateOne(*update, upsert=True) for update in updates], ordered=False)
    )
    for number in refused:
        # There is one that is not older; or one that is, and came in the same moment.
        await db[collection].update_one(*updates[number])
    return [None] * len(copies)


async def insert_once(db: Database, collection: str, document: Document) -> bool:
    """Insert unless a unique index says that it is there already; tell whether it was new."""
    try:
        await db.insert(collection, document)
    except DuplicateKeyError:
        return False
    return True
