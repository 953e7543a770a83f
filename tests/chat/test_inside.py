"""Contact information inside files is found behind their upload, and told to moderators."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.chat.main import Settings
from services.chat.store import attachments
from services.chat.use_cases import inside
from shared.clock import utc_now
from tests.chat import files
from tests.chat.builders import a_buyer, a_factory_user, a_thread
from tests.chat.running import Chat, Published, serving
from tests.chat.test_attachments import upload
from tests.waiting import eventually

pytestmark = pytest.mark.parts

FLAGGED = "attachment.flagged.v1"
WORD = '<w:document xmlns:w="w"><w:body>{}</w:body></w:document>'
PARAGRAPH = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"


@pytest.fixture
async def withholding(settings: Settings) -> AsyncIterator[Chat]:
    async with serving(settings.model_copy(update={"attachment_contact_info": "withhold"})) as chat:
        yield chat


async def searched(chat: Chat, attachment_id: str) -> dict[str, Any]:
    """Wait for what is found in a file."""

    async def known() -> dict[str, Any] | None:
        row = await chat.db[attachments.ATTACHMENTS].find_one({"_id": attachment_id})
        return row["inside"] if row["inside"]["state"] != "waiting" else None

    found: dict[str, Any] = await eventually(known, within=30)
    return found


HOLDING: dict[str, tuple[str, str, bytes]] = {
    "text.pdf": ("email", "page 1", files.a_pdf_saying("Packing list", "mail sales@example.com")),
    "link.pdf": ("messenger", "page 1", files.a_pdf_saying("See us", link="https://wa.me/12025550164")),
    "without its table.pdf": (  # which viewers, and PDFium, make anew
        "email",
        "page 1",
        re.sub(rb"(?s)xref.*?trailer|startxref.*", b"", files.a_pdf_saying("mail sales@example.com"))
        .replace(b"<< /Size", b"trailer << /Size")
        .replace(b" 0 obj", b" 0% a comment\nobj"),
    ),
    "in two runs.docx": (
        "phone",
        "word/document.xml",
        files.an_office_file_with(
            "docx",
            {
                "word/document.xml": WORD.format(
                    "<w:p><w:r><w:t>call +1 202 </w:t></w:r><w:r><w:t>555 0143</w:t></w:r></w:p>"
                )
            },
        ),
    ),
    "link.docx": (
        "email",
        "word/_rels/document.xml.rels",
        files.an_office_file_with(
            "docx",
            {
                "word/_rels/document.xml.rels": '<Relationships><Relationship Id="r1" TargetMode="External"'
                ' Target="mailto:tom@example.com"/></Relationships>'
            },
        ),
    ),
    "cell.xlsx": (
        "messenger",
        "xl/sharedStrings.xml",
        files.an_office_file_with(
            "xlsx", {"xl/sharedStrings.xml": "<sst><si><t>WeChat: linwei_castparts</t></si></sst>"}
        ),
    ),
    "code.png": ("messenger", "code", files.a_code("https://u.wechat.com/EXAMPLE0142")),
    "card.jpg": ("phone", "code", files.a_code("BEGIN:VCARD\nTEL:+8613900004417\nEND:VCARD", "JPEG")),
}
HARMLESS: dict[str, tuple[str, bytes]] = {
    "list.pdf": ("clear", files.a_pdf_saying("Packing list PO 4500018842", "12 cartons, 480 kg, 1200 x 800")),
    "photo.jpg": ("clear", files.a_jpeg()),
    "photo.heic": ("clear", files.a_heic()),
    "tracking.png": ("clear", files.a_code("https://www.dhl.com/track?AWB=1234567891")),
    "empty.docx": ("clear", files.an_office_file("docx")),
    "broken.pdf": ("unreadable", b"%PDF-1.7 and nothing that a reader knows"),
    "broken.docx": ("clear", files.an_office_file_with("docx", {"word/document.xml": "<a><b>"})),
    "entities.docx": (  # a hundred million letters, one entity in another
        "clear",
        files.an_office_file_with(
            "docx",
            {
                "word/document.xml": '<!DOCTYPE x [<!ENTITY a "0123456789">'
                + "".join(
                    f'<!ENTITY {new} "{f"&{old};" * 10}">'
                    for old, new in zip("abcdefg", "bcdefgh", strict=True)
                )
                + "]>"
                + WORD.format(PARAGRAPH.format("&h;"))
            },
        ),
    ),
    "zeros.docx": (  # 100 MB of one letter in 100 KB
        "clear",
        files.an_office_file_with("docx", {"word/document.xml": WORD.format("x" * 100_000_000)}),
    ),
}


async def test_what_is_inside_is_told_to_moderators_without_a_copy(chat: Chat, published: Published) -> None:
    order_id = await a_thread(chat)

    names = {
        (await upload(chat, order_id, data, name=name)).json["id"]: name
        for name, (_, _, data) in HOLDING.items()
    }
    await eventually(lambda: len(published.of(FLAGGED)) == len(HOLDING), within=30)

    events = [event["data"] for event in published.of(FLAGGED)]
    assert {names[event["attachment_id"]]: event["kinds"] for event in events} == {
        name: [kind] for name, (kind, _, _) in HOLDING.items()
    }
    kept = {name: await searched(chat, attachment_id) for attachment_id, name in names.items()}
    assert {name: {found["place"] for found in inside["found"]} for name, inside in kept.items()} == {
        name: {place} for name, (_, place, _) in HOLDING.items()
    }
    assert not any(inside["withheld"] for inside in kept.values())
    assert not re.search("example|555.?0143|5550164", str([events, kept]))


async def test_nothing_is_told_of_files_without_contacts_or_that_nobody_can_read(
    chat: Chat, published: Published
) -> None:
    order_id = await a_thread(chat)

    names = {
        (await upload(chat, order_id, data, name=name)).json["id"]: name
        for name, (_, data) in HARMLESS.items()
    }
    kept = {name: await searched(chat, attachment_id) for attachment_id, name in names.items()}

    assert kept == {name: {"state": state} for name, (state, _) in HARMLESS.items()}
    assert published.of(FLAGGED) == []


async def test_what_is_flagged_is_sent_and_fetched_all_the_same(chat: Chat) -> None:
    order_id = await a_thread(chat)
    stored = await upload(chat, order_id, files.a_pdf_saying("mail sales@example.com"))
    assert (await searched(chat, stored.json["id"]))["state"] == "flagged"

    sent = await chat.call(
        "POST",
        f"/orders/{order_id}/messages",
        by=a_buyer(),
        json={"text": "the list", "attachment_ids": [stored.json["id"]]},
    )
    fetched = await chat.call("GET", f"/attachments/{stored.json['id']}", by=a_factory_user())

    assert (sent.status, fetched.status) == (201, 200)


async def test_the_orders_own_number_is_no_contact(chat: Chat) -> None:
    order_id = await a_thread(chat, number="MR-2026-000042", sku="202-555-0143")

    stored = await upload(chat, order_id, files.a_pdf_saying("call 202-555-0143 what it is"))

    assert (await searched(chat, stored.json["id"]))["state"] == "clear"


async def test_a_file_is_searched_again_where_the_one_who_took_it_died(
    chat: Chat, published: Published
) -> None:
    order_id = await a_thread(chat)
    stored = await upload(chat, order_id, files.a_pdf_saying("mail sales@example.com"))
    await searched(chat, stored.json["id"])
    parts, rules, now = chat.app.state.parts, chat.app.state.rules, utc_now()
    await chat.db[attachments.ATTACHMENTS].update_one(
        {"_id": stored.json["id"]},
        {"$set": {"inside": {"state": "waiting", "tries": 1, "at": now + timedelta(minutes=10)}}},
    )

    early = await inside.search_next(chat.db, parts, now=now, rules=rules)
    late = await inside.search_next(chat.db, parts, now=now + timedelta(minutes=11), rules=rules)

    assert (early, late) == (False, True)
    assert (await searched(chat, stored.json["id"]))["state"] == "flagged"
    await eventually(lambda: len(published.of(FLAGGED)) == 2)


async def test_a_file_that_ends_its_reader_each_time_is_left_alone(chat: Chat) -> None:
    order_id = await a_thread(chat)
    stored = await upload(chat, order_id, files.a_pdf_saying("mail sales@example.com"))
    await searched(chat, stored.json["id"])
    now = utc_now()
    await chat.db[attachments.ATTACHMENTS].update_one(
        {"_id": stored.json["id"]},
        {"$set": {"inside": {"state": "waiting", "tries": 3, "at": now + timedelta(minutes=1)}}},
    )

    await inside.search_next(
        chat.db, chat.app.state.parts, now=now + timedelta(minutes=2), rules=chat.app.state.rules
    )

    assert (await searched(chat, stored.json["id"]))["state"] == "unreadable"


async def test_a_withheld_file_reaches_nobody_but_its_uploader(withholding: Chat) -> None:
    order_id = await a_thread(withholding)
    bad = await upload(withholding, order_id, files.a_pdf_saying("mail sales@example.com"))
    good = await upload(withholding, order_id, files.a_pdf_saying("12 cartons"))
    ids = [bad.json["id"], good.json["id"]]
    assert (await searched(withholding, ids[0]))["withheld"] is True
    await searched(withholding, ids[1])
    await withholding.call("POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"attachment_ids": ids})

    theirs = [await withholding.call("GET", f"/attachments/{each}", by=a_factory_user()) for each in ids]
    thumbnail = await withholding.call("GET", f"/attachments/{ids[0]}/thumbnail", by=a_factory_user())
    own = await withholding.call("GET", f"/attachments/{ids[0]}", by=a_buyer())

    assert [(each.status) for each in theirs] == [403, 200]
    assert theirs[0].problem == "attachment-withheld"
    assert thumbnail.status == 403
    assert own.status == 200


async def test_where_files_are_withheld_none_goes_out_unsearched(withholding: Chat) -> None:
    order_id = await a_thread(withholding)
    stored = await upload(withholding, order_id, files.a_pdf_saying("12 cartons"))
    await searched(withholding, stored.json["id"])
    await withholding.call(
        "POST", f"/orders/{order_id}/messages", by=a_buyer(), json={"attachment_ids": [stored.json["id"]]}
    )
    await withholding.db[attachments.ATTACHMENTS].update_one(
        {"_id": stored.json["id"]},
        {"$set": {"inside": {"state": "waiting", "tries": 1, "at": utc_now() + timedelta(minutes=10)}}},
    )

    theirs = await withholding.call("GET", f"/attachments/{stored.json['id']}", by=a_factory_user())
    own = await withholding.call("GET", f"/attachments/{stored.json['id']}", by=a_buyer())

    assert (theirs.status, theirs.problem) == (409, "attachment-not-searched")
    assert own.status == 200
