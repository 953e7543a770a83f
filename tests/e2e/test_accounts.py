"""People, organisations and sessions, as clients of the gateway meet them."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from deploy.local import Endpoints
from tests.e2e.asyncapi import EventChecker
from tests.e2e.market import Person
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"


def stranger(person: Person, **changes: Any) -> Person:
    """Give a client that is nobody yet, beside somebody who is."""
    return Person(http=person.http, base=person.base, checker=person.checker, **changes)


async def invited(owner: Person, *, role: str) -> Person:
    """Bring somebody into an organisation by an invitation, and sign in."""
    invitation = await owner.call(
        "POST", f"/organisations/{owner.organisation_id}/invitations", {"role": role}
    )
    somebody = stranger(owner, email=f"{uuid4().hex[:10]}@mail.example")
    account = {
        "email": somebody.email,
        "password": PASSWORD,
        "display_name": f"A {role}",
        "invitation": invitation.ok(201)["token"],
    }
    registered = (await somebody.call("POST", "/auth/register", account)).ok(201)
    assert registered["organisation"]["id"] == owner.organisation_id
    assert registered["user"]["role"] == role
    credentials = {"email": somebody.email, "password": PASSWORD}
    somebody.token = (await somebody.call("POST", "/auth/login", credentials)).ok()["access_token"]
    somebody.user_id = registered["user"]["id"]
    return somebody


async def test_an_address_registers_once(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory
    account = {
        "email": buyer.email.upper(),
        "password": PASSWORD,
        "display_name": "Somebody else",
        "organisation": {"name": "Other Ltd", "kind": "buyer"},
    }

    answer = await stranger(buyer).call("POST", "/auth/register", account)

    answer.problem(409, "email-taken")


async def test_each_wrong_field_of_a_registration_is_pointed_at(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, _ = buyer_and_factory
    account = {
        "email": "nonsense",
        "password": "short",
        "display_name": "",
        "organisation": {"name": "X", "kind": "bank", "country": "china"},
    }

    answer = await stranger(buyer).call("POST", "/auth/register", account)

    pointers = {error["pointer"] for error in answer.problem(422, "validation-failed")["errors"]}
    assert pointers == {"/email", "/password", "/display_name", "/organisation/kind", "/organisation/country"}


async def test_names_with_contact_information_are_refused_and_moderators_told(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, _ = buyer_and_factory
    account = {
        "email": f"{uuid4().hex[:8]}@mail.example",
        "password": PASSWORD,
        "display_name": "  Tom +44 7700 900518",
        "organisation": {"name": "Honest Ltd", "kind": "buyer"},
    }
    honest = account | {"display_name": "Tom", "organisation": {"name": " x@shop.example", "kind": "buyer"}}
    path = f"/organisations/{buyer.organisation_id}"

    async with EventChecker(endpoints.amqp) as broker:
        answers = [
            await stranger(buyer).call("POST", "/auth/register", account),
            await stranger(buyer).call("POST", "/auth/register", honest),
            await buyer.call("PATCH", "/auth/me", {"display_name": " ann@mail.example"}),
            await buyer.call("PATCH", path, {"name": " ann@mail.example"}),
        ]
        await eventually(lambda: len([event for event in broker.events if "blocked" in event["type"]]) == 4)

    refusals = [answer.problem(422, "contact-info-blocked") for answer in answers]
    assert [refusal["pointer"] for refusal in refusals] == [
        "/display_name",
        "/organisation/name",
        "/display_name",
        "/name",
    ]
    # In the text as it was submitted, with the blanks before it.
    assert [refusal["findings"] for refusal in refusals] == [
        [{"kind": "phone", "start": 6, "end": 21}],
        [{"kind": "email", "start": 1, "end": 15}],
        [{"kind": "email", "start": 1, "end": 17}],
        [{"kind": "email", "start": 1, "end": 17}],
    ]
    blocked = [event["data"] for event in broker.events if event["type"] == "message.blocked.v1"]
    assert sorted((data["where"], data["user_id"] or "nobody yet") for data in blocked) == sorted(
        (where, who)
        for where in ("display_name", "organisation_name")
        for who in ("nobody yet", buyer.user_id)
    )
    assert "example" not in str(blocked), "no copy of the name"


async def test_a_wrong_address_and_a_wrong_password_answer_alike(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, _ = buyer_and_factory
    nobody = stranger(buyer)

    wrong = await nobody.call("POST", "/auth/login", {"email": buyer.email, "password": "not the password"})
    unknown = await nobody.call(
        "POST", "/auth/login", {"email": "nobody@mail.example", "password": "not the password"}
    )

    assert {**wrong.body, "instance": ""} == {**unknown.body, "instance": ""}
    wrong.problem(401, "wrong-credentials")


async def test_the_eleventh_attempt_in_a_minute_has_to_wait(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory
    nobody = stranger(buyer)
    credentials = {"email": f"{uuid4().hex[:8]}@mail.example", "password": "guess after guess"}

    async def limited() -> bool:  # the minute may turn while the test runs
        answer = await nobody.call("POST", "/auth/login", credentials)
        return answer.status == 429 and 0 < int(answer.headers["retry-after"]) <= 60

    await eventually(limited, within=30)


async def test_logout_ends_every_copy_of_the_token(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory
    copy = stranger(buyer, token=buyer.token)

    (await buyer.call("POST", "/auth/logout")).ok(204)

    (await copy.call("GET", "/auth/me")).problem(401, "unauthenticated")


async def test_a_cookie_signs_in_but_writes_only_with_the_csrf_header(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, _ = buyer_and_factory
    credentials = {"email": buyer.email, "password": PASSWORD}
    signed_in = await stranger(buyer).call("POST", "/auth/login", credentials)
    cookie = signed_in.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    browser = stranger(buyer)
    sent = {"Cookie": cookie.split(";")[0]}

    assert (await browser.call("GET", "/auth/me", headers=sent)).ok()["user"]["email"] == buyer.email
    refused = await browser.call("POST", "/auth/logout", headers=sent)
    refused.problem(403, "csrf-header-missing")
    (await browser.call("POST", "/auth/logout", headers=sent | {"X-Requested-With": "millrace"})).ok(204)
    (await browser.call("GET", "/auth/me", headers=sent)).problem(401, "unauthenticated")


async def test_an_invitation_works_once_and_for_its_address_only(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    owner, _ = buyer_and_factory
    path = f"/organisations/{owner.organisation_id}/invitations"
    email = f"{uuid4().hex[:8]}@mail.example"
    invitation = (await owner.call("POST", path, {"email": email, "role": "viewer"})).ok(201)
    account = {"password": PASSWORD, "display_name": "Vi", "invitation": invitation["token"]}
    nobody = stranger(owner)

    other = await nobody.call("POST", "/auth/register", account | {"email": "other@mail.example"})
    other.problem(422, "invitation-not-usable")
    (await nobody.call("POST", "/auth/register", account | {"email": email})).ok(201)
    again = await nobody.call("POST", "/auth/register", account | {"email": f"x{email}"})
    again.problem(422, "invitation-not-usable")


async def test_another_organisation_is_not_even_there(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    path = f"/organisations/{factory.organisation_id}"

    (await buyer.call("GET", path)).problem(404, "organisation-not-found")
    (await buyer.call("PATCH", path, {"name": "Mine"})).problem(404, "organisation-not-found")
    (await buyer.call("POST", f"{path}/invitations", {})).problem(404, "organisation-not-found")
    (await buyer.call("GET", f"{path}/members")).problem(404, "organisation-not-found")


async def test_roles_decide_who_manages_and_who_writes(buyer_and_factory: tuple[Person, Person]) -> None:
    owner, factory = buyer_and_factory
    viewer, member = await invited(owner, role="viewer"), await invited(owner, role="member")
    path = f"/organisations/{owner.organisation_id}"

    for somebody in (viewer, member):
        (await somebody.call("POST", f"{path}/invitations", {})).problem(403, "role-not-sufficient")
        (await somebody.call("PATCH", path, {"name": "Mine"})).problem(403, "role-not-sufficient")
    quote = {
        "quote_id": uuid4().hex,
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 5,
        "unit_price": {"amount": "1.00", "currency": "EUR"},
        "deadline": "2030-01-01",
    }
    (await viewer.call("POST", "/orders", quote)).problem(403, "role-not-sufficient")
    order = (await member.call("POST", "/orders", quote)).ok(201)
    seen = await viewer.get(f"/orders/{order['id']}")
    assert seen["allowed_actions"] == []
    said = await viewer.call("POST", f"/orders/{order['id']}/messages", {"text": "hello"})
    said.problem(403, "role-not-sufficient")


async def test_a_removed_member_is_out_at_once_and_the_last_owner_stays(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    owner, _ = buyer_and_factory
    member = await invited(owner, role="member")
    path = f"/organisations/{owner.organisation_id}/members"

    (await owner.call("DELETE", f"{path}/{owner.user_id}")).problem(409, "last-owner")
    (await owner.call("DELETE", f"{path}/{member.user_id}")).ok(204)

    (await member.call("GET", "/auth/me")).problem(401, "unauthenticated")
    credentials = {"email": member.email, "password": PASSWORD}
    (await stranger(owner).call("POST", "/auth/login", credentials)).problem(401, "wrong-credentials")
    assert [found["id"] for found in (await owner.get(path))["items"]] == [owner.user_id]


async def test_two_owners_cannot_remove_each_other(buyer_and_factory: tuple[Person, Person]) -> None:
    first, _ = buyer_and_factory
    second = await invited(first, role="owner")
    path = f"/organisations/{first.organisation_id}/members"

    answers = await asyncio.gather(
        first.call("DELETE", f"{path}/{second.user_id}"), second.call("DELETE", f"{path}/{first.user_id}")
    )

    assert 204 in {answer.status for answer in answers}
    assert sum(answer.status == 204 for answer in answers) == 1


async def test_the_request_id_is_the_callers_or_a_new_one(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, _ = buyer_and_factory

    kept = await buyer.call("GET", "/auth/me", headers={"X-Request-ID": "shop-42.a_B"})
    replaced = await buyer.call("GET", "/auth/me", headers={"X-Request-ID": "no spaces please"})

    assert kept.headers["x-request-id"] == "shop-42.a_B"
    assert replaced.headers["x-request-id"] not in {"", "no spaces please"}
    assert endpoints.gateway in buyer.base
