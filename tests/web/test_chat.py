"""The chat as both people see it: files, what is blocked, what goes wrong on the way."""

import io
from base64 import b64encode

import pytest
from PIL import Image
from playwright.async_api import FilePayload, Locator, Route, expect

from tests.web.visitor import Visit, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

BATCHES = [a + b for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]

HAND_OVER = """(target, {kind, name, type, content}) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, { type }));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
}"""


# Goes to the oldest message; tells how far one in sight has moved when older ones have come above it.
TO_THE_TOP = """async (log) => {
    const scroller = log.parentElement;
    const count = () => log.querySelectorAll("time").length;
    const had = count();
    const mark = log.querySelector("time");
    scroller.scrollTop = -scroller.scrollHeight;
    const before = mark.getBoundingClientRect().top;
    for (const end = performance.now() + 10_000; count() === had && performance.now() < end; ) {
        await new Promise(requestAnimationFrame);
    }
    if (count() === had) throw new Error("no older messages came");
    return Math.abs(mark.getBoundingClientRect().top - before);
}"""


def a_photo(color: str, *, size: tuple[int, int] = (640, 480)) -> bytes:
    buffer = io.BytesIO()
    noise = Image.effect_noise(size, 60).convert("RGB")
    Image.blend(noise, Image.new("RGB", size, color), 0.5).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


async def talking(visit: Visit) -> tuple[Visitor, Visitor, str]:
    """Two people with an order, its chat open before both and their pages live."""
    buyer, factory = await visit(), await visit()
    await buyer.join("buyer", "Halden Pumps", "Ann Okafor")
    await factory.join("factory", "Ningbo Precision", "Lin Wei")
    order_id: str = (await buyer.order(factory))["id"]
    for person in (buyer, factory):
        await person.open(f"/?chat={order_id}")
        await expect(person.page.get_by_text("Ann Okafor placed the order")).to_be_visible()
        await expect(person.page.get_by_text("Live", exact=True)).to_be_visible()
    return buyer, factory, order_id


async def hand_over(target: Locator, kind: str, name: str, content: bytes) -> None:
    """Drop or paste a file."""
    file = {"name": name, "type": "image/jpeg", "content": b64encode(content).decode()}
    await target.evaluate(HAND_OVER, {"kind": kind} | file)


async def test_files_are_attached_in_three_ways_and_seen_by_the_other_side(visit: Visit) -> None:
    buyer, factory, _ = await talking(visit)
    files = factory.page.get_by_role("list", name="Attached files")

    chosen: list[FilePayload] = [
        {"name": "front.jpg", "mimeType": "image/jpeg", "buffer": a_photo("teal")},
        {"name": "report.pdf", "mimeType": "application/pdf", "buffer": PDF},
    ]
    async with factory.page.expect_file_chooser() as chooser:
        await factory.page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files(chosen)
    await hand_over(factory.write(), "drop", "dropped.jpg", a_photo("brown"))
    await hand_over(factory.write(), "paste", "pasted.jpg", a_photo("navy"))
    await expect(files.get_by_role("listitem")).to_have_count(4)
    await files.get_by_role("button", name="Remove pasted.jpg").click()
    await expect(factory.page.get_by_role("button", name="Send")).to_be_enabled()
    await factory.say("First articles")

    log = buyer.page.get_by_role("log")
    await expect(log.get_by_text("First articles")).to_be_visible()
    for name in ("front.jpg", "dropped.jpg"):
        thumbnail = log.get_by_role("img", name=name)
        await expect(thumbnail).to_be_visible()
        assert await thumbnail.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    link = log.get_by_role("link", name="report.pdf")
    served = await buyer.context.request.get(f"{buyer.base}{await link.get_attribute('href')}")
    assert served.headers["content-type"] == "application/pdf"
    await _the_viewer_shows_one_after_the_other(buyer)


async def _the_viewer_shows_one_after_the_other(buyer: Visitor) -> None:
    page = buyer.page
    await page.get_by_role("button", name="front.jpg").click()
    viewer = page.get_by_role("dialog", name="front.jpg · 1/2")
    picture = viewer.get_by_role("img", name="front.jpg")
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("dialog", name="dropped.jpg · 2/2")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="dropped.jpg")).to_be_hidden()
    await expect(buyer.write()).to_be_visible()


