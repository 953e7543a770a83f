"""Every page as a screen reader, a phone, a very wide screen and a slow line meet it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.visitor import PHONE, WIDE, Settings, Visit, Visitor, in_days

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

AXE = (Path(__file__).parents[2] / "gateway/web/node_modules/axe-core/axe.min.js").read_text()
FIND = """async (rules) => {
    const only = rules ? { runOnly: { type: "rule", values: rules } } : {};
    const found = await axe.run(document, { resultTypes: ["violations"], ...only });
    return found.violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}"""
SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
    }).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True, kw_only=True)
class Market:
    """Two organisations with something on every page of theirs."""

    buyer: Visitor
    factory: Visitor
    order_id: str

    def pages_of(self, who: Visitor) -> list[str]:
        common = [
            "/",
            f"/?chat={self.order_id}",
            f"/orders/{self.order_id}",
            f"/organisations/{self.factory.organisation_id}",
            "/notifications",
            "/settings",
            "/help",
            "/support",
        ]
        if who is self.buyer:
            return [*common, "/orders/new", "/?q=nothing+has+this+name", "/no/such/page"]
        return [
            *common,
            "/?state=completed",
            "/settings/notifications",
            "/settings/team",
            "/settings/webhooks",
        ]


@pytest_asyncio.fixture(loop_scope="session")
async def market(visit: Visit, request: pytest.FixtureRequest) -> Market:
    settings: Settings = getattr(request, "param", {})
    buyer, factory = await visit(**settings), await visit(**settings)
    await asyncio.gather(
        buyer.join("buyer", "Halden Pumps", "Ann Okafor"),
        factory.join("factory", "Ningbo Precision and Partners of the Eastern Harbour", "Lin Wei"),
    )
    done = await buyer.order(factory, deadline=in_days(2), product={"name": "Gear shaft, 42CrMo4"})
    for to in ("in_production", "quality_check", "shipped"):
        await factory.call("POST", f"/orders/{done['id']}/status", {"to": to})
    await buyer.call("POST", f"/orders/{done['id']}/receipt", {})
    review = {"rating": 5, "text": "On time and well packed", "aspects": {"quality": 5}}
    await buyer.call("POST", f"/orders/{done['id']}/reviews", review)
    for count in range(3):
        name = "Aluminium bracket, black anodised, with four threaded inserts and a drawing of its own"
        order = await buyer.order(
            factory, deadline=in_days(count * 3 + 1), product={"name": name, "sku": "BR-6061"}
        )
        await buyer.call("POST", f"/orders/{order['id']}/messages", {"text": "When do you begin?"})
    await factory.call("POST", f"/orders/{order['id']}/messages", {"text": "明天开始生产。Tomorrow."})
    return Market(buyer=buyer, factory=factory, order_id=order["id"])


async def settled(page: Page) -> None:
    """Wait until nothing is loading any more."""
    await expect(page.locator("[aria-busy=true], .mantine-Skeleton-root")).to_have_count(0)
    await page.evaluate("document.fonts.ready.then(() => undefined)")


async def lasting_problems(page: Page, rules: list[str] | None) -> list[str]:
    """Tell what is wrong and stays so: colors and drawers come by transitions, and are faint on the way."""
    problems: list[str] = []
    for _ in range(4):
        problems = await page.evaluate(FIND, rules)
        if not problems:
            break
        await page.wait_for_timeout(500)
    return problems


@pytest.mark.parametrize("market", [{"language": "en-GB"}, {"language": "zh-CN"}], indirect=True)
async def test_axe_finds_nothing_serious_on_any_page_in_light_and_dark(market: Market) -> None:
    found = {}

    async def examine(who: Visitor) -> None:
        for path in [*market.pages_of(who), "/sign-in", "/sign-up"]:
            await who.open(path)
            await settled(who.page)
            await who.page.evaluate(AXE)
            for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
                await who.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                await expect(who.page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
                if problems := await lasting_problems(who.page, rules):
                    found[path, scheme] = problems

    await asyncio.gather(examine(market.buyer), examine(market.factory))
    assert found == {}


async def test_dialogs_are_as_accessible_as_pages(market: Market) -> None:
    page = market.factory.page
    await market.factory.open(f"/orders/{market.order_id}")
    await page.get_by_role("button", name="Update status").click()
    await expect(page.get_by_role("dialog").get_by_label("Note for the buyer")).to_be_visible()
    await page.evaluate(AXE)
    found = await lasting_problems(page, None)
    await market.factory.open("/?state=completed")
    await page.get_by_role("button", name="Write a review").click()
    await expect(page.get_by_role("dialog").get_by_label("Your experience")).to_be_visible()
    await page.evaluate(AXE)

    assert found + await lasting_problems(page, None) == []


async def test_no_page_is_wider_than_its_screen(market: Market) -> None:
    too_wide = {}

    async def measure(who: Visitor) -> None:
        for path in market.pages_of(who):
            for width in (360, 2560):
                await who.page.set_viewport_size({"width": width, "height": 900})
                if width == 360:
                    await who.open(path)
                    await settled(who.page)
                overhang = await who.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if overhang > 0:
                    too_wide[path, width] = overhang

    await asyncio.gather(measure(market.buyer), measure(market.factory))
    assert too_wide == {}


@pytest.mark.parametrize("size", [WIDE, PHONE])
async def test_the_dashboard_loads_without_a_shift_and_with_little_script(
    market: Market, visit: Visit, size: tuple[int, int]
) -> None:
    who = await visit(size=size)
    await who.sign_in_silently(market.factory.email)
    sizes: list[Any] = []
    who.page.on(
        "requestfinished",
        lambda request: sizes.append(request) if request.resource_type == "script" else None,
    )
    await who.page.add_init_script(SHIFTS)

    await who.open("/")
    await expect(who.page.get_by_role("article")).to_have_count(3)
    loaded = [(await request.sizes())["responseBodySize"] for request in sizes]
    await settled(who.page)
    await who.page.wait_for_load_state("networkidle")

    assert 50_000 < sum(loaded) < 200_000
    assert sum(await who.page.evaluate("window.shifts")) < 0.02
