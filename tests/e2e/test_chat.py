"""Chat through the gateway: what both sides see at once, files in and out, and who is typing."""

import asyncio
import hashlib
import json
import sys
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aio_pika
import pytest
from minio import Minio
from pymongo import AsyncMongoClient

from deploy.local import Endpoints, Suite
from shared.clock import utc_now
from tests.e2e.market import Answer, Person
from tests.e2e.test_order_journey import a_photo, a_quote
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

LIMIT = 20 * 1024 * 1024


@pytest.fixture
async def order_id(buyer_and_factory: tuple[Person, Person]) -> str:
    buyer, factory = buyer_and_factory
    return str((await buyer.call("POST", "/orders", a_quote(factory))).ok(201)["id"])


def a_pdf(size: int) -> bytes:
    return b"%PDF-1.7\n".ljust(size, b" ")


async def test_a_thread_takes_messages_as_soon_as_its_order_exists(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    for _ in range(5):
        order_id = (await buyer.call("POST", "/orders", a_quote(factory))).ok(201)["id"]

        said = await asyncio.gather(buyer.say(order_id, "Hello"), factory.say(order_id, "您好"))
        thread = (await factory.get(f"/orders/{order_id}/messages"))["items"]

        assert sorted(message["seq"] for message in said) == [2, 3]
        assert thread[0]["sender"]["side"] == "system"
        assert {message["id"] for message in thread[1:]} == {message["id"] for message in said}


async def test_an_order_that_comes_by_the_broker_has_its_thread_too(
    endpoints: Endpoints, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, factory = buyer_and_factory
    quote = a_quote(factory) | {"buyer_id": buyer.organisation_id}
    event = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/quoting",
        "type": "quote.accepted.v1",
        "subject": quote["quote_id"],
        "time": utc_now().isoformat(),
        "data": quote,
    }
    async with await aio_pika.connect(endpoints.amqp) as connection:
        exchange = await (await connection.channel()).get_exchange("millrace.events")
        await exchange.publish(
            aio_pika.Message(json.dumps(event).encode(), content_type="application/cloudevents+json"),
            "quote.accepted.v1",
        )

    async def born() -> list[Any]:
        orders: list[Any] = (await buyer.get("/orders"))["items"]
        return orders

    (order,) = await eventually(born)
    assert (await buyer.get(f"/orders/{order['id']}/messages"))["items"][0]["system"]["status"] == "confirmed"
    assert (await factory.say(order["id"], "Thank you"))["seq"] == 2


async def test_lines_and_messages_stand_in_the_order_in_which_they_were_answered(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    for _ in range(5):
        order_id = (await buyer.call("POST", "/orders", a_quote(factory))).ok(201)["id"]
        for status in ("in_production", "quality_check"):
            (await factory.advance(order_id, status)).ok()
            await factory.say(order_id, f"after {status}")
        thread = (await buyer.get(f"/orders/{order_id}/messages"))["items"]

        assert [
            message["system"]["status"] if message["system"] else message["text"] for message in thread
        ] == [
            "confirmed",
            "in_production",
            "after in_production",
            "quality_check",
            "after quality_check",
        ]
        assert [message["read_by_other_side"] for message in thread] == [False] * 5
        unread = await buyer.call("POST", f"/orders/{order_id}/messages/read", {"up_to": 0})
        assert unread.ok() == {"unread": 2}


async def test_reading_on_one_device_clears_the_others_and_is_told_to_both_sides(
    buyer_and_factory: tuple[Person, Person], order_id: str
) -> None:
    buyer, factory = buyer_and_factory
    for text in ("one", "two"):
        await factory.say(order_id, text)

    async def badge() -> tuple[int, int]:
        board = (await buyer.whole("/dashboard")).body
        return board["active_orders"]["items"][0]["unread_messages"], board["stats"]["unread_messages"]

    async def is_two() -> bool:
        return await badge() == (2, 2)

    await eventually(is_two)
    async with buyer.listening() as other_device, factory.listening() as other_side:
        phone = await buyer.call("POST", f"/orders/{order_id}/messages/read", {"up_to": 3})
        assert phone.ok() == {"unread": 0}
        assert await badge() == (0, 0)
        for stream in (other_device, other_side):
            told = (await eventually(lambda stream=stream: stream.of("message.read.v1")))[0]
            assert told["data"]["user_id"] == buyer.user_id
            assert told["data"]["up_to"] == 3
    seen = (await factory.get(f"/orders/{order_id}/messages"))["items"]
    assert [message["read_by_other_side"] for message in seen] == [False, True, True]


async def test_typing_is_shown_to_the_other_side_now_and_again_and_kept_by_nobody(
    buyer_and_factory: tuple[Person, Person], third_party: Person, order_id: str
) -> None:
    buyer, factory = buyer_and_factory
    path = f"/orders/{order_id}/typing"
    async with factory.listening() as theirs, buyer.listening() as own, third_party.listening() as stranger:

        async def shown() -> list[Any]:
            (await buyer.call("POST", path)).ok(204)
            return theirs.of("message.typing.v1")

        typing = (await eventually(shown, every=0.2))[0]
        began = len(theirs.of("message.typing.v1"))
        for _ in range(20):
            (await buyer.call("POST", path, {"state": "here"})).ok(204)
        await buyer.say(order_id, "done")
        for stream in (theirs, own):
            await eventually(lambda stream=stream: stream.of("message.sent.v1"))
        states = [told["data"]["state"] for told in theirs.of("message.typing.v1")[began:]]

        assert typing["data"]["name"] == "Ann Okafor"
        assert typing["data"]["side"] == "buyer"
        assert 1 <= states.count("here") < 20, "the same signal is told once a second at most"
        assert own.of("message.typing.v1") == stranger.of("message.typing.v1") == []
    (await buyer.call("POST", path, {"state": "dancing"})).problem(422, "validation-failed")
    (await third_party.call("POST", path)).problem(404, "order-not-found")
    assert len((await factory.get(f"/orders/{order_id}/messages"))["items"]) == 2


async def test_the_operator_closes_an_organisation_and_opens_it_again(
    suite: Suite, buyer_and_factory: tuple[Person, Person], order_id: str
) -> None:
    buyer, factory = buyer_and_factory
    command = (
        sys.executable,
        "-c",
        "from deploy.cli import app; app()",
        "organisations",
        "close",
        factory.organisation_id,
    )
    where = ("--mongo", suite.endpoints.mongo, "--prefix", suite._env["MILLRACE_MONGO_DB_PREFIX"])

    async def run(*more: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command, *where, *more, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        assert process.returncode == 0
        return told.decode()

    async def answers(status: int) -> bool:
        return (await buyer.call("POST", f"/orders/{order_id}/messages", {"text": "hello"})).status == status

    assert await run() == "Ningbo Precision is closed\n"
    await eventually(lambda: answers(409), within=30, every=1)
    (await factory.call("POST", f"/orders/{order_id}/messages", {"text": "hi"})).problem(
        409, "organisation-closed"
    )
    assert (await factory.get(f"/orders/{order_id}/messages"))["items"]
    assert await run("--reopen") == "Ningbo Precision is open\n"
    await eventually(lambda: answers(201), within=30, every=1)


async def test_a_file_goes_through_the_gateway_as_it_is_with_the_headers_that_keep_browsers_safe(
    buyer_and_factory: tuple[Person, Person], third_party: Person, order_id: str
) -> None:
    buyer, factory = buyer_and_factory
    data = a_pdf(LIMIT)
    document = (await upload(buyer, order_id, "合同 v2.pdf", data)).ok(201)
    photo = (await buyer.upload(order_id, "photo.jpg", a_photo(), "image/jpeg")).ok(201)
    await buyer.say(order_id, "Both", attachment_ids=[document["id"], photo["id"]])
    path = f"/attachments/{document['id']}"

    whole = await factory.call("GET", path)
    part = await factory.call("GET", path, headers={"Range": f"bytes={LIMIT - 10}-"})
    beyond = await factory.call("GET", path, headers={"Range": f"bytes={LIMIT}-"})
    same = await factory.call("GET", path, headers={"If-None-Match": whole.headers["etag"]})
    shown = await factory.call("GET", f"/attachments/{photo['id']}")
    small = await factory.call("GET", f"/attachments/{photo['id']}/thumbnail")

    assert (document["size"], document["sha256"]) == (LIMIT, hashlib.sha256(data).hexdigest())
    assert document["scan"] == "unscanned"
    assert whole.ok() == data
    assert (part.status, part.body) == (206, data[-10:])
    assert part.headers["content-range"] == f"bytes {LIMIT - 10}-{LIMIT - 1}/{LIMIT}"
    assert beyond.problem(416, "range-not-satisfiable")["size"] == LIMIT
    assert beyond.headers["content-range"] == f"bytes */{LIMIT}"
    assert (same.status, same.body) == (304, b"")
    assert whole.headers["content-length"] == str(LIMIT)
    assert whole.headers["content-disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E5%90%88%E5%90%8C%20v2.pdf" in whole.headers["content-disposition"]
    assert shown.headers["content-disposition"].startswith("inline;")
    assert small.headers["content-type"] == "image/webp"
    for answer in (whole, part, shown, small):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    for gone in (path, f"{path}/thumbnail", "/attachments/none"):
        (await third_party.call("GET", gone)).problem(404, "attachment-not-found")


@pytest.mark.parametrize("size", [LIMIT + 1, 3 * LIMIT, 10 * LIMIT])
async def test_a_file_that_is_too_large_is_told_so_however_large_it_is(
    buyer_and_factory: tuple[Person, Person], order_id: str, size: int
) -> None:
    buyer, _ = buyer_and_factory

    answer = await upload(buyer, order_id, "large.pdf", a_pdf(size))

    assert answer.problem(413, "attachment-too-large")["limit"] == LIMIT
    # The client still has bytes of it that nobody takes, and the loop may not end before it knows.
    transports = asyncio.get_running_loop()._transports  # type: ignore[attr-defined]
    await eventually(lambda: not any(each.is_closing() and each._sock for each in transports.values()))


async def test_an_upload_that_its_client_cuts_off_leaves_neither_object_nor_row(
    suite: Suite, buyer_and_factory: tuple[Person, Person], order_id: str
) -> None:
    buyer, _ = buyer_and_factory
    address = urlsplit(suite.endpoints.gateway)
    head = (
        f"POST /api/v1/orders/{order_id}/attachments HTTP/1.1\r\nHost: millrace\r\n"
        f"Authorization: Bearer {buyer.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 9000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    )
    for size in (0, 100_000, 8_000_000):
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head.encode() + a_pdf(size)[:size])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    kept = (await buyer.upload(order_id, "kept.pdf", a_pdf(100), "application/pdf")).ok(201)["id"]

    async def only_the_whole_one() -> bool:
        return await rows_and_objects(suite, order_id) == ([kept], [kept])

    await eventually(only_the_whole_one)


async def rows_and_objects(suite: Suite, order_id: str) -> tuple[list[str], list[str]]:
    at, prefix = suite.endpoints, suite._env["MILLRACE_MONGO_DB_PREFIX"]
    async with AsyncMongoClient(at.mongo) as mongo:
        rows = await mongo[f"{prefix}chat"]["attachments"].distinct("_id", {"order_id": order_id})
    s3 = Minio(
        urlsplit(at.s3.endpoint).netloc,
        access_key=at.s3.access_key,
        secret_key=at.s3.secret_key,
        secure=False,
        region="us-east-1",
    )
    listed = await asyncio.to_thread(
        lambda: list(s3.list_objects(suite._env["MILLRACE_S3_BUCKET"], prefix=f"{order_id}.", recursive=True))
    )
    return rows, [str(found.object_name).split(".")[1] for found in listed]


async def upload(who: Person, order_id: str, name: str, data: bytes) -> Answer:
    return await who.upload(order_id, name, data, "application/pdf")
