"""Uploading, sending and fetching files."""

import asyncio
import hashlib
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from minio import Minio
from PIL import Image, ImageChops
from pymongo.errors import AutoReconnect

from deploy.parts import S3
from services.chat.attachments.objects import Objects
from services.chat.main import Settings
from services.chat.store import attachments
from services.chat.use_cases import files as use_cases
from shared.clock import utc_now
from shared.identity import Caller
from tests.chat import files
from tests.chat.builders import a_buyer, a_factory_user, a_thread
from tests.chat.running import Answer, Chat, Published, serving
from tests.waiting import eventually

pytestmark = pytest.mark.parts

LIMIT = 20 * 1024 * 1024


async def upload(
    chat: Chat,
    order_id: str,
    data: bytes,
    *,
    name: str = "drawing.pdf",
    content_type: str = "application/octet-stream",
    by: Caller | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", io.BytesIO(data), filename=name, content_type=content_type)
    return await chat.call(
        "POST", f"/orders/{order_id}/attachments", by=by or a_buyer(), data=form, headers=headers
    )


async def objects_of(chat: Chat, order_id: str) -> list[str]:
    objects = chat.app.state.parts.objects
    listed = await asyncio.to_thread(
        lambda: list(objects._client.list_objects(objects._bucket, prefix=f"{order_id}.", recursive=True))
    )
    return [found.object_name for found in listed]


@pytest.mark.parametrize(
    ("name", "content_type", "data"),
    [
        ("a.jpg", "image/jpeg", files.a_jpeg()),
        ("a.png", "image/png", files.saved(files.a_picture(), "PNG")),
        ("a.webp", "image/webp", files.saved(files.a_picture(), "WEBP")),
        ("a.gif", "image/gif", files.saved(files.a_picture(mode="P"), "GIF")),
        ("a.heic", "image/heic", files.a_heic()),
        ("a.pdf", "application/pdf", files.a_pdf()),
        ("a.doc", "application/msword", files.an_ole_file("WordDocument")),
        ("a.xls", "application/vnd.ms-excel", files.an_ole_file("Workbook")),
        (
            "a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            files.an_office_file("docx"),
        ),
        (
            "a.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            files.an_office_file("xlsx"),
        ),
    ],
)
async def test_every_type_comes_back_as_it_was(chat: Chat, name: str, content_type: str, data: bytes) -> None:
    order_id = await a_thread(chat)

    stored = await upload(chat, order_id, data, name=name, content_type=content_type)
    fetched = await chat.call("GET", f"/attachments/{stored.json['id']}", by=a_buyer())

    assert stored.status == 201, stored.body
    assert fetched.body == data
    assert stored.json["filename"] == name
    assert stored.json["content_type"] == fetched.headers["Content-Type"] == content_type
    assert stored.json["size"] == len(data)
    assert stored.json["sha256"] == hashlib.sha256(data).hexdigest()
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in fetched.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("data", "name", "content_type"),
    [
        (b"MZ" + bytes(500), "a.exe", "application/octet-stream"),
        (b"<html><script>alert(1)</script></html>", "a.pdf", "application/pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml"),
        (files.a_jpeg(), "a.exe", "image/jpeg"),
        (files.a_jpeg(), "a.pdf", "application/octet-stream"),
        (files.a_jpeg(), "a.jpg", "application/pdf"),
        (files.a_jpeg(), "photo\u202egpj.exe", "image/jpeg"),
        (files.an_office_file("docx"), "a.xlsx", "application/octet-stream"),
        (files.an_office_file("docx", macros=True), "a.docx", "application/octet-stream"),
        (files.an_ole_file("PowerPoint Document"), "a.doc", "application/octet-stream"),
        (files.an_ole_file("EncryptedPackage"), "a.docx", "application/octet-stream"),
    ],
)
async def test_another_type_than_is_claimed_or_can_be_sent_is_refused(
    chat: Chat, data: bytes, name: str, content_type: str
) -> None:
    order_id = await a_thread(chat)

    answer = await upload(chat, order_id, data, name=name, content_type=content_type)

    assert answer.status == 415
    assert answer.problem == "attachment-type-unsupported"
    assert await objects_of(chat, order_id) == []
    assert await chat.db["attachments"].count_documents({}) == 0


