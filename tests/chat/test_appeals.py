"""Refusals, the appeals against them, and what moderators see and do."""

import asyncio
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from deploy.moderation import app
from services.chat.main import Settings
from services.chat.store.blocks import BLOCKS
from shared.identity import Caller
from tests.chat import files
from tests.chat.builders import a_buyer, a_factory_user, a_thread
from tests.chat.running import SECRET, Answer, Chat, Published
from tests.chat.test_attachments import upload
from tests.waiting import eventually

pytestmark = pytest.mark.parts

TEXT = "our article no longer has the number, ask +1 202 555 0143"


async def say(chat: Chat, order_id: str, text: str, *, by: Caller | None = None) -> Answer:
    return await chat.call("POST", f"/orders/{order_id}/messages", by=by or a_buyer(), json={"text": text})


async def appeal(
    chat: Chat, order_id: str, ref: str, body: dict[str, Any] | None = None, *, by: Caller | None = None
) -> Answer:
    return await chat.call(
        "POST",
        f"/orders/{order_id}/messages/blocked/{ref}/appeal",
        by=by or a_buyer(),
        json=body or {"text": TEXT, "explanation": "It is the supplier's part number"},
    )


async def guard(settings: Settings, *arguments: str) -> Result:
    """Run the operators' command; it has an event loop of its own."""
    where = ["--mongo", settings.mongo_url, "--prefix", settings.mongo_db_prefix]
    return await asyncio.to_thread(
        CliRunner().invoke, app, [*arguments, *where], env={"MILLRACE_SERVICE_SECRET": SECRET}
    )


def everything_stored(settings: Settings) -> str:
    with MongoClient[dict[str, Any]](settings.mongo_url) as client:
        database = client[f"{settings.mongo_db_prefix}chat"]
        return str([list(database[name].find()) for name in database.list_collection_names()])


async def test_a_refusal_has_a_name_and_leaves_no_copy_of_the_text(chat: Chat, settings: Settings) -> None:
    order_id = await a_thread(chat)

    refused = await say(chat, order_id, TEXT)

    assert (refused.status, refused.problem) == (422, "contact-info-blocked")
    assert refused.json["ref"]
    assert "202 555" not in everything_stored(settings)
    listed = await guard(settings, "blocked")
    assert refused.json["ref"] in listed.stdout
    assert "appeal: -" in listed.stdout


async def test_an_appeal_reaches_moderators_and_is_kept_encrypted(
    chat: Chat, settings: Settings, published: Published
) -> None:
    order_id = await a_thread(chat)
    ref = (await say(chat, order_id, TEXT)).json["ref"]

    made = await appeal(chat, order_id, ref)
    again = await appeal(chat, order_id, ref)

    assert made.status == again.status == 201
    assert made.json == again.json == {"ref": ref, "state": "waiting", "note": None}
    (event,) = await eventually(lambda: published.of("appeal.submitted.v1"))
    assert (event["data"]["ref"], event["data"]["kinds"]) == (ref, ["phone"])
    assert "202 555" not in str(event)
    assert "202 555" not in everything_stored(settings)
    assert "part number" not in everything_stored(settings)
    listed = await guard(settings, "appeals")
    assert TEXT in listed.stdout
    assert "It is the supplier's part number" in listed.stdout
    assert "1 waiting" in listed.stdout
    assert len(published.of("appeal.submitted.v1")) == 1


async def test_a_granted_text_can_be_sent_by_its_author_in_its_thread_and_nothing_else(
    chat: Chat, settings: Settings
) -> None:
    order_id, other = await a_thread(chat), await a_thread(chat)
    ref = (await say(chat, order_id, TEXT)).json["ref"]
    await appeal(chat, order_id, ref)

    granted = await guard(settings, "grant", ref, "--note", "a part number indeed")
    sent = await say(chat, order_id, TEXT)

    assert granted.exit_code == 0
    assert sent.status == 201
    assert (await say(chat, order_id, TEXT, by=a_factory_user())).status == 422
    assert (await say(chat, order_id, f"{TEXT}!")).status == 422
    assert (await say(chat, other, TEXT)).status == 422
    assert (await appeal(chat, order_id, ref)).json == {
        "ref": ref,
        "state": "granted",
        "note": "a part number indeed",
    }
    kept = await chat.db[BLOCKS].find_one({"_id": ref})
    assert "text" not in kept["appeal"]
    assert "explanation" not in kept["appeal"]
    assert (await guard(settings, "reject", ref)).exit_code == 1


