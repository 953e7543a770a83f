"""Clients that ask for their dashboard again and again, one after the other and all at once."""

import asyncio
from typing import Any

from tests.e2e.market import Person


def a_quote(buyer: Person, factory: Person) -> dict[str, Any]:
    return {
        "quote_id": buyer.user_id,
        "factory_id": factory.organisation_id,
        "product": {"name": "Hex bolt M8"},
        "quantity": 500,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": "2099-12-31",
    }


async def test_an_unchanged_dashboard_is_304_until_something_changes(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    first = await buyer.whole("/dashboard")
    known = {"If-None-Match": f'"something else", W/{first.headers["etag"]}'}

    unchanged = await buyer.whole("/dashboard", known)
    (await buyer.call("POST", "/orders", a_quote(buyer, factory))).ok(201)
    changed = await buyer.whole("/dashboard", known)

    assert (unchanged.status, unchanged.body) == (304, b"")
    assert unchanged.headers["etag"] == first.headers["etag"]
    assert len(changed.ok()["active_orders"]["items"]) == 1
    assert changed.headers["etag"] != first.headers["etag"]


async def test_of_many_who_ask_at_once_nobody_gets_what_was_before_he_asked(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    order = (await buyer.call("POST", "/orders", a_quote(buyer, factory))).ok(201)
    over = asyncio.Event()

    async def ask_all_the_time() -> None:
        while not over.is_set():
            await buyer.get("/dashboard")

    async with asyncio.TaskGroup() as others:
        for _ in range(8):
            others.create_task(ask_all_the_time())
        for to in ("in_production", "quality_check", "shipped"):
            more = {"tracking": {"carrier": "other", "number": "X 1"}} if to == "shipped" else {}
            (await factory.advance(order["id"], to, **more)).ok()
            (card,) = (await buyer.get("/dashboard"))["active_orders"]["items"]
            (listed,) = (await buyer.get("/orders"))["items"]
            assert (card["status"], listed["status"]) == (to, to)
        over.set()
