"""Numbers that the carriers and their standards publish as examples."""

import pytest
from pydantic import ValidationError

from services.orders.domain.tracking import describe
from shared.api.orders import NewTracking


def warned(carrier: str, number: str) -> bool:
    tracking = describe(NewTracking.model_validate({"carrier": carrier, "number": number}))
    return tracking.warning is not None


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("ups", "1Z5R89390357567127"),
        ("ups", "1Z 999 AA1 01 2345 6784"),
        ("ups", "1z879e930346834440"),
        ("ups", "1ZXX3150YW44070023"),
        ("fedex", "986578788855"),
        ("fedex", "4771 8158 1061"),
        ("fedex", "041441760228964"),
        ("dhl", "3318810025"),
        ("usps", "9400 1112 0108 0805 4830 16"),
        ("usps", "420 22153 9101026837331000039521"),
        ("usps", "RB123456785GB"),
        ("ems", "RB123456785GB"),
        ("ems", "EE 473 124 829 US"),
        ("sf-express", "SF1234567890123"),
        ("sf-express", "123456789012"),
        ("maersk", "MSKU6011672"),
        ("maersk", "CSQU3054383"),
        ("maersk", "MAEU123456789"),
    ],
)
def test_a_published_number_looks_right(carrier: str, number: str) -> None:
    assert not warned(carrier, number)


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("ups", "1Z5R89390357567128"),
        ("ups", "1Z999AA10123456785"),
        ("fedex", "986578788856"),
        ("fedex", "041441760228965"),
        ("dhl", "3318810026"),
        ("usps", "9400111201080805483017"),
        ("ems", "RB123456784GB"),
        ("ems", "RB12345678GB"),
        ("sf-express", "SF12"),
        ("maersk", "CSQU3054384"),
    ],
)
def test_a_wrong_check_digit_is_warned_of_and_kept(carrier: str, number: str) -> None:
    tracking = describe(NewTracking.model_validate({"carrier": carrier, "number": number}))

    assert tracking.warning
    assert tracking.number == number
    assert tracking.url


def test_each_single_wrong_digit_is_noticed() -> None:
    number = "1Z999AA10123456784"
    for place in (place for place, char in enumerate(number) if char.isdigit() and place > 1):
        for digit in set("0123456789") - {number[place]}:
            wrong = number[:place] + digit + number[place + 1 :]
            # UPS doubles every second digit without a carry: five apart is the same to it.
            same_to_ups = place in range(3, 17, 2) and abs(int(digit) - int(number[place])) == 5
            assert warned("ups", wrong) is not same_to_ups, wrong


@pytest.mark.parametrize(
    ("carrier", "host"),
    [
        ("dhl", "www.dhl.com"),
        ("fedex", "www.fedex.com"),
        ("ups", "www.ups.com"),
        ("sf-express", "www.sf-express.com"),
        ("ems", "www.ems.post"),
        ("usps", "tools.usps.com"),
        ("maersk", "www.maersk.com"),
    ],
)
def test_the_public_page_is_the_carriers_own(carrier: str, host: str) -> None:
    tracking = describe(NewTracking.model_validate({"carrier": carrier, "number": "RB 123456785/GB"}))

    assert tracking.url
    assert tracking.url.startswith(f"https://{host}/")
    assert tracking.url.endswith("RB123456785%2FGB")


def test_another_carrier_has_no_page_and_no_warning() -> None:
    tracking = describe(NewTracking(carrier="other", number="SHIP-0042"))

    assert (tracking.url, tracking.warning) == (None, None)


@pytest.mark.parametrize(
    "number", ["", " ", "x" * 65, "mail me@example.com", "https://example.com", "no\x00"]
)
def test_what_cannot_be_a_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        NewTracking(carrier="other", number=number)
