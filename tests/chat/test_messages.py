"""Sending, reading and finding messages."""

import asyncio
from datetime import timedelta

import aio_pika
import orjson
import pytest

from services.chat.main import Settings
from shared.api.orders import Status
from shared.clock import utc_now
from shared.identity import Caller
from tests.chat.builders import (
    a_buyer,
    a_factory_user,
    a_history,
    a_thread,
    organisation_changed,
    status_changed,
    thread_facts,
)
from tests.chat.running import Answer, Chat, Published, serving
from tests.waiting import eventually

pytestmark = pytest.mark.parts


async def send(chat: Chat, order_id: str, text: str, *, by: Caller | None = None, **headers: str) -> Answer:
    return await chat.call(
        "POST",
        f"/orders/{order_id}/messages",
        by=by or a_buyer(),
        json={"text": text},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def read(chat: Chat, order_id: str, *, by: Caller, up_to: int) -> int:
    answer = await chat.call("POST", f"/orders/{order_id}/messages/read", by=by, json={"up_to": up_to})
    assert answer.status == 200, answer.body
    unread: int = answer.json["unread"]
    return unread


async def page(chat: Chat, order_id: str, query: str = "", *, by: Caller | None = None) -> Answer:
    return await chat.call("GET", f"/orders/{order_id}/messages{query}", by=by or a_buyer())


@pytest.mark.parametrize(
    "text", ["مرحبا 你好 👩🏽‍🏭", " two\n lines ", "<script>alert(1)</script>", "שלום עולם", "e\u0301"]
)
async def test_a_text_comes_out_as_it_was_sent_but_for_nfc(
    chat: Chat, published: Published, text: str
) -> None:
    order_id = await a_thread(chat)

    sent = await send(chat, order_id, text)
    seen = await page(chat, order_id, by=a_factory_user())

    assert sent.status == 201, sent.body
    assert sent.json["text"] == ("é" if text == "e\u0301" else text)
    assert sent.json["seq"] == 2
    assert seen.json["items"][-1] == sent.json
    assert seen.headers["X-Order-Version"] == "1"
    line, event = await eventually(lambda: (told := published.of("message.sent.v1"))[1:] and told)
    assert line["data"]["message"]["sender"]["side"] == "system"
    assert event["data"]["message"] == sent.json
    assert (event["subject"], event["sequence"]) == (order_id, 2)


async def test_fifty_simultaneous_senders_leave_no_gap_and_no_double(settings: Settings) -> None:
    async with serving(settings) as chat, serving(settings) as other:
        order_id = await a_thread(chat)
        senders = [a_buyer(user_id=f"u{n}") if n % 2 else a_factory_user(user_id=f"u{n}") for n in range(50)]

        answers = await asyncio.gather(
            *(
                send(instance, order_id, by.user_id, by=by)
                for by, instance in zip(senders, [chat, other] * 25, strict=True)
            )
        )

        assert sorted(answer.json["seq"] for answer in answers) == list(range(2, 52))
        assert await read(chat, order_id, by=a_buyer(), up_to=0) == 25
        assert await read(other, order_id, by=a_buyer(), up_to=10**6) == 0


async def test_a_repeated_request_gives_the_first_message(chat: Chat) -> None:
    order_id = await a_thread(chat)

    twins = await asyncio.gather(*(send(chat, order_id, "once", Idempotency_Key="k") for _ in range(5)))
    later = await send(chat, order_id, "once", Idempotency_Key="k")
    another = await send(chat, order_id, "once", Idempotency_Key="k", by=a_buyer(user_id="u-2"))

    assert {answer.status for answer in twins} == {201}
    assert {answer.json["id"] for answer in [*twins, later]} == {twins[0].json["id"]}
    assert another.json["seq"] == 3


async def test_pages_lead_both_ways_without_a_gap(chat: Chat) -> None:
    order_id = await a_thread(chat)
    for number in range(2, 12):
        await send(chat, order_id, f"message {number}")

    newest = (await page(chat, order_id, "?limit=4")).json
    older = (await page(chat, order_id, f"?limit=4&before={newest['next_cursor']}")).json
    oldest = (await page(chat, order_id, f"?limit=4&cursor={older['next_cursor']}")).json
    first = (await page(chat, order_id, "?limit=6&after=0")).json
    rest = (await page(chat, order_id, f"?limit=6&after={first['next_cursor']}")).json

    assert [[item["seq"] for item in part["items"]] for part in (newest, older, oldest)] == [
        [8, 9, 10, 11],
        [4, 5, 6, 7],
        [1, 2, 3],
    ]
    assert oldest["next_cursor"] is None
    assert [item["seq"] for item in first["items"] + rest["items"]] == list(range(1, 12))
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=101", "?before=0", "?after=-1", "?cursor=x", "?before=1e3"]
)
async def test_a_page_that_cannot_be_is_refused_with_a_pointer(chat: Chat, query: str) -> None:
    order_id = await a_thread(chat)

    answer = await page(chat, order_id, query)

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/" + query[1:].split("=", maxsplit=1)[0]


