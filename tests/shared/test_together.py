"""What is asked for at the same time is done together, and each hears of its own."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from pymongo.errors import DuplicateKeyError

from shared import mongo, telemetry
from shared.mongo import Database
from shared.together import MOST, OneAnswer, Together
from tests.waiting import eventually


class Work:
    """Doubles numbers, refuses negative ones, and fails as a whole on zero."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, numbers: list[int]) -> list[int | BaseException]:
        self.batches.append(numbers)
        await self.may_end.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number if number > 0 else ValueError(number) for number in numbers]


async def test_who_comes_while_work_is_done_waits_for_the_next_turn_with_all_others() -> None:
    work = Work()
    work.may_end.clear()
    double = Together[int, int](work)

    asked = [asyncio.create_task(double(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked += [asyncio.create_task(double(number)) for number in range(2, MOST + 12)]
    await asyncio.sleep(0)
    work.may_end.set()

    assert await asyncio.gather(*asked) == [2 * number for number in range(1, MOST + 12)]
    assert [len(batch) for batch in work.batches] == [1, MOST, 10]


async def test_a_refusal_is_its_own_items_alone() -> None:
    double = Together[int, int](Work())

    first, second, third = await asyncio.gather(double(1), double(-1), double(3), return_exceptions=True)

    assert (first, third) == (2, 6)
    assert isinstance(second, ValueError)


async def test_what_fails_as_a_whole_fails_for_all_who_waited_and_nobody_after() -> None:
    double = Together[int, int](Work())

    found = await asyncio.gather(double(1), double(0), return_exceptions=True)

    assert [type(each) for each in found] == [ZeroDivisionError, ZeroDivisionError]
    assert await double(4) == 8


async def test_who_gives_up_spoils_it_for_nobody() -> None:
    work = Work()
    work.may_end.clear()
    double = Together[int, int](work)
    asked = [asyncio.create_task(double(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    asked[0].cancel()
    work.may_end.set()

    assert await asked[1] == 4
    assert asked[0].cancelled()


async def test_those_who_ask_the_same_share_an_answer_that_was_begun_after_they_asked() -> None:
    may_end = asyncio.Event()
    begun: list[str] = []

    def asking(question: str) -> "asyncio.Task[str]":
        async def find() -> str:
            begun.append(question)
            answer = f"{question} {len(begun)}"
            await may_end.wait()
            return answer

        return asyncio.create_task(one_answer(question, find))

    one_answer = OneAnswer[str]()
    asked = [asking("same")]
    await eventually(lambda: begun)
    asked += [asking("same"), asking("other"), asking("same")]
    await asyncio.sleep(0.01)
    impatient = asking("same")
    await asyncio.sleep(0)
    impatient.cancel()
    may_end.set()

    first, second, other, third = await asyncio.gather(*asked)

    assert begun == ["same", "other", "same"]
    assert (first, other) == ("same 1", "other 2")
    assert second == third == "same 3"
    assert await asking("same") == "same 4"
    del impatient  # its traceback
    gc.collect()
    assert not one_answer._asked


async def test_what_is_given_up_within_an_answer_leaves_nobody_waiting() -> None:
    one_answer = OneAnswer[None]()

    async def find() -> None:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    found = await asyncio.gather(*(one_answer("it", find) for _ in range(3)), return_exceptions=True)

    assert [type(each) for each in found] == [TimeoutError] * 3


async def test_each_answer_is_found_in_the_name_of_one_who_asked_for_it() -> None:
    one_answer = OneAnswer[str | None]()
    may_end = asyncio.Event()

    async def find() -> str | None:
        await may_end.wait()
        return telemetry.current_request_id()

    async def ask(request_id: str) -> str | None:
        telemetry.take_request_id(request_id)
        return await one_answer("it", find)

    first = asyncio.create_task(ask("first"))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(ask(name)) for name in ("second", "third")]
    await asyncio.sleep(0.01)
    may_end.set()

    assert await asyncio.gather(first, *others) == ["first", "second", "second"]


async def test_a_failure_is_everybodys_who_asked_and_nobodys_after() -> None:
    one_answer = OneAnswer[None]()
    failing = True

    async def find() -> None:
        await asyncio.sleep(0)
        if failing:
            raise ConnectionError

    found = await asyncio.gather(*(one_answer("it", find) for _ in range(3)), return_exceptions=True)
    failing = False

    assert [type(each) for each in found] == [ConnectionError] * 3
    assert await one_answer("it", find) is None


@pytest.fixture(params=["motor", "pymongo"])
async def db(request: pytest.FixtureRequest, mongo_url: str, mongo_db_prefix: str) -> AsyncIterator[Database]:
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}test", driver=request.param) as db:
        yield db


@pytest.mark.parts
async def test_documents_are_read_and_written_as_one_by_one(db: Database) -> None:
    await db["things"].create_index("name", unique=True)

    inserted = await asyncio.gather(
        *(
            db.insert("things", {"_id": number, "name": f"n{number % 8}", "secret": 1})
            for number in range(10)
        ),
        return_exceptions=True,
    )
    found = await asyncio.gather(*(db.find_by_id("things", n, hiding=("secret",)) for n in [*range(10), 3]))

    assert inserted[:8] == [None] * 8
    for refused in inserted[8:]:
        assert isinstance(refused, DuplicateKeyError)
        assert refused.details
        assert refused.details["keyPattern"] == {"name": 1}
    assert found[:8] == [{"_id": number, "name": f"n{number}"} for number in range(8)]
    assert found[8:] == [None, None, found[3]]
