"""What an organisation shows of itself, and the language that its people read in."""

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from gateway.accounts.logo import MOST_BYTES
from tests.e2e.market import Person
from tests.e2e.test_accounts import invited

pytestmark = pytest.mark.e2e


def a_picture(
    kind: str = "PNG", *, size: tuple[int, int] = (600, 200), color: Any = (200, 40, 40), **options: Any
) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA" if kind == "PNG" else "RGB", size, color).save(file, kind, **options)
    return file.getvalue()


def a_photo_with_a_place() -> bytes:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (29.0, 52.0, 0.0), 3: "E", 4: (121.0, 33.0, 0.0)}
    exif[0x013B] = "Lin Wei"
    exif[0x0112] = 6  # turned by a quarter
    return a_picture("JPEG", size=(400, 100), exif=exif)


def a_bomb(edge: int = 60_000) -> bytes:
    """Write a PNG of a few kilobytes that would unpack to gigabytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", edge, edge, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_logo_becomes_a_small_square_of_its_own(
    buyer_and_factory: tuple[Person, Person], kind: str
) -> None:
    buyer, _ = buyer_and_factory

    organisation = (await buyer.set_logo(a_picture(kind), name=f"logo.{kind.lower()}")).ok()

    shown = await buyer.call("GET", organisation["logo_url"].removeprefix("/api/v1"))
    assert shown.headers["content-type"] == "image/webp"
    picture = Image.open(io.BytesIO(shown.ok()))
    assert picture.size == (256, 256)
    assert picture.convert("RGBA").getpixel((128, 4))[3] == 0, "what is not the logo is transparent"
    red, green, _, opaque = picture.convert("RGBA").getpixel((128, 128))
    assert (red > 150, green < 90, opaque) == (True, True, 255)


async def test_nothing_is_left_of_what_a_logo_said_beside_its_picture(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, _ = buyer_and_factory

    organisation = (await buyer.set_logo(a_photo_with_a_place())).ok()

    shown = await buyer.call("GET", organisation["logo_url"].removeprefix("/api/v1"))
    picture = Image.open(io.BytesIO(shown.ok()))
    assert not picture.getexif()
    assert b"Lin Wei" not in shown.body
    assert picture.convert("RGBA").getpixel((128, 4))[3] == 255, "it stands upright, as its EXIF said"


async def test_a_logo_is_cached_by_its_version_and_another_one_has_another_url(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    first = (await buyer.set_logo(a_picture(color="navy"))).ok()["logo_url"].removeprefix("/api/v1")
    bare = first.split("?")[0]

    versioned, unversioned = await factory.call("GET", first), await factory.call("GET", bare)

    assert "immutable" in versioned.headers["cache-control"]
    assert unversioned.headers["cache-control"] == "private, no-cache"
    for answer in (versioned, unversioned):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    etag = versioned.headers["etag"]
    (await factory.call("GET", bare, headers={"If-None-Match": etag})).ok(304)
    second = (await buyer.set_logo(a_picture(color="green"))).ok()["logo_url"].removeprefix("/api/v1")
    assert second != first
    assert (await factory.call("GET", bare, headers={"If-None-Match": etag})).ok(200)
    assert "immutable" not in (await factory.call("GET", first)).headers["cache-control"]


async def test_the_profile_shows_the_logo_to_anybody_signed_in_until_it_is_taken_away(
    buyer_and_factory: tuple[Person, Person], third_party: Person
) -> None:
    buyer, _ = buyer_and_factory
    path = f"/organisations/{buyer.organisation_id}"
    url = (await buyer.set_logo(a_picture())).ok()["logo_url"]

    profile = await third_party.get(f"{path}/profile")

    assert profile["organisation"]["logo_url"] == url
    (await third_party.call("GET", url.removeprefix("/api/v1"))).ok()
    assert (await buyer.get("/auth/me"))["organisation"]["logo_url"] == url
    assert (await buyer.get("/dashboard"))["organisation"]["logo_url"] == url

    (await buyer.call("DELETE", f"{path}/logo")).ok(204)
    (await third_party.call("GET", f"{path}/logo")).problem(404, "logo-not-found")
    assert (await third_party.get(f"{path}/profile"))["organisation"]["logo_url"] is None


async def test_only_owners_change_the_logo_and_no_other_organisation(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    owner, factory = buyer_and_factory
    member = await invited(owner, role="member")

    refused = await member.set_logo(a_picture(), organisation_id=owner.organisation_id)
    refused.problem(403, "role-not-sufficient")
    hidden = await factory.set_logo(a_picture(), organisation_id=owner.organisation_id)
    hidden.problem(404, "organisation-not-found")


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "logo.svg", "image/svg+xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "logo.png", "image/png"),
        (b"%PDF-1.4\n%%EOF\n", "logo.pdf", "application/pdf"),
        (a_picture("PNG"), "logo.jpg", "image/png"),
        (a_picture("PNG"), "logo.png", "image/gif"),
        (a_picture("BMP"), "logo.bmp", "image/bmp"),
    ],
    ids=["svg", "svg as png", "pdf", "png named jpg", "png sent as gif", "bmp"],
)
async def test_what_is_no_picture_or_claims_to_be_another_is_refused(
    buyer_and_factory: tuple[Person, Person], content: bytes, name: str, content_type: str
) -> None:
    buyer, _ = buyer_and_factory

    answer = await buyer.set_logo(content, name=name, content_type=content_type)

    answer.problem(415, "logo-type-unsupported")
    assert (await buyer.get("/auth/me"))["organisation"]["logo_url"] is None


@pytest.mark.parametrize("broken", [a_bomb(), a_picture("PNG")[:-30], b"GIF89a nothing", b""])
async def test_bombs_and_broken_pictures_are_refused(
    buyer_and_factory: tuple[Person, Person], broken: bytes
) -> None:
    buyer, _ = buyer_and_factory

    answer = await buyer.set_logo(broken, name="logo")

    assert answer.status in {415, 422}, answer.body
    (await buyer.set_logo(a_picture(), name="logo")).ok()


async def test_a_logo_has_up_to_two_mebibytes(buyer_and_factory: tuple[Person, Person]) -> None:
    buyer, _ = buyer_and_factory
    picture = a_picture("JPEG")
    largest = picture + bytes(MOST_BYTES - len(picture))  # what follows the picture is nothing to it

    (await buyer.set_logo(largest)).ok()
    for size in (MOST_BYTES + 1, 3 * MOST_BYTES):
        refused = await buyer.set_logo(picture + bytes(size - len(picture)))
        assert refused.problem(413, "logo-too-large")["limit"] == MOST_BYTES


async def test_a_form_without_the_file_is_told_what_is_missing(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, _ = buyer_and_factory
    path = f"/organisations/{buyer.organisation_id}/logo"

    for sent in ({"data": a_picture()}, {"body": {"file": "x"}}, {}):
        answer = await buyer.call("PUT", path, **sent)
        assert answer.problem(422, "validation-failed")["errors"][0]["pointer"] == "/file"


async def test_a_new_name_is_on_the_orders_of_both_sides_at_once(
    buyer_and_factory: tuple[Person, Person],
) -> None:
    buyer, factory = buyer_and_factory
    quote = {
        "quote_id": uuid4().hex,
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 10,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    }
    order = (await buyer.call("POST", "/orders", quote)).ok(201)

    path = f"/organisations/{factory.organisation_id}"
    (await factory.call("PATCH", path, {"name": "Renamed Works"})).ok()

    assert (await buyer.get(f"/orders/{order['id']}"))["factory"]["name"] == "Renamed Works"
    assert (await buyer.get("/orders"))["items"][0]["counterparty"]["name"] == "Renamed Works"
