import asyncio

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from deploy.cli import app
from tests.reviews.builders import a_buyer, a_submission
from tests.service_client import Service


def run(*arguments: str, mongo_url: str, prefix: str) -> tuple[int, str]:
    env = {"MILLRACE_MONGO_URL": mongo_url, "MILLRACE_MONGO_DB_PREFIX": prefix}
    result = CliRunner().invoke(app, ["reviews", *arguments], env=env)
    return result.exit_code, result.output


@pytest.fixture
async def review_id(reviews: Service) -> str:
    answer = await reviews.call("POST", "/orders/order-1/reviews", caller=a_buyer(), json=a_submission())
    found: str = answer.json["id"]
    return found


def test_an_operator_hides_a_review_with_a_reason(
    review_id: str, mongo_url: str, mongo_db_prefix: str
) -> None:
    code, said = run("hide", review_id, "--reason", "insults", mongo_url=mongo_url, prefix=mongo_db_prefix)
    again, said_again = run(
        "hide", review_id, "--reason", "other", mongo_url=mongo_url, prefix=mongo_db_prefix
    )

    assert (code, again) == (0, 0)
    assert said == said_again
    assert "insults" in said
    with MongoClient(mongo_url) as client:
        stored = client[f"{mongo_db_prefix}reviews"]["reviews"].find_one({"_id": review_id})
    assert stored is not None
    assert stored["hidden"]["reason"] == "insults"
    assert stored["text"] == "Good parts."


async def test_moderators_see_what_was_refused_and_no_text(
    reviews: Service, mongo_url: str, mongo_db_prefix: str
) -> None:
    body = a_submission(text="write to ann@example.com")
    await reviews.call("POST", "/orders/order-1/reviews", caller=a_buyer(), json=body)

    code, said = await asyncio.to_thread(run, "blocked", mongo_url=mongo_url, prefix=mongo_db_prefix)

    assert code == 0
    assert "order order-1  user ann  review: email" in said
    assert "example.com" not in said


@pytest.mark.parametrize(
    ("arguments", "code"), [(["nobody", "--reason", "x"], 1), (["id", "--reason", " "], 2), (["id"], 2)]
)
def test_what_cannot_be_hidden_is_said(
    arguments: list[str], code: int, mongo_url: str, mongo_db_prefix: str
) -> None:
    assert run("hide", *arguments, mongo_url=mongo_url, prefix=mongo_db_prefix)[0] == code
