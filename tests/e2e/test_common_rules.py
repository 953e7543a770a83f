"""Section 1 of the promises to clients: errors, lists, idempotency, versions, strangers."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from deploy.local import Endpoints
from tests.chat import files
from tests.e2e.market import Answer, Person
from tests.suites import hanging
from tests.waiting import eventually

pytestmark = pytest.mark.e2e


def a_quote(factory: Person, **changes: Any) -> dict[str, Any]:
    return {
        "quote_id": f"Q-{uuid4().hex[:10]}",
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 10,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    } | changes


async def an_order(buyer: Person, factory: Person, **changes: Any) -> dict[str, Any]:
    order: dict[str, Any] = (await buyer.call("POST", "/orders", a_quote(factory, **changes))).ok(201)
    return order


async def test_one_key_makes_one_order_and_gives_the_first_answer_again(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    quote, key = a_quote(factory), {"Idempotency-Key": uuid4().hex}

    answers = await asyncio.gather(*(buyer.call("POST", "/orders", quote, headers=key) for _ in range(5)))

    assert {answer.status for answer in answers} == {201}
    assert len({str(answer.body) for answer in answers}) == 1
    await factory.advance(answers[0].body["id"], "in_production")
    later = await buyer.call("POST", "/orders", quote, headers=key)
    assert later.body == answers[0].body
    other = await buyer.call("POST", "/orders", quote | {"quantity": 11}, headers=key)
    other.problem(422, "idempotency-key-reused")


async def test_head_is_answered_as_get_without_the_body(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    file = (await buyer.upload(order["id"], "a.pdf", files.a_pdf(), "application/pdf")).ok(201)
    mine = {"Authorization": f"Bearer {buyer.token}"}

    async def is_alike(path: str) -> bool:
        async with buyer.http.get(f"{endpoints.gateway}{path}", headers=mine) as got:
            body = await got.read()
        async with buyer.http.head(f"{endpoints.gateway}{path}", headers=mine) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Content-Disposition"):
            assert answer.headers.get(name) == got.headers.get(name), (path, name)
        return len(body) > 0

    for path in ("/", "/health/ready", "/api/v1/dashboard", f"/api/v1/attachments/{file['id']}"):
        # Not in one and the same way where a part is late for one of the two.
        await eventually(partial(is_alike, path))
    part = mine | {"Range": "bytes=0-3"}
    async with buyer.http.head(
        f"{endpoints.gateway}/api/v1/attachments/{file['id']}", headers=part
    ) as answer:
        assert (answer.status, answer.content_length) == (200, file["size"])
    async with buyer.http.head(f"{endpoints.gateway}/api/v1/dashboard") as answer:
        assert answer.status == 401
    async with buyer.http.head(f"{endpoints.gateway}/api/v1/stream", headers=mine) as answer:
        assert answer.status == 405


async def test_one_key_sends_one_message(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    path, key = f"/orders/{order['id']}/messages", {"Idempotency-Key": uuid4().hex}

    answers = await asyncio.gather(
        *(buyer.call("POST", path, {"text": "once"}, headers=key) for _ in range(4))
    )

    assert len({answer.ok(201)["id"] for answer in answers}) == 1
    texts = [message["text"] for message in (await factory.get(path))["items"]]
    assert texts.count("once") == 1


async def test_a_key_that_is_too_long_is_refused(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory

    answer = await buyer.call("POST", "/orders", a_quote(factory), headers={"Idempotency-Key": "x" * 129})

    assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == "/idempotency-key"


async def test_a_key_comes_before_every_other_rule(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    path, key = f"/orders/{order['id']}/messages", {"Idempotency-Key": uuid4().hex}
    (await buyer.call("POST", path, {"text": "once"}, headers=key)).ok(201)

    for other in ({"text": ""}, {"text": 5}, {}, {"text": "write to me@example.org"}):
        (await buyer.call("POST", path, other, headers=key)).problem(422, "idempotency-key-reused")
    file = await buyer.upload(order["id"], "a.pdf", b"%PDF-1.4", "application/pdf", headers=key)
    file.problem(422, "idempotency-key-reused")


async def test_a_call_that_no_rule_lets_through_lets_go_of_its_key(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    path, key = f"/orders/{order['id']}/messages", {"Idempotency-Key": uuid4().hex}
    (await buyer.call("POST", path, {"text": ""}, headers=key)).problem(422, "validation-failed")

    sent = await buyer.call("POST", path, {"text": "now with words"}, headers=key)

    assert sent.ok(201)["text"] == "now with words"


async def test_a_key_of_an_upload_is_of_nothing_else(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    order, other = await an_order(buyer, factory), await an_order(buyer, factory)
    key = {"Idempotency-Key": uuid4().hex}

    async def upload(order_id: str) -> Answer:
        return await buyer.upload(order_id, "a.pdf", b"%PDF-1.4", "application/pdf", headers=key)

    first = (await upload(order["id"])).ok(201)
    message = await buyer.call("POST", f"/orders/{order['id']}/messages", {"text": "x"}, headers=key)

    message.problem(422, "idempotency-key-reused")
    (await upload(other["id"])).problem(422, "idempotency-key-reused")
    (await upload("no-such-order")).problem(422, "idempotency-key-reused")
    assert (await upload(order["id"])).ok(201) == first


async def test_a_quote_makes_one_order_whoever_repeats_it(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    quote = a_quote(factory)

    answers = await asyncio.gather(*(buyer.call("POST", "/orders", quote) for _ in range(6)))

    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1


async def test_strangers_find_nothing(buyer_and_factory: tuple[Person, Person], third_party: Person) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    path = f"/orders/{order['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("POST", f"{path}/status", {"to": "in_production"}),
        ("POST", f"{path}/receipt", {}),
        ("POST", f"{path}/receipt-request", None),
        ("POST", f"{path}/receipt-extension", None),
        ("GET", f"{path}/messages", None),
        ("POST", f"{path}/messages", {"text": "hello"}),
        ("POST", f"{path}/messages/read", {"up_to": 1}),
        ("GET", f"{path}/reviews", None),
        ("POST", f"{path}/reviews", {"rating": 5}),
    ]

    for method, target, body in calls:
        answer = await third_party.call(method, target, body)
        nowhere = await third_party.call(method, target.replace(order["id"], str(uuid4())), body)
        assert (answer.status, answer.body["type"]) == (404, nowhere.body["type"]), target
    assert (await third_party.get("/orders"))["items"] == []


async def test_an_identifier_cannot_climb_out_of_its_path(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory

    async with buyer.http.get(
        f"{buyer.base}/api/v1/orders/..%2Fdashboard", headers={"Authorization": f"Bearer {buyer.token}"}
    ) as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"


async def test_a_stale_version_is_refused_with_the_current_one(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    path = f"/orders/{order['id']}"
    read = await factory.call("GET", path)
    assert read.headers["etag"] == '"1"'

    matching = {"If-Match": '"1"'}
    (await factory.call("POST", f"{path}/status", {"to": "in_production"}, headers=matching)).ok()
    stale = await factory.call("POST", f"{path}/status", {"to": "quality_check"}, headers=matching)

    assert stale.problem(412, "stale-version")["current_version"] == 2


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=many", "/limit"),
        ("cursor=nonsense", "/cursor"),
        ("cursor=", "/cursor"),
        ("sort=colour", "/sort"),
        ("status=lost", "/status/0"),
        ("due=never", "/due"),
        ("state=maybe", "/state"),
    ],
)
async def test_a_wrong_query_is_pointed_at(
    buyer_and_factory: tuple[Person, Person], query: str, pointer: str
) -> None:
    buyer, _ = buyer_and_factory

    answer = await buyer.call("GET", f"/orders?{query}")

    assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("name", ["orders_cursor", "reviews_cursor"])
async def test_a_profile_says_which_of_its_cursors_is_none(
    buyer_and_factory: tuple[Person, Person], name: str
) -> None:
    buyer, factory = buyer_and_factory

    for cursor in ("nonsense", ""):
        path = f"/organisations/{factory.organisation_id}/profile?{name}={cursor}"
        refused = (await buyer.call("GET", path)).problem(422, "validation-failed")
        assert refused["errors"][0]["pointer"] == f"/{name}"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"quantity": 0}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": 10**9 + 1}, "/quantity"),
        ({"unit_price": {"amount": 3.2, "currency": "USD"}}, "/unit_price/amount"),
        ({"unit_price": {"amount": "3.205", "currency": "USD"}}, "/unit_price"),
        ({"unit_price": {"amount": "0.00", "currency": "USD"}}, "/unit_price"),
        ({"unit_price": {"amount": "3", "currency": "XXX"}}, "/unit_price/currency"),
        ({"deadline": "2020-01-01"}, "/deadline"),
        ({"deadline": "soon"}, "/deadline"),
        ({"product": {"name": ""}}, "/product/name"),
        ({"product": {"name": "bell \u0007"}}, "/product/name"),
        ({"factory_id": "no-such-factory"}, "/factory_id"),
    ],
)
async def test_a_wrong_field_of_a_quote_is_pointed_at(
    buyer_and_factory: tuple[Person, Person], changes: dict[str, Any], pointer: str
) -> None:
    buyer, factory = buyer_and_factory

    answer = await buyer.call("POST", "/orders", a_quote(factory) | changes)

    assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == pointer


async def test_rubbish_is_a_problem_document_too(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory

    not_json = await buyer.call("POST", "/orders", data=b"{", headers={"Content-Type": "application/json"})
    not_json.problem(422, "validation-failed")
    async with buyer.http.get(f"{buyer.base}/api/v1/no/such/thing") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
    async with buyer.http.delete(f"{buyer.base}/api/v1/orders") as response:
        assert (response.status, response.content_type) == (405, "application/problem+json")


async def test_a_body_may_begin_with_a_byte_order_mark(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    body = '{"text": "from a Windows machine"}'.encode("utf-8-sig")

    sent = await buyer.call(
        "POST", f"/orders/{order['id']}/messages", data=body, headers={"Content-Type": "application/json"}
    )

    assert sent.ok(201)["text"] == "from a Windows machine"


async def test_a_body_past_its_size_is_refused(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    quote = a_quote(factory) | {"product": {"name": "x", "specification": "y" * 70_000}}

    (await buyer.call("POST", "/orders", quote)).problem(413, "body-too-large")


async def test_lists_page_to_their_end_while_orders_are_added(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    orders = [await an_order(buyer, factory) for _ in range(7)]
    found: list[str] = []
    cursor = ""

    while cursor is not None:
        page = await buyer.get(f"/orders?limit=3&sort=-updated{f'&cursor={cursor}' if cursor else ''}")
        found += [card["id"] for card in page["items"]]
        cursor = page["next_cursor"]
        if len(found) == 3:
            await an_order(buyer, factory)

    assert found == [order["id"] for order in reversed(orders)]


async def test_short_lists_page_like_all_others(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    for step in ("in_production", "quality_check", "shipped"):
        (await factory.advance(order["id"], step)).ok()
    (await buyer.call("POST", f"/orders/{order['id']}/receipt", {})).ok()
    own = f"/organisations/{buyer.organisation_id}"
    for who, path, body in (
        (buyer, f"/orders/{order['id']}/reviews", {"rating": 5}),
        (factory, f"/orders/{order['id']}/reviews", {"rating": 4}),
        # With a type that does not come: once something was sent to it, a webhook says so.
        (buyer, "/webhooks", {"url": "https://one.example", "event_types": ["order.overdue.v1"]}),
        (buyer, "/webhooks", {"url": "https://two.example", "event_types": ["order.overdue.v1"]}),
        (buyer, f"{own}/invitations", {"role": "member"}),
        (buyer, f"{own}/invitations", {"role": "viewer"}),
    ):
        (await who.call("POST", path, body)).ok(201)

    for path in (f"/orders/{order['id']}/reviews", "/webhooks", f"{own}/invitations", f"{own}/members"):
        whole = await buyer.get(path)
        found, cursor = [], ""
        while cursor is not None:
            page = await buyer.get(f"{path}?limit=1{f'&cursor={cursor}' if cursor else ''}")
            assert len(page["items"]) == 1, path
            found += page["items"]
            cursor = page["next_cursor"]
        assert (found, whole["next_cursor"]) == (whole["items"], None), path
        for query, pointer in (
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("cursor=nonsense", "/cursor"),
            ("cursor=WzFd", "/cursor"),
        ):
            refused = (await buyer.call("GET", f"{path}?{query}")).problem(422, "validation-failed")
            assert refused["errors"][0]["pointer"] == pointer, (path, query)


async def test_support_does_not_tell_which_orders_there_are(
    buyer_and_factory: tuple[Person, Person], third_party: Person
) -> None:
    buyer, factory = buyer_and_factory
    order = await an_order(buyer, factory)
    asking = {"subject": "Where is it", "message": "?"}

    own = await buyer.call("POST", "/support/requests", asking | {"order_id": order["id"]})
    anothers = await third_party.call("POST", "/support/requests", asking | {"order_id": order["id"]})
    nowhere = await third_party.call("POST", "/support/requests", asking | {"order_id": str(uuid4())})

    own.ok(201)
    assert (
        anothers.problem(404, "order-not-found")["title"] == nowhere.problem(404, "order-not-found")["title"]
    )


async def test_a_wrong_key_of_an_object_is_pointed_at(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory
    preferences = await buyer.get("/notifications/preferences")

    answer = await buyer.call(
        "PUT",
        "/notifications/preferences",
        preferences | {"kinds": {"nope": {"in_app": True, "email": "off"}}},
    )

    assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == "/kinds/nope"


async def test_the_services_answer_only_to_the_gateway(endpoints: Endpoints) -> None:
    async with aiohttp.ClientSession() as http:
        for url in endpoints.services.values():
            for path in ("/orders", "/notifications", "/orders/x/messages", "/organisations/x/rating"):
                async with http.get(url + path, headers={"X-Millrace-Caller": "forged.by.me"}) as response:
                    assert response.status in {401, 404}, (url, path)
        async with http.get(endpoints.services["orders"] + "/orders") as response:
            assert response.status == 401


async def test_a_dashboard_survives_a_service_that_hangs(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, factory = buyer_and_factory
    await an_order(buyer, factory)

    async def only_chat_is_late() -> Any:
        found = await factory.get("/dashboard")
        assert found["degraded"] == ["chat"]
        return found

    with hanging(endpoints.pids["chat"]):
        dashboard = await eventually(only_chat_is_late)

    assert dashboard["stats"]["active"] == 1
    assert dashboard["stats"]["unread_messages"] is None
    assert dashboard["active_orders"]["items"][0]["unread_messages"] is None
    await factory.whole("/dashboard")


async def test_without_orders_there_is_no_dashboard(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, _ = buyer_and_factory

    with hanging(endpoints.pids["orders"]):
        answer = await buyer.call("GET", "/dashboard")

    assert answer.problem(503, "service-unavailable")["service"] == "orders"
