"""Threads: what chat knows of each order."""

from typing import Final

from services.chat.domain import Thread, ThreadNotKnown
from shared import inbox
from shared.api.chat import ThreadFacts
from shared.api.orders import Status
from shared.identity import Caller, Side
from shared.mongo import Database, Document

THREADS: Final = "threads"
OWNER: Final[dict[Side, str]] = {"buyer": "buyer_id", "factory": "factory_id"}


async def get_thread(db: Database, order_id: str, *, caller: Caller) -> Thread:
    """Read a thread of the caller's organisation.

    Raises:
        ThreadNotKnown: there is none, as far as the caller may know.
    """
    found = await db[THREADS].find_one({"_id": order_id, OWNER[caller.side]: caller.organisation_id})
    if found is None:
        raise ThreadNotKnown(order_id)
    return _from_document(found)


async def find_known(db: Database, order_id: str) -> tuple[str, ...]:
    """List what looks like a number to call and is one of the order itself."""
    found = await db[THREADS].find_one({"_id": order_id})
    return _from_document(found).known if found else ()


async def find_version(db: Database, order_id: str) -> int:
    """Tell which version of the order its thread shows; 0 where there is no thread yet."""
    found = await db[THREADS].find_one({"_id": order_id}, {"version": 1})
    return found["version"] if found else 0


async def keep_thread(db: Database, facts: ThreadFacts) -> None:
    """Keep newer facts of an order."""
    record: Document = {
        "number": facts.number,
        "buyer_id": facts.buyer_id,
        "factory_id": facts.factory_id,
        "sku": facts.sku,
        "completed_at": next((entry.at for entry in facts.history if entry.status is Status.COMPLETED), None),
    }
    if facts.tracking_number:  # not every event tells it, and an order keeps it once it has it
        record["tracking_number"] = facts.tracking_number
    await inbox.keep_newer(db[THREADS], facts.order_id, version=facts.version, record=record)


def _from_document(found: Document) -> Thread:
    return Thread(
        order_id=found["_id"],
        number=found["number"],
        version=found["version"],
        buyer_id=found["buyer_id"],
        factory_id=found["factory_id"],
        sku=found["sku"],
        tracking_number=found.get("tracking_number"),
        completed_at=found["completed_at"],
    )
