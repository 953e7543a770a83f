"""Sending and reading messages."""

import asyncio

import aio_pika
import pytest

from shared.api.orders import Status
from tests.chat.builders import a_buyer, a_factory_user, a_history, a_thread, status_changed, thread_facts
from tests.chat.running import Chat, Published
from tests.waiting import eventually

pytestmark = pytest.mark.parts


async def test_a_sent_message_is_seen_by_both_sides(chat: Chat, published: Published) -> None:
    order_id = await a_thread(chat)

    sent = await chat.call(
        "POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"text": "مرحبا 你好 👋🏽"}
    )
    page = await chat.call("GET", f"/orders/{order_id}/messages", by=a_factory_user())

    assert sent.status == 201, sent.body
    assert page.json["items"][-1] == sent.json
    assert sent.json["text"] == "مرحبا 你好 👋🏽"
    assert sent.json["seq"] == 2
    assert page.headers["X-Order-Version"] == "1"
    event = await eventually(lambda: published.of("message.sent.v1")[-1:])
    assert event[0]["data"]["message"] == sent.json


async def test_fifty_simultaneous_senders_leave_no_gap_and_no_double(chat: Chat) -> None:
    order_id = await a_thread(chat)
    senders = [a_buyer(user_id=f"u{n}") if n % 2 else a_factory_user(user_id=f"u{n}") for n in range(50)]

    answers = await asyncio.gather(
        *(
            chat.call("POST", f"/orders/{order_id}/messages", by=by, json={"text": by.user_id})
            for by in senders
        )
    )
    unread = await chat.call("POST", f"/orders/{order_id}/messages/read", by=a_buyer(), json={"up_to": 0})
    seen = await chat.call("POST", f"/orders/{order_id}/messages/read", by=a_buyer(), json={"up_to": 10**6})

    assert sorted(answer.json["seq"] for answer in answers) == list(range(2, 52))
    assert unread.json == {"unread": 25}
    assert seen.json == {"unread": 0}


async def test_status_lines_come_once_and_in_order_however_the_events_come(
    chat: Chat, broker: aio_pika.abc.AbstractChannel
) -> None:
    order_id = await a_thread(chat)
    exchange = await broker.get_exchange("millrace.events")
    latest = thread_facts(order_id=order_id, status=Status.SHIPPED)
    older = thread_facts(order_id=order_id, status=Status.IN_PRODUCTION)

    for facts in (latest, older, latest):
        await exchange.publish(
            aio_pika.Message(status_changed(facts), content_type="application/cloudevents+json"),
            "order.status_changed.v1",
        )
    await eventually(lambda: chat.db["threads"].find_one({"_id": order_id, "version": latest.version}))
    page = await chat.call("GET", f"/orders/{order_id}/messages", by=a_buyer())

    assert [line["system"]["status"] for line in page.json["items"]] == [
        entry.status.value for entry in a_history(Status.SHIPPED)
    ]
    assert [line["seq"] for line in page.json["items"]] == [1, 2, 3, 4]
