"""Take a picture of every page, of a suite that is started for it and holds the example marketplace.

docs/images/                              every page, 1280 and 390 pixels wide; some dark, some Chinese
gateway/web/src/features/help/pictures/   the parts of pages that the help shows, English and Chinese
"""

import asyncio
import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from deploy import demo as example
from deploy.local import Suite

ROOT: Final = Path(__file__).parent.parent
IMAGES: Final = ROOT / "docs/images"
PICTURES: Final = ROOT / "gateway/web/src/features/help/pictures"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")

FACTORY: Final = "ningbo-precision@factory.example"
BUYER: Final = "brightline@buyer.example"
# Where nothing listens: the delivery log has something to tell.
RECEIVER: Final = "https://127.0.0.1:9/millrace"
# A long page is cut off here: its form has been seen.
HIGHEST: Final = 1800
Language = Literal["en", "zh"]
LOCALES: Final[dict[Language, str]] = {"en": "en-GB", "zh": "zh-CN"}

Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Look:
    width: int = 1280
    height: int = 900
    language: Language = "en"
    scheme: Literal["light", "dark"] = "light"
    suffix: str = ""
    dots: int = 1
    """A CSS pixel's width in dots of the picture."""


WIDE: Final = Look()
PHONE: Final = Look(width=390, height=844, suffix="-phone")
DARK: Final = Look(scheme="dark", suffix="-dark")
CHINESE: Final = Look(language="zh", suffix="-zh")
CHINESE_PHONE: Final = replace(PHONE, language="zh", suffix="-phone-zh")


@dataclass(frozen=True, kw_only=True)
class Shot:
    name: str
    path: str
    who: str | None = FACTORY
    act: Act | None = None
    whole: bool = False
    """Also what is below the first screen; not where something lies over the page."""
    looks: tuple[Look, ...] = (WIDE, PHONE)


async def _first_step(page: Page) -> None:
    await page.locator("article button").first.click()
    await page.get_by_role("dialog").wait_for()


async def _header_step(page: Page) -> None:
    await page.locator("#main header button").last.click()
    await page.get_by_role("dialog").wait_for()


async def _send_address(page: Page) -> None:
    composer = page.get_by_role("dialog").locator("textarea:visible")
    await composer.fill("Please write to lin.wei@ningbo-precision.example, it is quicker.")
    await composer.press("Enter")
    await page.locator("mark").wait_for()


async def _show_deliveries(page: Page) -> None:
    await page.locator("#main button[aria-expanded]").first.click()
    await page.locator("tbody tr").first.wait_for()


async def _open_menu(page: Page) -> None:
    await page.locator("header button[popovertarget]").click()


SHOTS: Final = (
    Shot(name="dashboard", path="/", looks=(WIDE, PHONE, DARK, CHINESE, CHINESE_PHONE)),
    Shot(name="dashboard-buyer", path="/", who=BUYER),
    Shot(name="dashboard-search", path="/?q=pump&sort=-value"),
    Shot(name="dashboard-nothing-found", path="/?q=nothing-like-it"),
    Shot(name="update-status", path="/?status=quality_check", act=_first_step),
    Shot(name="order", path="/orders/{shipped}", whole=True, looks=(WIDE, PHONE, CHINESE)),
    Shot(name="chat", path="/orders/{shipped}?chat={shipped}", looks=(WIDE, PHONE, DARK, CHINESE)),
    Shot(name="chat-blocked", path="/orders/{shipped}?chat={shipped}", act=_send_address),
    Shot(name="confirm-receipt", path="/orders/{buyer_shipped}", who=BUYER, act=_header_step),
    Shot(name="review", path="/orders/{buyer_delivered}", who=BUYER, act=_header_step),
    Shot(name="new-order", path="/orders/new", who=BUYER, whole=True),
    Shot(name="profile", path="/organisations/{organisation}", whole=True, looks=(WIDE, PHONE, DARK)),
    Shot(name="notifications", path="/notifications"),
    Shot(name="settings", path="/settings", whole=True),
    Shot(name="settings-notifications", path="/settings/notifications", whole=True),
    Shot(name="settings-team", path="/settings/team", whole=True),
    Shot(name="settings-webhooks", path="/settings/webhooks", act=_show_deliveries, whole=True),
    Shot(name="help", path="/help", whole=True, looks=(WIDE, PHONE, CHINESE)),
    Shot(name="help-quotes", path="/help/submitting-quotes", whole=True),
    Shot(name="help-messaging", path="/help/messaging", whole=True),
    Shot(name="account-menu", path="/settings/team", act=_open_menu),
    Shot(name="support", path="/support"),
    Shot(name="missing", path="/no-such-page"),
    Shot(name="sign-in", path="/sign-in", who=None, looks=(WIDE, PHONE, DARK, CHINESE)),
    Shot(name="sign-up", path="/sign-up", who=None),
)