async def test_twenty_mebibytes_are_taken_and_not_one_byte_more(chat: Chat) -> None:
    order_id = await a_thread(chat)
    largest = files.a_pdf().ljust(LIMIT, b" ")

    taken = await upload(chat, order_id, largest)
    refused = await upload(chat, order_id, largest + b" ")

    assert (taken.status, taken.json["size"]) == (201, LIMIT)
    assert (refused.status, refused.problem) == (413, "attachment-too-large")
    assert len(await objects_of(chat, order_id)) == 1


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.jpg", files.a_jpeg_that_tells),
        ("a.png", files.a_png_that_tells),
        ("a.webp", files.a_webp_that_tells),
        ("a.gif", files.a_gif_that_tells),
        ("a.heic", files.a_heic_that_tells),
    ],
)
async def test_a_picture_tells_nothing_but_itself(chat: Chat, name: str, make: object) -> None:
    order_id = await a_thread(chat)
    data = make()  # type: ignore[operator]

    stored = await upload(chat, order_id, data, name=name)
    fetched = await chat.call("GET", f"/attachments/{stored.json['id']}", by=a_buyer())

    assert [secret for secret in files.SECRETS if secret in data]
    assert not [secret for secret in files.SECRETS if secret in fetched.body]
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(fetched.body))
    assert ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox() is None
    assert before.getexif().get(0x0112, 1) == after.getexif().get(0x0112, 1)
    assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1)
    assert before.info.get("icc_profile") == after.info.get("icc_profile")
    assert stored.json["sha256"] == hashlib.sha256(fetched.body).hexdigest()
    assert stored.json["size"] == len(fetched.body)


@pytest.mark.parametrize(
    ("name", "data", "size"),
    [
        ("a.jpg", files.a_jpeg_that_tells(orientation=6), (200, 320)),
        ("a.png", files.saved(files.a_picture(mode="RGBA"), "PNG"), (320, 200)),
        ("a.heic", files.a_heic(), (320, 200)),
        ("a.pdf", files.a_pdf(), (227, 320)),
    ],
)
async def test_pictures_and_documents_have_thumbnails(
    chat: Chat, name: str, data: bytes, size: tuple[int, int]
) -> None:
    order_id = await a_thread(chat)

    stored = (await upload(chat, order_id, data, name=name)).json
    small = await chat.call("GET", f"/attachments/{stored['id']}/thumbnail", by=a_buyer())

    assert stored["thumbnail_url"] == f"/api/v1/attachments/{stored['id']}/thumbnail"
    assert small.headers["Content-Type"] == "image/webp"
    assert Image.open(io.BytesIO(small.body)).size == size


async def test_a_decompression_bomb_is_refused(chat: Chat) -> None:
    order_id = await a_thread(chat)
    bomb = bytearray(files.saved(files.a_picture(), "PNG"))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2

    answer = await upload(chat, order_id, bytes(bomb), name="a.png")

    assert (answer.status, answer.problem) == (422, "attachment-unsafe")


async def test_a_broken_picture_is_stored_without_a_thumbnail(chat: Chat) -> None:
    order_id = await a_thread(chat)
    broken = b"\xff\xd8\xff\xe0 and then nothing of a picture"

    answer = await upload(chat, order_id, broken, name="a.jpg")
    fetched = await chat.call("GET", f"/attachments/{answer.json['id']}", by=a_buyer())
    small = await chat.call("GET", f"/attachments/{answer.json['id']}/thumbnail", by=a_buyer())

    assert (answer.status, answer.json["thumbnail_url"]) == (201, None)
    assert fetched.body == broken
    assert small.status == 404


async def test_a_broken_picture_with_metadata_is_refused(chat: Chat) -> None:
    order_id = await a_thread(chat)

    answer = await upload(chat, order_id, b"\xff\xd8\xff\xe0" + files.a_jpeg_that_tells(), name="a.jpg")

    assert (answer.status, answer.problem) == (422, "attachment-damaged")


