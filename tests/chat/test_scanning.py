"""Files are scanned by a real clamd before anyone can fetch them."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import ValidationError

from services.chat import main
from services.chat.main import Settings
from tests.chat import clamd, files
from tests.chat.builders import a_buyer, a_factory_user, a_thread
from tests.chat.running import Chat, serving
from tests.chat.test_attachments import LIMIT, objects_of, upload
from tests.waiting import eventually

pytestmark = [
    pytest.mark.parts,
    pytest.mark.skipif(
        clamd.find() is None,
        reason="clamd is not installed (Debian: clamav-daemon; `make setup` installs it)",
    ),
]


def an_infected_pdf(size: int = 0) -> bytes:
    """Make one of at least so many bytes, the infection at its end."""
    return files.a_pdf().ljust(size - len(clamd.EICAR)) + clamd.EICAR


def an_infected_document() -> bytes:
    """Hide it inside a package, compressed."""
    target = io.BytesIO(files.an_office_file("docx"))
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/media/image1.bin", bytes(5000) + clamd.EICAR)
    return target.getvalue()


@pytest.fixture
def home() -> AsyncIterator[Path]:
    # Not pytest's own folder, whose path is too long for the name of a socket.
    with TemporaryDirectory(prefix="clamd-") as home:
        yield Path(home)


@pytest.fixture
async def scanned(settings: Settings, home: Path) -> AsyncIterator[Chat]:
    async with (
        clamd.clamd(home) as socket,
        serving(settings.model_copy(update={"clamav": socket})) as chat,
    ):
        yield chat


async def test_what_the_scanner_finds_is_refused_and_leaves_nothing(scanned: Chat) -> None:
    order_id = await a_thread(scanned)

    clean = await upload(scanned, order_id, files.a_pdf().ljust(LIMIT), name="clean.pdf")
    pdf = await upload(scanned, order_id, an_infected_pdf(), name="drawing.pdf")
    large = await upload(scanned, order_id, an_infected_pdf(LIMIT), name="drawings.pdf")
    inside = await upload(scanned, order_id, an_infected_document(), name="order.docx")

    assert (clean.status, clean.json["scan"]) == (201, "clean")
    for answer in (pdf, large, inside):
        assert (answer.status, answer.problem) == (422, "attachment-infected")

    async def is_alone() -> bool:
        return {key.split(".")[1] for key in await objects_of(scanned, order_id)} == {clean.json["id"]}

    await eventually(is_alone)  # the store may still be putting others away
    assert await scanned.db["attachments"].distinct("_id") == [clean.json["id"]]


async def test_nobody_fetches_a_file_before_the_scanner_has_judged_it(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "_SCAN_AGAIN", 0.1)
    async with serving(settings.model_copy(update={"clamav": str(home / "clamd")})) as chat:
        order_id = await a_thread(chat)
        good, bad = [
            (await upload(chat, order_id, data, name="a.pdf")).json
            for data in (files.a_pdf(), an_infected_pdf())
        ]
        await chat.call(
            "POST",
            f"/orders/{order_id}/messages",
            by=a_buyer(),
            json={"attachment_ids": [good["id"], bad["id"]]},
        )

        async def states() -> list[str]:
            page = await chat.call("GET", f"/orders/{order_id}/messages", by=a_factory_user())
            return [attachment["scan"] for attachment in page.json["items"][-1]["attachments"]]

        async def fetched(attachment: dict[str, str]) -> set[tuple[int, str | None]]:
            answers = await asyncio.gather(
                *(
                    chat.call("GET", f"/attachments/{attachment['id']}{part}", by=by)
                    for by in (a_buyer(), a_factory_user())
                    for part in ("", "/thumbnail")
                )
            )
            return {(answer.status, answer.headers.get("Retry-After")) for answer in answers}

        assert good["scan"] == bad["scan"] == "pending"
        assert await states() == ["pending", "pending"]
        assert await fetched(good) == await fetched(bad) == {(409, "5")}

        async with clamd.clamd(home):

            async def judged() -> bool:
                return await states() == ["clean", "infected"]

            await eventually(judged)

        assert await fetched(good) == {(200, None)}
        assert await fetched(bad) == {(422, None)}


async def test_a_file_that_the_scanner_cannot_judge_does_not_hold_up_the_others(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "_SCAN_AGAIN", 0.1)
    async with serving(settings.model_copy(update={"clamav": str(home / "clamd")})) as chat:
        order_id = await a_thread(chat)
        lost, good = [(await upload(chat, order_id, files.a_pdf())).json["id"] for _ in range(2)]
        await chat.app.state.parts.objects.delete(f"{order_id}.{lost}.file")

        async with clamd.clamd(home):
            await eventually(lambda: chat.db["attachments"].find_one({"_id": good, "file.scan": "clean"}))


@pytest.mark.parametrize("address", ["clamd", "clamd:", ":3310", "clamd:port", "relative/path"])
def test_an_address_that_names_no_clamd_is_refused_at_the_start(settings: Settings, address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings.model_dump() | {"clamav": address})
