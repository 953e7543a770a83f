"""Several people of one organisation: each acts under their own name, and only as long as they belong to it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from deploy.local import Endpoints
from tests.e2e.market import Person
from tests.e2e.test_accounts import invited

pytestmark = pytest.mark.e2e


async def an_order(buyer: Person, factory: Person) -> str:
    quote = {
        "quote_id": uuid4().hex,
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 5,
        "unit_price": {"amount": "1.00", "currency": "EUR"},
        "deadline": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(),
    }
    order_id: str = (await buyer.call("POST", "/orders", quote)).ok(201)["id"]
    return order_id


async def renamed(who: Person, name: str) -> Person:
    (await who.call("PATCH", "/auth/me", {"display_name": name})).ok()
    return who


async def test_every_action_names_its_person_also_after_they_have_left(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    mei = await renamed(await invited(factory, role="member"), "Mei Lin")
    tao = await renamed(await invited(factory, role="member"), "Tao Xu")
    order_id = await an_order(buyer, factory)

    (await mei.advance(order_id, "in_production")).ok()
    (await tao.advance(order_id, "quality_check")).ok()
    await mei.say(order_id, "Checked")
    (await factory.advance(order_id, "shipped")).ok()
    (await buyer.call("POST", f"/orders/{order_id}/receipt", {})).ok()
    review = (await buyer.call("POST", f"/orders/{order_id}/reviews", {"rating": 5})).ok(201)
    (await tao.call("POST", f"/reviews/{review['id']}/reply", {"text": "Thank you"})).ok(201)
    (await mei.call("POST", f"/orders/{order_id}/reviews", {"rating": 4})).ok(201)
    for gone in (mei, tao):
        path = f"/organisations/{factory.organisation_id}/members/{gone.user_id}"
        (await factory.call("DELETE", path)).ok(204)

    order = await buyer.get(f"/orders/{order_id}")
    assert [(entry["status"], entry["by"]["name"]) for entry in order["history"]] == [
        ("confirmed", "Ann Okafor"),
        ("in_production", "Mei Lin"),
        ("quality_check", "Tao Xu"),
        ("shipped", "Lin Wei"),
        ("delivered", "Ann Okafor"),
        ("completed", "Ann Okafor"),
    ]
    assert all(entry["by"]["user_id"] and entry["by"]["side"] for entry in order["history"])
    said = (await buyer.get(f"/orders/{order_id}/messages"))["items"]
    assert [message["sender"]["name"] for message in said if message["text"] == "Checked"] == ["Mei Lin"]
    of_buyer, of_factory = (await buyer.get(f"/orders/{order_id}/reviews"))["items"]
    assert (of_buyer["author"]["name"], of_buyer["reply"]["by"]["name"]) == ("Ann Okafor", "Tao Xu")
    assert of_factory["author"]["name"] == "Mei Lin"


async def test_a_removed_members_open_streams_end_within_five_seconds(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    owner, _ = buyer_and_factory
    member = await invited(owner, role="member")
    headers = {"Authorization": f"Bearer {member.token}"}

    async with (
        owner.listening() as others,
        member.http.get(f"{endpoints.gateway}/api/v1/stream", headers=headers) as response,
    ):
        assert response.status == 200
        path = f"/organisations/{owner.organisation_id}/members/{member.user_id}"
        (await owner.call("DELETE", path)).ok(204)

        async with asyncio.timeout(30):
            await response.content.read()

        assert others.ready.is_set()
    for path in ("/auth/me", "/dashboard", "/stream", "/notifications"):
        (await member.call("GET", path)).problem(401, "unauthenticated")


async def test_a_new_role_holds_from_the_next_call_on(buyer_and_factory: tuple[Person, Person]) -> None:
    owner, factory = buyer_and_factory
    member = await invited(owner, role="member")
    order_id = await an_order(owner, factory)
    path = f"/organisations/{owner.organisation_id}/members/{member.user_id}"
    await member.say(order_id, "As a member")

    (await owner.call("PATCH", path, {"role": "viewer"})).ok()

    refused = await member.call("POST", f"/orders/{order_id}/messages", {"text": "As a viewer"})
    refused.problem(403, "role-not-sufficient")
    (await owner.call("PATCH", path, {"role": "owner"})).ok()
    assert (await member.get("/auth/me"))["user"]["role"] == "owner"
    (await member.call("PATCH", f"/organisations/{owner.organisation_id}", {"address": "Dock 4"})).ok()
