"""A large document goes to the storage while it still arrives; nothing stays of one that does not stand the checks."""

import asyncio
import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from minio import Minio

from services.chat.main import Settings
from services.chat.store.attachments import ATTACHMENTS
from services.chat.use_cases import files as use_cases
from shared.clock import utc_now
from tests.chat import files
from tests.chat.builders import a_buyer, a_thread
from tests.chat.running import Chat, serving
from tests.chat.test_attachments import objects_of, upload
from tests.waiting import eventually

pytestmark = pytest.mark.parts

LARGE = 4 * 1024 * 1024
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"


def a_large_pdf() -> bytes:
    return files.a_pdf() + os.urandom(LARGE)


def an_archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("anything", os.urandom(LARGE))
    return target.getvalue()


@dataclass(kw_only=True)
class Sending:
    """An upload whose bytes come when the test wants it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        return int((await self.reader.readline()).split()[1])


@asynccontextmanager
async def sending(chat: Chat, order_id: str, *, length: int | None) -> AsyncIterator[Sending]:
    address = chat.url.removeprefix("http://")
    host, port = address.split(":")
    headers = chat.signed(a_buyer()) | {
        "Host": address,
        "Content-Type": "multipart/form-data; boundary=b",
        **({"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"POST /orders/{order_id}/attachments HTTP/1.1\r\n{lines}\r\n".encode())
        yield Sending(reader=reader, writer=writer)
    finally:
        writer.close()
        await writer.wait_closed()


async def states(chat: Chat) -> list[str]:
    return [row["state"] async for row in chat.db[ATTACHMENTS].find({})]


async def nothing_is_left(chat: Chat, order_id: str) -> bool:
    return await states(chat) == await objects_of(chat, order_id) == []


async def test_a_row_is_there_before_the_last_byte_and_goes_when_that_does_not_come(chat: Chat) -> None:
    order_id, data = await a_thread(chat), a_large_pdf()

    async with sending(chat, order_id, length=len(HEAD + data + TAIL)) as client:
        await client.send(HEAD + data[:-1])
        await eventually(lambda: states(chat))

        assert await states(chat) == ["pending"]

    await eventually(lambda: nothing_is_left(chat, order_id))


@pytest.mark.parametrize(
    ("name", "make", "status"),
    [
        ("a.zip", an_archive, 415),
        ("a.docx", an_archive, 415),
        ("a.png", a_large_pdf, 415),
        ("mail sales@example.com.pdf", a_large_pdf, 422),
    ],
)
async def test_what_is_refused_in_the_end_leaves_nothing(
    chat: Chat, name: str, make: object, status: int
) -> None:
    order_id = await a_thread(chat)

    answer = await upload(chat, order_id, make(), name=name)  # type: ignore[operator]

    assert answer.status == status
    assert await states(chat) == []
    await eventually(lambda: nothing_is_left(chat, order_id))


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param(b"", TAIL, id="as most clients write it"),
        pytest.param(b"", TAIL[:-2], id="without the last line's end"),
        pytest.param(b"", TAIL + b"an epilogue", id="with something behind"),
        pytest.param(b"\r\n", TAIL, id="with a line before"),
    ],
)
async def test_a_file_is_stored_whole_whatever_stands_around_it(
    chat: Chat, before: bytes, behind: bytes
) -> None:
    order_id, data = await a_thread(chat), a_large_pdf()
    body = before + HEAD + data + behind

    async with sending(chat, order_id, length=len(body)) as client:
        await client.send(body)
        assert await client.status() == 201

    await must_be_stored(chat, order_id, data)


async def test_a_file_of_unknown_size_is_stored_whole(chat: Chat) -> None:
    order_id, data = await a_thread(chat), a_large_pdf()
    body = HEAD + data + TAIL

    async with sending(chat, order_id, length=None) as client:
        await client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        assert await client.status() == 201

    await must_be_stored(chat, order_id, data)


async def test_a_storage_that_was_away_only_while_the_file_arrived_does_no_harm(settings: Settings) -> None:
    async with serving(settings) as chat:
        order_id, data = await a_thread(chat), a_large_pdf()
        objects = chat.app.state.parts.objects
        reachable = objects._client
        objects._client = Minio("127.0.0.1:1", "a", "b", secure=False, region="us-east-1")

        async with sending(chat, order_id, length=len(HEAD + data + TAIL)) as client:
            await client.send(HEAD + data[:-1])
            await eventually(lambda: states(chat))
            objects._client = reachable
            await client.send(data[-1:] + TAIL)
            assert await client.status() == 201

        await must_be_stored(chat, order_id, data)


async def test_twins_leave_one_file(chat: Chat) -> None:
    order_id, data, key = await a_thread(chat), a_large_pdf(), {"Idempotency-Key": "upload-1"}

    twins = await asyncio.gather(*(upload(chat, order_id, data, headers=key) for _ in range(3)))
    again = await upload(chat, order_id, data, headers=key)
    another = await upload(chat, order_id, a_large_pdf(), headers=key)
    # What the storage had acknowledged of the slower ones is gone; their rows are the sweeper's.
    await use_cases.sweep(chat.db, chat.app.state.parts, now=utc_now() + timedelta(minutes=11))

    assert [answer.status for answer in (*twins, again)] == [201] * 4
    assert len({answer.json["id"] for answer in (*twins, again)}) == 1
    assert (another.status, another.problem) == (422, "idempotency-key-reused")
    await must_be_stored(chat, order_id, data)


async def must_be_stored(chat: Chat, order_id: str, data: bytes) -> None:
    """Check that this file is there, and no other."""
    [row] = await chat.db[ATTACHMENTS].find({}).to_list(None)
    assert row["state"] == "stored"
    assert row["file"]["size"] == len(data)
    assert row["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    fetched = await chat.call("GET", f"/attachments/{row['_id']}", by=a_buyer())
    assert fetched.body == data

    async def alone() -> bool:
        return {key.split(".")[1] for key in await objects_of(chat, order_id)} == {row["_id"]}

    await eventually(alone)