async def test_words_are_found_in_any_script_and_case(chat: Chat) -> None:
    order_id = await a_thread(chat)
    for text in ("阀体的图纸已经上传", "The DRAWING is uploaded", "Ｖalve bodies 100%"):
        await send(chat, order_id, text)

    async def found(q: str) -> list[int]:
        answer = await chat.call("GET", f"/orders/{order_id}/messages", by=a_buyer(), params={"q": q})
        return [item["seq"] for item in answer.json["items"]]

    assert await found("图纸") == [2]
    assert await found("drawing") == [3]
    assert await found("uploaded the") == [3]
    assert await found("valve") == [4]
    assert await found("100%") == [4]
    assert await found("nothing") == []
    assert await found(".*") == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"text": " \n "}, ""),
        ({"text": None, "attachment_ids": []}, ""),
        ({"text": "x" * 4001}, "/text"),
        ({"text": "a\u0000b"}, "/text"),
        ({"attachment_ids": [str(n) for n in range(11)]}, "/attachment_ids"),
        ({"attachment_ids": ["a", "a"]}, "/attachment_ids/0"),
    ],
)
async def test_a_message_that_cannot_be_is_refused(chat: Chat, body: object, pointer: str) -> None:
    order_id = await a_thread(chat)

    answer = await chat.call("POST", f"/orders/{order_id}/messages", by=a_buyer(), json=body)

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == pointer


async def test_contact_information_is_refused_stored_nowhere_and_told_to_moderators(
    chat: Chat, published: Published
) -> None:
    order_id = await a_thread(chat)
    text = "cafe\u0301: sales@example.com"

    refused = await send(chat, order_id, text)

    assert (refused.status, refused.problem) == (422, "contact-info-blocked")
    [finding] = refused.json["findings"]
    assert finding["kind"] == "email"
    assert text[finding["start"] : finding["end"]] == "sales@example.com"
    assert [item["seq"] for item in (await page(chat, order_id)).json["items"]] == [1]
    event = (await eventually(lambda: published.of("message.blocked.v1")))[0]
    assert event["data"] | {"rules": None} == {
        "order_id": order_id,
        "buyer_id": "org-buyer",
        "factory_id": "org-factory",
        "user_id": "u-buyer",
        "where": "message",
        "kinds": ["email"],
        "rules": None,
    }


async def test_contact_information_split_over_messages_is_refused_within_the_window(
    chat: Chat, settings: Settings
) -> None:
    pieces = ["nadia.w", "@", "example", ".org"]
    order_id, slow = await a_thread(chat), await a_thread(chat)

    fast = [(await send(chat, order_id, piece)).status for piece in pieces]
    for piece in pieces[:-1]:
        await send(chat, slow, piece)
    long_ago = utc_now() - settings.chat_split_window - timedelta(seconds=1)
    await chat.db["messages"].update_many({"order_id": slow}, {"$set": {"sent_at": long_ago}})
    last = await send(chat, slow, pieces[-1])

    assert 422 in fast
    assert last.status == 201


