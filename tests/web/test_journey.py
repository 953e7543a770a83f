"""Both people carry an order through its whole life in two browsers, each seeing the other's steps live."""

import re

import pytest
from playwright.async_api import expect

from tests.web.visitor import PHONE, Visit, Visitor, in_days, rate, stage_of

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

PRODUCT = "Pump impeller, duplex steel"


async def test_an_accepted_quote_becomes_two_reviews_without_a_reload(visit: Visit) -> None:
    factory = await visit(time_zone="Asia/Shanghai")
    buyer = await visit(size=PHONE, touch=True)
    await factory.sign_up("factory", "Ningbo Precision", "Lin Wei")
    await buyer.sign_up("buyer", "Halden Pumps", "Ann Okafor")
    await expect(factory.page.get_by_text("No active orders")).to_be_visible()
    await factory.stay()

    await _the_buyer_accepts_a_quote(buyer, factory)
    await _the_factory_has_its_card_at_once(factory)
    await buyer.stay()
    await _a_message_turns_the_badge_red_and_reading_clears_it(buyer, factory)
    await _each_step_reaches_the_buyer(buyer, factory)
    await _the_buyer_confirms_receipt_and_reviews(buyer, factory)
    await _the_factory_reviews_the_buyer(factory)
    assert await factory.has_stayed()
    assert await buyer.has_stayed()
    await _the_profiles_show_both(buyer, factory)


async def _the_buyer_accepts_a_quote(buyer: Visitor, factory: Visitor) -> None:
    page = buyer.page
    await page.get_by_role("link", name="Accept a quote").click()
    await page.get_by_label("Factory", exact=True).fill(
        f"{factory.base}/organisations/{factory.organisation_id}/"
    )
    await expect(page.get_by_text("✓ Ningbo Precision")).to_be_visible()
    for label, value in {
        "Quote number": f"Q-{factory.organisation_id}",
        "Product name": PRODUCT,
        "Quantity": "120",
        "Unit price": "41.50",
        "Deadline": in_days(30),
        "Destination": "Halden, quay 4",
    }.items():
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_role("button", name="Accept quote and place order").click()
    await expect(page.get_by_role("heading", name=PRODUCT)).to_be_visible()
    await expect(page.get_by_text("$4,980.00")).to_be_visible()


async def _the_factory_has_its_card_at_once(factory: Visitor) -> None:
    card = factory.card(PRODUCT)
    await expect(card).to_contain_text("Halden Pumps")
    await expect(card).to_contain_text("120 pcs")
    await expect(stage_of(card)).to_have_text("Confirmed")
    figures = factory.page.get_by_role("region", name="Figures")
    await expect(figures.get_by_role("link", name=re.compile("^Active"))).to_have_text("Active1")


async def _a_message_turns_the_badge_red_and_reading_clears_it(buyer: Visitor, factory: Visitor) -> None:
    await buyer.page.get_by_role("link", name="Open chat").click()
    await buyer.say("When do you begin?")

    button = factory.card(PRODUCT).get_by_role("link", name="Open chat, 1 unread message")
    await expect(button).to_be_visible()
    await expect(button).to_have_css("background-color", "rgb(179, 42, 29)")
    await expect(factory.page).to_have_title("(1) Factory dashboard · Millrace")

    await button.click()
    await expect(factory.page.get_by_text("When do you begin?")).to_be_visible()
    await expect(buyer.page.get_by_text("Read", exact=True)).to_be_attached()
    await factory.say("Tomorrow.")
    await expect(buyer.page.get_by_text("Tomorrow.")).to_be_visible()
    await factory.page.keyboard.press("Escape")
    await expect(factory.page.get_by_role("dialog")).to_be_hidden()
    await expect(factory.card(PRODUCT).get_by_role("link", name="Open chat", exact=True)).to_be_visible()
    await expect(factory.page).to_have_title("Factory dashboard · Millrace")


async def _each_step_reaches_the_buyer(buyer: Visitor, factory: Visitor) -> None:
    card = factory.card(PRODUCT)
    for stage, told in (
        ("In production", "Lin Wei moved the order to In production"),
        ("Quality check", "Lin Wei moved the order to Quality check"),
        ("Shipped", "Lin Wei shipped the order"),
    ):
        await card.get_by_role("button", name="Update status").click()
        dialog = factory.page.get_by_role("dialog")
        if stage == "Shipped":
            await dialog.get_by_label("Carrier").select_option(label="DHL")
            await dialog.get_by_label("Tracking number").fill("1234567891")
        await dialog.get_by_label("Note for the buyer").fill(f"Note on {stage}")
        await dialog.get_by_role("button", name=f"Move to {stage}").click()
        await expect(dialog).to_be_hidden()
        await expect(stage_of(card)).to_have_text(stage)
        await expect(buyer.page.get_by_text(told)).to_be_visible()
        await expect(buyer.page.get_by_text(f"Note on {stage}").first).to_be_visible()
    await expect(card).to_contain_text("The buyer has to confirm receipt.")
    await card.get_by_role("button", name="Remind the buyer").click()
    await expect(factory.page.get_by_text("The buyer has been reminded.")).to_be_visible()


async def _the_buyer_confirms_receipt_and_reviews(buyer: Visitor, factory: Visitor) -> None:
    page, card = buyer.page, factory.card(PRODUCT)
    await page.get_by_role("button", name="Close chat").click()
    await expect(page.get_by_role("link", name="1234567891")).to_have_attribute("href", re.compile("dhl"))
    await page.get_by_role("button", name="Confirm receipt").click()
    await page.get_by_role("dialog").get_by_role("button", name="Confirm receipt").click()
    await expect(card).to_contain_text("Waiting for the buyer's review.")

    await page.get_by_role("button", name="Write a review").click()
    dialog = page.get_by_role("dialog")
    await rate(dialog, 5)
    await dialog.get_by_label("Your experience").fill("On time and well packed.")
    await dialog.get_by_role("button", name="Publish review").click()
    await expect(page.get_by_text("Thank you. The order is completed.")).to_be_visible()
    await expect(page.get_by_text("On time and well packed.")).to_be_visible()
    await expect(card).to_be_hidden()


async def _the_factory_reviews_the_buyer(factory: Visitor) -> None:
    page = factory.page
    await page.get_by_role("link", name=re.compile("^Completed")).click()
    await factory.card(PRODUCT).get_by_role("button", name="Write a review").click()
    dialog = page.get_by_role("dialog")
    await rate(dialog, 4)
    await dialog.get_by_role("button", name="Publish review").click()
    await expect(page.get_by_text("Thank you for your review.")).to_be_visible()


async def _the_profiles_show_both(buyer: Visitor, factory: Visitor) -> None:
    await buyer.open(f"/organisations/{factory.organisation_id}")
    await expect(buyer.page.get_by_text("On time and well packed.")).to_be_visible()
    await expect(buyer.page.get_by_text("5.0")).to_be_visible()
    await expect(buyer.page.get_by_text(f"{PRODUCT}120 pcs")).to_be_visible()
    await factory.open(f"/organisations/{buyer.organisation_id}")
    await expect(factory.page.get_by_text("4.0")).to_be_visible()
    await factory.open(f"/organisations/{factory.organisation_id}")
    await factory.page.get_by_role("button", name="Reply").click()
    await factory.page.get_by_label("Your public reply").fill("Thank you, gladly again.")
    await factory.page.get_by_role("button", name="Reply").click()
    await expect(factory.page.get_by_text("Reply by Ningbo Precision")).to_be_visible()
