"""Threads: what chat knows of each order."""

from collections.abc import Sequence
from typing import Final

from services.chat.domain import Thread, ThreadNotKnown
from shared import inbox
from shared.api.chat import ThreadFacts
from shared.api.orders import Status
from shared.events.accounts import OrganisationChanged
from shared.identity import Caller, Side
from shared.mongo import Database, Document

THREADS: Final = "threads"
ORGANISATIONS: Final = "organisations"
OWNER: Final[dict[Side, str]] = {"buyer": "buyer_id", "factory": "factory_id"}


async def ensure_indexes(db: Database) -> None:
    await db[THREADS].create_index("closed", sparse=True, name="closed")


async def get_thread(db: Database, order_id: str, *, caller: Caller) -> Thread:
    """Read a thread of the caller's organisation.

    Raises:
        ThreadNotKnown: there is none, as far as the caller may know.
    """
    found = await db.find_by_id(THREADS, order_id)
    if found is None or found[OWNER[caller.side]] != caller.organisation_id:
        raise ThreadNotKnown(order_id)
    return _from_document(found)


async def find_known(db: Database, order_id: str) -> tuple[str, ...]:
    """List what looks like a number to call and is one of the order itself."""
    found = await db[THREADS].find_one({"_id": order_id})
    return _from_document(found).known if found else ()


async def find_shown(db: Database, order_id: str) -> tuple[int, set[str]]:
    """Tell which version of the order its thread shows, and which statuses it tells of for certain.

    The version is 0 where there is no thread yet.
    """
    found = await db.find_by_id(THREADS, order_id)
    return (found["version"], set(found.get("lines", ()))) if found else (0, set())


async def keep_thread(db: Database, facts: ThreadFacts) -> None:
    """Keep newer facts of an order."""
    record: Document = {
        "number": facts.number,
        "buyer_id": facts.buyer_id,
        "factory_id": facts.factory_id,
        "sku": facts.sku,
        "lines": [entry.status.value for entry in facts.history],
        "completed_at": next((entry.at for entry in facts.history if entry.status is Status.COMPLETED), None),
    }
    if facts.tracking_number:  # not every event tells it, and an order keeps it once it has it
        record["tracking_number"] = facts.tracking_number
    await inbox.keep_newer(db, THREADS, facts.order_id, version=facts.version, record=record)


async def keep_organisation(db: Database, record: OrganisationChanged) -> None:
    """Keep whether an organisation is closed, unless something newer is kept."""
    await inbox.keep_newer(
        db,
        ORGANISATIONS,
        record.organisation_id,
        version=record.version,
        record={"closed": record.closed},
    )


async def find_closed(db: Database, organisation_ids: Sequence[str]) -> list[str]:
    """Tell which of some organisations are closed."""
    found = db[ORGANISATIONS].find({"_id": {"$in": list(organisation_ids)}, "closed": True}, {"_id": 1})
    return [row["_id"] async for row in found]


async def close(db: Database, organisation_id: str, *, order_id: str | None = None) -> None:
    """Close an organisation's threads, or one of them."""
    theirs: Document = {"$or": [{owner: organisation_id} for owner in OWNER.values()]}
    if order_id:
        theirs["_id"] = order_id
    await db[THREADS].update_many(theirs, {"$addToSet": {"closed": organisation_id}})


async def reopen(db: Database, organisation_id: str) -> None:
    """Open what was closed for an organisation."""
    await db[THREADS].update_many({"closed": organisation_id}, {"$pull": {"closed": organisation_id}})


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
        closed=tuple(found.get("closed", ())),
    )