async def test_numbers_of_the_order_itself_pass(chat: Chat) -> None:
    order_id = await a_thread(chat, sku="QQ-88213", tracking_number="SF1234567890123")

    sent = await send(chat, order_id, "Tracking SF1234567890123 for MR-2026-000042, QQ-88213")

    assert sent.status == 201, sent.body


async def test_unread_counts_only_the_other_sides_messages(chat: Chat) -> None:
    order_id = await a_thread(chat)
    for text in ("one", "two", "three"):
        await send(chat, order_id, text, by=a_factory_user())
    await send(chat, order_id, "mine")

    assert await read(chat, order_id, by=a_buyer(), up_to=0) == 3
    assert await read(chat, order_id, by=a_factory_user(), up_to=0) == 1
    assert await read(chat, order_id, by=a_buyer(), up_to=3) == 1
    assert await read(chat, order_id, by=a_buyer(), up_to=2) == 1, "never goes backwards"
    assert await read(chat, order_id, by=a_buyer(user_id="u-2"), up_to=0) == 3, "each user has their own"
    assert await read(chat, order_id, by=a_buyer(), up_to=999) == 0
    await send(chat, order_id, "four", by=a_factory_user())
    assert await read(chat, order_id, by=a_buyer(), up_to=0) == 1, "beyond the last message meant the last"


async def test_reading_is_shown_to_the_other_side_and_told_once(chat: Chat, published: Published) -> None:
    order_id = await a_thread(chat)
    await send(chat, order_id, "one")
    await send(chat, order_id, "two")

    await read(chat, order_id, by=a_buyer(user_id="u-2"), up_to=3)
    own = (await page(chat, order_id)).json["items"]
    for up_to in (2, 2, 1, 99):
        await read(chat, order_id, by=a_factory_user(), up_to=up_to)
    seen = (await page(chat, order_id)).json["items"]

    assert [item["read_by_other_side"] for item in own] == [False, False, False]
    assert [item["read_by_other_side"] for item in seen] == [False, True, True]
    events = await eventually(lambda: (found := published.of("message.read.v1"))[2:] and found)
    assert [(event["data"]["user_id"], event["data"]["up_to"]) for event in events] == [
        ("u-2", 3),
        ("u-factory", 2),
        ("u-factory", 3),
    ]


async def test_what_is_read_on_one_device_is_read_on_the_others(settings: Settings) -> None:
    async with serving(settings) as phone, serving(settings) as desk:
        order_id = await a_thread(phone)
        for number in range(5):
            await send(phone, order_id, f"n{number}", by=a_factory_user())

        await asyncio.gather(
            *(read(on, order_id, by=a_buyer(), up_to=up_to) for on in (phone, desk) for up_to in (4, 5))
        )

        assert await read(desk, order_id, by=a_buyer(), up_to=0) == 1
        assert await read(phone, order_id, by=a_buyer(), up_to=0) == 1


async def test_summaries_tell_unread_of_many_threads_at_once(chat: Chat) -> None:
    one, two, foreign = await a_thread(chat), await a_thread(chat), await a_thread(chat, factory_id="org-9")
    for order_id in (one, one, two, foreign):
        last = await send(chat, order_id, "hello")
    await read(chat, one, by=a_factory_user(), up_to=2)

    async def summaries(by: Caller) -> dict[str, object]:
        answer = await chat.call(
            "POST", "/summaries", by=by, json={"order_ids": [one, two, foreign, "unknown"]}
        )
        return {
            item["order_id"]: (item["unread"], item["last_message_at"] is not None)
            for item in answer.json["items"]
        } | {"total": answer.json["unread_total"]}

    assert last.status == 201
    expected = {one: (1, True), two: (1, True), foreign: (0, False), "unknown": (0, False), "total": 2}

    async def adds_up() -> bool:
        return await summaries(a_factory_user()) == expected

    assert await eventually(adds_up)
    assert (await summaries(a_buyer()))["total"] == 0


