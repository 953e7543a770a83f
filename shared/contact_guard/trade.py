"""Numbers of the trade, known by their shape and check digits."""

import re

# Dates, times, amounts and measures: their digits belong to no phone number.
_MEASURES = re.compile(
    r"""
    (?<![\d.])(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)(?:[t ]\d\d?[:.]\d\d(?:[:.]\d\d(?:\.\d+)?)?)?
    | (?<![\d.\-/])(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|1[0-2])\2(?:19|20)\d\d(?![\d])
    | (?<![\d.\-/])(?:0?[1-9]|1[0-2])([-./])(?:0?[1-9]|[12]\d|3[01])\3(?:19|20)\d\d(?![\d])
    | (?<![\d.\-/])(?:0?[1-9]|[12]\d|3[01])([./])(?:0?[1-9]|1[0-2])\4\d\d(?![\d.\-/]\d|\d)
    | (?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[_\- ]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\d{3})?)?)?(?!\d)
    | (?<!\d)(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?!\d)
    | (?<![\d.,])\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,6})?(?!\d)
    | (?<![\d.,])\d{1,3}(?:\.\d{3}){1,5},\d{1,2}(?!\d)
    | (?<![\d.,\-])\d{1,5}\.\d{1,3}(?![\d.\-]|\ ?\d{3,})
    | (?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.])
    | (?<![a-z])[a-z]{2}\ \d{5}-\d{4}(?![\d-])
    | (?<![a-z])cep:?\ ?\d{5}-?\d{3}(?!\d)  # a Brazilian postal code; in Turkish the word is a mobile phone
    | [$€£¥]\ ?\d[\d.,]{0,20}
    | (?<![\d.,])\d[\d.,]{0,20}\ ?(?:[€£¥]|%|°|µm|μm|㎛|㎜)
    | (?<![\d-])(?:\d{4}[ -]){3,4}\d{1,4}(?![\d-])
    | (?<![a-z0-9])[a-z]{2}\d{2}(?:\ ?[a-z0-9]{4}){3,7}(?:\ ?[a-z0-9]{1,3})?(?![a-z0-9])
    | (?<![a-z0-9])1z(?:\s?[a-z0-9]){16}(?![a-z0-9])
    | (?<![a-z0-9])[a-z]{2}\ ?\d{3}\ ?\d{3}\ ?\d{3}\ ?[a-z]{2}(?![a-z0-9])
    | \((?:0[0-2]|1[0-7]|2[012]|3[07]|240|241|400|41\d|8\d{3})\)\d{6,20}(?!\d)
    | (?<!\d)\d{2,7}-\d{2}-\d(?!\d|-)
    """,
    re.VERBOSE,
)
_AROUND = 24
_EAN_LENGTHS = (8, 12, 13, 14)
_FEDEX_LENGTH = 12
_AIR_LENGTH = 11


def measures(norm: str, start: int, end: int) -> list[tuple[int, int]]:
    """Give the places of dates, times, amounts and the like in and around a stretch of a text."""
    found = [match.span() for match in _MEASURES.finditer(norm, max(0, start - _AROUND), end + _AROUND)]
    return [place for place in found if place[0] < end and start < place[1]]


def known(digits: str) -> str | None:
    """Name the kind of trade number that the check digits prove."""
    if len(digits) in _EAN_LENGTHS and gs1_valid(digits):
        return "gs1"
    if len(digits) == _FEDEX_LENGTH and fedex_valid(digits):
        return "fedex"
    if len(digits) == _AIR_LENGTH and int(digits[3:10]) % 7 == int(digits[10]):
        return "air_waybill"
    return None


def gs1_valid(digits: str) -> bool:
    """Check the last digit of an EAN, UPC, GTIN or SSCC."""
    total = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits[:-1]))
    )
    return (10 - total % 10) % 10 == int(digits[-1])


def fedex_valid(digits: str) -> bool:
    """Check the last digit of a twelve-digit FedEx Express number."""
    total = sum(int(digit) * (1, 7, 3)[place % 3] for place, digit in enumerate(reversed(digits[:-1])))
    return total % 11 % 10 == int(digits[-1])