# Twice as sharp, as the help shows them on phones too.
NEAR: Final = Look(height=760, dots=2)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the help shows of a page, named as in `guides/guide.ts`."""

    shot: Shot
    part: str


PARTS: Final = (
    Part(
        shot=Shot(name="card", path="/?status=quality_check"),
        part="[aria-labelledby='order-{quality_check}']",
    ),
    Part(
        shot=Shot(name="update", path="/orders/{quality_check}", act=_header_step),
        part=".mantine-Modal-content",
    ),
    Part(shot=Shot(name="chat", path="/orders/{shipped}?chat={shipped}"), part=".mantine-Drawer-content"),
    Part(shot=Shot(name="unread", path="/?status=shipped"), part="[aria-labelledby='order-{shipped}']"),
)


class Studio:
    """A browser before a running suite; everybody signs in once, as logins are limited."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address
        self._signed_in: dict[str, Any] = {}
        self.places: dict[str, str] = {}

    async def prepare(self) -> None:
        """Sign in, find the orders that show something, and give the log of a webhook something to tell."""
        for who, prefix, statuses in (
            (FACTORY, "", ("quality_check", "shipped")),
            (BUYER, "buyer_", ("shipped", "delivered")),
        ):
            async with await self._context(None, WIDE) as context:
                login = {"email": who, "password": example.PASSWORD}
                signed_in = await self._call(context, "POST", "/auth/login", login)
                self._signed_in[who] = await context.storage_state()
                self.places[f"{prefix}organisation"] = signed_in["organisation"]["id"]
                for status in statuses:
                    cards = (await self._call(context, "GET", f"/orders?status={status}"))["items"]
                    talked = max(cards, key=lambda card: (card["unread_messages"] or 0, card["id"]))
                    self.places[f"{prefix}{status}"] = talked["id"]
                if who == FACTORY:
                    await self._call(context, "POST", "/webhooks", {"url": RECEIVER})
                    news = {"text": "The inspection report follows this afternoon."}
                    await self._call(
                        context, "POST", f"/orders/{self.places['quality_check']}/messages", news
                    )

    async def _call(self, context: BrowserContext, method: str, path: str, body: Any = None) -> Any:
        answer = await context.request.fetch(f"/api/v1{path}", method=method, data=body)
        if not answer.ok:
            raise SystemExit(f"{method} {path}: {answer.status} {await answer.text()}")
        return await answer.json()

    async def _context(self, who: str | None, look: Look) -> BrowserContext:
        context = await self._browser.new_context(
            base_url=self._address,
            storage_state=self._signed_in[who] if who else None,
            viewport={"width": look.width, "height": look.height},
            locale=LOCALES[look.language],
            timezone_id="Europe/Oslo",
            color_scheme=look.scheme,
            device_scale_factor=look.dots,
            is_mobile=look.width < 600,  # noqa: PLR2004 - its scroll bar takes no room
            reduced_motion="reduce",
            extra_http_headers={"X-Requested-With": "millrace"},
        )
        # What is unread stays so for the next picture.
        await context.route("**/messages/read", lambda route: route.fulfill(json={"unread": 0}))
        return context

    async def take(self, shot: Shot, look: Look) -> Image.Image:
        async with await self._context(shot.who, look) as context:
            page = await context.new_page()
            await self._open(page, shot)
            if shot.whole:
                # A screen as high as the page, so that what sticks to its top stays there.
                height = await page.evaluate("document.documentElement.scrollHeight")
                await page.set_viewport_size({"width": look.width, "height": min(height, HIGHEST)})
                await _at_rest(page)
            return _opened(await page.screenshot())

    async def take_part(self, part: Part, look: Look) -> Image.Image:
        async with await self._context(part.shot.who, look) as context:
            page = await context.new_page()
            await self._open(page, part.shot)
            # What lies behind a dialog would look out at its round corners.
            await page.evaluate("""() => {
                const dialogs = document.querySelectorAll(".mantine-Modal-content, .mantine-Drawer-content");
                const behind = document.querySelectorAll("#root, .mantine-Modal-overlay, .mantine-Drawer-overlay");
                for (const dialog of dialogs) dialog.style.boxShadow = "none";
                if (dialogs.length > 0) for (const element of behind) element.style.visibility = "hidden";
            }""")
            return _opened(await page.locator(part.part.format(**self.places)).screenshot())

    async def _open(self, page: Page, shot: Shot) -> None:
        await page.goto(shot.path.format(**self.places))
        await _at_rest(page)
        if shot.act:
            await shot.act(page)
            await _at_rest(page)


