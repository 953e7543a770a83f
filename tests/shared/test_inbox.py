"""Events that come twice, late or out of order leave the same behind as in order."""

import asyncio
from collections.abc import AsyncIterator
from itertools import permutations

import pytest

from shared import inbox, mongo
from shared.mongo import Database

pytestmark = pytest.mark.parts


@pytest.fixture(params=["motor", "pymongo"])
async def db(request: pytest.FixtureRequest, mongo_url: str, mongo_db_prefix: str) -> AsyncIterator[Database]:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}test", driver=request.param) as db:
        yield db


async def test_in_whatever_order_versions_come_the_newest_stays(db: Database) -> None:
    for number, order in enumerate(permutations([1, 2, 2, 3])):
        for version in order:
            await inbox.keep_newer(db, "records", number, version=version, record={"name": f"v{version}"})

        assert await db["records"].find_one({"_id": number}) == {"_id": number, "version": 3, "name": "v3"}


async def test_many_at_once_keep_the_newest(db: Database) -> None:
    await asyncio.gather(
        *(inbox.keep_newer(db, "records", "r", version=v, record={"name": f"v{v}"}) for v in [5] * 20 + [4])
    )

    found = await db["records"].find_one({"_id": "r"})
    assert (found["version"], found["name"]) == (5, "v5")


async def test_the_first_two_versions_at_once_leave_the_newer(db: Database) -> None:
    records = [(key, version) for key in range(100) for version in (1, 2)]

    await asyncio.gather(
        *(inbox.keep_newer(db, "records", key, version=version, record={}) for key, version in records)
    )

    assert await db["records"].count_documents({"version": 2}) == 100


async def test_an_insert_happens_once(db: Database) -> None:
    results = await asyncio.gather(*(inbox.insert_once(db, "things", {"_id": "one"}) for _ in range(20)))

    assert results.count(True) == 1
