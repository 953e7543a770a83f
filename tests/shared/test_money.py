"""Money is exact, and reads only what is a decimal string of its currency."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.money import CURRENCIES, MAX_AMOUNT, Money, decimals_of


@given(currency=st.sampled_from(sorted(CURRENCIES)), units=st.integers(-(10**24), 10**24))
def test_an_amount_survives_json_and_the_database(currency: str, units: int) -> None:
    amount = Decimal(units).scaleb(-decimals_of(currency))
    money = Money(amount=amount, currency=currency)

    assert Money.model_validate_json(money.model_dump_json()) == money
    assert Decimal128(money.amount).to_decimal() == amount
    assert -money.amount.as_tuple().exponent == decimals_of(currency)  # type: ignore[operator]


@given(units=st.integers(1, 10**19), quantity=st.integers(1, 10**9))
def test_a_product_is_exact_where_28_digits_are_too_few(units: int, quantity: int) -> None:
    price = Money(amount=Decimal(units).scaleb(-4), currency="CLF")

    assert Fraction(price.times(quantity).amount) == Fraction(units * quantity, 10**4)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [("3.2", "USD", "3.20"), ("3", "USD", "3.00"), ("3.0", "JPY", "3"), ("0.001", "KWD", "0.001")],
)
def test_an_amount_is_written_with_its_currencys_decimals(amount: str, currency: str, written: str) -> None:
    money = Money.model_validate({"amount": amount, "currency": currency})

    assert money.model_dump(mode="json") == {"amount": written, "currency": currency}


@pytest.mark.parametrize(
    "amount",
    [
        *"+1 1. .5 1,5 1_0 1e3 1E-2 NaN sNaN Infinity -Infinity 0x1 १ 0.001".split(),
        "",
        " 1",
        "1 ",
        "\x00",
        "1" * 31,
        "1" * 5000,
        3.2,
        3,
        True,
        None,
        ["1"],
        {"a": 1},
    ],
)
def test_what_is_no_amount_of_dollars_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "USD"})


@pytest.mark.parametrize("currency", ["", "usd", "US", "XXX", "XAU", "DEM", None, 840, ["USD"], {}])
def test_what_is_no_currency_is_refused(currency: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": "1", "currency": currency})


def test_an_amount_past_the_limit_is_refused() -> None:
    Money(amount=MAX_AMOUNT, currency="USD")
    with pytest.raises(ValidationError):
        Money(amount=MAX_AMOUNT * 2, currency="USD")
