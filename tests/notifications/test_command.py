"""What operators read of help pages and support: the command, on what the service stored."""

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests.notifications.builders import a_caller, a_member, created
from tests.notifications.telling import tell
from tests.service_client import Service


def run(*arguments: str, mongo_url: str, prefix: str) -> tuple[int, str]:
    env = {"MILLRACE_MONGO_URL": mongo_url, "MILLRACE_MONGO_DB_PREFIX": prefix}
    result = CliRunner().invoke(app, ["help", *arguments], env=env)
    return result.exit_code, result.output


async def vote(notifications: Service, user: str, page: str, *, helpful: bool, comment: str | None) -> None:
    body = {"page": page, "helpful": helpful, "comment": comment}
    assert (
        await notifications.call("POST", "/help/feedback", caller=a_caller(user), json=body)
    ).status == 201


@pytest.fixture
async def voted(notifications: Service) -> None:
    await vote(notifications, "ann", "/help/orders", helpful=False, comment="Too short")
    await vote(notifications, "ann", "/help/orders", helpful=True, comment="Longer now,\nthank you")
    await vote(notifications, "fei", "/help/orders", helpful=True, comment=None)
    await vote(notifications, "gus", "/help/orders", helpful=False, comment="")
    await vote(notifications, "gus", "/help/chat", helpful=False, comment="没有帮助")


@pytest.fixture
async def reference(notifications: Service) -> str:
    await tell(notifications, a_member("ann"), a_member("fei"), created())
    answer = await notifications.call(
        "POST",
        "/support/requests",
        caller=a_caller("ann"),
        json={"subject": "Where is it", "message": "It is late.\nPlease look.", "order_id": "order-1"},
    )
    found: str = answer.json["reference"]
    return found


@pytest.mark.usefixtures("voted")
def test_votes_are_counted_by_page_with_the_comments_below(mongo_url: str, mongo_db_prefix: str) -> None:
    code, said = run("votes", mongo_url=mongo_url, prefix=mongo_db_prefix)

    assert code == 0
    assert said.splitlines()[:2] == [
        "/help/chat: helped 0, did not help 1",
        "/help/orders: helped 2, did not help 1",
    ]
    assert "did not help a factory\n  没有帮助" in said
    assert "helped a buyer\n  Longer now,\n  thank you" in said
    assert "Too short" not in said


@pytest.mark.usefixtures("voted")
def test_votes_of_one_page_alone(mongo_url: str, mongo_db_prefix: str) -> None:
    _, said = run("votes", "--page", "/help/orders", mongo_url=mongo_url, prefix=mongo_db_prefix)

    assert "/help/orders: helped 2, did not help 1" in said
    assert "/help/chat" not in said


def test_requests_are_listed_with_what_became_of_their_mail_and_shown_whole(
    reference: str, mongo_url: str, mongo_db_prefix: str
) -> None:
    _, listed = run("requests", mongo_url=mongo_url, prefix=mongo_db_prefix)
    code, shown = run("request", reference.lower(), mongo_url=mongo_url, prefix=mongo_db_prefix)

    assert reference in listed
    assert "waiting" in listed
    assert "Bright Goods, Ann: Where is it" in listed
    assert code == 0
    assert "Answer to ann@example.com" in shown
    assert "Order MR-2026-000001 order-1" in shown
    assert shown.endswith("It is late.\nPlease look.\n")


@pytest.mark.usefixtures("notifications")
def test_a_reference_that_nobody_got_is_said(mongo_url: str, mongo_db_prefix: str) -> None:
    assert run("request", "SR-XXXX-XXXX", mongo_url=mongo_url, prefix=mongo_db_prefix)[0] == 1