async def test_status_lines_come_once_and_in_order_however_the_events_come(
    chat: Chat, broker: aio_pika.abc.AbstractChannel
) -> None:
    order_id = await a_thread(chat)
    await send(chat, order_id, "before", by=a_factory_user())
    exchange = await broker.get_exchange("millrace.events")
    latest = thread_facts(order_id=order_id, status=Status.SHIPPED)
    older = thread_facts(order_id=order_id, status=Status.IN_PRODUCTION)

    for facts in (latest, older, latest):
        await exchange.publish(
            aio_pika.Message(status_changed(facts), content_type="application/cloudevents+json"),
            "order.status_changed.v1",
        )
    await eventually(lambda: chat.db["threads"].find_one({"_id": order_id, "version": latest.version}))
    items = (await page(chat, order_id)).json["items"]
    lines = [item for item in items if item["system"]]

    assert [item["seq"] for item in items] == [1, 2, 3, 4, 5]
    assert [line["system"]["status"] for line in lines] == [
        entry.status.value for entry in a_history(Status.SHIPPED)
    ]
    assert lines[1]["text"] == "林伟 moved the order to In Production."
    assert lines[1]["sender"] == {"user_id": None, "name": None, "side": "system"}
    assert lines[1]["system"]["by"]["user_id"] == "u-factory"
    assert await read(chat, order_id, by=a_buyer(), up_to=0) == 1, "lines of the system are never unread"


async def test_instances_that_hear_of_the_same_steps_at_once_tell_them_once(settings: Settings) -> None:
    async with serving(settings) as chat, serving(settings) as other:
        facts = thread_facts(status=Status.COMPLETED)

        answers = await asyncio.gather(
            *(
                instance.call(
                    "PUT", f"/threads/{facts.order_id}", by=a_buyer(), json=facts.model_dump(mode="json")
                )
                for instance in [chat, other] * 5
            )
        )
        items = (await page(chat, facts.order_id)).json["items"]

        assert {answer.status for answer in answers} == {204}
        assert [item["system"]["status"] for item in items] == [status.value for status in Status]


async def test_a_thread_closes_some_time_after_completion_and_stays_readable(
    chat: Chat, settings: Settings
) -> None:
    now = utc_now()
    history = a_history(Status.COMPLETED)

    async def completed(ago: timedelta) -> str:
        at = [*history[:-1], history[-1].model_copy(update={"at": now - ago})]
        return await a_thread(chat, status=Status.COMPLETED, history=at)

    lately = await completed(settings.chat_open_after_completion - timedelta(minutes=1))
    long_ago = await completed(settings.chat_open_after_completion)

    open_still, closed = await send(chat, lately, "thanks"), await send(chat, long_ago, "thanks")

    assert open_still.status == 201
    uploaded = await chat.call("POST", f"/orders/{long_ago}/attachments", by=a_buyer(), data=b"")

    assert (closed.status, closed.problem) == (uploaded.status, uploaded.problem) == (409, "thread-closed")
    assert len((await page(chat, long_ago)).json["items"]) == 6
    assert await read(chat, long_ago, by=a_factory_user(), up_to=6) == 0


