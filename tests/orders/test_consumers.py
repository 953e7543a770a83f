"""Events in, orders out: also twice, at once with HTTP, malformed, contradictory, too early."""

import asyncio
from typing import Any

import aio_pika
import orjson
import pytest

from services.orders import consumers
from shared import messaging
from shared.events.accounts import MemberChanged
from shared.events.orders import OrderCreated, OrderStatusChanged, QuoteAccepted
from shared.events.reviews import ReviewSubmitted
from shared.ids import new_id
from tests.orders.builders import NOW, a_caller, a_quote, a_record, an_event
from tests.service_client import Events, Service
from tests.waiting import eventually

pytestmark = pytest.mark.parts

BUYER, FACTORY = a_caller("buyer"), a_caller("factory")
DEAD = "orders.quote.accepted.v1.dead"


async def orders_of(orders: Service) -> list[dict[str, Any]]:
    answer = await orders.call("GET", "/orders?limit=100", caller=BUYER)
    items: list[dict[str, Any]] = answer.json["items"]
    return items


async def order_of(orders: Service, quote_id: str) -> dict[str, Any] | None:
    """Ask by the second door: it makes nothing where there is an order, and is refused where there is none."""
    for card in await orders_of(orders):
        answer = await orders.call("GET", f"/orders/{card['id']}", caller=BUYER)
        if answer.json["quote_id"] == quote_id:
            order: dict[str, Any] = answer.json
            return order
    return None


async def dead_letter(events: Events) -> Any:
    queue = await events.channel.declare_queue(DEAD, passive=True)
    message = await eventually(lambda: queue.get(fail=False), every=0.05)
    await message.ack()
    return message


async def publish_raw(events: Events, body: bytes) -> None:
    await events.exchange.publish(
        aio_pika.Message(body, content_type=messaging.CONTENT_TYPE), routing_key=QuoteAccepted.type
    )


def envelope(data: Any, **changes: Any) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": new_id(),
            "source": "/marketplace/quotes",
            "type": "quote.accepted.v1",
            "time": "2026-11-23T09:00:00Z",
            "data": data,
        }
        | changes
    )


