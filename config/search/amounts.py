"""Reading an amount as people write it: "1,234.50", "1234,50 EUR", "€1.234,50". Pure: knows no table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from moneyed import CURRENCIES

LONGEST = 40
_MOST_DIGITS = 15
_MOST_DECIMALS = 4

SYMBOLS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₺": "TRY", "₴": "UAH", "₪": "ILS", "$": "", "¥": ""}
"""What a sign says of the currency; that of several currencies says nothing."""

_CODE = re.compile(r"^(?:([A-Za-z]{3})\s*)?(.*?)(?:\s*([A-Za-z]{3}))?$", re.DOTALL)
_FIGURES = re.compile(r"[0-9]+(?:[., '’\u00a0\u202f][0-9]+)*")
_BLANKS = re.compile(r"[ '’\u00a0\u202f]")
_GROUPS = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+")


@dataclass(frozen=True)
class Amount:
    """What was read: one value, or two where a separator may be of thousands or of decimals. ``currency`` may be
    unknown.
    """

    values: tuple[Decimal, ...]
    currency: str | None = None


def read(text: str) -> Amount | None:
    """Return the amount that a text is, None where it is something else. In major units."""
    given = text.strip()
    if not given or len(given) > LONGEST:
        return None
    currency: str | None = None
    for symbol, code in SYMBOLS.items():
        if symbol in given:
            given, currency = given.replace(symbol, "", 1).strip(), code or currency
            break
    matched = _CODE.match(given)
    if matched is None:
        return None
    before, figures, after = matched.groups()
    if before or after:
        if before and after:
            return None
        code = (before or after).upper()
        if code not in CURRENCIES:
            return None
        currency = code
    values = _values(figures.strip())
    return Amount(values, currency) if values else None


def _values(figures: str) -> tuple[Decimal, ...]:
    if not _FIGURES.fullmatch(figures) or sum(one.isdigit() for one in figures) > _MOST_DIGITS:
        return ()
    if _BLANKS.search(figures):
        whole, mark, decimals = _split(figures)
        parts = _BLANKS.split(whole)
        if not (1 <= len(parts[0]) <= 3) or any(len(part) != 3 or not part.isdigit() for part in parts[1:]):
            return ()
        return _decimal("".join(parts), decimals) if mark else _decimal("".join(parts), "")
    marks = re.sub(r"[0-9]", "", figures)
    if not marks:
        return _decimal(figures, "")
    if len(set(marks)) == 2:  # the last one is of the decimals, the others are of thousands
        whole, _, decimals = figures.rpartition(marks[-1])
        is_grouped = marks.count(marks[-1]) == 1 and _GROUPS.fullmatch(whole)
        return _decimal(re.sub(r"[.,]", "", whole), decimals) if is_grouped else ()
    grouped = _decimal(re.sub(r"[.,]", "", figures), "") if _GROUPS.fullmatch(figures) else ()
    if len(marks) > 1:
        return grouped
    whole, _, decimals = figures.rpartition(marks)
    return (*grouped, *_decimal(whole, decimals))


def _split(figures: str) -> tuple[str, str, str]:
    """A number grouped by blanks, and its decimals after a point or a comma."""
    for mark in ".,":
        if mark in figures:
            return figures.rpartition(mark)
    return figures, "", ""


def _decimal(whole: str, decimals: str) -> tuple[Decimal, ...]:
    if not whole.isdigit() or (decimals and not decimals.isdigit()) or len(decimals) > _MOST_DECIMALS:
        return ()
    return (Decimal(f"{whole}.{decimals or '0'}"),)