async def test_a_rejected_text_stays_blocked(chat: Chat, settings: Settings) -> None:
    order_id = await a_thread(chat)
    ref = (await say(chat, order_id, TEXT)).json["ref"]
    await appeal(chat, order_id, ref)

    await guard(settings, "reject", ref)

    assert (await say(chat, order_id, TEXT)).status == 422
    assert (await appeal(chat, order_id, ref)).json["state"] == "rejected"
    assert "0 waiting" in (await guard(settings, "appeals")).stdout


async def test_a_file_name_can_be_appealed_against(chat: Chat, settings: Settings) -> None:
    order_id = await a_thread(chat)
    name = "call 202-555-0143.pdf"
    refused = await upload(chat, order_id, files.a_pdf(), name=name)
    await appeal(chat, order_id, refused.json["ref"], {"text": name})

    await guard(settings, "grant", refused.json["ref"])

    assert refused.status == 422
    assert (await upload(chat, order_id, files.a_pdf(), name=name)).status == 201


async def test_an_appeal_belongs_to_who_was_refused(chat: Chat) -> None:
    order_id, other = await a_thread(chat), await a_thread(chat)
    ref = (await say(chat, order_id, TEXT)).json["ref"]

    colleague = await appeal(chat, order_id, ref, by=a_buyer(user_id="u-colleague"))
    other_side = await appeal(chat, order_id, ref, by=a_factory_user())
    stranger = await appeal(chat, order_id, ref, by=a_buyer(organisation_id="org-third"))
    viewer = await appeal(chat, order_id, ref, by=a_buyer(role="viewer"))
    elsewhere = await appeal(chat, other, ref)
    nothing = await appeal(chat, order_id, "no-such-ref")

    assert [answer.status for answer in (colleague, other_side, stranger, elsewhere, nothing)] == [404] * 5
    assert viewer.status == 403


async def test_another_text_than_the_blocked_one_is_not_taken(chat: Chat) -> None:
    order_id = await a_thread(chat)
    ref = (await say(chat, order_id, TEXT)).json["ref"]

    answer = await appeal(chat, order_id, ref, {"text": "something harmless"})

    assert (answer.status, answer.problem) == (422, "validation-failed")
    assert answer.json["errors"][0]["pointer"] == "/text"


async def test_moderators_see_flagged_files_and_withhold_and_release_them(
    chat: Chat, settings: Settings, published: Published
) -> None:
    order_id = await a_thread(chat)
    stored = await upload(chat, order_id, files.a_pdf_saying("mail sales@example.com"))
    attachment_id = stored.json["id"]
    await eventually(lambda: published.of("attachment.flagged.v1"), within=30)
    await chat.call(
        "POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"attachment_ids": [attachment_id]}
    )

    listed = await guard(settings, "flags")
    withheld = await guard(settings, "withhold", attachment_id)
    kept_back = await chat.call("GET", f"/attachments/{attachment_id}", by=a_factory_user())
    released = await guard(settings, "release", attachment_id)
    passed_on = await chat.call("GET", f"/attachments/{attachment_id}", by=a_factory_user())

    assert attachment_id in listed.stdout
    assert "email in page 1 (email.plain)" in listed.stdout
    assert (withheld.exit_code, released.exit_code) == (0, 0)
    assert (kept_back.status, passed_on.status) == (403, 200)
    assert (await guard(settings, "release", "no-such-file")).exit_code == 1
