"""Money: Decimal in the code, Decimal128 in Mongo, a decimal string in JSON, never a float."""

import re
from decimal import Context, Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

# Minor units by ISO 4217, of those codes that do not have two.
_DECIMALS: Final = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
# The active codes of ISO 4217 that a price can be in: no funds, metals or test codes.
CURRENCIES: Final = frozenset(
    (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
        "GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD "
        "KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
        "NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
        "SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UYW UZS VED VES VND VUV WST "
        "XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
    ).split()
)
# No exponents, signs of plenty or digits of other scripts; longer ones cannot be within the limits.
_DECIMAL: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
# With 4 decimals this is what MongoDB's Decimal128 keeps exactly: room for the sum of many totals.
MAX_AMOUNT: Final = Decimal(10) ** 29
_EXACT: Final = Context(prec=34)


def _decimal_from_string(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('must be a decimal string such as "3.20"')
    return value


def _known_currency(value: Any) -> Any:
    if not isinstance(value, str) or value not in CURRENCIES:
        raise ValueError('must be an active ISO 4217 code such as "USD"')
    return value


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal_from_string, json_schema_input_type=str),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str),
    Field(
        allow_inf_nan=False,
        examples=["3.20"],
        json_schema_extra={"format": "decimal", "pattern": f"^{_DECIMAL.pattern}$"},
    ),
]


class Money(BaseModel):
    """An amount in one currency, with just that currency's decimals (`3.2` USD reads as `3.20`)."""

    model_config = ConfigDict(frozen=True)

    amount: Amount
    currency: Annotated[str, BeforeValidator(_known_currency), Field(examples=["USD"])]

    @model_validator(mode="after")
    def _has_the_decimals_of_its_currency(self) -> "Money":
        decimals = decimals_of(self.currency)
        if not abs(self.amount) <= MAX_AMOUNT:
            raise ValueError(f"amount must be at most {MAX_AMOUNT:f}")
        rounded = self.amount.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)
        if rounded != self.amount:
            raise ValueError(f"{self.currency} has {decimals} decimals")
        object.__setattr__(self, "amount", rounded)
        return self

    def times(self, quantity: int) -> "Money":
        """Multiply exactly, where Python's usual 28 digits can be too few."""
        return Money(amount=_EXACT.multiply(self.amount, Decimal(quantity)), currency=self.currency)


def decimals_of(currency: str) -> int:
    """Tell how many decimals a currency has by ISO 4217."""
    return _DECIMALS.get(currency, 2)
