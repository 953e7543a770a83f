"""Uploads that are not what they say, are not whole, or unfold to more than they weigh."""

import asyncio
import hashlib
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
import requests

from services.chat.attachments import receiving
from services.chat.attachments.growing import Growing
from services.chat.attachments.receiving import AttachmentTooLarge, Form, Received, receive
from shared.errors import ValidationFailed
from tests.chat import files
from tests.fuzz.conftest import Market

BOUNDARY = b"the-boundary"
LIMIT = 50_000


def form(content: bytes, *, name: bytes = b"drawing.pdf") -> bytes:
    head = b'Content-Disposition: form-data; name="file"; filename="' + name + b'"\r\n'
    return b"--" + BOUNDARY + b"\r\n" + head + b"\r\n" + content + b"\r\n--" + BOUNDARY + b"--\r\n"


PIECES = (
    BOUNDARY,
    b"--" + BOUNDARY,
    b"\r\n--" + BOUNDARY + b"\r\n",
    b"\r\n--" + BOUNDARY + b"--",
    b"\r\n\r\n",
    b"\r",
    b'Content-Disposition: form-data; name="file"; filename="a',
    b"Content-Disposition: form-data; name=file; filename*=UTF-8''%ff%00..%2f",
    b"Content-Type: " + b"a" * 5000 + b"\r\n",
    b"X-Filler: y\r\n" * 20,
    b"\x00" * 100,
    b"\xff\xfe",
    b"x" * 60_000,
)


def mangled(random: Random) -> bytes:
    body = bytearray(form(b"%PDF-" + random.randbytes(random.randrange(300))))
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(body) + 1)
        if random.random() < 0.6:
            body[at:at] = random.choice(PIECES)
        else:
            del body[at : at + random.randrange(40)]
    return bytes(body)


async def in_chunks(body: bytes, random: Random) -> AsyncIterator[bytes]:
    while body:
        size = random.choice((1, 2, 7, 50, 4096, 100_000))
        yield body[:size]
        body = body[size:]


async def take(body: AsyncIterator[bytes], *, boundary: str, length: int) -> Received:
    """Receive a form, and have what is foretold of its file taken ahead, as the storage does."""
    taken, ahead, growing = bytearray(), None, None

    async def take_ahead(arriving: Growing) -> None:
        async for piece in arriving.pieces():
            taken.extend(piece)

    async def begun(arriving: Growing) -> None:
        nonlocal ahead, growing
        growing, ahead = arriving, asyncio.create_task(take_ahead(arriving))

    with tempfile.TemporaryFile() as file:
        try:
            received = await receive(
                Form(body=body, content_type=f"multipart/form-data; boundary={boundary}", length=length),
                into=file,
                limit=LIMIT,
                begun=begun,
            )
            file.seek(0)
            content = file.read()
            assert received.size == len(content)
            assert received.sha256 == hashlib.sha256(content).hexdigest()
            if ahead and growing and growing.size == received.size:
                growing.let_go()
                await ahead
                assert taken == content
        finally:
            if ahead and growing:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
        assert not growing or growing.size == received.size or len(taken) < growing.size
    return received


async def survive(*, seed: int, count: int) -> dict[str, int]:
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    ends = {"received": 0, "refused": 0, "too large": 0}
    for _ in range(count):
        boundary = random.choice((BOUNDARY.decode(), BOUNDARY.decode(), "x" * 300, '"'))
        body = mangled(random)
        try:
            received = await take(in_chunks(body, random), boundary=boundary, length=len(body))
            assert 0 < received.size <= LIMIT
            ends["received"] += 1
        except ValidationFailed:
            ends["refused"] += 1
        except AttachmentTooLarge:
            ends["too large"] += 1
    return ends


async def test_no_form_breaks_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_PIECE", 64)
    ends = await survive(seed=4, count=400)

    assert all(ends.values()), ends


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
async def test_no_form_breaks_the_parser_however_many(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_PIECE", 64)
    assert all((await survive(seed=seed, count=5000)).values())


@pytest.mark.parametrize("around", ["before", "behind"])
async def test_what_stands_around_a_file_has_an_end_too(around: str) -> None:
    taken = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal taken
        if around == "behind":
            yield form(b"%PDF")
        while taken < 100_000_000:
            taken += 65536
            yield b"\r\n" * 32768

    with pytest.raises((AttachmentTooLarge, ValidationFailed)):
        await take(without_end(), boundary=BOUNDARY.decode(), length=0)

    assert taken < 5_000_000


def a_png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def a_zip_bomb() -> bytes:
    target = io.BytesIO(files.an_office_file("docx"))
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"word/media/{number}.xml", bytes(20_000_000))
    return target.getvalue()