async def test_nobody_writes_to_or_for_a_closed_organisation(
    chat: Chat, broker: aio_pika.abc.AbstractChannel
) -> None:
    order_id, foreign = await a_thread(chat), await a_thread(chat, factory_id="org-9")
    exchange = await broker.get_exchange("millrace.events")

    async def tell(*, version: int, closed: bool) -> None:
        body = organisation_changed("org-factory", version=version, closed=closed)
        message = aio_pika.Message(body, content_type="application/cloudevents+json")
        await exchange.publish(message, "organisation.changed.v1")

    async def answers(status: int, thread: str) -> bool:
        return (await send(chat, thread, "hello")).status == status

    await tell(version=2, closed=True)
    await eventually(lambda: answers(409, order_id))
    await tell(version=1, closed=False)  # an old one, which comes late
    later = await a_thread(chat)
    refused = [
        await send(chat, order_id, "hello"),
        await send(chat, order_id, "hello", by=a_factory_user()),
        await send(chat, later, "hello"),
        await chat.call("POST", f"/orders/{order_id}/attachments", by=a_buyer(), data=b""),
    ]
    elsewhere = await send(chat, foreign, "hello")
    seen = await page(chat, order_id, by=a_factory_user())
    await tell(version=3, closed=False)
    await eventually(lambda: answers(201, order_id))
    await eventually(lambda: answers(201, later))

    assert [(answer.status, answer.problem) for answer in refused] == [(409, "organisation-closed")] * 4
    assert elsewhere.status == 201
    assert seen.status == 200


async def test_strangers_cannot_tell_a_foreign_thread_from_none(chat: Chat) -> None:
    order_id = await a_thread(chat)
    stranger = a_buyer(organisation_id="org-9")

    for path_of, method, body in (
        ("/orders/{}/messages", "GET", None),
        ("/orders/{}/messages", "POST", {"text": "hi"}),
        ("/orders/{}/messages/read", "POST", {"up_to": 1}),
        ("/orders/{}/typing", "POST", None),
    ):
        foreign = await chat.call(method, path_of.format(order_id), by=stranger, json=body)
        nowhere = await chat.call(method, path_of.format("none"), by=stranger, json=body)
        wrong_side = await chat.call(
            method, path_of.format(order_id), by=a_factory_user(organisation_id="org-buyer"), json=body
        )

        assert foreign.status == nowhere.status == wrong_side.status == 404
        assert foreign.problem == nowhere.problem == "thread-not-known"


async def test_viewers_read_and_do_not_write(chat: Chat) -> None:
    order_id = await a_thread(chat)
    viewer = a_buyer(role="viewer", user_id="u-viewer")

    refused = await send(chat, order_id, "hi", by=viewer)

    assert (refused.status, refused.problem) == (403, "role-not-sufficient")
    assert (await page(chat, order_id, by=viewer)).status == 200
    assert await read(chat, order_id, by=viewer, up_to=1) == 0


async def test_typing_is_told_to_who_listens_and_stored_nowhere(
    chat: Chat, broker: aio_pika.abc.AbstractChannel, published: Published
) -> None:
    order_id = await a_thread(chat)
    await chat.call("POST", f"/orders/{order_id}/typing", by=a_buyer(), json={"state": "away"})
    queue = await broker.declare_queue(exclusive=True)
    await queue.bind("millrace.moments", "#")
    now = utc_now()
    chat.app.state.clock = lambda: now

    answers = [
        await chat.call("POST", f"/orders/{order_id}/typing", by=a_buyer(), json=body)
        for body in (None, {"state": "typing"}, {"state": "here"})
    ]
    heard = await eventually(lambda: queue.get(fail=False))
    here = await eventually(lambda: queue.get(fail=False))

    assert [answer.status for answer in answers] == [204] * 3
    assert orjson.loads(heard.body)["data"] == {
        "order_id": order_id,
        "buyer_id": "org-buyer",
        "factory_id": "org-factory",
        "user_id": "u-buyer",
        "name": "Ada",
        "side": "buyer",
        "state": "typing",
    }
    assert orjson.loads(here.body)["data"]["state"] == "here", "the same signal twice a second is one"
    assert published.of("message.typing.v1") == []
