"""Money arithmetic. Owns the only rounding of the product, minor units and splitting; knows no price, tax or document.

Everything else computes with `Decimal` at full precision and comes here once per line and once per tax group.
Rounding is half up, away from zero, to the exponent that ISO 4217 gives the currency.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

from moneyed import Money

from config.kernel import errors

# Enough for any product of a quantity and a unit price; used through `decimal.localcontext(DECIMAL_CONTEXT)`.
DECIMAL_CONTEXT = decimal.Context(
    prec=60,
    rounding=ROUND_HALF_UP,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)

# The currencies of ISO 4217 that somebody can invoice in (no metals, funds or test codes) by their number of decimals.
# Spelled out because libraries disagree about the decimals and keep currencies that are long gone.
_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
        "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP "
        "MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD "
        "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS "
        "VED VES WST XCD YER ZAR ZMW"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF",
}
_EXPONENTS = {code: places for places, codes in _CURRENCIES.items() for code in codes.split()}


class ValueOutOfRange(errors.Invalid):
    """A figure has more digits than money can have."""


def known(currency: str) -> bool:
    """Say whether this is the code of a currency that can be invoiced in."""
    return currency in _EXPONENTS


def exponent(currency: str) -> int:
    """Return the number of decimals of the currency: JPY 0, EUR 2, BHD 3. Raises Invalid for an unknown code."""
    if not known(currency):
        raise errors.Invalid("invalid_currency", f"{currency} is not a currency.", {"currency": ["invalid_currency"]})
    return _EXPONENTS[currency]


def currencies() -> tuple[str, ...]:
    """Return the codes of all currencies that can be invoiced in, in the order of the alphabet."""
    return tuple(sorted(_EXPONENTS))


def round_half_up(value: Decimal, places: int) -> Decimal:
    """Round to `places` decimals, ties away from zero. Negative places round to tens, hundreds and so on."""
    return _to_places(value, places, ROUND_HALF_UP)


def ceil_to(value: Decimal, places: int) -> Decimal:
    """Round up, towards plus infinity, to `places` decimals (negative places: tens, hundreds, ...)."""
    return _to_places(value, places, ROUND_CEILING)


def floor_to(value: Decimal, places: int) -> Decimal:
    """Round down, towards minus infinity, to `places` decimals (negative places: tens, hundreds, ...)."""
    return _to_places(value, places, ROUND_FLOOR)


def quantize(amount: Decimal, *, currency: str) -> Decimal:
    """Round an amount in major units to the currency's exponent, half up. This is the rounding of a line."""
    return _to_places(amount, exponent(currency), ROUND_HALF_UP)


def rounded(money: Money) -> Money:
    """Round to the currency's exponent, half up."""
    code = money.currency.code
    return Money(quantize(money.amount, currency=code), code)


def zero(currency: str) -> Money:
    """Return nothing, in this currency. Raises Invalid for an unknown code."""
    return from_minor(0, currency)


def to_minor(money: Money) -> int:
    """Return integer minor units (cents). Raises Invalid when the amount is finer than the currency's exponent."""
    code = money.currency.code
    with decimal.localcontext(DECIMAL_CONTEXT):
        minor = money.amount.scaleb(exponent(code))
        if minor != minor.to_integral_value():
            raise errors.Invalid("unrounded_amount", f"{money.amount} {code} is finer than the currency.")
        return int(minor)


def from_minor(minor: int, currency: str) -> Money:
    """Return the money of integer minor units (cents). Raises Invalid for an unknown code."""
    with decimal.localcontext(DECIMAL_CONTEXT):
        return Money(Decimal(minor).scaleb(-exponent(currency)), currency)


def allocate(total: Money, weights: Sequence[Decimal]) -> list[Money]:
    """Split a rounded total by weights, by largest remainder; the parts sum to the whole exactly.

    Ties go to the earlier weight, and `allocate(-total)` is the mirror of `allocate(total)`. A weight of zero gets
    nothing; weights may be negative as long as they do not cancel out. A total of zero splits into zeros. Raises
    Invalid when the total is unrounded or when there is something to split and the weights sum to zero.
    """
    code = total.currency.code
    minor = to_minor(total)
    if minor == 0:
        return [zero(code) for _ in weights]
    shares = [Fraction(weight) for weight in weights]
    whole = sum(shares, Fraction(0))
    if whole == 0:
        raise errors.Invalid("unallocatable", f"{total.amount} {code} cannot be split by weights that sum to zero.")
    sign = -1 if minor < 0 else 1
    exact = [abs(minor) * share / whole for share in shares]
    parts = [share.numerator // share.denominator for share in exact]
    left = abs(minor) - sum(parts)
    by_remainder = sorted(range(len(exact)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[:left]:
        parts[index] += 1
    return [from_minor(sign * part, code) for part in parts]


def _to_places(value: Decimal, places: int, mode: str) -> Decimal:
    with decimal.localcontext(DECIMAL_CONTEXT):
        try:
            result = value.quantize(Decimal(1).scaleb(-places), rounding=mode)
            # A negative number of places leaves a positive exponent ("1.2E+3"); plain digits print and store better.
            return result.quantize(Decimal(1)) if places < 0 else result
        except decimal.InvalidOperation as error:
            raise ValueOutOfRange("value_out_of_range", f"{value} is out of range.") from error
