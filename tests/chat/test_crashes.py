"""What holds although the service is killed at any moment."""

import asyncio
import io
import random
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import aio_pika
import aiohttp
import orjson
import pytest

from services.chat.main import Settings
from services.chat.use_cases import files as use_cases
from shared.clock import utc_now
from shared.identity import Caller
from tests.chat import files
from tests.chat.builders import a_buyer, a_factory_user, a_thread
from tests.chat.processes import chat_processes
from tests.chat.running import Chat, serving
from tests.chat.test_attachments import objects_of, upload
from tests.waiting import eventually

pytestmark = pytest.mark.parts


@pytest.mark.parametrize(("messages_each", "kills"), [(5, 4), pytest.param(60, 40, marks=pytest.mark.soak)])
async def test_fifty_senders_and_kills_in_between_leave_no_gap_and_no_double(
    settings: Settings, broker: aio_pika.abc.AbstractChannel, messages_each: int, kills: int
) -> None:
    chance = random.Random(messages_each)  # noqa: S311 - no secret
    async with chat_processes(settings, count=2) as instances:
        told = Counter[tuple[int, str]]()
        queue = await broker.declare_queue(exclusive=True)
        await queue.bind("millrace.events", "message.sent.v1")

        async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            data = orjson.loads(message.body)["data"]
            told[data["message"]["seq"], data["message"]["id"]] += 1

        await queue.consume(hear, no_ack=True)
        order_id = await a_thread(instances[0].chat)
        path = f"/orders/{order_id}/messages"
        senders = [a_buyer(user_id=f"u{n}") if n % 2 else a_factory_user(user_id=f"u{n}") for n in range(50)]
        sent: dict[str, tuple[int, str]] = {}
        resent = 0

        async def say(by: Caller) -> None:
            nonlocal resent
            for _ in range(messages_each):
                key = uuid4().hex
                while True:
                    try:
                        answer = await chance.choice(instances).chat.call(
                            "POST",
                            path,
                            by=by,
                            json={"text": f"{key} said"},
                            headers={"Idempotency-Key": key},
                        )
                    except (aiohttp.ClientError, OSError, TimeoutError):
                        resent += 1
                        await asyncio.sleep(0.1)
                        continue
                    assert answer.status in {201, 503}, answer.body
                    if answer.status == 201:
                        sent[key] = answer.json["seq"], answer.json["id"]
                        break

        async def kill() -> None:
            for number in range(kills):
                due = number * 50 * messages_each / (kills + 1)
                await eventually(lambda due=due: len(sent) >= due, within=120)
                await chance.choice(instances).fall_and_rise()

        await asyncio.gather(kill(), *(say(by) for by in senders))
        stored: list[dict[str, object]] = []
        while page := (
            await instances[0].chat.call("GET", f"{path}?limit=100&after={len(stored)}", by=a_buyer())
        ).json["items"]:
            stored += page

        assert [item["seq"] for item in stored] == list(range(1, 50 * messages_each + 2))
        assert {
            str(item["text"]).removesuffix(" said"): (item["seq"], item["id"]) for item in stored[1:]
        } == sent
        assert resent, "nobody noticed a kill"
        everything = {(item["seq"], item["id"]) for item in stored}
        # What a process had no time to publish, another one does when its lease is over.
        await eventually(lambda: told.keys() >= everything, within=30)
        assert told.keys() == everything, "nothing is told that is not stored"


async def test_uploads_that_a_kill_interrupts_leave_no_object_and_no_row(settings: Settings) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    async with chat_processes(settings, count=1) as [instance]:
        order_id = await a_thread(instance.chat)
        whole: dict[str, str] = {}

        async def upload_one(number: int) -> None:
            form = aiohttp.FormData()
            data = io.BytesIO(files.a_pdf().ljust(4 * 1024 * 1024))
            form.add_field("file", data, filename=f"{number}.pdf")
            try:
                answer = await instance.chat.call(
                    "POST", f"/orders/{order_id}/attachments", by=a_buyer(), data=form
                )
            except (aiohttp.ClientError, OSError):
                return
            if answer.status == 201:
                whole[answer.json["id"]] = answer.json["sha256"]

        interrupted = 0
        for _ in range(3):
            uploads = [asyncio.create_task(upload_one(number)) for number in range(6)]
            before = len(whole)
            await asyncio.sleep(chance.uniform(0.02, 0.35))
            await instance.fall_and_rise()
            await asyncio.gather(*uploads)
            interrupted += before + 6 - len(whole)
        assert interrupted >= 3

    async with serving(settings) as chat:
        rows = set(await chat.db["attachments"].distinct("_id"))
        assert {key.split(".")[1] for key in await objects_of(chat, order_id)} <= rows
        assert whole.keys() <= rows

        await use_cases.sweep(chat.db, chat.app.state.parts, now=utc_now() + timedelta(minutes=11))

        assert set(await chat.db["attachments"].distinct("_id", {"state": "stored"})) >= whole.keys()
        rows = set(await chat.db["attachments"].distinct("_id"))
        assert await chat.db["attachments"].count_documents({"state": {"$ne": "stored"}}) == 0
        assert {key.split(".")[1] for key in await objects_of(chat, order_id)} == rows
        for attachment_id, digest in whole.items():
            fetched = await chat.call("GET", f"/attachments/{attachment_id}", by=a_buyer())
            assert fetched.headers["ETag"] == f'"{digest}"'
            assert len(fetched.body) == 4 * 1024 * 1024

        await use_cases.sweep(chat.db, chat.app.state.parts, now=utc_now() + timedelta(days=1, minutes=1))

        assert await objects_of(chat, order_id) == []
        assert await chat.db["attachments"].count_documents({}) == 0


async def test_an_upload_can_be_repeated_with_its_key_after_a_kill(chat: Chat) -> None:
    order_id = await a_thread(chat)
    data, key = files.a_pdf(), {"Idempotency-Key": "upload-1"}
    killed = (await upload(chat, order_id, data, headers=key)).json["id"]
    # As a kill before the end leaves it.
    await chat.db["attachments"].update_one(
        {"_id": killed},
        {"$set": {"state": "pending", "expires_at": utc_now()}, "$unset": {"request": "", "fingerprint": ""}},
    )

    twins = await asyncio.gather(*(upload(chat, order_id, data, headers=key) for _ in range(3)))
    swept = await use_cases.sweep(chat.db, chat.app.state.parts, now=utc_now())

    assert [answer.status for answer in twins] == [201] * 3
    assert len({answer.json["id"] for answer in twins}) == 1
    assert swept == 1
    assert {name.split(".")[1] for name in await objects_of(chat, order_id)} == {twins[0].json["id"]}
