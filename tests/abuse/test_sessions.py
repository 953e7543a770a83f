"""Passwords, sessions, limits and repeated requests in the hands of somebody who means no good."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from deploy.local import Suite
from gateway.accounts import passwords
from gateway.accounts.store import SESSIONS, USERS
from tests.e2e.market import Person
from tests.e2e.test_accounts import PASSWORD, stranger


def gateway_database(suite: Suite) -> tuple[MongoClient[dict[str, Any]], str]:
    prefix = suite._env["MILLRACE_MONGO_DB_PREFIX"]
    return MongoClient(suite.endpoints.mongo), f"{prefix}gateway"


def a_quote(factory: Person) -> dict[str, Any]:
    return {
        "quote_id": uuid4().hex,
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 5,
        "unit_price": {"amount": "1.00", "currency": "EUR"},
        "deadline": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(),
    }


def an_account(**changes: Any) -> dict[str, Any]:
    return {
        "email": f"{uuid4().hex[:10]}@mail.example",
        "password": PASSWORD,
        "display_name": "Mallory",
        "organisation": {"name": "Shady Ltd", "kind": "buyer"},
    } | changes


async def test_no_password_fits_an_account_that_has_none() -> None:
    """People of an identity provider, and those removed, have no password: nothing may stand in for it."""
    for password in ("", "nobody has this password", PASSWORD):
        assert not await passwords.fits(password, "")
        assert not await passwords.fits(password, None)


async def test_what_is_stored_signs_nobody_in(suite: Suite, buyer: Person) -> None:
    client, name = gateway_database(suite)
    with client:
        user = client[name][USERS].find_one({"_id": buyer.user_id})
        sessions = list(client[name][SESSIONS].find({"caller.user_id": buyer.user_id}))

    assert user is not None
    assert user["password_hash"].startswith("$argon2id$")
    assert PASSWORD not in str(user)
    assert buyer.token not in str(sessions)
    for secret in (user["password_hash"], sessions[0]["_id"]):
        thief = stranger(buyer, token=secret)
        (await thief.call("GET", "/auth/me")).problem(401, "unauthenticated")
        login = await thief.call("POST", "/auth/login", {"email": buyer.email, "password": secret[:256]})
        login.problem(401, "wrong-credentials")


@pytest.mark.parametrize(
    "password", ["", "short", "nine char", "x" * 257, None, 12345678901, ["long enough"]]
)
async def test_a_password_that_is_none_is_pointed_at(buyer: Person, password: Any) -> None:
    answer = await stranger(buyer).call("POST", "/auth/register", an_account(password=password))

    assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == "/password"
    assert "input" not in answer.body["errors"][0]


async def test_ten_characters_of_any_writing_are_a_password(buyer: Person) -> None:
    account = an_account(password="密码密码密码密码🔒🔒")
    nobody = stranger(buyer)

    (await nobody.call("POST", "/auth/register", account)).ok(201)

    credentials = {"email": account["email"].upper(), "password": account["password"]}
    (await nobody.call("POST", "/auth/login", credentials)).ok()


async def test_a_new_password_ends_the_other_sessions(buyer: Person) -> None:
    credentials = {"email": buyer.email, "password": PASSWORD}
    other = stranger(buyer)
    other.token = (await other.call("POST", "/auth/login", credentials)).ok()["access_token"]

    changes = {"password": "another long password", "current_password": "wrong password"}
    (await buyer.call("PATCH", "/auth/me", changes)).problem(422, "validation-failed")
    (await buyer.call("PATCH", "/auth/me", changes | {"current_password": PASSWORD})).ok()

    (await other.call("GET", "/auth/me")).problem(401, "unauthenticated")
    (await buyer.call("GET", "/auth/me")).ok()
    (await other.call("POST", "/auth/login", credentials)).problem(401, "wrong-credentials")


async def test_a_token_in_the_address_signs_nobody_in(buyer: Person) -> None:
    answer = await stranger(buyer).call("GET", f"/auth/me?access_token={buyer.token}&token={buyer.token}")

    answer.problem(401, "unauthenticated")


async def test_attempts_are_counted_by_account_whatever_its_spelling(buyer: Person) -> None:
    most = 10
    spellings = (buyer.email, buyer.email.upper(), f" {buyer.email} ")

    async def attempt(number: int) -> int:
        credentials = {"email": spellings[number % 3], "password": "guess after guess"}
        return (await stranger(buyer).call("POST", "/auth/login", credentials)).status

    statuses = await asyncio.gather(*(attempt(number) for number in range(most + 5)))

    assert statuses.count(401) <= most - 1  # one sign-in was the fixture's
    assert statuses.count(429) >= 6
    right = {"email": buyer.email, "password": PASSWORD}
    refused = await stranger(buyer).call("POST", "/auth/login", right)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    refused.problem(429, "too-many-logins")
    other = await stranger(buyer).call("POST", "/auth/login", an_account() | {"email": "b@mail.example"})
    assert other.status != 429


async def test_a_header_that_names_another_address_changes_nothing(buyer: Person) -> None:
    credentials = {"email": f"{uuid4().hex[:8]}@mail.example", "password": "guess after guess"}

    statuses = [
        (
            await stranger(buyer).call(
                "POST", "/auth/login", credentials, headers={"X-Forwarded-For": f"10.0.0.{number}"}
            )
        ).status
        for number in range(12)
    ]

    assert statuses[-1] == 429


async def test_a_user_reaches_the_limit_of_writes_on_all_gateways_together(buyer: Person) -> None:
    async def write() -> int:
        return (await buyer.call("POST", "/notifications/read", {"all": True})).status

    statuses = [status for _ in range(5) for status in await asyncio.gather(*(write() for _ in range(25)))]

    assert statuses.count(200) == 120
    assert statuses.count(429) == 5


async def test_a_key_belongs_to_one_user(buyer: Person, factory: Person) -> None:
    key = {"Idempotency-Key": "the same for both"}
    asked = {"subject": "A question", "message": "How do I …?"}

    mine = (await buyer.call("POST", "/support/requests", asked, headers=key)).ok(201)
    theirs = (await factory.call("POST", "/support/requests", asked, headers=key)).ok(201)
    again = (await buyer.call("POST", "/support/requests", asked, headers=key)).ok(201)

    assert mine == again != theirs


@pytest.mark.parametrize(
    "changes",
    [{"subject": "Another question"}, {"message": "How do I …? "}, {"order_id": None}],
    ids=["subject", "message", "member"],
)
async def test_a_key_serves_one_body(buyer: Person, changes: dict[str, Any]) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    asked = {"subject": "A question", "message": "How do I …?"}
    (await buyer.call("POST", "/support/requests", asked, headers=key)).ok(201)

    reused = await buyer.call("POST", "/support/requests", asked | changes, headers=key)

    reused.problem(422, "idempotency-key-reused")


async def test_a_key_serves_one_call(buyer: Person, factory: Person) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    (await buyer.call("POST", "/orders", a_quote(factory), headers=key)).ok(201)
    invitations = f"/organisations/{buyer.organisation_id}/invitations"

    (await buyer.call("POST", invitations, {}, headers=key)).problem(422, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["x" * 129, "x" * 20_000, "\u00e9" * 129])
async def test_a_giant_key_is_refused(buyer: Person, key: str) -> None:
    answer = await buyer.call(
        "POST", "/support/requests", {"subject": "s", "message": "m"}, headers={"Idempotency-Key": key}
    )

    assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == "/idempotency-key"


@pytest.mark.parametrize("key", ["$where", "a:b", "../../x", "{'$gt': ''}", "\u00e9", " spaces "])
async def test_a_strange_key_is_a_key(buyer: Person, key: str) -> None:
    asked = {"subject": "A question", "message": "How do I …?"}

    answers = [
        await buyer.call("POST", "/support/requests", asked, headers={"Idempotency-Key": key})
        for _ in range(2)
    ]

    assert answers[0].ok(201) == answers[1].ok(201)
