"""Fill a running suite with a believable marketplace, through its public API and broker events only."""

import asyncio
import io
import json
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aio_pika
import aiohttp
from PIL import Image, ImageDraw

from deploy.process import CannotStart
from shared.ids import new_id

PASSWORD: Final = "millrace-demo"  # noqa: S105 - of the example's people, and printed
ORDERS: Final = 60

_BUYERS: Final = (
    ("halden-pumps", "Halden Pumps AS", "NO", "Ann Okafor"),
    ("brightline", "Brightline Furniture", "US", "Marcus Reed"),
    ("voltera", "Voltera Mobility GmbH", "DE", "Katrin Vogel"),
    ("casa-luz", "Casa Luz Iluminación", "MX", "Diego Ramos"),
    ("northpeak", "NorthPeak Outdoor", "CA", "Sophie Tremblay"),
)
_FACTORIES: Final = (
    ("ningbo-precision", "Ningbo Precision", "CN", "Lin Wei"),
    ("shenzhen-mold", "深圳精模 Shenzhen Fine Mold", "CN", "Chen Hao"),
    ("anatolia-castings", "Anatolia Castings", "TR", "Elif Demir"),
    ("pune-forge", "Pune Forge Works", "IN", "Ravi Kulkarni"),
    ("porto-textil", "Porto Têxtil", "PT", "Inês Carvalho"),
    ("hanoi-wood", "Hanoi Woodcraft", "VN", "Nguyen Minh"),
    ("monterrey-plast", "Monterrey Plásticos", "MX", "Lucía Torres"),
)
_PRODUCTS: Final = (
    ("Aluminium bracket, black anodised", "BR-6061-20", "3.20", 500),
    ("Pump impeller, duplex steel", "PI-2205-08", "41.50", 120),
    ("Injection mould, two cavities", "IM-2C-114", "8400.00", 1),
    ("Oak chair frame, FSC", "OC-311", "27.80", 400),
    ("Cotton canvas tote, 340 g/m²", "CT-340", "2.15", 5000),
    ("LED driver housing, PC-ABS", "LH-77", "1.06", 8000),
    ("Battery tray, sand cast", "BT-900", "63.00", 250),
    ("Gear shaft, 42CrMo4, hardened", "GS-42-16", "12.40", 900),
    ("Tent pole set, 7001-T6", "TP-7001", "9.75", 1500),
    ("铝合金散热器 heat sink", "HS-200", "5.60", 2200),
)
_TALK: Final = (
    ("buyer", "Could you confirm the surface finish before you start?"),
    ("factory", "Confirmed as on drawing rev C. Material certificate is attached to the batch."),
    ("buyer", "Great. Please keep the tolerance at ±0.05 mm on the bores."),
    ("factory", "Understood, we measure every 20th piece and share the report."),
    ("factory", "今天第一批已经下线，尺寸合格。First pieces are off the line today."),
    ("buyer", "Looks good. Which incoterm did we agree, FOB or CIF?"),
    ("factory", "FOB. Packing is 40 pieces a carton, 12 cartons a pallet."),
)
_NOTES: Final = {
    "in_production": "Material is in, first cut today",
    "quality_check": "All pieces made, inspection has begun",
    "shipped": "Handed to the carrier this morning",
}
_STEPS: Final = ("confirmed", "in_production", "quality_check", "shipped", "delivered", "completed")
_PRAISE: Final = (
    "On time and well packed.",
    "Good communication at every stage.",
    "Two pieces had scratches, replaced at once.",
)

Say = Callable[[str], None]


@dataclass(kw_only=True)
class _Member:
    http: aiohttp.ClientSession
    api: str
    email: str
    organisation_id: str
    token: str

    async def call(self, method: str, path: str, body: Any = None, *, form: Any = None) -> Any:
        """Make a call, waiting where a limit asks for it."""
        while True:
            async with self.http.request(
                method,
                self.api + path,
                json=body,
                data=form,
                headers={"Authorization": f"Bearer {self.token}"},
            ) as response:
                answer = await response.json() if response.content_length else None
                if response.status == 429:  # noqa: PLR2004
                    await asyncio.sleep(float(response.headers["Retry-After"]))
                    continue
                if response.status >= 400:  # noqa: PLR2004
                    raise CannotStart(f"{method} {path}: {response.status} {answer}")
                return answer

    async def attach(self, order_id: str, name: str, content: bytes, content_type: str) -> str:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type=content_type)
        stored = await self.call("POST", f"/orders/{order_id}/attachments", form=form)
        attachment_id: str = stored["id"]
        return attachment_id


