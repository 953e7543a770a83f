# ruff: noqa: PLR0911, PLR2004, SIM102 - one decision a line, in the order in which they count; the numbers are lengths of phone numbers
"""What shape a run of digits has: how sure the digits and their groups alone make a phone number."""

import re

import phonenumbers

from shared.contact_guard import trade
from shared.contact_guard.numerals import Group, Run

SHORTEST, LONGEST = 7, 15
SURE, FORMATTED, POSSIBLE = 3, 2, 1

_CHINESE_MOBILE = re.compile(r"(?:0?0?86)?1[3-9]\d{9}")
_NANP = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}")
# Mobile numbers that are told by their first digits, even without separators.
_MOBILE = re.compile(
    r"07[1-9]\d{8}|0[67]\d{8}|0[789]0\d{8}|01[016789]\d{7,8}|05\d{9}|04\d{8}|05\d{8}|0[35789]\d{8}|08\d{8,10}|01[567]\d{8,9}|09\d{8,9}"
)
_COUNTRY = re.compile(
    r"(?:1[2-9]\d{9}|7[3-9]\d{9}|20\d{9,10}|27\d{9}|3[0-469]\d{9,10}|4[0134678]\d{9,10}|49\d{10,11}|5[1-8]\d{9,11}|6[0-6]\d{8,10}|8[124]\d{8,10}|861\d{10}|9[0-58]\d{9,10}|9[67]\d{9,10}|852\d{8}|886\d{8,9}|88\d{10}|3[5-8]\d\d{8,9}|42\d{10})"
)
_SHAPES = (
    re.compile(r"1 [2-9]\d\d [2-9]\d\d \d{4}|[2-9]\d\d [2-9]\d\d \d{4}"),
    re.compile(r"[78] [3489]\d\d \d{3} \d\d \d\d|[78] [3489]\d\d \d{3} \d{4}|8 [3489]\d\d \d{7}"),
    re.compile(r"[1-9]\d 9\d{4} \d{4}"),
    re.compile(r"[48]00 \d{3} ?\d{4}|800 \d{3} \d{3}"),
    re.compile(r"0[67](?: \d\d){4}|0[1-9](?: \d\d){4}"),
    re.compile(r"0\d{1,4}(?: \d{2,5})* \d{3,8}"),
    re.compile(r"0\d{2,3} \d{3} \d\d \d\d|0 5\d\d \d{3} (?:\d{4}|\d\d \d\d)"),
    re.compile(r"00[1-9]\d{0,2}(?: \d{2,12})+"),
)


def shape_of(run: Run) -> int:
    """Say how sure the digits and their groups alone are: `SURE`, `FORMATTED`, `POSSIBLE` or 0."""
    digits = run.digits
    if not SHORTEST <= len(digits) <= LONGEST:
        return 0
    if abroad := _from_abroad(run):
        return abroad
    if _CHINESE_MOBILE.fullmatch(digits):
        return SURE
    grouped = " ".join(group.digits for group in run.groups)
    if run.area and (_NANP.fullmatch(digits) or digits.startswith("0")) and len(digits) >= 9:
        return FORMATTED
    if (
        len(run.groups) > 1
        and 9 <= len(digits) <= 13
        and not run.spread
        and not all(map(is_round, run.groups))
    ):
        if any(shape.fullmatch(grouped) for shape in _SHAPES):
            return FORMATTED
    if _MOBILE.fullmatch(digits):
        return FORMATTED if not trade.known(digits) and run.groups[0].digits != "0" else POSSIBLE
    if (
        _NANP.fullmatch(digits)
        or (digits.startswith("0") and 9 <= len(digits) <= 12)
        or _COUNTRY.fullmatch(digits)
    ):
        pairs = all(len(group.digits) == 2 for group in run.groups)  # "82 84 81 85 83 84" are readings
        grouped_by_country = (
            len(run.groups) > 1 and len(digits) >= 11 and _COUNTRY.fullmatch(digits) and not pairs
        )
        return FORMATTED if grouped_by_country and _is_country(run.groups[0].digits) else POSSIBLE
    if 8 <= len(digits) <= 11 and digits[0] in "23456789":
        return POSSIBLE
    return 0


def _from_abroad(run: Run) -> int:
    digits = run.digits
    if run.plus and len(digits) >= 8 and _possible("+" + digits):
        return SURE
    if digits.startswith("00") and len(digits) >= 11 and digits[2] != "0" and _possible("+" + digits[2:]):
        return SURE if not trade.known(digits) else FORMATTED
    return 0


def is_round(group: Group) -> bool:
    """Tell whether digits are an amount rather than a part of a number: 500, 1200."""
    return group.digits.endswith("0") and not group.digits.startswith("0")


def _is_country(digits: str) -> bool:
    return int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False
