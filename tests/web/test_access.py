"""Who comes in, and that whoever has left is out, in every tab."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.web.visitor import PASSWORD, Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_signing_out_ends_access_in_every_tab(visit: Visit) -> None:
    ann = await visit()
    await ann.join("buyer", "Halden Pumps", "Ann Okafor")
    await ann.open("/")
    second = await ann.context.new_page()
    await second.goto(f"{ann.base}/settings")
    await expect(second.get_by_role("heading", name="Settings")).to_be_visible()

    await ann.page.get_by_role("button", name="Account and settings").click()
    await ann.page.get_by_role("button", name="Sign out").click()

    for page in (ann.page, second):
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await expect(page.get_by_role("banner")).to_be_hidden()
    await ann.page.go_back()
    await expect(ann.page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_tab_whose_line_was_lost_before_learns_of_a_sign_out_too(visit: Visit) -> None:
    ann = await visit()
    await ann.join("buyer", "Halden Pumps", "Ann Okafor")
    lost = await ann.context.new_page()
    await lost.route("**/api/v1/stream", lambda route: route.abort())
    await lost.goto(ann.base)
    await expect(lost.get_by_text("Connection lost. Trying again …")).to_be_visible()

    await ann.call("POST", "/auth/logout")

    await expect(lost.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_signing_in_leads_to_the_page_that_was_asked_for(visit: Visit) -> None:
    ann = await visit()
    await ann.join("buyer", "Halden Pumps", "Ann Okafor")
    await ann.call("POST", "/auth/logout")
    page = ann.page

    await ann.open("/settings/notifications")
    await page.get_by_label("E-mail").fill(ann.email)
    await page.get_by_label("Password", exact=True).fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_label("Language", exact=True)).to_be_visible()
    assert page.url == f"{ann.base}/settings/notifications"


async def test_a_colleague_comes_in_by_an_invitation_and_sees_the_same_orders(visit: Visit) -> None:
    owner, buyer, colleague = await visit(), await visit(), await visit()
    await owner.join("factory", "Ningbo Precision", "Lin Wei")
    await buyer.join("buyer", "Halden Pumps", "Ann Okafor")
    await buyer.order(owner)
    await owner.open("/settings/team")
    await owner.page.get_by_role("button", name="Create invitation link").click()
    link = await owner.page.get_by_text(f"{owner.base}/sign-up?invitation=").inner_text()

    await colleague.page.goto(link)
    await expect(colleague.page.get_by_role("heading", name="Join your team")).to_be_visible()
    await colleague.introduce_oneself("Chen Hao", f"{uuid4().hex[:12]}@factory.example")
    await expect(colleague.card("Impeller, bronze")).to_be_visible()

    again = await visit()
    await again.page.goto(link)
    await again.page.get_by_label("Your name").fill("A Stranger")
    await again.page.get_by_label("E-mail").fill(f"{uuid4().hex[:12]}@factory.example")
    await again.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await again.page.get_by_role("button", name="Create account").click()
    await expect(again.page.get_by_role("alert")).to_be_visible()


async def test_the_chosen_language_is_that_of_the_pages_and_of_the_mails(visit: Visit) -> None:
    ann = await visit()
    await ann.join("buyer", "Halden Pumps", "Ann Okafor")
    await ann.open("/")

    await ann.page.get_by_role("button", name="Account and settings").click()
    async with ann.page.expect_response(
        lambda answer: answer.request.method == "PUT" and answer.url.endswith("/notifications/preferences")
    ) as saved:
        await ann.page.get_by_role("button", name="中文").click()
    await (await saved.value).finished()

    await expect(ann.page.get_by_role("heading", name="买家工作台")).to_be_visible()
    await expect(ann.page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert (await ann.call("GET", "/notifications/preferences"))["language"] == "zh"
