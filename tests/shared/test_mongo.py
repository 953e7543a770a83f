"""Transactions and lost connections, on both drivers."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from pymongo.errors import DuplicateKeyError, NetworkTimeout, OperationFailure

from shared import mongo
from shared.mongo import Session
from tests.gateway.live.link import linked

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
async def test_a_connection_that_dies_without_a_word_is_given_up(
    mongo_url: str, mongo_db_prefix: str, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setattr(mongo, "ANSWERS_WITHIN", timedelta(seconds=1))
    async with (
        linked(f"mongodb://{urlsplit(mongo_url).netloc}/?directConnection=true") as link,
        mongo.connect(url=link.url, name=f"{mongo_db_prefix}shared", driver=driver) as db,
    ):
        await db["things"].insert_one({"_id": "one"})
        link.lose()

        assert await asyncio.wait_for(db["things"].find_one({"_id": "one"}), 15) == {"_id": "one"}


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_an_index_may_take_longer_than_an_answer(
    mongo_url: str, mongo_db_prefix: str, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setattr(mongo, "ANSWERS_WITHIN", timedelta(seconds=1))
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}shared", driver=driver) as db:
        await db["things"].insert_one({"_id": "one"})
        slow = {"$where": "sleep(2500) || true"}

        with pytest.raises(NetworkTimeout):
            await db["things"].find_one(slow)
        with mongo.unhurried():
            assert await db["things"].find_one(slow) == {"_id": "one"}


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