async def test_an_upload_tells_how_far_it_is_and_can_be_cancelled(visit: Visit) -> None:
    _, factory, _ = await talking(visit)
    network = await factory.context.new_cdp_session(factory.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    await network.send("Network.emulateNetworkConditions", slow)
    photo = a_photo("teal", size=(2400, 1800))
    files = factory.page.get_by_role("list", name="Attached files")

    await hand_over(factory.write(), "drop", "large.jpg", photo)
    bar = files.get_by_role("progressbar", name="large.jpg")
    await expect(bar).to_be_visible()
    await factory.page.wait_for_function(
        "bar => bar.value > 0.05 && bar.value < 1", arg=await bar.element_handle()
    )
    await expect(factory.page.get_by_role("button", name="Send")).to_be_disabled()
    await files.get_by_role("button", name="Remove large.jpg").click()
    await expect(files).to_be_hidden()

    await hand_over(factory.write(), "drop", "notes.txt", b"a text is not among the kinds")
    await expect(files.get_by_role("status")).to_contain_text("This kind of file cannot be sent")
    await factory.say("Still writing")
    await expect(factory.page.get_by_role("log").get_by_text("Still writing")).to_have_count(1)


async def test_a_blocked_message_is_explained_and_can_be_mended(visit: Visit) -> None:
    buyer, factory, _ = await talking(visit)
    page, text = factory.page, "Tak 😀, write to lin@ningbo-precision.cn please"

    await hand_over(factory.write(), "paste", "drawing.jpg", a_photo("teal"))
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    await factory.write().fill(text)
    await page.keyboard.press("Enter")
    notice = page.get_by_role("alert")
    await expect(notice).to_contain_text("Not sent: it contains contact information")
    await expect(notice.locator("mark")).to_have_text("lin@ningbo-precision.cn")
    await expect(factory.write()).to_have_value(text)
    await expect(page.get_by_role("button", name="Remove drawing.jpg")).to_be_visible()
    await expect(page.get_by_role("log").get_by_text("Tak")).to_be_hidden()

    await page.get_by_role("button", name="This is a mistake").click()
    await expect(notice.get_by_role("status")).to_contain_text("A person will look at it")
    await page.reload()
    await expect(factory.write()).to_have_value(text)

    await factory.say("Takk, all is clear")
    await expect(notice).to_be_hidden()
    await expect(buyer.page.get_by_text("Takk, all is clear")).to_be_visible()


async def test_what_could_not_be_sent_is_sent_once_by_a_second_try(visit: Visit) -> None:
    buyer, factory, _ = await talking(visit)

    async def lose_the_answer(route: Route) -> None:
        if route.request.method != "POST":
            await route.fallback()
            return
        await route.fetch()
        await route.abort("connectionreset")

    await factory.page.route("**/messages", lose_the_answer)
    await factory.say("The bores are done")
    log = factory.page.get_by_role("log")
    await expect(log.get_by_role("alert")).to_contain_text("Not sent. No connection.")
    await factory.page.unroute("**/messages")
    await log.get_by_role("button", name="Try again").click()
    await expect(log.get_by_role("alert")).to_be_hidden()

    for person in (buyer, factory):
        await expect(person.page.get_by_role("log").get_by_text("The bores are done")).to_have_count(1)


async def test_who_was_offline_catches_up_and_loses_nothing(visit: Visit) -> None:
    buyer, factory, order_id = await talking(visit)
    notice = buyer.page.get_by_text("Connection lost. Trying again …")
    await buyer.stay()

    await buyer.context.set_offline(True)
    await expect(notice).to_be_visible()
    await buyer.say("Written without a line")
    await expect(buyer.page.get_by_text("Sending …")).to_be_visible()
    await factory.say("Said meanwhile")
    await factory.call("POST", f"/orders/{order_id}/status", {"to": "in_production"})
    await buyer.context.set_offline(False)

    log = buyer.page.get_by_role("log")
    await expect(notice).to_be_hidden()
    await expect(log.get_by_text("Said meanwhile")).to_be_visible()
    await expect(log.get_by_text("Lin Wei moved the order to In production")).to_be_visible()
    await expect(buyer.page.get_by_text("Sending …")).to_be_hidden()
    await expect(factory.page.get_by_text("Written without a line")).to_have_count(1)
    await buyer.page.keyboard.press("Escape")
    await expect(buyer.page.locator("[aria-current=step]")).to_have_text("In production")
    assert await buyer.has_stayed()


async def test_older_messages_come_above_without_a_jump(visit: Visit) -> None:
    buyer, factory, order_id = await talking(visit)
    for number, name in enumerate(BATCHES):
        writer = factory if number % 2 else buyer
        await writer.call("POST", f"/orders/{order_id}/messages", {"text": f"Batch {name}."})
    await factory.page.reload()
    log = factory.page.get_by_role("log")
    await expect(log.get_by_text("Batch JT.")).to_be_in_viewport()
    await expect(log.get_by_text("Batch AK.", exact=True)).to_have_count(0)

    for older in ("Batch DT.", "Batch AK."):
        while await log.get_by_text(older).count() == 0:
            assert await log.evaluate(TO_THE_TOP) < 2
    await expect(log.get_by_text("Ann Okafor placed the order")).to_have_count(1)
