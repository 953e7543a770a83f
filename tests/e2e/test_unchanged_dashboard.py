"""A client that polls its dashboard is told when nothing has changed."""

from tests.e2e.market import Person


async def test_an_unchanged_dashboard_is_304_until_something_changes(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    first = await buyer.call("GET", "/dashboard")
    known = {"If-None-Match": f'"something else", W/{first.headers["etag"]}'}
    quote = {
        "quote_id": buyer.user_id,
        "factory_id": factory.organisation_id,
        "product": {"name": "Hex bolt M8"},
        "quantity": 500,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": "2099-12-31",
    }

    unchanged = await buyer.call("GET", "/dashboard", headers=known)
    (await buyer.call("POST", "/orders", quote)).ok(201)
    changed = await buyer.call("GET", "/dashboard", headers=known)

    assert (unchanged.status, unchanged.body) == (304, b"")
    assert unchanged.headers["etag"] == first.headers["etag"]
    assert len(changed.ok()["active_orders"]["items"]) == 1
    assert changed.headers["etag"] != first.headers["etag"]