async def _at_rest(page: Page) -> None:
    """Wait until all that the page shows is there; the live stream never ends, so the network is no sign of it."""
    await page.locator("h1, h2, p").filter(visible=True).first.wait_for()
    await page.wait_for_function("""() => {
        const seen = [...document.images].filter((image) => {
            const { top, bottom } = image.getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        });
        return !document.querySelector(".mantine-Skeleton-root, [data-loading]") && seen.every((image) => image.complete);
    }""")
    await page.evaluate("document.fonts.ready.then(() => true)")
    await page.wait_for_timeout(400)


def _opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _browser() -> str:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("no Chromium here: `make setup` brings one")
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout:  # noqa: S607
        raise SystemExit("no font for Chinese here, such as that of fonts-wqy-microhei")
    return path


async def take_all(address: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox"])
        studio = Studio(browser, address)
        await studio.prepare()
        await _take_parts(studio)
        # So that the help shows them on its own picture.
        await asyncio.to_thread(subprocess.run, ["deploy/setup.sh"], cwd=ROOT, check=True)
        for shot in SHOTS:
            for look in shot.looks:
                _save(await studio.take(shot, look), IMAGES / f"{shot.name}{look.suffix}.webp")
        await browser.close()


async def _take_parts(studio: Studio) -> None:
    sizes = {}
    for part in PARTS:
        for language in LOCALES:
            name = f"{part.shot.name}-{language}"
            picture = await studio.take_part(part, replace(NEAR, language=language))
            _save(picture, PICTURES / f"{name}.webp")
            sizes[name] = {"width": picture.width // NEAR.dots, "height": picture.height // NEAR.dots}
    (PICTURES / "sizes.json").write_text(json.dumps(sizes, indent=2) + "\n")


def _save(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=88, method=6)
    print(f"  {path.relative_to(ROOT)}  {path.stat().st_size // 1024} kB")


def main() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}  # noqa: TID251 - handed on
    env["MILLRACE_WEBHOOK_ALLOW_NETWORKS"] = "127.0.0.1/32"
    for folder in (IMAGES, PICTURES):
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.webp"):
            old.unlink()
    with (
        tempfile.TemporaryDirectory(prefix="millrace-") as home,
        Suite(home=Path(home), port=0, env=env, say=print) as suite,
    ):
        asyncio.run(example.fill(suite.home, say=print))
        asyncio.run(take_all(suite.endpoints.gateway))


if __name__ == "__main__":
    main()
