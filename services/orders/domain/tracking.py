"""Tracking numbers: each carrier's form and check digit, and its public page.

A number that does not fit is kept and warned of, never refused: carriers add forms without notice.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from shared.api.orders import Carrier, NewTracking, Tracking


@dataclass(frozen=True, kw_only=True)
class _Carrier:
    name: str
    page: str
    looks_right: Callable[[str], bool]


def describe(given: NewTracking) -> Tracking:
    """Add the carrier's public page, and a warning where the number does not look like the carrier's."""
    number = re.sub(r"[\s-]", "", given.number).upper()
    if given.carrier == "other":
        return Tracking(carrier="other", number=given.number, url=None)
    carrier = _CARRIERS[given.carrier]
    return Tracking(
        carrier=given.carrier,
        number=given.number,
        url=carrier.page.format(quote(number, safe="")),
        warning=None
        if carrier.looks_right(number)
        else f"this does not look like a number of {carrier.name}",
    )


def _dhl(number: str) -> bool:
    # Express waybills: nine digits and their remainder by 7. Parcel and eCommerce numbers have no public check digit.
    if re.fullmatch(r"\d{10}", number):
        return int(number[:9]) % 7 == int(number[9])
    return bool(re.fullmatch(r"JD\d{16,18}|JJD\d{14,20}|GM\d{16,18}|\d{12}|\d{14}|\d{20}", number)) or _s10(
        number
    )


def _fedex(number: str) -> bool:
    if re.fullmatch(r"\d{12}", number):
        total = sum(int(digit) * weight for digit, weight in zip(number[:11], (3, 1, 7) * 4, strict=False))
        return total % 11 % 10 == int(number[11])
    if re.fullmatch(r"\d{15}", number):
        return _gs1(number)
    return bool(re.fullmatch(r"96\d{20}|\d{20}", number))


def _ups(number: str) -> bool:
    if not re.fullmatch(r"1Z[0-9A-Z]{15}\d", number):
        return bool(re.fullmatch(r"T\d{10}|\d{9}|\d{12}", number))
    # Letters count as their place in the alphabet plus one, modulo ten; every second character twice.
    values = [int(char) if char.isdigit() else (ord(char) - 63) % 10 for char in number[2:17]]
    total = sum(value * (2 if place % 2 else 1) for place, value in enumerate(values))
    return -total % 10 == int(number[17])


def _usps(number: str) -> bool:
    if re.fullmatch(r"(420\d{5}(\d{4})?)?9[1-5]\d{20}", number):
        return _gs1(number[-22:])
    return (bool(re.fullmatch(r"\d{20}", number)) and _gs1(number)) or _s10(number)


def _sf_express(number: str) -> bool:
    return bool(re.fullmatch(r"SF\d{12,13}|\d{12}", number))


def _s10(number: str) -> bool:
    """Check a number of the Universal Postal Union's standard S10."""
    if not re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", number):
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True)
    )
    check = 11 - total % 11
    return {10: 0, 11: 5}.get(check, check) == int(number[10])


def _maersk(number: str) -> bool:
    """Accept a container by ISO 6346, or the carrier's bill of lading."""
    if not re.fullmatch(r"[A-Z]{3}[UJZ]\d{7}", number):
        return bool(re.fullmatch(r"(MAEU|MSKU|MAEI)?[A-Z0-9]{9,10}", number))
    # Places weigh as powers of two.
    values = [_ISO_6346.index(char) for char in number]
    return sum(value << place for place, value in enumerate(values[:10])) % 11 % 10 == int(number[10])


# Digits stand for themselves; letters count on from 10, and the multiples of 11 are left out.
_ISO_6346: Final = "0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ"


def _gs1(number: str) -> bool:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    return total % 10 == 0


_CARRIERS: Final[dict[Carrier, _Carrier]] = {
    "dhl": _Carrier(
        name="DHL", page="https://www.dhl.com/global-en/home/tracking.html?tracking-id={}", looks_right=_dhl
    ),
    "fedex": _Carrier(name="FedEx", page="https://www.fedex.com/fedextrack/?trknbr={}", looks_right=_fedex),
    "ups": _Carrier(name="UPS", page="https://www.ups.com/track?tracknum={}", looks_right=_ups),
    "sf-express": _Carrier(
        name="SF Express",
        page="https://www.sf-express.com/chn/en/waybill/waybill-detail/{}",
        looks_right=_sf_express,
    ),
    "ems": _Carrier(
        name="EMS", page="https://www.ems.post/en/global-network/tracking?number={}", looks_right=_s10
    ),
    "usps": _Carrier(
        name="USPS", page="https://tools.usps.com/go/TrackConfirmAction?tLabels={}", looks_right=_usps
    ),
    "maersk": _Carrier(name="Maersk", page="https://www.maersk.com/tracking/{}", looks_right=_maersk),
}
