"""How consumers bear events that come twice, late or out of order.

Most effects have a natural key: one order for a quote, one review for a side, one notification for a
fact and a recipient. A unique index on it makes the second time a no-op, without a list of what was
seen. Copies of another service's records keep the version that they show, and take a newer one only.
"""

from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.mongo import Collection, Document


async def keep_newer(collection: Collection, key: Any, *, version: int, record: Document) -> bool:
    """Replace the copy under `_id` unless it shows this version or a newer one; tell whether it did."""
    older, update = {"_id": key, "version": {"$lt": version}}, {"$set": record | {"version": version}}
    try:
        result = await collection.update_one(older, update, upsert=True)
    except DuplicateKeyError:
        # There is one that is not older; or one that is, and came in the same moment.
        result = await collection.update_one(older, update)
    return bool(result.modified_count or result.upserted_id is not None)


async def insert_once(collection: Collection, document: Document) -> bool:
    """Insert unless a unique index says that it is there already; tell whether it was new."""
    try:
        await collection.insert_one(document)
    except DuplicateKeyError:
        return False
    return True
