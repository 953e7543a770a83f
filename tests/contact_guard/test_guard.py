"""What a caller of `check` can rely on."""

import pytest

from shared.contact_guard import Context, Finding, check


def found(text: str, context: Context = Context()) -> list[tuple[str, str]]:  # noqa: B008 - frozen
    return [(finding.kind, text[finding.start : finding.end]) for finding in check(text, context=context)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail purchasing@example.com now", [("email", "purchasing@example.com")]),
        ("call +1 202 555 0143 please", [("phone", "+1 202 555 0143")]),
        ("WhatsApp +44 7700 900233", [("messenger", "+44 7700 900233")]),
        ("wechat: Jerry-mold-2019", [("messenger", "Jerry-mold-2019")]),
        ("see www.springmaker.example today", [("url", "www.springmaker.example")]),
        ("linkedin.com/in/example-priya", [("social", "linkedin.com/in/example-priya")]),
        ("IG: @bright.anodizing.example", [("social", "@bright.anodizing.example")]),
        ("https://wa.me/12025550164", [("messenger", "https://wa.me/12025550164")]),
        ("Example.com Metals", [("url", "Example.com")]),
        (
            "tel 202-555-0143 or info@example.org",
            [("phone", "202-555-0143"), ("email", "info@example.org")],
        ),
    ],
)
def test_names_the_kind_and_the_place(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lena\u200b@\u200bexample\u200b.com is me", "lena\u200b@\u200bexample\u200b.com"),
        ("Contact ｓａｌｅｓ＠ｅｘａｍｐｌｅ．ｃｏｍ now", "ｓａｌｅｓ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("reach me: аnna@ехаmple.com, ok", "аnna@ехаmple.com"),
        ("write j o h n @ e x a m p l e . o r g (close up)", "j o h n @ e x a m p l e . o r g"),
        ("jkowal at example dot com has it", "jkowal at example dot com"),
        ("📦 ok ②⓪②-⑤⑤⑤-⓪①⑨④ call", "②⓪②-⑤⑤⑤-⓪①⑨④"),
        ("call 7️⃣7️⃣0️⃣0️⃣9️⃣0️⃣0️⃣8️⃣4️⃣6️⃣ soon", "7️⃣7️⃣0️⃣0️⃣9️⃣0️⃣0️⃣8️⃣4️⃣6️⃣"),
        ("phone ¼ +44 7700 900461", "+44 7700 900461"),
        ("mail ﬁnance@example.com", "ﬁnance@example.com"),
        ("e\u0301crire a\u0300 achats@example.com", "achats@example.com"),
    ],
)
def test_places_are_code_points_of_the_text_as_given(text: str, expected: str) -> None:
    assert [text[finding.start : finding.end] for finding in check(text)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "MR-2026-000042 ships Monday",
        "call me about 4155550127 please",
        "the sku 139-0000-4417 is short",
        "mr-2026-000042",
    ],
)
def test_passes_what_belongs_to_the_order(text: str) -> None:
    known = Context(known=("MR-2026-000042", "4155550127", "139-0000-4417"))

    assert check(text, context=known) == []


def test_still_finds_a_number_beside_a_known_one() -> None:
    context = Context(known=("4155550127",))

    assert found("4155550127, call 415 555 0199", context) == [("phone", "415 555 0199")]


def test_does_not_let_a_short_known_string_open_the_gate() -> None:
    assert found("call 202-555-0143", Context(known=("202", "-"))) == [("phone", "202-555-0143")]


@pytest.mark.parametrize(
    "text",
    [
        "https://www.dhl.com/en/express/tracking.html?AWB=1234567891",
        "https://t.17track.net/en#nums=LX123456785CN",
        "www.fedex.com/fedextrack/?trknbr=123456789012",
        "maersk.com/tracking/MSKU9070323",
    ],
)
def test_passes_links_of_carriers(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "dhl.com.parcelhelp.example",
        "notdhl.com/track",
        "https://dhl.com@parcel.example/track",
        "https://www.fedex.com.tracking.example/1Z",
        "https://dhl.com-track.example",
    ],
)
def test_a_host_that_only_looks_like_a_carrier_is_none(text: str) -> None:
    assert [kind for kind, _ in found(text)] == ["url"]


@pytest.mark.parametrize(
    ("name", "blocked"),
    [
        ("WhatsApp Image 2024-11-18 at 09.30.12.jpeg", False),
        ("微信图片_20241118093045.jpg", False),
        ("mmexport1731892245123.jpg", False),
        ("IMG-20241119-WA0003.jpg", False),
        ("readme.md", False),
        ("PO_4500018842_signed.pdf", False),
        ("www.brightforge.example_catalog.pdf", True),
        ("whatsapp 447700900518.png", True),
        ("sales_at_example_dot_com.pdf", True),
        ("电话13900008813报价单.doc", True),
    ],
)
def test_reads_file_names(name: str, blocked: bool) -> None:  # noqa: FBT001 - a table
    assert bool(check(name, context=Context(is_filename=True))) is blocked


def test_blocks_at_the_message_that_completes_a_number() -> None:
    earlier = ("the number you wanted", "+44 77", "00 900")

    assert check("00 900", context=Context(previous=earlier[:2])) == []
    assert check("271", context=Context(previous=earlier)) == [Finding("phone", 0, 3, "split.announced")]


def test_places_a_split_address_in_the_last_message() -> None:
    text = "that is .example"

    findings = check(text, context=Context(previous=("our page starts www", "then brightforge")))

    assert [(f.kind, text[f.start : f.end]) for f in findings] == [("url", text)]


def test_looks_back_no_further_than_four_messages() -> None:
    previous = ("my cell is 202", "555", "a", "b", "c", "d")

    assert check("0143", context=Context(previous=previous)) == []


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\u200b", "@", ".", "www", "@.", "+", "()", "\x00", "\ud83d"]
)
def test_has_nothing_to_say_to_next_to_nothing(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize("line", ["Message {}.", "{}", "Line {} of the list", "第{}箱", "Nachricht {}"])
@pytest.mark.parametrize("step", [1, 2, 10])
def test_what_somebody_counts_passes(line: str, step: int) -> None:
    for number in range(1, 1200, step):
        earlier = range(max(1, number - 4 * step), number, step)
        previous = tuple(line.format(each) for each in earlier)
        assert check(line.format(number), context=Context(previous=previous)) == []
