"""What a cell of an imported table means: figures, days, yes and no. Exact, and never a guess between two readings.

Pure. Which cell is of which column is said by the import; what may be in a column by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from config.kernel import errors

MOST_DIGITS = 30
_POINT = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[, '\u00a0\u202f\u2019]\d{3})+)(?:\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[. '\u00a0\u202f\u2019]\d{3})+)(?:,\d+)?", re.ASCII)
_GROUPS = re.compile(r"[ '\u00a0\u202f\u2019]")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_PARTS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", re.ASCII)
_YES = frozenset({"yes", "y", "true", "1", "x"})
_NO = frozenset({"no", "n", "false", "0", "-"})


class CellKind(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    DAY = "day"
    YES_NO = "yes_no"


class DecimalMark(StrEnum):
    """What stands before the decimals. ``CLEAR`` takes only figures that can be read in one way."""

    CLEAR = "clear"
    POINT = "point"
    COMMA = "comma"


class DayOrder(StrEnum):
    """How days are written that are not as 2026-01-31. ``CLEAR`` takes only those that can be read in one way."""

    CLEAR = "clear"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


@dataclass(frozen=True)
class Layout:
    """How figures and days are written in a file."""

    decimals: DecimalMark = DecimalMark.CLEAR
    days: DayOrder = DayOrder.CLEAR


class BadCell(errors.Invalid):
    """A cell is not what its column wants. The message is a sentence for whoever mends the file."""


def value(*, kind: CellKind, cell: str | Mapping[str, str], layout: Layout, most: int = 255) -> object:
    """Return what a cell means; None for an empty one. ``most`` bounds the characters of text. Raises BadCell."""
    if isinstance(cell, str) and not cell.strip():
        return None
    if kind is CellKind.TEXT:
        return _text(cell, most)
    if kind is CellKind.DAY:
        return _day(cell, layout.days)
    if kind is CellKind.YES_NO:
        return _yes(cell)
    figure = _number(cell, layout.decimals)
    if kind is CellKind.WHOLE:
        if figure != figure.to_integral_value():
            raise _bad(f"{figure} is not a whole number.")
        return int(figure)
    return figure


def _bad(words: str) -> BadCell:
    return BadCell("bad_cell", words)


def _text(cell: str | Mapping[str, str], most: int) -> str:
    text = cell.strip() if isinstance(cell, str) else next(iter(cell.values()))
    if "\x00" in text:
        raise _bad("It has a character that cannot be kept.")
    if len(text) > most:
        raise _bad(f"It is longer than {most} characters.")
    return text


def _number(cell: str | Mapping[str, str], mark: DecimalMark) -> Decimal:
    if not isinstance(cell, str):
        if "number" not in cell:
            raise _bad("It is a day, and should be a figure.")
        return _decimal(cell["number"], cell["number"])
    text = cell.strip().replace("\u2212", "-")
    if mark is DecimalMark.CLEAR:
        mark = _clear(text)
    pattern = _POINT if mark is DecimalMark.POINT else _COMMA
    if not pattern.fullmatch(text):
        raise _bad(f"\u201c{text[:40]}\u201d is not a figure with a decimal {mark}.")
    plain = _GROUPS.sub("", text)
    plain = plain.replace(",", "") if mark is DecimalMark.POINT else plain.replace(".", "").replace(",", ".")
    return _decimal(plain, text)


def _clear(text: str) -> DecimalMark:
    """Tell the mark of a figure that has one reading; 1.234 and 1,234 have two."""
    if "," not in text:
        is_point = True
    elif "." not in text:
        is_point = False
    else:
        is_point = text.rfind(".") > text.rfind(",")
    mark = "." if is_point else ","
    other = "," if is_point else "."
    if other not in text and mark in text and re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+", text):
        if text.count(mark) == 1:
            raise _bad(f"\u201c{text[:40]}\u201d can be read in two ways. Say which decimal mark the file has.")
        return DecimalMark.COMMA if is_point else DecimalMark.POINT
    return DecimalMark.POINT if is_point else DecimalMark.COMMA


def _decimal(plain: str, shown: str) -> Decimal:
    if not re.fullmatch(r"[+-]?[0-9]+(?:\.[0-9]+)?", plain) or len(re.sub(r"\D", "", plain)) > MOST_DIGITS:
        raise _bad(f"\u201c{shown[:40]}\u201d is not a figure, or has too many digits.")
    return Decimal(plain)


def _day(cell: str | Mapping[str, str], order: DayOrder) -> date:
    if not isinstance(cell, str):
        if "day" not in cell:
            raise _bad("It is a figure, and should be a day such as 2026-01-31.")
        return date.fromisoformat(cell["day"])
    text = cell.strip()
    if found := _ISO.fullmatch(text):
        return _made(int(found[1]), int(found[2]), int(found[3]), text)
    found = _PARTS.fullmatch(text)
    if found is None:
        raise _bad(f"\u201c{text[:40]}\u201d is not a day such as 2026-01-31.")
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    if order is DayOrder.CLEAR:
        if first <= 12 and second <= 12 and first != second:
            raise _bad(f"\u201c{text}\u201d can be read in two ways. Say whether day or month comes first.")
        order = DayOrder.DAY_FIRST if first > 12 or first == second else DayOrder.MONTH_FIRST
    day, month = (first, second) if order is DayOrder.DAY_FIRST else (second, first)
    return _made(year, month, day, text)


def _made(year: int, month: int, day: int, text: str) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise _bad(f"There is no day \u201c{text}\u201d.") from None
    if not 1970 <= year <= 2200:
        raise _bad(f"\u201c{text}\u201d is too far away.")
    return found


def _yes(cell: str | Mapping[str, str]) -> bool:
    text = (cell.strip() if isinstance(cell, str) else next(iter(cell.values()))).lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise _bad(f"\u201c{text[:40]}\u201d is neither yes nor no.")