async def fill(home: Path, *, say: Say) -> None:
    """Fill the suite that runs in this data folder.

    Raises:
        CannotStart: no suite runs there, or it holds the example already.
    """
    try:
        endpoints = json.loads((home / "endpoints.json").read_text())
    except FileNotFoundError:
        raise CannotStart(f"no suite runs in {home}: start it with `make up`") from None
    dice = random.Random(42)  # noqa: S311 - the same marketplace each time
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        api = endpoints["gateway"] + "/api/v1"
        say("Registering 12 organisations")
        buyers = [await _join(http, api, "buyer", *row) for row in _BUYERS]
        factories = [await _join(http, api, "factory", *row) for row in _FACTORIES]
        connection = await stack.enter_async_context(await aio_pika.connect(endpoints["amqp"]))
        exchange = await (await connection.channel()).get_exchange("millrace.events")
        for number in range(ORDERS):
            buyer, factory = dice.choice(buyers), dice.choice(factories)
            quote = _quote(dice, number, factory)
            if number % 3 == 0:
                order = await _accept_by_event(exchange, quote, buyer=buyer)
            else:
                order = await buyer.call("POST", "/orders", quote)
            await _live(dice, order["id"], stage=dice.randrange(len(_STEPS)), buyer=buyer, factory=factory)
            if (number + 1) % 10 == 0:
                say(f"  {number + 1} of {ORDERS} orders")
    people = "\n".join(
        f"  {slug + '@' + kind + '.example':<38} {name}, {organisation}"
        for kind, rows in (("factory", _FACTORIES), ("buyer", _BUYERS))
        for slug, organisation, _, name in rows
    )
    say(f"\nSign in at {endpoints['gateway']} with the password {PASSWORD} as one of\n\n{people}\n")


async def _join(
    http: aiohttp.ClientSession, api: str, kind: str, slug: str, organisation: str, country: str, name: str
) -> _Member:
    email = f"{slug}@{kind}.example"
    account = {
        "email": email,
        "password": PASSWORD,
        "display_name": name,
        "organisation": {"name": organisation, "kind": kind, "country": country},
    }
    async with http.post(f"{api}/auth/register", json=account) as response:
        if response.status == 409:  # noqa: PLR2004
            raise CannotStart(
                f"the example is there already; sign in as {email} with the password {PASSWORD}"
            )
        response.raise_for_status()
    async with http.post(f"{api}/auth/login", json={"email": email, "password": PASSWORD}) as response:
        response.raise_for_status()
        signed_in = await response.json()
    return _Member(
        http=http,
        api=api,
        email=email,
        organisation_id=signed_in["organisation"]["id"],
        token=signed_in["access_token"],
    )


def _quote(dice: random.Random, number: int, factory: _Member) -> dict[str, Any]:
    name, sku, price, quantity = dice.choice(_PRODUCTS)
    # Every third comes from the quoting system, which may tell of the past: so some are overdue by now.
    days = dice.choice((-6, -2, 1, 3, 5)) if number % 3 == 0 else dice.choice((4, 9, 16, 25, 40, 60))
    return {
        "quote_id": f"Q-{new_id()}",
        "factory_id": factory.organisation_id,
        "product": {"name": name, "sku": sku, "specification": "As on drawing rev C"},
        "quantity": quantity * dice.choice((1, 2, 4)),
        "unit_price": {"amount": price, "currency": dice.choice(("USD", "USD", "EUR"))},
        "deadline": (datetime.now(UTC) + timedelta(days=days)).date().isoformat(),
        "shipping_terms": dice.choice(("FOB", "CIF", "DDP", "EXW")),
    }


