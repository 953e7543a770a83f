"""A step is taken once, whoever starts and whoever dies."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared import migrations, mongo
from shared.clock import utc_now
from shared.mongo import Database
from tests.shared.dies_while_migrating import count_letters
from tests.waiting import eventually

LEASE = timedelta(seconds=0.6)
WORDS = ["bracket", "valve", "flange"] * 50


@pytest.fixture(params=["motor", "pymongo"])
def driver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def db(mongo_url: str, mongo_db_prefix: str, driver: str) -> AsyncIterator[Database]:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}words", driver=driver) as db:
        await db["words"].insert_many([{"_id": index, "word": word} for index, word in enumerate(WORDS)])
        yield db


async def add_plural(db: Database) -> None:
    await db["taken"].insert_one({"step": "plural"})
    await db["words"].update_many({}, [{"$set": {"plural": {"$concat": ["$word", "s"]}}}])


async def count(db: Database, step: str) -> int:
    taken: int = await db["taken"].count_documents({"step": step})
    return taken


async def version(db: Database) -> int:
    return int((await db[migrations.MIGRATIONS].find_one({"_id": "words"}))["version"])


async def test_three_instances_take_each_step_once_and_in_order(db: Database) -> None:
    steps = {"words": (count_letters, add_plural)}

    await asyncio.gather(*(migrations.run(db, steps) for _ in range(3)))
    await migrations.run(db, steps)

    assert [row["step"] async for row in db["taken"].find().sort("_id", 1)] == ["letters", "plural"]
    assert await version(db) == 2
    assert await db["words"].count_documents({"letters": {"$gt": 3}, "plural": {"$exists": True}}) == len(
        WORDS
    )


async def test_a_later_release_takes_only_what_is_new(db: Database) -> None:
    await migrations.run(db, {"words": (count_letters,)})

    await migrations.run(db, {"words": (count_letters, add_plural)})

    assert (await count(db, "letters"), await count(db, "plural")) == (1, 1)


async def test_an_earlier_release_does_not_start_on_what_it_cannot_know(db: Database) -> None:
    await migrations.run(db, {"words": (count_letters, add_plural)})

    with pytest.raises(migrations.NewerData, match="words is at version 2"):
        await migrations.run(db, {"words": (count_letters,)})


async def test_a_step_that_outlasts_its_lease_is_not_taken_twice(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    monkeypatch.setattr(migrations, "utc_now", lambda: now)

    async def is_renewed() -> bool:
        found = await db[migrations.MIGRATIONS].find_one({"_id": "words"})
        return bool(found["until"] == now + LEASE)

    async def slow(db: Database) -> None:
        nonlocal now
        await db["taken"].insert_one({"step": "slow"})
        for _ in range(3):
            now += LEASE * 2 / 3
            await eventually(is_renewed)

    await asyncio.gather(*(migrations.run(db, {"words": (slow,)}, lease=LEASE) for _ in range(3)))

    assert await count(db, "slow") == 1
    assert await version(db) == 1


async def test_a_step_that_fails_is_tried_by_the_next_start(db: Database) -> None:
    async def fails(_: Database) -> None:
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="full"):
        await migrations.run(db, {"words": (fails,)})
    await migrations.run(db, {"words": (count_letters,)})

    assert await count(db, "letters") == 1


async def test_after_a_crash_in_its_midst_another_instance_takes_the_step_again(
    db: Database, mongo_url: str, mongo_db_prefix: str
) -> None:
    crashing = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "dies_while_migrating.py"),
        mongo_url,
        f"{mongo_db_prefix}words",
        str(LEASE.total_seconds()),
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert await crashing.wait() == 9
    half = await db["words"].count_documents({"letters": {"$exists": True}})
    assert 0 < half < len(WORDS)

    await asyncio.gather(*(migrations.run(db, {"words": (count_letters,)}) for _ in range(3)))

    assert await count(db, "letters") == 2  # once by the one that died
    assert await version(db) == 1
    assert await db["words"].count_documents({"letters": {"$gt": 3}}) == len(WORDS)
