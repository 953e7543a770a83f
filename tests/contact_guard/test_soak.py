"""The long forms of the properties: every country, and a fuzzer that looks for slow texts."""

import random
import statistics

import phonenumbers
import pytest

from shared.contact_guard import check
from tests.bench.contact_guard import LENGTH, PIECES, WORST_BAR, messages, seconds
from tests.contact_guard.test_numbers import FORMATS, STYLES

pytestmark = pytest.mark.soak

KINDS = [
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
]
FRAMES = ["call me {}", "Tel: {}", "我的电话 {}"]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_numbers_of_every_country_are_found_in_every_format_and_digit_style(region: str) -> None:
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
    numbers = {
        phonenumbers.format_number(example, form) for example in examples if example for form in FORMATS
    }
    texts = [
        frame.format(number.translate(style))
        for number in numbers
        if sum(char.isdigit() for char in number) >= 7
        for frame in FRAMES
        for style in STYLES.values()
    ]

    assert [text for text in texts if not check(text)] == []


def test_no_text_takes_far_longer_than_a_usual_one() -> None:
    chance = random.Random()  # noqa: S311 - others each time
    talk = messages()
    usual = statistics.median(seconds(" ".join(chance.choices(talk, k=80))[:LENGTH], 3) for _ in range(15))

    slow = []
    for _ in range(3000):
        unit = "".join(chance.choices([*PIECES, *talk], k=chance.randint(1, 5)))
        text = (unit * LENGTH)[:LENGTH]
        if seconds(text) > WORST_BAR * usual and seconds(text, 3) > WORST_BAR * usual:
            slow.append(unit)

    assert slow == []