def a_text_bomb() -> bytes:
    """A document whose own text unfolds: entities that name entities."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "lol">{entities}]><w:document>&e9;</w:document>'
    return files.an_office_file_with("docx", {"word/document.xml": text})


def a_pdf_bomb() -> bytes:
    stream = zlib.compress(zlib.compress(bytes(50_000_000), 9), 9)
    return (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 999999 999999]/Contents 4 0 R>>endobj 4 0 obj<</Length "
        + str(len(stream)).encode()
        + b"/Filter[/FlateDecode/FlateDecode]>>stream\n"
        + stream
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


SCRIPT = b"<html><script>alert(1)</script></html>"
UPLOADS: dict[str, tuple[str, bytes]] = {
    "a picture that is a page": ("a.gif", b"GIF89a/*" + SCRIPT),
    "a picture with a page behind": ("a.jpg", files.a_jpeg() + SCRIPT),
    "a picture with an archive behind": ("a.jpg", files.a_jpeg() + files.an_office_file("docx")),
    "a document behind a picture's head": ("a.pdf", b"\xff\xd8\xff\xe0" + files.a_pdf()),
    "a document with a page before": ("a.pdf", SCRIPT + files.a_pdf()),
    "a document with a program behind": ("a.pdf", files.a_pdf() + b"MZ\x90\x00" * 100),
    "a page by a picture's name": ("a.png", SCRIPT),
    "a drawing that is a page": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "macros": ("a.docx", files.an_office_file("docx", macros=True)),
    "a picture of 3.6 gigapixels": ("a.png", a_png_that_claims(60_000, 60_000)),
    "a picture of all pixels": ("a.png", a_png_that_claims(2**31 - 1, 2**31 - 1)),
    "an archive of 400 MB": ("a.docx", a_zip_bomb()),
    "a text that unfolds": ("a.docx", a_text_bomb()),
    "a page that unfolds": ("a.pdf", a_pdf_bomb()),
    "two endings": ("a.pdf.exe", files.a_pdf()),
    "a name that climbs": ("../../../etc/cron.d/a.pdf", files.a_pdf()),
    "a name that turns around": ("a\u202efdp.exe", files.a_pdf()),
    "a name without end": ("a" * 3000 + ".pdf", files.a_pdf()),
}
WHOLE = {
    "jpg": files.a_jpeg_that_tells,
    "png": files.a_png_that_tells,
    "webp": files.a_webp_that_tells,
    "gif": files.a_gif_that_tells,
    "heic": files.a_heic_that_tells,
    "pdf": files.a_pdf,
    "docx": lambda: files.an_office_file("docx"),
    "xls": lambda: files.an_ole_file("Workbook"),
}


def upload(market: Market, who: dict[str, str], name: str, content: bytes) -> Any:
    path = f"{market.base}/api/v1/orders/{market.names['order_id']}/attachments"
    return requests.post(path, files={"file": (name, content)}, headers=who, timeout=60)


def must_be_harmless(market: Market, who: dict[str, str], response: Any) -> None:
    assert response.status_code in {201, 413, 415, 422}, response.text
    if response.status_code != 201:
        assert response.headers["Content-Type"] == "application/problem+json"
        return
    stored = response.json()
    assert not set(stored["filename"]) & set('/\\\u202e\x00"')
    again = requests.get(f"{market.base}/api/v1/attachments/{stored['id']}", headers=who, timeout=60)
    assert again.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in again.headers["Content-Security-Policy"]
    assert again.headers["Content-Type"] == stored["content_type"]
    is_shown = again.headers["Content-Disposition"].startswith("inline")
    assert is_shown == stored["content_type"].startswith("image/")
    if (
        stored["thumbnail_url"] and is_shown
    ):  # what a whole picture has behind its end; a broken one stays as it is
        assert b"<script>" not in again.content
        assert b"PK\x03\x04" not in again.content


@pytest.mark.e2e
@pytest.mark.parametrize("what", UPLOADS)
async def test_no_upload_is_more_than_it_seems(market: Market, what: str) -> None:
    name, content = UPLOADS[what]
    who = market.somebody("buyer")

    response = await asyncio.to_thread(upload, market, who, name, content)

    must_be_harmless(market, who, response)


@pytest.mark.e2e
@pytest.mark.parametrize("ending", WHOLE)
async def test_no_file_that_breaks_off_breaks_anything(market: Market, ending: str) -> None:
    content, random = WHOLE[ending](), Random(ending)  # noqa: S311 - to be repeated, not to be secret
    who = market.somebody("factory")
    for _ in range(3):
        torn = content[: random.randrange(1, len(content))]
        wrong = bytearray(content)
        for _ in range(20):
            wrong[random.randrange(8, len(wrong))] = random.randrange(256)
        for broken in (torn, bytes(wrong)):
            must_be_harmless(market, who, await asyncio.to_thread(upload, market, who, f"a.{ending}", broken))


CURSORS = [
    b"0",
    b"-1",
    b"9" * 400,
    b"1-00000000",
    b"99999999999999999999-ffffffff",
    b"x" * 20_000,
    b"\xff\xfe",
    b"1-0000000g",
    b"$where",
    b"%00",
    b'"}{',
    b"0x10-00000000",
    "１-00000000".encode(),
]


@pytest.mark.e2e
@pytest.mark.parametrize("cursor", CURSORS, ids=range(len(CURSORS)))
def test_no_cursor_breaks_the_stream(market: Market, cursor: bytes) -> None:
    with requests.get(
        f"{market.base}/api/v1/stream",
        headers=market.somebody("buyer") | {"Last-Event-ID": cursor},  # type: ignore[dict-item]
        stream=True,
        timeout=30,
    ) as response:
        assert response.status_code == 200
        named = (
            line.removeprefix(b"event: ") for line in response.iter_lines() if line.startswith(b"event: ")
        )
        assert [next(named), next(named)] == [b"ready", b"resync"]
