"""Properties: numbers of the trade pass, phone numbers are found, whatever they are made of."""

import string

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contact_guard import Context, check

THOUSAND = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def digits(count: int, first: str = string.digits) -> st.SearchStrategy[str]:
    return st.builds(
        str.__add__, st.sampled_from(first), st.text(string.digits, min_size=count - 1, max_size=count - 1)
    )


def gs1(body: str) -> str:
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def ups(body: str) -> str:
    values = [int(char) if char.isdigit() else (ord(char) - 3) % 10 for char in body]
    total = sum(value * (2 if place % 2 else 1) for place, value in enumerate(values))
    return f"1Z{body}{-total % 10}"


def fedex(body: str) -> str:
    total = sum(int(digit) * (1, 7, 3)[place % 3] for place, digit in enumerate(reversed(body)))
    return body + str(total % 11 % 10)


def s10(body: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    return f"EE{body}{(11 - total % 11) % 11 % 10 if total % 11 not in (0, 1) else (5 if total % 11 == 0 else 0)}CN"


def container(owner: str, body: str) -> str:
    values = [10 + i + (i + 9) // 10 if (i := ord(char) - 65) else 10 for char in owner] + [
        int(d) for d in body
    ]
    return owner + body + str(sum(value << place for place, value in enumerate(values)) % 11 % 10)


def seventh(body: str) -> str:
    return body + str(int(body) % 7)


def air_waybill(prefix: str, body: str) -> str:
    return f"{prefix}-{seventh(body)}"


def in_fours(number: str) -> str:
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


TRADE = {
    "UPS": st.builds(
        ups,
        st.text(string.ascii_uppercase + string.digits, min_size=6, max_size=6).flatmap(
            lambda a: digits(9).map(a.__add__)
        ),
    ),
    "FedEx": digits(11, "123456789").map(fedex),
    "FedEx Ground": digits(15, "9"),
    "DHL Express": digits(9, "123456789").map(seventh),
    "DHL parcel": digits(18).map("0".__add__).map(gs1),
    "USPS": digits(17).map("9400".__add__).map(gs1),
    "EMS": digits(8).map(s10),
    "SF": digits(13).map("SF".__add__),
    "ZTO": digits(11).map("7".__add__),
    "YTO": digits(13).map("YT".__add__),
    "container": st.builds(container, st.sampled_from(["MSKU", "TCLU", "CSQU", "TGHU", "OOLU"]), digits(6)),
    "EAN": st.builds(str.__add__, st.sampled_from(["590", "690", "400", "871", "501"]), digits(9)).map(gs1),
    "SSCC": digits(16).map("1".__add__).map(gs1),
}
FRAMES = [
    "{carrier} {number}",
    "{carrier} {number} has no scans",
    "Tracking {number}",
    "{number}",
    "单号 {number}",
    "{number} – {carrier}",
]


def test_a_waybills_letters_name_no_messenger() -> None:
    assert check("UPS 1Z0000QQ1000000005") == []
    assert check("QQ1000000005 is mine") != []


@pytest.mark.parametrize("carrier", TRADE)
@THOUSAND
@given(data=st.data())
def test_valid_numbers_of_carriers_pass(carrier: str, data: st.DataObject) -> None:
    number = data.draw(TRADE[carrier])
    frame = data.draw(st.sampled_from(FRAMES))

    assert check(frame.format(carrier=carrier, number=number)) == []


@THOUSAND
@given(st.builds(air_waybill, digits(3), digits(7)))
def test_air_waybills_pass(number: str) -> None:
    assert check(f"AWB {number} on the Thursday flight") == []


@THOUSAND
@given(digits(11, "123456789").map(fedex).map(in_fours))
def test_tracking_numbers_in_groups_pass(number: str) -> None:
    assert check(f"FedEx {number}, signed for") == []


@THOUSAND
@given(
    st.one_of(
        st.uuids().map(str),
        st.uuids().map(lambda uuid: uuid.hex),
        st.binary(min_size=32, max_size=32).map(bytes.hex),
    )
)
def test_identifiers_and_digests_pass(code: str) -> None:
    assert check(f"{code} said") == []


def plain(text: str) -> str:
    return text


def shifted(zero: int) -> dict[int, str]:
    return {ord(digit): chr(zero + int(digit)) for digit in string.digits}


STYLES = {
    "ascii": {},
    "full-width": shifted(0xFF10),
    "Arabic-Indic": shifted(0x0660),
    "Persian": shifted(0x06F0),
    "Devanagari": shifted(0x0966),
    "Thai": shifted(0x0E50),
    "mathematical": shifted(0x1D7CE),
    "circled": {ord(digit): "⓪①②③④⑤⑥⑦⑧⑨"[int(digit)] for digit in string.digits},
    "negative circled": {ord(digit): "⓿❶❷❸❹❺❻❼❽❾"[int(digit)] for digit in string.digits},
    "superscript": {ord(digit): "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in string.digits},
    "keycap": {ord(digit): f"{digit}\ufe0f\u20e3" for digit in string.digits},
    "Chinese": {ord(digit): "零一二三四五六七八九"[int(digit)] for digit in string.digits},
    "financial Chinese": {ord(digit): "零壹贰叁肆伍陆柒捌玖"[int(digit)] for digit in string.digits},
    "zero-width": {ord(digit): f"\u200b{digit}" for digit in string.digits},
}
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
REGIONS = [
    "US",
    "GB",
    "CN",
    "DE",
    "FR",
    "ES",
    "IT",
    "BR",
    "RU",
    "TR",
    "JP",
    "KR",
    "VN",
    "ID",
    "PL",
    "SA",
    "AE",
    "NL",
    "IN",
    "MX",
    "TH",
    "HK",
    "TW",
    "AU",
]
FORMATS = [
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
]


@st.composite
def phone_numbers(draw: st.DrawFn) -> str:
    """Draw a number that a country could give out, written in one of its formats."""
    example = phonenumbers.example_number_for_type(
        draw(st.sampled_from(REGIONS)), phonenumbers.PhoneNumberType.MOBILE
    )
    assert example is not None
    varied = phonenumbers.PhoneNumber(
        country_code=example.country_code,
        national_number=example.national_number // 10000 * 10000 + draw(st.integers(0, 9999)),
    )
    return phonenumbers.format_number(varied, draw(st.sampled_from(FORMATS)))


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=200, deadline=None)
@given(
    number=phone_numbers(),
    frame=st.sampled_from(["call me {}", "Tel: {}", "我的电话 {}", "{} is my phone", "WhatsApp {}"]),
)
def test_announced_phone_numbers_are_found_in_every_digit_style(style: str, number: str, frame: str) -> None:
    text = frame.format(number.translate(STYLES[style]))

    findings = check(text)

    assert findings, text
    assert {finding.kind for finding in findings} <= {"phone", "messenger"}


@settings(max_examples=300, deadline=None)
@given(number=phone_numbers().filter(lambda number: number.startswith("+")))
def test_international_numbers_are_found_without_any_word(number: str) -> None:
    assert check(f"Mr Hall, 4 Mill Road, Leeds, {number}, thank you")


@settings(max_examples=300, deadline=None)
@given(number=phone_numbers(), glue=st.sampled_from([" ", "-", ", ", "  "]))
def test_spelled_numbers_are_found(number: str, glue: str) -> None:
    words = glue.join(ENGLISH[int(char)] for char in number if char.isdigit())

    assert check(f"ring me: {words}")


@settings(max_examples=300, deadline=None)
@given(number=phone_numbers(), sign=st.sampled_from([" ", ".", "-", "/", "·", " - ", "_", "*", "~"]))
def test_signs_inside_a_number_do_not_hide_it(number: str, sign: str) -> None:
    spread = sign.join(char for char in number if char.isdigit())

    assert check(f"my phone is {spread} ok")


PIECES = [
    "a",
    "1",
    "1-",
    "@",
    ".",
    " ",
    "www ",
    "dot ",
    "at ",
    "one ",
    "微",
    "一",
    "①",
    "whatsapp ",
    "(",
    "+",
    "add me ",
    "then ",
    "1,1",
    "2024-",
    "://",
    "\u200b",
    "a_",
    "x",
    "\n",
    "号",
    "example.com",
    "#",
    "de12 ",
]


@settings(max_examples=150, deadline=None)
@given(unit=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join))
def test_no_repetition_makes_it_wait(unit: str) -> None:
    """A catastrophic pattern would not come back at all; `tests.bench.contact_guard` measures the time."""
    check((unit * 4000)[:4000])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=4), st.booleans())
def test_places_lie_in_the_text_whatever_it_is(text: str, previous: list[str], is_filename: bool) -> None:  # noqa: FBT001 - drawn
    findings = check(text, context=Context(previous=tuple(previous), is_filename=is_filename))

    assert all(0 <= finding.start < finding.end <= len(text) for finding in findings)
    assert [f.start for f in findings] == sorted(f.start for f in findings)
