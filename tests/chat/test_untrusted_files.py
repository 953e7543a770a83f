"""Files that are made to hurt whoever opens them, and how they look small."""

import asyncio
import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from tests.chat import files
from tests.chat.builders import a_buyer, a_thread
from tests.chat.running import Chat
from tests.chat.test_attachments import upload
from tests.chat.test_storing import nothing_is_left
from tests.waiting import eventually

pytestmark = pytest.mark.parts

HUGE = 60_000
RED, BLUE = (200, 30, 30), (30, 30, 200)


def a_png_bomb() -> bytes:
    bomb = bytearray(files.saved(files.a_picture(), "PNG"))
    bomb[16:24] = HUGE.to_bytes(4, "big") * 2
    return bytes(bomb)


def a_jpeg_bomb() -> bytes:
    bomb = bytearray(files.a_jpeg())
    frame = bomb.index(b"\xff\xc0")
    bomb[frame + 5 : frame + 9] = HUGE.to_bytes(2, "big") * 2
    return bytes(bomb)


def a_gif_bomb() -> bytes:
    bomb = bytearray(files.saved(files.a_picture(mode="P"), "GIF"))
    bomb[6:10] = HUGE.to_bytes(2, "little") * 2
    return bytes(bomb)


def a_webp_bomb() -> bytes:
    bomb = bytearray(files.a_webp_that_tells())
    canvas = bomb.index(b"VP8X") + 12
    bomb[canvas : canvas + 6] = (HUGE - 1).to_bytes(3, "little") * 2
    return bytes(bomb)


def a_heic_bomb() -> bytes:
    bomb = bytearray(files.a_heic())
    at = bomb.index(b"ispe") + 8
    bomb[at : at + 8] = HUGE.to_bytes(4, "big") * 2
    return bytes(bomb)


def a_docx_bomb() -> bytes:
    target = io.BytesIO(files.an_office_file("docx"))
    with (
        zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
        package.open("word/media/zeros.bin", "w") as zeros,
    ):
        for _ in range(1100):
            zeros.write(bytes(1024 * 1024))
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.png", a_png_bomb),
        ("a.jpg", a_jpeg_bomb),
        ("a.gif", a_gif_bomb),
        ("a.webp", a_webp_bomb),
        ("a.heic", a_heic_bomb),
        ("a.docx", a_docx_bomb),
    ],
)
async def test_what_unpacks_to_far_more_than_it_is_is_refused_and_leaves_nothing(
    chat: Chat, name: str, make: object
) -> None:
    data = make()  # type: ignore[operator]
    order_id = await a_thread(chat)

    answer = await upload(chat, order_id, data, name=name)

    assert (answer.status, answer.problem) == (422, "attachment-unsafe")
    assert await chat.db["attachments"].count_documents({}) == 0
    await eventually(lambda: nothing_is_left(chat, order_id))  # the store may still be putting some away


def a_large_flat_png(*, edge: int) -> bytes:
    """Make a picture just within what can be sent that is nearly nothing on the wire."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    pack = zlib.compressobj(9)
    row = bytes(1 + 3 * edge)
    data = b"".join(pack.compress(row) for _ in range(edge)) + pack.flush()
    head = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


async def test_a_picture_too_large_to_draw_is_stored_and_holds_up_nobody(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = chat.app.state.parts.thumbnails._drawing
    monkeypatch.setattr(drawing, "_seconds", 0.05)
    order_id = await a_thread(chat)

    large, small = await asyncio.gather(
        upload(chat, order_id, a_large_flat_png(edge=9000), name="large.png"),
        upload(chat, order_id, b"%PDF-1.7 no end", name="small.pdf"),
    )
    monkeypatch.setattr(drawing, "_seconds", 60)
    next_one = await upload(chat, order_id, files.a_jpeg(), name="next.jpg")

    assert (large.status, large.json["thumbnail_url"]) == (201, None), "its time ran out"
    assert small.status == 201
    assert next_one.json["thumbnail_url"], "another process draws on"


def a_pdf_of_two_pages() -> bytes:
    pages = [Image.new("RGB", (400, 300), color) for color in (RED, BLUE)]
    return files.saved(pages[0], "PDF", save_all=True, append_images=pages[1:])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", a_pdf_of_two_pages()),
        ("a.webp", files.saved(Image.new("RGB", (400, 300), RED), "WEBP", lossless=True)),
        ("a.gif", files.saved(Image.new("RGB", (400, 300), RED), "GIF")),
        ("a.jpg", files.saved(Image.new("CMYK", (400, 300), (0, 220, 220, 50)), "JPEG")),
        ("a.png", files.saved(Image.new("I;16", (400, 300), 40_000), "PNG")),
    ],
)
async def test_a_thumbnail_shows_the_picture_or_the_first_page(chat: Chat, name: str, data: bytes) -> None:
    order_id = await a_thread(chat)

    stored = (await upload(chat, order_id, data, name=name)).json
    answer = await chat.call("GET", f"/attachments/{stored['id']}/thumbnail", by=a_buyer())
    small = Image.open(io.BytesIO(answer.body)).convert("RGB")

    assert small.size == (320, 240)
    red, green, blue = small.getpixel((160, 120))  # type: ignore[misc]
    if name == "a.png":
        assert red == green == blue == pytest.approx(40_000 / 256, abs=3)
    else:
        assert red > 150
        assert max(green, blue) < 80
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_pictures_drawn_with_transparency_keep_it(chat: Chat) -> None:
    order_id = await a_thread(chat)
    data = files.saved(Image.new("RGBA", (400, 300), (200, 30, 30, 0)), "PNG")

    stored = (await upload(chat, order_id, data, name="a.png")).json
    answer = await chat.call("GET", f"/attachments/{stored['id']}/thumbnail", by=a_buyer())

    assert Image.open(io.BytesIO(answer.body)).convert("RGBA").getpixel((160, 120))[3] == 0  # type: ignore[index]