async def _accept_by_event(
    exchange: aio_pika.abc.AbstractExchange, quote: dict[str, Any], *, buyer: _Member
) -> Any:
    accepted_at = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    event = {
        "specversion": "1.0",
        "id": new_id(),
        "source": "/demo/quotes",
        "type": "quote.accepted.v1",
        "subject": quote["quote_id"],
        "time": accepted_at,
        "datacontenttype": "application/json",
        "data": quote | {"buyer_id": buyer.organisation_id, "accepted_at": accepted_at},
    }
    message = aio_pika.Message(
        json.dumps(event).encode(),
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await exchange.publish(message, routing_key="quote.accepted.v1")
    for _ in range(200):
        for card in (await buyer.call("GET", "/orders?sort=-updated&limit=5"))["items"]:
            order = await buyer.call("GET", f"/orders/{card['id']}")
            if order["quote_id"] == quote["quote_id"]:
                return order
        await asyncio.sleep(0.1)
    raise CannotStart("the order of an accepted quote did not appear; see the logs of orders")


async def _live(dice: random.Random, order_id: str, *, stage: int, buyer: _Member, factory: _Member) -> None:
    sides = {"buyer": buyer, "factory": factory}
    talk = list(_TALK[: dice.randrange(len(_TALK) + 1)])
    for side, text in talk:
        await sides[side].call("POST", f"/orders/{order_id}/messages", {"text": text})
    for step in _STEPS[1 : stage + 1]:
        await _step(dice, order_id, step, buyer=buyer, factory=factory)
    if dice.random() < 0.5:  # noqa: PLR2004 - some have read, some have not
        await _read(factory, order_id)


async def _step(dice: random.Random, order_id: str, step: str, *, buyer: _Member, factory: _Member) -> None:
    if step == "quality_check":
        photo = await factory.attach(order_id, "inspection.jpg", _photo(dice), "image/jpeg")
        message = {"text": "Inspection photo of the first lot.", "attachment_ids": [photo]}
        await factory.call("POST", f"/orders/{order_id}/messages", message)
    if step == "shipped":
        papers = await factory.attach(order_id, "packing-list.pdf", _packing_list(), "application/pdf")
        await factory.call("POST", f"/orders/{order_id}/messages", {"attachment_ids": [papers]})
    if step in _NOTES:
        body: dict[str, Any] = {"to": step, "note": _NOTES[step]}
        if step == "shipped":
            body["tracking"] = {"carrier": "dhl", "number": _waybill(dice)}
        await factory.call("POST", f"/orders/{order_id}/status", body)
    elif step == "delivered":
        await buyer.call("POST", f"/orders/{order_id}/receipt", {"note": "All pieces arrived"})
    else:
        stars = {"rating": dice.choice((3, 4, 5, 5)), "text": dice.choice(_PRAISE)}
        await buyer.call("POST", f"/orders/{order_id}/reviews", stars)
        if dice.random() < 0.7:  # noqa: PLR2004 - most factories answer
            await factory.call("POST", f"/orders/{order_id}/reviews", {"rating": 5, "text": "Paid at once."})


async def _read(member: _Member, order_id: str) -> None:
    page = await member.call("GET", f"/orders/{order_id}/messages?limit=1")
    if page["items"]:
        await member.call("POST", f"/orders/{order_id}/messages/read", {"up_to": page["items"][-1]["seq"]})


def _waybill(dice: random.Random) -> str:
    serial = dice.randrange(10**8, 10**9)
    return f"{serial}{serial % 7}"


def _photo(dice: random.Random) -> bytes:
    picture = Image.new("RGB", (1200, 800), (214, 219, 224))
    draw = ImageDraw.Draw(picture)
    for row in range(4):
        for column in range(6):
            shade = dice.randrange(90, 150)
            left, top = 60 + column * 185, 60 + row * 180
            draw.rounded_rectangle(
                (left, top, left + 150, top + 140), 18, fill=(shade, shade + 6, shade + 14)
            )
            draw.ellipse((left + 50, top + 45, left + 100, top + 95), fill=(214, 219, 224))
    return _saved(picture, "JPEG")


def _packing_list() -> bytes:
    page = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(page)
    draw.text((100, 100), "PACKING LIST", fill="black", font_size=48)
    for row in range(12):
        draw.text(
            (100, 240 + row * 60),
            f"Carton {row + 1} of 12     40 pcs     18.4 kg",
            fill="black",
            font_size=28,
        )
    return _saved(page, "PDF")


def _saved(picture: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()
