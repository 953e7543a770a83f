"""Transactions on both drivers."""

import asyncio

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from shared import mongo
from shared.mongo import Session

pytestmark = pytest.mark.parts


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_rivals_for_one_document_all_have_their_turn(
    mongo_url: str, mongo_db_prefix: str, driver: str
) -> None:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}shared", driver=driver) as db:
        await db["sums"].insert_one({"_id": "one", "value": 0})

        async def add(session: Session) -> None:
            found = await db["sums"].find_one({"_id": "one"}, session=session)
            await db["sums"].update_one(
                {"_id": "one"}, {"$set": {"value": found["value"] + 1}}, session=session
            )

        await asyncio.gather(*(mongo.in_transaction(db, add) for _ in range(20)))

        assert (await db["sums"].find_one({"_id": "one"}))["value"] == 20


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_conflict_that_shows_only_at_the_commit_begins_the_transaction_again(
    mongo_url: str, mongo_db_prefix: str, driver: str
) -> None:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}shared", driver=driver) as db:
        await db["sums"].insert_one({"_id": "one", "value": 0})
        tries = 0

        async def add(session: Session) -> None:
            nonlocal tries
            tries += 1
            await db["sums"].update_one({"_id": "one"}, {"$inc": {"value": 1}}, session=session)
            if tries == 1:
                commit = session.commit_transaction

                async def conflicts() -> None:
                    session.commit_transaction = commit
                    await session.abort_transaction()
                    raise OperationFailure(
                        "WriteConflict", 112, {"errorLabels": ["TransientTransactionError"]}
                    )

                session.commit_transaction = conflicts

        await mongo.in_transaction(db, add)

        assert tries == 2
        assert (await db["sums"].find_one({"_id": "one"}))["value"] == 1


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_what_fails_leaves_nothing(mongo_url: str, mongo_db_prefix: str, driver: str) -> None:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}shared", driver=driver) as db:
        await db["sums"].insert_one({"_id": "taken"})

        async def insert_both(session: Session) -> None:
            await db["sums"].insert_one({"_id": "new"}, session=session)
            await db["sums"].insert_one({"_id": "taken"}, session=session)

        with pytest.raises(DuplicateKeyError):
            await mongo.in_transaction(db, insert_both)

        assert await db["sums"].distinct("_id") == ["taken"]
