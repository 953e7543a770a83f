"""Changes to documents that are stored already: each once, in order, before the new code serves.

A collection has a version: how many of its steps were taken. Instances that start side by side agree on
who takes the next one by a lease, and all wait until it is done. Whoever takes a step renews the lease; if
it dies, another begins the same step again, so a step has to bear that half of its work is done.
While it runs, instances of the old code still serve: a step adds what the new code reads, and what only
the old code reads is removed by a step of a later release.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog
from pymongo.errors import DuplicateKeyError

from shared.clock import utc_now
from shared.ids import new_id
from shared.mongo import Database, Document

log = structlog.get_logger(__name__)

MIGRATIONS: Final = "migrations"
LEASE: Final = timedelta(seconds=30)
_LOOK_AGAIN: Final = 0.2

Step = Callable[[Database], Awaitable[None]]
Steps = Mapping[str, Sequence[Step]]


class NewerData(Exception):  # noqa: N818 - the fact is its name
    """A later release has changed this collection already."""


async def run(db: Database, steps_of: Steps, *, lease: timedelta = LEASE) -> None:
    """Bring collections to the version that this code knows; return when all of them are there.

    Raises:
        NewerData: one is beyond it.
    """
    instance = new_id()
    for collection, steps in steps_of.items():
        while (version := await _version(db, collection)) < len(steps):
            if await _claim(db, collection, version=version, instance=instance, lease=lease):
                log.info("migrating", collection=collection, to=version + 1)
                await _take(db, collection, steps[version], instance=instance, lease=lease)
            else:
                await asyncio.sleep(_LOOK_AGAIN)
        if version > len(steps):
            raise NewerData(
                f"{collection} is at version {version}, and this release knows {len(steps)}: run the later release"
            )


async def _version(db: Database, collection: str) -> int:
    found: Document | None = await db[MIGRATIONS].find_one({"_id": collection})
    return int(found["version"]) if found else 0


async def _claim(db: Database, collection: str, *, version: int, instance: str, lease: timedelta) -> bool:
    now = utc_now()
    mine = {"version": version, "instance": instance, "until": now + lease}
    try:
        result = await db[MIGRATIONS].update_one(
            {"_id": collection, "version": version, "until": {"$lte": now}}, {"$set": mine}, upsert=True
        )
    except DuplicateKeyError:  # somebody else has the lease, or was faster
        return False
    return bool(result.modified_count or result.upserted_id is not None)


async def _take(db: Database, collection: str, step: Step, *, instance: str, lease: timedelta) -> None:
    work = asyncio.ensure_future(step(db))
    update: Document = {"$set": {"until": utc_now()}}  # for the next start, should this one fail
    try:
        while not (await asyncio.wait([work], timeout=lease.total_seconds() / 3))[0]:
            if not await _settle(
                db, collection, instance=instance, update={"$set": {"until": utc_now() + lease}}
            ):
                return  # another instance took this one for dead, and begins again
        await work
        update |= {"$inc": {"version": 1}}
    finally:
        work.cancel()
        await _settle(db, collection, instance=instance, update=update)


async def _settle(db: Database, collection: str, *, instance: str, update: Document) -> bool:
    result = await db[MIGRATIONS].update_one({"_id": collection, "instance": instance}, update)
    return bool(result.matched_count)
