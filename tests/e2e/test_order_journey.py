"""One order through its whole life, on real parts, through the gateway alone, by two people at once."""

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from PIL import Image
from pymongo import AsyncMongoClient

from deploy.local import Endpoints, Suite
from tests.e2e.asyncapi import EventChecker
from tests.e2e.market import Person, Stream
from tests.waiting import eventually

pytestmark = pytest.mark.e2e


def a_quote(factory: Person, **changes: Any) -> dict[str, Any]:
    return {
        "quote_id": f"Q-{uuid4().hex[:10]}",
        "factory_id": factory.organisation_id,
        "product": {"name": "铝合金支架 aluminium bracket", "sku": "BR-6061-20"},
        "quantity": 500,
        "unit": "pcs",
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
        "shipping_terms": "FOB Ningbo",
    } | changes


def a_photo() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


async def test_an_accepted_quote_becomes_a_completed_order_on_both_profiles(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, factory = buyer_and_factory
    async with (
        EventChecker(endpoints.amqp) as broker,
        buyer.listening() as buyers_stream,
        factory.listening() as factorys_stream,
    ):
        order = (await buyer.call("POST", "/orders", a_quote(factory))).ok(201)
        order_id = order["id"]
        assert order["total"] == {"amount": "1600.00", "currency": "USD"}
        assert order["allowed_actions"] == ["send_message"]

        await _the_factory_sees_it_at_once(factory, order)
        await _they_talk(buyer, factory, order_id)
        await _the_factory_takes_its_steps(buyer, factory, order_id)
        await _the_buyer_confirms_and_both_review(buyer, factory, order_id)
        await _both_profiles_show_it(buyer, factory, order)

        await _the_streams_told_it_in_order(buyers_stream, factorys_stream, order_id)
        await eventually(lambda: "review.submitted.v1" in broker.types_of(order_id))
        await eventually(lambda: broker.types_of(order_id).count("order.status_changed.v1") == 5)
        assert broker.types_of(order_id).count("order.created.v1") == 1
    assert broker.checked > 10


async def _the_factory_sees_it_at_once(factory: Person, order: dict[str, Any]) -> None:
    dashboard = (await factory.whole("/dashboard")).body
    assert dashboard["stats"]["active"] == 1
    assert dashboard["stats"]["open_value"] == [order["total"]]
    (card,) = dashboard["active_orders"]["items"]
    assert card["id"] == order["id"]
    assert card["counterparty"]["name"] == "Halden Pumps"
    assert card["allowed_actions"] == ["advance", "send_message"]
    assert card["unread_messages"] == 0


async def _they_talk(buyer: Person, factory: Person, order_id: str) -> None:
    await buyer.say(order_id, "Please anodise them black. ¿Es posible? 黑色阳极氧化")
    photo = (await factory.upload(order_id, "first article.jpg", a_photo(), "image/jpeg")).ok(201)
    await factory.say(order_id, "Yes, sample attached.", attachment_ids=[photo["id"]])

    blocked = await factory.call("POST", f"/orders/{order_id}/messages", {"text": "call me: +47 22 12 34 56"})
    findings = blocked.problem(422, "contact-info-blocked")["findings"]
    assert [finding["kind"] for finding in findings] == ["phone"]

    async def one_unread() -> bool:
        dashboard = await buyer.get("/dashboard")
        return [card["unread_messages"] for card in dashboard["active_orders"]["items"]] == [1]

    await eventually(one_unread)
    thread = await buyer.get(f"/orders/{order_id}/messages")
    people = [message for message in thread["items"] if message["sender"]["side"] != "system"]
    assert [message["sender"]["name"] for message in people] == ["Ann Okafor", "Lin Wei"]
    assert [message["seq"] for message in thread["items"]] == list(range(1, len(thread["items"]) + 1))
    download = await buyer.call("GET", f"/attachments/{photo['id']}")
    assert len(download.ok()) == photo["size"]
    last = thread["items"][-1]["seq"]
    assert (await buyer.call("POST", f"/orders/{order_id}/messages/read", {"up_to": last})).ok() == {
        "unread": 0
    }
    seen = await factory.get(f"/orders/{order_id}/messages")
    assert seen["items"][-1]["read_by_other_side"]


async def _the_factory_takes_its_steps(buyer: Person, factory: Person, order_id: str) -> None:
    (await buyer.advance(order_id, "in_production")).problem(403, "wrong-side")
    (await factory.advance(order_id, "in_production", note="Material is in")).ok()
    skipped = (await factory.advance(order_id, "shipped")).problem(409, "invalid-transition")
    assert skipped["current_status"] == "in_production"
    assert skipped["allowed"] == ["quality_check"]
    (await factory.advance(order_id, "quality_check")).ok()
    tracking = {"carrier": "dhl", "number": "1234567891"}
    shipped = (await factory.advance(order_id, "shipped", tracking=tracking)).ok()
    assert shipped["next_automatic_step"]["to"] == "delivered"
    assert shipped["tracking"]["url"].startswith("https://www.dhl.com/")
    (await factory.advance(order_id, "delivered")).problem(409, "awaiting-buyer-confirmation")
    (await factory.call("POST", f"/orders/{order_id}/receipt-request")).ok(202)
    (await factory.call("POST", f"/orders/{order_id}/receipt-request")).problem(
        429, "receipt-recently-requested"
    )
    thread = await buyer.get(f"/orders/{order_id}/messages?limit=100")
    lines = [message for message in thread["items"] if message["sender"]["side"] == "system"]
    assert len(lines) == 4, "each status so far stands in the thread"


async def _the_buyer_confirms_and_both_review(buyer: Person, factory: Person, order_id: str) -> None:
    review = {"rating": 5, "text": "On time and well packed", "aspects": {"quality": 5}}
    (await buyer.call("POST", f"/orders/{order_id}/reviews", review)).problem(409, "review-not-open")
    (await buyer.call("POST", f"/orders/{order_id}/receipt", {"note": "All 500 pieces"})).ok()
    (await factory.call("POST", f"/orders/{order_id}/reviews", {"rating": 5})).problem(409, "review-not-open")
    (await buyer.call("POST", f"/orders/{order_id}/reviews", review)).ok(201)
    completed = await factory.get(f"/orders/{order_id}")
    assert completed["status"] == "completed"
    assert completed["history"][-1]["by"]["user_id"] == buyer.user_id
    (await factory.call("POST", f"/orders/{order_id}/reviews", {"rating": 4, "text": "Paid at once"})).ok(201)
    reviews = await buyer.get(f"/orders/{order_id}/reviews")
    assert {found["by_side"] for found in reviews["items"]} == {"buyer", "factory"}


async def _both_profiles_show_it(buyer: Person, factory: Person, order: dict[str, Any]) -> None:
    for owner, reader, rating in ((factory, buyer, 5), (buyer, factory, 4)):
        profile = (await reader.whole(f"/organisations/{owner.organisation_id}/profile")).body
        assert profile["rating"]["average"] == rating
        assert profile["rating"]["distribution"][str(rating)] == 1
        (completed,) = profile["completed_orders"]["items"]
        assert completed["number"] == order["number"]
        assert "price" not in json.dumps(completed)
        assert [review["rating"] for review in profile["reviews"]["items"]] == [rating]
        if owner is factory:
            assert profile["on_time_rate"] == 1.0


async def _the_streams_told_it_in_order(buyers: Stream, factorys: Stream, order_id: str) -> None:
    steps = ["in_production", "quality_check", "shipped", "delivered", "completed"]
    for stream in (buyers, factorys):

        def told(stream: Stream = stream) -> bool:
            changes = stream.of("order.status_changed.v1")
            assert [event["data"]["status"] for event in changes] == steps
            return len(stream.of("review.submitted.v1")) == 2

        await eventually(told)
        changes = stream.of("order.status_changed.v1")
        assert {event["subject"] for event in changes} == {order_id}
        assert stream.events[0][0] == "ready"


async def _orders_knows(suite: Suite, person: Person) -> bool:
    async with AsyncMongoClient(suite.endpoints.mongo) as mongo:
        members = mongo[f"{suite._env['MILLRACE_MONGO_DB_PREFIX']}orders"]["members"]
        return await members.find_one({"_id": person.user_id}) is not None


async def test_a_quote_accepted_in_the_marketplace_becomes_an_order(
    suite: Suite, endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, factory = buyer_and_factory
    await eventually(partial(_orders_knows, suite, buyer))
    quote = a_quote(factory) | {"buyer_id": buyer.organisation_id, "accepted_by": buyer.user_id}
    event = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/marketplace/quotes",
        "type": "quote.accepted.v1",
        "subject": quote["quote_id"],
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": quote,
    }

    connection = await aio_pika.connect(endpoints.amqp)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("millrace.events")
        message = aio_pika.Message(json.dumps(event).encode(), content_type="application/cloudevents+json")
        await asyncio.gather(*(exchange.publish(message, routing_key="quote.accepted.v1") for _ in range(3)))

    async def arrived() -> bool:
        return len((await factory.get("/orders"))["items"]) == 1

    await eventually(arrived)
    (card,) = (await factory.get("/orders"))["items"]
    order = await buyer.get(f"/orders/{card['id']}")
    assert order["history"][0]["by"] == {"user_id": buyer.user_id, "name": "Ann Okafor", "side": "buyer"}
    again = await buyer.call("POST", "/orders", a_quote(factory, quote_id=quote["quote_id"]))
    assert again.ok(200)["id"] == card["id"]