async def test_ranges_and_validators_save_bytes(chat: Chat) -> None:
    order_id = await a_thread(chat)
    data = files.a_pdf()
    path = f"/attachments/{(await upload(chat, order_id, data)).json['id']}"

    async def get(**headers: str) -> Answer:
        return await chat.call(
            "GET",
            path,
            by=a_buyer(),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    whole = await get()
    part = await get(Range="bytes=10-19")
    tail = await get(Range="bytes=-5")
    beyond = await get(Range="bytes=999999-")
    several = await get(Range="bytes=0-1,4-5")
    other = await get(Range="bytes=10-19", If_Range='"another"')
    same = await get(If_None_Match=whole.headers["ETag"])

    assert (part.status, part.body) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert (tail.status, tail.body) == (206, data[-5:])
    assert (beyond.status, beyond.problem, beyond.json["size"]) == (416, "range-not-satisfiable", len(data))
    assert beyond.headers["Content-Range"] == f"bytes */{len(data)}"
    assert (several.status, several.body) == (200, data)
    assert (other.status, other.body) == (200, data)
    assert (same.status, same.body) == (304, b"")
    assert "private" in whole.headers["Cache-Control"]


async def test_a_file_is_its_uploaders_until_it_is_sent_and_then_both_sides(
    chat: Chat, published: Published
) -> None:
    order_id = await a_thread(chat)
    stored = (await upload(chat, order_id, files.a_pdf(), name="合同 v2.pdf")).json
    path = f"/attachments/{stored['id']}"
    colleague, other, stranger = (
        a_buyer(user_id="u-2"),
        a_factory_user(),
        a_factory_user(organisation_id="org-3", user_id="u-3"),
    )

    before = [(await chat.call("GET", path, by=by)).status for by in (a_buyer(), colleague, other, stranger)]
    sent = await chat.call(
        "POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"attachment_ids": [stored["id"]]}
    )
    after = [(await chat.call("GET", path, by=by)).status for by in (a_buyer(), colleague, other, stranger)]

    assert before == [200, 404, 404, 404]
    assert (sent.status, sent.json["text"], sent.json["attachments"]) == (201, None, [stored])
    assert after == [200, 200, 200, 404]
    event = await eventually(lambda: published.of("attachment.stored.v1"))
    assert event[0]["data"]["attachment"] == stored


async def test_an_attachment_is_sent_once_by_its_uploader_in_its_thread(chat: Chat) -> None:
    order_id, elsewhere = await a_thread(chat), await a_thread(chat)
    one, two = [(await upload(chat, order_id, files.a_pdf())).json["id"] for _ in range(2)]

    async def send(attachments: list[str], *, order: str = order_id, by: Caller | None = None) -> Answer:
        return await chat.call(
            "POST", f"/orders/{order}/messages", by=by or a_buyer(), json={"attachment_ids": attachments}
        )

    twice_in_one = await send([one, one])
    refusals = [
        await send([one], order=elsewhere),
        await send([one], by=a_factory_user()),
        await send([one], by=a_buyer(user_id="u-2")),
        await send(["nothing"]),
    ]
    sent = await send([one])
    again = await send([two, one])
    still_free = await send([two])

    assert [(answer.status, answer.json["errors"][0]["pointer"]) for answer in refusals] == [
        (422, "/attachment_ids/0")
    ] * 4
    assert twice_in_one.json["errors"][0]["pointer"] == "/attachment_ids/1"
    assert sent.status == 201
    assert (again.status, again.json["errors"][0]["pointer"]) == (422, "/attachment_ids/1")
    assert still_free.status == 201
    assert still_free.json["seq"] == sent.json["seq"] + 1


async def test_simultaneous_messages_cannot_share_an_attachment(chat: Chat) -> None:
    order_id = await a_thread(chat)
    stored = (await upload(chat, order_id, files.a_pdf())).json["id"]

    answers = await asyncio.gather(
        *(
            chat.call("POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"attachment_ids": [stored]})
            for _ in range(8)
        )
    )

    assert sorted(answer.status for answer in answers) == [201] + [422] * 7


NAMES = [
    ("../../etc/drawing.pdf", "drawing.pdf"),
    ("C:\\users\\ada\\drawing.pdf", "drawing.pdf"),
    ("con.pdf", "_con.pdf"),
    ("LPT1", "_LPT1"),
    ("com¹.tar.pdf", "_com¹.tar.pdf"),
    ("/", "file"),
    ("..", "file"),
    ("drawing.pdf. . ", "drawing.pdf"),
    ("a%09b%0Ac%00.pdf", "abc.pdf"),
    ("e\u0301.pdf", "é.pdf"),
    ("\u200b\u2066x\u2069\ufeff.pdf", "x.pdf"),
    ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),
    ("x" * 251 + ".pdf", "x" * 251 + ".pdf"),
    ("x" * 252 + ".pdf", "x" * 251 + ".pdf"),
    ("%E5%9B%BE.pdf", "图.pdf"),
    ("draw\u202efdp.pdf", "drawfdp.pdf"),
    ('a"b<c>.pdf', "a_b_c_.pdf"),
    ("图" * 200 + ".pdf", "图" * 83 + ".pdf"),
    ("no extension", "no extension"),
    ("spec rev 1.2", "spec rev 1.2"),
]


async def test_names_are_made_safe(chat: Chat) -> None:
    order_id = await a_thread(chat)

    answers = [await upload(chat, order_id, files.a_pdf(), name=name) for name, _ in NAMES]
    fetched = await chat.call("GET", f"/attachments/{answers[0].json['id']}", by=a_buyer())

    assert [answer.json["filename"] for answer in answers] == [stored for _, stored in NAMES]
    assert max(len(stored.encode()) for _, stored in NAMES) == 255
    assert fetched.headers["Content-Disposition"].startswith("attachment; filename=")


async def test_a_name_with_contact_information_is_refused_and_told_to_moderators(
    chat: Chat, published: Published
) -> None:
    order_id = await a_thread(chat)

    answer = await upload(chat, order_id, files.a_pdf(), name="quote_contact_sales@example.com.pdf")

    assert (answer.status, answer.problem) == (422, "contact-info-blocked")
    assert answer.json["findings"][0]["kind"] == "email"
    event = (await eventually(lambda: published.of("message.blocked.v1")))[0]
    assert event["data"]["where"] == "filename"
    assert "example" not in str(event)


async def test_a_repeated_upload_gives_the_first_answer(chat: Chat) -> None:
    order_id = await a_thread(chat)
    key, data = {"Idempotency-Key": "upload-1"}, files.a_pdf()

    twins = await asyncio.gather(*(upload(chat, order_id, data, headers=key) for _ in range(3)))
    another = await upload(chat, order_id, files.a_jpeg(), name="a.jpg", headers=key)

    assert [answer.status for answer in twins] == [201] * 3
    assert len({answer.json["id"] for answer in twins}) == 1
    assert len(await objects_of(chat, order_id)) == 2  # the file and its thumbnail
    assert (another.status, another.problem) == (422, "idempotency-key-reused")


async def test_only_one_whole_file_is_taken(chat: Chat) -> None:
    order_id = await a_thread(chat)
    path = f"/orders/{order_id}/attachments"
    two, wrong = aiohttp.FormData(), aiohttp.FormData()
    for _ in range(2):
        two.add_field("file", files.a_pdf(), filename="a.pdf")
    wrong.add_field("document", files.a_pdf(), filename="a.pdf")

    answers = [
        await chat.call("POST", path, by=a_buyer(), data=two),
        await chat.call("POST", path, by=a_buyer(), data=wrong),
        await chat.call("POST", path, by=a_buyer(), json={"file": "a.pdf"}),
        await chat.call("POST", path, by=a_buyer()),
        await upload(chat, order_id, b""),
    ]

    assert [(answer.status, answer.json["errors"][0]["pointer"]) for answer in answers] == [
        (422, "/file")
    ] * 5


async def test_the_service_itself_sweeps_what_was_never_sent(settings: Settings) -> None:
    soon = {"attachment_unsent_for": timedelta(seconds=0.2), "attachment_sweep_every": timedelta(seconds=0.1)}
    async with serving(settings.model_copy(update=soon)) as chat:
        order_id = await a_thread(chat)
        assert (await upload(chat, order_id, files.a_pdf())).status == 201

        async def is_gone() -> bool:
            rows = await chat.db["attachments"].count_documents({})
            return rows == 0 and await objects_of(chat, order_id) == []

        await eventually(is_gone)


async def test_what_was_never_sent_or_never_finished_is_swept_away(chat: Chat) -> None:
    order_id = await a_thread(chat)
    parts = chat.app.state.parts
    kept, unsent, cut_off = [(await upload(chat, order_id, files.a_pdf())).json["id"] for _ in range(3)]
    await chat.call("POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"attachment_ids": [kept]})
    await chat.db["attachments"].update_one({"_id": cut_off}, {"$set": {"state": "pending"}})

    early = await use_cases.sweep(chat.db, parts, now=utc_now())
    late = await use_cases.sweep(chat.db, parts, now=utc_now() + timedelta(days=1, minutes=1))
    gone = await chat.call("GET", f"/attachments/{unsent}", by=a_buyer())

    assert (early, late) == (0, 2)
    assert gone.status == 404
    assert {key.split(".")[1] for key in await objects_of(chat, order_id)} == {kept}
    assert await chat.db["attachments"].distinct("_id") == [kept]


async def test_storage_that_is_away_is_told_and_leaves_no_row_to_be_sent(settings: Settings) -> None:
    async with serving(settings) as chat:
        order_id = await a_thread(chat)
        chat.app.state.parts.objects._client = Minio(
            "127.0.0.1:1", "a", "b", secure=False, region="us-east-1"
        )

        answer = await upload(chat, order_id, files.a_pdf())

        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert await chat.db["attachments"].count_documents({"state": "stored"}) == 0


async def test_what_storage_takes_in_after_it_seemed_away_is_swept_away(settings: Settings) -> None:
    async with serving(settings) as chat:
        order_id = await a_thread(chat)
        objects = chat.app.state.parts.objects
        reachable, objects._client = (
            objects._client,
            Minio("127.0.0.1:1", "a", "b", secure=False, region="us-east-1"),
        )
        assert (await upload(chat, order_id, files.a_pdf())).status == 503
        row = await chat.db["attachments"].find_one({})
        objects._client = reachable
        data = files.a_pdf()
        await objects.put(f"{order_id}.{row['_id']}.file", data, size=len(data))

        await use_cases.sweep(chat.db, chat.app.state.parts, now=utc_now() + timedelta(minutes=11))

        assert await objects_of(chat, order_id) == []
        assert await chat.db["attachments"].count_documents({}) == 0


async def test_an_upload_of_which_only_the_answer_was_lost_stays(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, data, key = await a_thread(chat), files.a_pdf(), {"Idempotency-Key": "a"}
    keep = attachments.keep_upload

    async def kept_without_an_answer(*args: Any, **options: Any) -> None:
        await keep(*args, **options)
        raise AutoReconnect

    monkeypatch.setattr(attachments, "keep_upload", kept_without_an_answer)
    lost = await upload(chat, order_id, data, headers=key)
    monkeypatch.setattr(attachments, "keep_upload", keep)

    again = await upload(chat, order_id, data, headers=key)

    assert (lost.status, again.status) == (503, 201)
    assert (await chat.call("GET", f"/attachments/{again.json['id']}", by=a_buyer())).status == 200
    assert await chat.db["attachments"].count_documents({}) == 1


async def test_viewers_and_strangers_do_not_upload(chat: Chat) -> None:
    order_id = await a_thread(chat)

    viewer = await upload(chat, order_id, files.a_pdf(), by=a_buyer(role="viewer"))
    stranger = await upload(chat, order_id, files.a_pdf(), by=a_buyer(organisation_id="org-9"))

    assert (viewer.status, viewer.problem) == (403, "role-not-sufficient")
    assert (stranger.status, stranger.problem) == (404, "thread-not-known")


async def test_instances_that_start_at_once_share_one_new_bucket(s3: S3) -> None:
    address = {"endpoint": s3.endpoint, "access_key": s3.access_key, "secret_key": s3.secret_key}
    bucket = f"new-{uuid4().hex[:10]}"

    async def start() -> None:
        objects = Objects(**address, bucket=bucket)
        async with objects.opened():
            await objects.check()

    await asyncio.gather(*(start() for _ in range(12)))
