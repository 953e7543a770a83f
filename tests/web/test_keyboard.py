"""All that a pointer can do, keys can do: with the focus always where one expects it."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.web.visitor import PASSWORD, Visit, stage_of

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def tab_to(page: Page, target: Locator, *, at_most: int = 40) -> None:
    """Press Tab until the focus is there."""
    for _ in range(at_most):
        await page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab never comes to {target}")


async def test_an_order_is_moved_and_talked_about_with_keys_alone(visit: Visit) -> None:
    factory, buyer = await visit(), await visit()
    await factory.join("factory", "Ningbo Precision", "Lin Wei")
    await buyer.join("buyer", "Halden Pumps", "Ann Okafor")
    await buyer.order(factory)
    await factory.call("POST", "/auth/logout")
    page, keys = factory.page, factory.page.keyboard

    await factory.open("/sign-in")
    await tab_to(page, page.get_by_label("E-mail"))
    await keys.type(factory.email)
    await tab_to(page, page.get_by_label("Password", exact=True))
    await keys.type(PASSWORD)
    await keys.press("Enter")
    card = factory.card("Impeller, bronze")
    await expect(card).to_be_visible()

    await tab_to(page, page.get_by_role("link", name="Skip to the content"), at_most=1)
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    await keys.press("Enter")
    update = card.get_by_role("button", name="Update status")
    await tab_to(page, update)
    await keys.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Note for the buyer")).to_be_focused()
    await keys.type("Begun with the keyboard")
    await tab_to(page, dialog.get_by_role("button", name="Move to In production"), at_most=2)
    await keys.press("Enter")
    await expect(stage_of(card)).to_have_text("In production")
    await expect(dialog).to_be_hidden()
    await expect(update).to_be_focused()

    chat = card.get_by_role("link", name="Open chat")
    await tab_to(page, chat)
    await keys.press("Enter")
    await expect(factory.write()).to_be_focused()
    await keys.type("Begun")
    await keys.press("Shift+Enter")
    await keys.type("today")
    await keys.press("Enter")
    await expect(page.get_by_role("log").get_by_text("Begun\ntoday")).to_have_count(1)
    await keys.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(chat).to_be_focused()
