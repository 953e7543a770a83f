"""Orders over HTTP: what is answered, what is stored, what is told."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.events.chat import MessageBlocked
from shared.events.orders import OrderCreated, OrderStatusChanged, OrderUpdated
from tests.orders.builders import a_caller, a_quote, a_record
from tests.service_client import Answer, Events, Service
from tests.waiting import eventually

pytestmark = pytest.mark.parts

BUYER, FACTORY = a_caller("buyer"), a_caller("factory")


async def create(orders: Service, **changes: Any) -> dict[str, Any]:
    answer = await orders.call("POST", "/orders", caller=BUYER, json=a_quote(**changes))
    assert answer.status == 201, answer.json
    body: dict[str, Any] = answer.json
    return body


async def advance(orders: Service, order: dict[str, Any], to: str, **body: Any) -> Answer:
    return await orders.call("POST", f"/orders/{order['id']}/status", caller=FACTORY, json={"to": to} | body)


async def ship(orders: Service, **changes: Any) -> dict[str, Any]:
    order = await create(orders, **changes)
    for to in ("in_production", "quality_check", "shipped"):
        answer = await advance(orders, order, to)
        assert answer.status == 200, answer.json
    body: dict[str, Any] = answer.json
    return body


def pointers(answer: Answer) -> list[str]:
    return [error["pointer"] for error in answer.json["errors"]]


async def test_an_accepted_quote_becomes_an_order_with_its_total_and_one_event(
    orders: Service, events: Events
) -> None:
    answer = await orders.call("POST", "/orders", caller=BUYER, json=a_quote(quote_id="q-1"))

    assert answer.status == 201
    assert answer.headers["ETag"] == '"1"'
    order = answer.json
    assert order["number"].startswith("MR-")
    assert order["total"] == {"amount": "600.00", "currency": "USD"}
    assert (order["status"], order["next_status"], order["version"]) == ("confirmed", "in_production", 1)
    assert order["next_automatic_step"] is None
    assert order["tracking"] is None
    assert order["completed_at"] is None
    assert order["history"][0]["by"] == {"user_id": BUYER.user_id, "name": BUYER.name, "side": "buyer"}
    assert order["buyer"] == {"id": "buyer-1", "name": "The buyer"}
    created = (await eventually(lambda: events.of(OrderCreated)))[0]
    assert created["subject"] == order["id"]
    assert created["sequence"] == 1
    assert created["data"]["quote_id"] == "q-1"
    assert set(order) == set(
        "id number quote_id version status next_status allowed_actions product quantity unit unit_price total "
        "deadline shipping_terms destination next_automatic_step due buyer factory tracking history created_at "
        "updated_at completed_at".split()
    )


async def test_a_quote_makes_one_order_however_often_its_buyer_accepts_it(orders: Service) -> None:
    first = await create(orders, quote_id="q-1")

    again = await orders.call("POST", "/orders", caller=BUYER, json=a_quote(quote_id="q-1", quantity=1))

    assert (again.status, again.json) == (200, first)


async def test_a_quote_that_another_buyer_accepted_is_refused(orders: Service) -> None:
    await create(orders, quote_id="q-1")
    stranger = a_caller("buyer", organisation_id="buyer-2")

    answer = await orders.call("POST", "/orders", caller=stranger, json=a_quote(quote_id="q-1"))

    assert answer.status == 409
    assert answer.json["type"] == "/problems/quote-already-accepted"


@pytest.mark.parametrize(
    ("caller", "problem"),
    [(FACTORY, "wrong-side"), (a_caller("buyer", "viewer"), "role-not-sufficient")],
)
async def test_only_a_writing_user_of_a_buyer_accepts_quotes(
    orders: Service, caller: Any, problem: str
) -> None:
    answer = await orders.call("POST", "/orders", caller=caller, json=a_quote())

    assert (answer.status, answer.json["type"]) == (403, f"/problems/{problem}")


async def test_an_organisation_that_orders_has_not_heard_of_is_asked_for(orders: Service) -> None:
    answer = await orders.call("POST", "/orders", caller=BUYER, json=a_quote(factory_id="factory-9"))

    assert answer.status == 404
    assert answer.json["type"] == "/problems/organisation-not-known"
    assert answer.json["organisation_id"] == "factory-9"


FAR, SURROGATE = "x" * 5000, "\ud800"


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"quote_id": ""}, "/quote_id"),
    ({"quote_id": "x" * 101}, "/quote_id"),
    ({"quote_id": 7}, "/quote_id"),
    ({"quote_id": "a\x00b"}, "/quote_id"),
    ({"factory_id": None}, "/factory_id"),
    ({"factory_id": "buyer-1"}, "/factory_id"),
    ({"product": {"name": ""}}, "/product/name"),
    ({"product": {"name": "  "}}, "/product/name"),
    ({"product": {"name": "x" * 201}}, "/product/name"),
    ({"product": {"name": "two\nlines"}}, "/product/name"),
    ({"product": {"name": f"half {SURROGATE}"}}, "/product/name"),
    ({"product": {"name": "bell\x07"}}, "/product/name"),
    ({"product": {"name": "a", "sku": "x" * 101}}, "/product/sku"),
    ({"product": {"name": "a", "specification": FAR}}, "/product/specification"),
    ({"product": {"name": "a", "specification": "nul\x00"}}, "/product/specification"),
    ({"product": "bolt"}, "/product"),
    ({"quantity": 0}, "/quantity"),
    ({"quantity": -1}, "/quantity"),
    ({"quantity": 10**9 + 1}, "/quantity"),
    ({"quantity": 10**30}, "/quantity"),
    ({"quantity": True}, "/quantity"),
    ({"quantity": 1.0}, "/quantity"),
    ({"quantity": "1"}, "/quantity"),
    ({"quantity": None}, "/quantity"),
    ({"unit": ""}, "/unit"),
    ({"unit": "x" * 21}, "/unit"),
    ({"unit_price": {"amount": "0", "currency": "USD"}}, "/unit_price"),
    ({"unit_price": {"amount": "-1.00", "currency": "USD"}}, "/unit_price"),
    ({"unit_price": {"amount": "0.001", "currency": "USD"}}, "/unit_price"),
    ({"unit_price": {"amount": "0.5", "currency": "JPY"}}, "/unit_price"),
    ({"unit_price": {"amount": "1000000000000000.01", "currency": "USD"}}, "/unit_price"),
    ({"unit_price": {"amount": "9" * 60, "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "1e5", "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "1E+999999999", "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "NaN", "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "Infinity", "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "１.00", "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "1_0", "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": 3.2, "currency": "USD"}}, "/unit_price/amount"),
    ({"unit_price": {"amount": "3.20", "currency": "usd"}}, "/unit_price/currency"),
    ({"unit_price": {"amount": "3.20", "currency": "XXX"}}, "/unit_price/currency"),
    ({"unit_price": {"amount": "3.20", "currency": ["USD"]}}, "/unit_price/currency"),
    ({"unit_price": "3.20 USD"}, "/unit_price"),
    ({"deadline": "2020-01-01"}, "/deadline"),
    ({"deadline": "2027-02-30"}, "/deadline"),
    ({"deadline": "9999-12-31"}, "/deadline"),
    ({"deadline": "0001-01-01"}, "/deadline"),
    ({"deadline": "2027-01-31T00:00:00"}, "/deadline"),
    ({"deadline": "20270131"}, "/deadline"),
    ({"deadline": 1801440000}, "/deadline"),
    ({"deadline": None}, "/deadline"),
    ({"shipping_terms": "x" * 201}, "/shipping_terms"),
    ({"shipping_terms": 1}, "/shipping_terms"),
    ({"destination": "x" * 501}, "/destination"),
]


async def test_a_wrong_field_is_pointed_at(orders: Service) -> None:
    for changes, pointer in WRONG_FIELDS:
        answer = await orders.call("POST", "/orders", caller=BUYER, json=a_quote(**changes))

        assert answer.status == 422, (changes, answer.json)
        assert answer.json["type"] == "/problems/validation-failed"
        assert pointers(answer) == [pointer], changes


async def test_each_missing_field_is_pointed_at_at_once(orders: Service) -> None:
    answer = await orders.call("POST", "/orders", caller=BUYER, json={})

    assert set(pointers(answer)) == {
        "/quote_id",
        "/factory_id",
        "/product",
        "/quantity",
        "/unit_price",
        "/deadline",
    }


LIMITS: list[dict[str, Any]] = [
    {"quantity": 1},
    {"quantity": 10**9, "unit_price": {"amount": "1000000000000000.00", "currency": "USD"}},
    {"quantity": 10**9, "unit_price": {"amount": "999999999999999.9999", "currency": "CLF"}},
    {"unit_price": {"amount": "3.2", "currency": "USD"}},
    {"unit_price": {"amount": "120", "currency": "JPY"}},
    {"unit_price": {"amount": "0.001", "currency": "KWD"}},
    {"deadline": "2999-12-31"},
    {"product": {"name": "六角螺栓 M8 — 不锈钢"}},
    {"product": {"name": "a", "specification": "two\nlines\tand a tab"}},
    {"unit": "卷", "shipping_terms": "FOB Ningbo", "destination": "Hamburg\nGermany"},
]


async def test_the_limits_themselves_are_accepted_and_read_back_the_same(orders: Service) -> None:
    made = [await create(orders, **changes) for changes in LIMITS]

    for order in made:
        again = await orders.call("GET", f"/orders/{order['id']}", caller=BUYER)
        assert again.json == order


async def test_open_values_are_added_up_exactly_for_each_currency(orders: Service) -> None:
    await create(orders, quantity=10**9, unit_price={"amount": "1000000000000000.00", "currency": "USD"})
    await create(orders, quantity=1, unit_price={"amount": "0.01", "currency": "USD"})
    await create(orders, quantity=10**9, unit_price={"amount": "999999999999999.9999", "currency": "CLF"})

    board = await orders.call("GET", "/dashboard", caller=BUYER)

    assert board.json["stats"]["open_value"] == [
        {"amount": "999999999999999999900000.0000", "currency": "CLF"},
        {"amount": "1000000000000000000000000.01", "currency": "USD"},
    ]


async def test_an_order_goes_through_the_pipeline_with_one_event_a_step(
    orders: Service, events: Events
) -> None:
    order = await ship(orders)
    received = await orders.call(
        "POST", f"/orders/{order['id']}/receipt", caller=BUYER, json={"note": "All 5,000 arrived."}
    )
    assert received.status == 200
    reviewed = await orders.call(
        "POST",
        f"/orders/{order['id']}/reviews-recorded",
        caller=BUYER,
        json={"by_side": "buyer", "user_id": "u", "user_name": "Robin"},
    )
    assert reviewed.status == 204

    done = (await orders.call("GET", f"/orders/{order['id']}", caller=FACTORY)).json

    assert [entry["status"] for entry in done["history"]] == [
        "confirmed",
        "in_production",
        "quality_check",
        "shipped",
        "delivered",
        "completed",
    ]
    assert done["history"][4]["note"] == "All 5,000 arrived."
    assert done["history"][5]["by"] == {"user_id": "u", "name": "Robin", "side": "buyer"}
    assert (done["status"], done["next_status"], done["due"]["state"]) == ("completed", None, "done")
    assert done["completed_at"]
    await eventually(lambda: len(events.of(OrderStatusChanged)) == 5)
    told = sorted(events.of(OrderStatusChanged), key=lambda event: event["sequence"])
    assert [(event["data"]["previous"], event["data"]["status"]) for event in told] == [
        ("confirmed", "in_production"),
        ("in_production", "quality_check"),
        ("quality_check", "shipped"),
        ("shipped", "delivered"),
        ("delivered", "completed"),
    ]
    assert [event["sequence"] for event in told] == [2, 3, 4, 5, 6]


async def test_a_factory_that_calls_for_delivery_is_told_to_wait_for_the_buyer(orders: Service) -> None:
    order = await ship(orders)

    answer = await advance(orders, order, "delivered")

    assert answer.status == 409
    assert answer.json["type"] == "/problems/awaiting-buyer-confirmation"


async def test_a_wrong_step_tells_where_the_order_stands(orders: Service) -> None:
    order = await create(orders)

    answer = await advance(orders, order, "shipped")

    assert answer.status == 409
    assert answer.json["type"] == "/problems/invalid-transition"
    assert (answer.json["current_status"], answer.json["allowed"]) == ("confirmed", ["in_production"])


WRONG_STEPS: list[tuple[dict[str, Any], str]] = [
    ({"to": "sent"}, "/to"),
    ({}, "/to"),
    ({"to": "in_production", "note": "x" * 1001}, "/note"),
    ({"to": "in_production", "note": "nul\x00"}, "/note"),
    ({"to": "in_production", "tracking": {"carrier": "dhl", "number": "1"}}, "/tracking"),
    ({"to": "in_production", "tracking": {"carrier": "DHL", "number": "1"}}, "/tracking/carrier"),
    ({"to": "in_production", "tracking": {"carrier": "dhl"}}, "/tracking/number"),
]


async def test_a_wrong_step_body_is_pointed_at(orders: Service) -> None:
    order = await create(orders)

    for body, pointer in WRONG_STEPS:
        answer = await orders.call("POST", f"/orders/{order['id']}/status", caller=FACTORY, json=body)

        assert answer.status == 422, body
        assert pointers(answer) == [pointer]


async def test_if_match_names_the_version_that_the_caller_has_seen(orders: Service) -> None:
    order = await create(orders)
    path = f"/orders/{order['id']}/status"

    fresh = await orders.call(
        "POST", path, caller=FACTORY, json={"to": "in_production"}, headers={"If-Match": '"1"'}
    )
    stale = await orders.call(
        "POST", path, caller=FACTORY, json={"to": "quality_check"}, headers={"If-Match": '"1"'}
    )
    wrong_side = await orders.call(
        "POST", path, caller=BUYER, json={"to": "quality_check"}, headers={"If-Match": '"1"'}
    )
    of_no_version = [
        await orders.call(
            "POST", path, caller=FACTORY, json={"to": "quality_check"}, headers={"If-Match": tag}
        )
        for tag in ('W/"2"', '"0"', '"02x"', '""', '"a1b2"')
    ]
    no_tag = await orders.call(
        "POST", path, caller=FACTORY, json={"to": "quality_check"}, headers={"If-Match": "2"}
    )

    assert (fresh.status, fresh.headers["ETag"]) == (200, '"2"')
    assert (stale.status, stale.json["type"]) == (412, "/problems/stale-version")
    assert stale.json["current_version"] == 2
    assert wrong_side.status == 403
    assert [answer.status for answer in of_no_version] == [412] * 5
    assert (no_tag.status, no_tag.json["errors"][0]["pointer"]) == (422, "/if-match")


async def test_an_order_of_others_does_not_exist_whatever_is_asked_of_it(orders: Service) -> None:
    order = await ship(orders)
    strangers = [a_caller("buyer", organisation_id="b-2"), a_caller("factory", organisation_id="f-2")]
    # Of the same name but on the other side of the market.
    strangers += [a_caller("factory", organisation_id="buyer-1")]
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("POST", "/status", {"to": "in_production"}),
        ("POST", "/receipt", {}),
        ("POST", "/receipt-request", None),
        ("POST", "/receipt-extension", None),
    ]

    for caller in strangers:
        for method, path, body in calls:
            answer = await orders.call(method, f"/orders/{order['id']}{path}", caller=caller, json=body)
            assert (answer.status, answer.json["type"]) == (404, "/problems/order-not-found"), (caller, path)


async def test_the_buyer_is_reminded_once_in_24_hours(orders: Service, events: Events) -> None:
    order = await ship(orders)
    path = f"/orders/{order['id']}/receipt-request"

    first = await orders.call("POST", path, caller=FACTORY)
    second = await orders.call("POST", path, caller=FACTORY)
    orders.app.state.clock = lambda: utc_now() + timedelta(hours=24, seconds=1)
    tomorrow = await orders.call("POST", path, caller=FACTORY)

    assert (first.status, second.status, tomorrow.status) == (202, 429, 202)
    assert 86_390 <= int(second.headers["Retry-After"]) <= 86_400
    assert "request_receipt" not in first.json["allowed_actions"]
    await eventually(lambda: len(events.of(OrderUpdated)) == 2)
    assert {event["data"]["change"] for event in events.of(OrderUpdated)} == {"receipt_requested"}


async def test_each_side_extends_the_time_for_receipt_once(orders: Service) -> None:
    order = await ship(orders)
    path = f"/orders/{order['id']}/receipt-extension"

    answers = [await orders.call("POST", path, caller=caller) for caller in (BUYER, BUYER, FACTORY, FACTORY)]

    assert [answer.status for answer in answers] == [200, 409, 200, 409]
    assert answers[1].json["type"] == "/problems/receipt-already-extended"
    assert order["next_automatic_step"]["to"] == "delivered"
    assert answers[2].json["next_automatic_step"]["at"] > answers[0].json["next_automatic_step"]["at"]


async def test_contact_information_in_a_note_is_refused_and_moderators_hear_of_it(
    orders: Service, events: Events
) -> None:
    order = await create(orders)
    note = "  write to jane.doe@example.com"

    answer = await advance(orders, order, "in_production", note=note)

    assert answer.status == 422
    assert answer.json["type"] == "/problems/contact-info-blocked"
    finding = answer.json["findings"][0]
    assert finding["kind"] == "email"
    assert note[finding["start"] : finding["end"]] == "jane.doe@example.com"
    unchanged = await orders.call("GET", f"/orders/{order['id']}", caller=FACTORY)
    assert unchanged.json["version"] == 1
    blocked = (await eventually(lambda: events.of(MessageBlocked)))[0]
    assert blocked["data"]["where"] == "note"
    assert "jane" not in str(blocked)


async def test_the_orders_own_numbers_are_no_contact_information(orders: Service) -> None:
    order = await create(orders, product={"name": "Bolt", "sku": "13800138000"})

    answer = await advance(
        orders, order, "in_production", note=f"  {order['number']}, SKU 13800138000: started\n"
    )

    assert answer.status == 200, answer.json
    assert answer.json["history"][-1]["note"] == f"{order['number']}, SKU 13800138000: started"


async def test_an_empty_note_is_none(orders: Service) -> None:
    order = await create(orders)

    answer = await advance(orders, order, "in_production", note="  \n")

    assert answer.json["history"][-1]["note"] is None


async def test_a_receipt_needs_no_body(orders: Service) -> None:
    order = await ship(orders)

    answer = await orders.call("POST", f"/orders/{order['id']}/receipt", caller=BUYER)

    assert answer.status == 200
    assert answer.json["next_automatic_step"]["to"] == "completed"


async def test_a_number_that_its_carrier_would_not_give_is_kept_with_a_warning(orders: Service) -> None:
    order = await create(orders)
    for to in ("in_production", "quality_check"):
        await advance(orders, order, to)

    answer = await advance(orders, order, "shipped", tracking={"carrier": "ups", "number": "1Z1"})

    assert answer.status == 200
    assert answer.json["tracking"]["number"] == "1Z1"
    assert answer.json["tracking"]["warning"]
    assert answer.json["tracking"]["url"].startswith("https://www.ups.com/")


WRONG_FILTERS: list[tuple[str, str]] = [
    ("limit=0", "/limit"),
    ("limit=101", "/limit"),
    ("limit=x", "/limit"),
    ("status=sent", "/status/0"),
    ("state=open", "/state"),
    ("due=late", "/due"),
    ("sort=price", "/sort"),
    ("cursor=nonsense", "/cursor"),
    ("cursor=%FF", "/cursor"),
    ("q=" + "x" * 201, "/q"),
    ("q=a%00b", "/q"),
    ("counterparty=", "/counterparty"),
]


async def test_an_unknown_filter_is_pointed_at(orders: Service) -> None:
    for query, pointer in WRONG_FILTERS:
        answer = await orders.call("GET", f"/orders?{query}", caller=BUYER)

        assert answer.status == 422, (query, answer.json)
        assert pointers(answer) == [pointer]


@pytest.mark.parametrize(
    "path",
    ["/dashboard", "/organisations/factory-1/track-record", "/organisations/not-heard-of/track-record"],
)
async def test_a_wrong_cursor_of_any_list_is_pointed_at(orders: Service, path: str) -> None:
    for cursor in ("x", "W10", "WyJhIiwiYiJd", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwieCJd"):
        answer = await orders.call("GET", f"{path}?cursor={cursor}", caller=BUYER)

        assert (answer.status, pointers(answer)) == (422, ["/cursor"]), cursor


async def test_a_profile_shows_completed_orders_without_prices(orders: Service) -> None:
    order = await ship(orders, product={"name": "Bolt", "specification": "secret"})
    await orders.call("POST", f"/orders/{order['id']}/receipt", caller=BUYER)
    await orders.call(
        "POST",
        f"/orders/{order['id']}/reviews-recorded",
        caller=BUYER,
        json={"by_side": "buyer", "user_id": "u", "user_name": "Robin"},
    )

    for organisation in ("factory-1", "buyer-1"):
        answer = await orders.call(
            "GET", f"/organisations/{organisation}/track-record", caller=a_caller(organisation_id="other")
        )
        shown = answer.json["completed_orders"]["items"]
        assert [item["id"] for item in shown] == [order["id"]]
        assert "price" not in str(shown)
        assert "600.00" not in str(shown)
        assert "secret" not in str(shown)
        assert answer.json["on_time_rate"] == (1.0 if organisation == "factory-1" else None)


async def test_a_renamed_organisation_is_shown_and_found_by_its_new_name(orders: Service) -> None:
    order = await create(orders)
    renamed = a_record(version=2, name="宁波精密五金", time_zone="America/Los_Angeles")

    answer = await orders.call(
        "PUT", "/organisations/factory-1", caller=FACTORY, json=renamed.model_dump(mode="json")
    )

    assert answer.status == 204
    shown = await orders.call("GET", f"/orders/{order['id']}", caller=BUYER)
    assert shown.json["factory"]["name"] == "宁波精密五金"
    assert shown.json["version"] == 2
    found = await orders.call("GET", "/orders?q=精密", caller=BUYER)
    assert [card["id"] for card in found.json["items"]] == [order["id"]]
    assert not (await orders.call("GET", "/orders?q=The+factory", caller=BUYER)).json["items"]


async def test_a_call_that_the_gateway_has_not_signed_is_not_answered(orders: Service) -> None:
    async with orders.session.get(f"{orders.url}/orders") as response:
        assert response.status == 401
