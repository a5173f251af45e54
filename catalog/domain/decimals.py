"""Decimals as text. Owns how figures from outside are read and how figures are written; no float gets in or out."""

from __future__ import annotations

import re
from decimal import Decimal

# 15 digits on either side of the point: far beyond any price, and far inside the kernel's 60 digits when multiplied.
MAX_INTEGER_DIGITS = 15
MAX_DECIMALS = 15

_PLAIN = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


def read(value: object) -> Decimal | None:
    """Return the decimal of a plain decimal text, an integer or a Decimal; nothing for whatever else.

    Exponents, signs other than a leading minus, blanks, NaN, infinities, floats and booleans are refused, and so is a
    figure with more than 15 digits before the point or 15 after it (zeros at the end do not count).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _bounded(Decimal(value)) if _PLAIN.fullmatch(value) else None
    if isinstance(value, int | Decimal):
        return _bounded(Decimal(value))
    return None


def read_number(value: object) -> Decimal | None:
    """Read as `read` does, and take a JSON number with a fraction too, by the shortest text that means it."""
    return read(repr(value)) if isinstance(value, float) else read(value)


def text(value: Decimal) -> str:
    """Write a decimal in plain digits, with neither exponent nor zeros at the end: 1E+2 is "100", 2.50 is "2.5"."""
    if value == 0:
        return "0"
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _bounded(value: Decimal) -> Decimal | None:
    if not value.is_finite():
        return None
    if value == 0:
        return Decimal(0)
    # `adjusted` is the position of the first digit: it bounds the size before any digit is written out.
    if not -MAX_DECIMALS <= value.adjusted() < MAX_INTEGER_DIGITS:
        return None
    _, _, places = text(value).partition(".")
    return value if len(places) <= MAX_DECIMALS else None
