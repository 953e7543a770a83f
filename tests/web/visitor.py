"""One person with a browser of their own, and an ear for everything that a page must not do."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, Protocol, TypedDict, Unpack
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

PASSWORD = "correct horse battery"
WIDE = (1440, 900)
PHONE = (390, 844)

Kind = Literal["buyer", "factory"]


class Settings(TypedDict, total=False):
    """What can be chosen for a browser."""

    size: tuple[int, int]
    language: str
    time_zone: str
    scheme: Literal["light", "dark"]
    touch: bool


class Visit(Protocol):
    def __call__(self, **settings: Unpack[Settings]) -> Awaitable["Visitor"]: ...


@dataclass(kw_only=True)
class Visitor:
    base: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    email: str = ""
    organisation_id: str = ""

    def watch(self) -> None:
        """Note what no page may do: write on the console, break the policy, ask strangers, meet a 5xx."""
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(f"thrown: {error.error}"))
        self.context.on("request", self._follow)
        self.context.on("response", self._judge)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API as this person, beside the pages."""
        response = await self.context.request.fetch(
            f"{self.base}/api/v1{path}", method=method, data=body, headers={"X-Requested-With": "millrace"}
        )
        assert response.ok, f"{method} {path}: {response.status} {await response.text()}"
        return await response.json() if response.status != 204 else None

    async def join(self, kind: Kind, organisation: str, name: str) -> None:
        """Register with a new organisation and sign in, without the pages."""
        self.email = f"{uuid4().hex[:12]}@{kind}.example"
        await self.call(
            "POST",
            "/auth/register",
            {
                "email": self.email,
                "password": PASSWORD,
                "display_name": name,
                "organisation": {"name": organisation, "kind": kind},
            },
        )
        await self.sign_in_silently(self.email)

    async def sign_in_silently(self, email: str) -> None:
        account = await self.call("POST", "/auth/login", {"email": email, "password": PASSWORD})
        self.organisation_id = account["organisation"]["id"]

    async def sign_up(self, kind: Kind, organisation: str, name: str) -> None:
        """The same by the form."""
        self.email = f"{uuid4().hex[:12]}@{kind}.example"
        await self.open("/sign-up")
        await self.page.get_by_text("We buy" if kind == "buyer" else "We manufacture").click()
        await self.page.get_by_label("Company", exact=True).fill(organisation)
        await self.introduce_oneself(name, self.email)
        account = await self.call("GET", "/auth/me")
        self.organisation_id = account["organisation"]["id"]

    async def introduce_oneself(self, name: str, email: str) -> None:
        await self.page.get_by_label("Your name").fill(name)
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name="Create account").click()
        await expect(self.page.get_by_role("banner")).to_be_visible()

    async def open(self, path: str) -> None:
        await self.page.goto(self.base + path)

    async def stay(self) -> None:
        """Mark the page, so that `has_stayed` tells whether it was loaded anew."""
        await self.page.evaluate("window.stayed = true")

    async def has_stayed(self) -> bool:
        return bool(await self.page.evaluate("window.stayed === true"))

    def card(self, product: str) -> Locator:
        return self.page.get_by_role("article", name=product)

    def write(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write a message")

    async def say(self, text: str) -> None:
        await self.write().fill(text)
        await self.page.keyboard.press("Enter")

    async def order(self, factory: "Visitor", **changes: Any) -> dict[str, Any]:
        """Accept a quote, without the pages."""
        order: dict[str, Any] = await self.call("POST", "/orders", a_quote(factory.organisation_id) | changes)
        return order

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser notes every refusal (4xx) and every call that found no network: those are shown to the user.
        if not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _follow(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and not request.url.startswith(self.base + "/"):
            self.complaints.append(f"asks {address.netloc}")

    def _judge(self, response: Response) -> None:
        # 503 says that a service is late, as on a busy machine; the page asks again.
        if response.status >= 500 and response.status != HTTPStatus.SERVICE_UNAVAILABLE:
            self.complaints.append(f"{response.status} for {response.url}")


@asynccontextmanager
async def open_visit(browser: Browser, base: str, **settings: Unpack[Settings]) -> AsyncIterator[Visitor]:
    width, height = settings.get("size", WIDE)
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=settings.get("language", "en-GB"),
        timezone_id=settings.get("time_zone", "Europe/Oslo"),
        color_scheme=settings.get("scheme", "light"),
        has_touch=settings.get("touch", False),
        accept_downloads=True,
    )
    context.set_default_timeout(30_000)
    visitor = Visitor(base=base, context=context, page=await context.new_page())
    visitor.watch()
    try:
        yield visitor
    finally:
        await context.close()


def a_quote(factory_id: str) -> dict[str, Any]:
    return {
        "quote_id": f"Q-{uuid4().hex[:10]}",
        "factory_id": factory_id,
        "product": {"name": "Impeller, bronze"},
        "quantity": 500,
        "unit": "pcs",
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": in_days(30),
    }


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def stage_of(card: Locator) -> Locator:
    return card.locator("[aria-current=step]")


async def rate(dialog: Locator, stars: int) -> None:
    group = dialog.get_by_role("radiogroup", name="Overall")
    await group.locator("label").nth(stars).click()  # the first stands for none
    await expect(group.get_by_role("radio", name=f"{stars} stars")).to_be_checked()