async def test_what_follows_from_a_quote_goes_on_under_its_name_and_trace(
    orders: Service, events: Events
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    quote = an_event(quote_id="q-1").model_dump(mode="json")

    await publish_raw(
        events,
        envelope(quote, correlationid="acceptance-7", traceparent=f"00-{trace}-00f067aa0ba902b7-01"),
    )

    await eventually(lambda: order_of(orders, "q-1"))
    [made] = await eventually(lambda: events.of(OrderCreated))
    assert made["correlationid"] == "acceptance-7"
    assert made["traceparent"].split("-")[1] == trace


async def test_an_accepted_quote_becomes_an_order_that_names_who_accepted(
    orders: Service, events: Events
) -> None:
    await events.publish(
        MemberChanged(
            user_id="user-7",
            organisation_id="buyer-1",
            version=1,
            display_name="Mei Lin",
            email="mei@example.com",
            role="member",
            joined_at=NOW,
        )
    )
    await eventually(lambda: orders.app.state.db["members"].find_one({"_id": "user-7"}))

    await events.publish(an_event(quote_id="q-1", accepted_by="user-7", accepted_at="2020-11-20T08:00:00Z"))

    order = await eventually(lambda: order_of(orders, "q-1"))
    assert order["history"] == [
        {
            "status": "confirmed",
            "at": "2020-11-20T08:00:00.000Z",
            "by": {"user_id": "user-7", "name": "Mei Lin", "side": "buyer"},
            "note": None,
        }
    ]


@pytest.mark.parametrize(
    ("accepted_by", "by"),
    [
        (None, {"side": "system"}),
        ("user-9", {"user_id": "user-9", "name": "The buyer", "side": "buyer"}),
    ],
)
async def test_a_quote_is_accepted_also_by_somebody_of_whom_nothing_is_known(
    orders: Service, events: Events, accepted_by: str | None, by: Any
) -> None:
    await events.publish(an_event(quote_id="q-1", accepted_by=accepted_by))

    order = await eventually(lambda: order_of(orders, "q-1"))

    assert order["history"][0]["by"] == by


async def test_a_repeated_event_changes_nothing(orders: Service, events: Events) -> None:
    quote = an_event(quote_id="q-1")

    for _ in range(5):
        await events.publish(quote)
    await events.publish(quote, event_id="the same event id")
    await events.publish(quote, event_id="the same event id")
    await events.publish(an_event(quote_id="behind"))

    await eventually(lambda: order_of(orders, "behind"))
    await eventually(lambda: _is_empty(events, "orders.quote.accepted.v1"))
    await eventually(lambda: len(events.of(OrderCreated)) >= 2)
    assert len(await orders_of(orders)) == len(events.of(OrderCreated)) == 2
    assert await events.waiting_in(DEAD) == 0


async def _is_empty(events: Events, queue: str) -> bool:
    return await events.waiting_in(queue) == 0


async def test_both_doors_at_once_make_one_order_and_one_event(orders: Service, events: Events) -> None:
    quotes = [f"q-{number}" for number in range(10)]

    async def by_http(quote_id: str) -> str:
        answer = await orders.call("POST", "/orders", caller=BUYER, json=a_quote(quote_id=quote_id))
        assert answer.status in {200, 201}, answer.json
        return str(answer.json["id"])

    async def by_event(quote_id: str) -> str:
        await events.publish(an_event(quote_id=quote_id))
        return quote_id

    doors = [door(quote_id) for quote_id in quotes for door in [by_http, by_event] * 5]
    ids = await asyncio.gather(*doors)
    await eventually(lambda: _is_empty(events, "orders.quote.accepted.v1"))
    await eventually(lambda: len(events.of(OrderCreated)) == 10)

    assert len({order_id for order_id in ids if order_id not in quotes}) == 10
    assert len(await orders_of(orders)) == 10
    assert await events.waiting_in(DEAD) == 0


async def test_two_buyers_at_once_make_one_order(orders: Service, events: Events) -> None:
    second = a_caller("buyer", organisation_id="buyer-2")
    record = a_record("buyer", organisation_id="buyer-2")
    await orders.call("PUT", "/organisations/buyer-2", caller=second, json=record.model_dump(mode="json"))
    body = a_quote(quote_id="q-1")

    answers = await asyncio.gather(
        *(orders.call("POST", "/orders", caller=caller, json=body) for caller in [BUYER, second] * 10)
    )

    statuses = sorted(answer.status for answer in answers)
    assert statuses == [200] * 9 + [201] + [409] * 10
    await eventually(lambda: len(events.of(OrderCreated)) == 1)


MALFORMED: list[tuple[bytes, str]] = [
    (b"{not json", "malformed-event: not JSON"),
    (b"\xff\xfe", "malformed-event: not JSON"),
    (b"", "malformed-event: not JSON"),
    (b"[]", "malformed-event: /: "),
    (b"null", "malformed-event: /: "),
    (b'"text"', "malformed-event: /: "),
    (b"{}", "/data: Field required"),
    (envelope({}), "/data/quote_id: Field required"),
    (envelope("x"), "malformed-event: /data: "),
    (envelope(a_quote(buyer_id="buyer-1", quantity="many")), "malformed-event: /data/quantity: "),
    (
        envelope(a_quote(buyer_id="buyer-1", deadline="31.01.2027")),
        '/data/deadline: must be a calendar date such as "2026-12-31"',
    ),
    (envelope(a_quote()), "malformed-event: /data/buyer_id: Field required"),
    (
        envelope(a_quote(buyer_id="buyer-1", accepted_at="0001-01-01T00:00:00+14:00")),
        "malformed-event: /data/accepted_at: ",
    ),
    (
        envelope(a_quote(buyer_id="buyer-1", accepted_at="1999-01-01T00:00:00Z")),
        "malformed-event: /data/accepted_at: ",
    ),
    (envelope(a_quote(buyer_id="buyer-1"), type="quote.declined.v1"), "expected 'quote.accepted.v1'"),
    (envelope(a_quote(buyer_id="buyer-1"), time="yesterday"), "malformed-event: /time: "),
    (
        envelope(a_quote(buyer_id="buyer-1", deadline="2020-01-01")),
        "validation-failed: /data/deadline: is in the past: where the factory is (Asia/Shanghai)",
    ),
    (
        envelope(a_quote(buyer_id="factory-1")),
        "validation-failed: /data/buyer_id: organisation factory-1 is a factory, no buyer",
    ),
    (
        envelope(a_quote(buyer_id="buyer-1", factory_id="buyer-1")),
        "validation-failed: /data/factory_id: organisation buyer-1 is a buyer, no factory",
    ),
]


async def test_what_cannot_be_an_accepted_quote_rests_with_its_cause_and_blocks_nothing(
    orders: Service, events: Events
) -> None:
    for body, cause in MALFORMED:
        await publish_raw(events, body)

        message = await dead_letter(events)

        assert message.body == body
        assert cause in message.headers[messaging.CAUSE_HEADER], body
        assert "pydantic" not in message.headers[messaging.CAUSE_HEADER]

    await events.publish(an_event(quote_id="behind them"))
    assert await eventually(lambda: order_of(orders, "behind them"))
    assert len(await orders_of(orders)) == 1


async def test_an_event_that_contradicts_the_order_rests_and_tells_where(
    orders: Service, events: Events
) -> None:
    await events.publish(an_event(quote_id="q-1"))
    order = await eventually(lambda: order_of(orders, "q-1"))

    await events.publish(
        an_event(quote_id="q-1", quantity=1, unit_price={"amount": "9.99", "currency": "USD"})
    )

    message = await dead_letter(events)
    cause = message.headers[messaging.CAUSE_HEADER]
    assert cause.startswith("quote-contradicted: /data/unit_price/amount: is '9.99'; order MR-")
    assert "/data/quantity: is '1'; order MR-" in cause
    assert await order_of(orders, "q-1") == order


async def test_an_event_names_nobody_of_another_organisation(orders: Service, events: Events) -> None:
    await events.publish(
        MemberChanged(
            user_id="user-8",
            organisation_id="buyer-2",
            version=1,
            display_name="A stranger",
            email="s@example.com",
            role="member",
            joined_at=NOW,
        )
    )
    await eventually(lambda: orders.app.state.db["members"].find_one({"_id": "user-8"}))

    await events.publish(an_event(accepted_by="user-8"))

    message = await dead_letter(events)
    assert "/data/accepted_by: user user-8 is not of the buyer" in message.headers[messaging.CAUSE_HEADER]


async def test_a_quote_that_comes_before_its_factorys_record_waits_for_it(
    orders: Service, events: Events
) -> None:
    await events.publish(an_event(quote_id="early", factory_id="factory-2"))
    await events.publish(an_event(quote_id="behind"))
    await eventually(lambda: order_of(orders, "behind"))
    assert await order_of(orders, "early") is None

    await events.publish(a_record(organisation_id="factory-2", name="Late Works"))

    order = await eventually(lambda: order_of(orders, "early"), within=60)
    assert order["factory"]["name"] == "Late Works"


async def test_200_simultaneous_equal_calls_take_one_step_and_tell_it_once(
    orders: Service, events: Events
) -> None:
    made = await orders.call("POST", "/orders", caller=BUYER, json=a_quote())
    path = f"/orders/{made.json['id']}"

    for to in ("in_production", "quality_check", "shipped"):
        steps = [orders.call("POST", f"{path}/status", caller=FACTORY, json={"to": to}) for _ in range(200)]
        statuses = sorted(answer.status for answer in await asyncio.gather(*steps))
        assert statuses == [200] + [409] * 199
    receipts = [orders.call("POST", f"{path}/receipt", caller=BUYER) for _ in range(200)]
    assert sorted(answer.status for answer in await asyncio.gather(*receipts)) == [200] + [409] * 199

    order = (await orders.call("GET", path, caller=BUYER)).json
    assert (order["status"], order["version"], len(order["history"])) == ("delivered", 5, 5)
    await eventually(lambda: len(events.of(OrderStatusChanged)) >= 4)
    await asyncio.gather(*(orders.call("GET", path, caller=BUYER) for _ in range(20)))
    assert [event["sequence"] for event in events.of(OrderStatusChanged)] == [2, 3, 4, 5]


async def test_of_two_different_steps_at_once_each_is_taken_or_refused_never_mixed(
    orders: Service, events: Events
) -> None:
    made = await orders.call("POST", "/orders", caller=BUYER, json=a_quote())
    path = f"/orders/{made.json['id']}"
    for to in ("in_production", "quality_check", "shipped"):
        await orders.call("POST", f"{path}/status", caller=FACTORY, json={"to": to})

    answers = await asyncio.gather(
        orders.call("POST", f"{path}/receipt", caller=BUYER),
        orders.call("POST", f"{path}/receipt-extension", caller=BUYER),
        orders.call("POST", f"{path}/receipt-extension", caller=FACTORY),
        orders.call("POST", f"{path}/receipt-request", caller=FACTORY),
    )

    taken = sum(answer.status in {200, 202} for answer in answers)
    order = (await orders.call("GET", path, caller=BUYER)).json
    assert order["version"] == 4 + taken
    assert answers[0].status == 200
    await eventually(lambda: len([e for e in events.heard if e["type"].startswith("order.")]) == 4 + taken)


async def test_a_buyers_review_completes_the_order_once(orders: Service, events: Events) -> None:
    made = await orders.call("POST", "/orders", caller=BUYER, json=a_quote())
    path = f"/orders/{made.json['id']}"
    for to in ("in_production", "quality_check", "shipped"):
        await orders.call("POST", f"{path}/status", caller=FACTORY, json={"to": to})
    await orders.call("POST", f"{path}/receipt", caller=BUYER)
    review = ReviewSubmitted(
        order_id=made.json["id"],
        buyer_id="buyer-1",
        factory_id="factory-1",
        by_side="buyer",
        review_id="r-1",
        rating=5,
        user_id="user-7",
        user_name="Mei Lin",
    )
    recorded = {"by_side": "buyer", "user_id": "user-7", "user_name": "Mei Lin"}

    await asyncio.gather(
        *(events.publish(review) for _ in range(3)),
        *(orders.call("POST", f"{path}/reviews-recorded", caller=BUYER, json=recorded) for _ in range(3)),
    )

    await eventually(lambda: _is_empty(events, "orders.review.submitted.v1"))
    order = (await orders.call("GET", path, caller=BUYER)).json
    assert (order["status"], order["version"]) == ("completed", 6)
    assert order["history"][-1]["by"]["name"] == "Mei Lin"
    assert order["next_automatic_step"] is None


def test_every_consumer_settles_its_failures_and_has_dead_letters() -> None:
    names = {subscriber.queue.name for subscriber in consumers.router.subscribers}

    assert names == {
        "orders.quote.accepted.v1",
        "orders.review.submitted.v1",
        "orders.organisation.changed.v1",
        "orders.member.changed.v1",
    }
