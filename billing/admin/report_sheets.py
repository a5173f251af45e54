"""Tables of reports as values that are shown on a page and written to a file alike. Owns how a cell of a report looks.

The sum below a table and the sum below the file are the same, over all rows, also where the page shows only the first
ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum

from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from moneyed import Money

from config.kernel import money
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import NUMBER, TEXT, Row, Table
from config.platform.services import spreadsheets

SHOWN = 200
"""Rows on a page; all of them are in the file."""

_HEAT = 10


class Kind(StrEnum):
    """What the values of a column are: those of spreadsheets, and months, which are days there."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Column:
    """A column: its heading, what its values are, and what the figure means. Those that are summed have a sum below."""

    label: str
    kind: Kind = Kind.TEXT
    about: str = ""
    summed: bool = False


@dataclass(frozen=True)
class Cell:
    """A value that leads somewhere (``url``), has something smaller below it on the page, or a colour by its size.

    ``heat`` is from 0 to 1.
    """

    value: object
    url: str = ""
    sub: str = ""
    heat: Decimal | None = None


@dataclass(frozen=True)
class Sheet:
    """A table. ``name`` is that of its file; ``note`` says what the rows are, ``empty`` what to do without any."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    note: str = ""
    empty: str = "Nothing here in these months."


def table(sheet: Sheet, *, action: object = "") -> Table:
    """Return the sheet as a block of a page: its first rows, and the sums of all."""
    shown = [Row(_shown(sheet.columns, row)) for row in sheet.rows[:SHOWN]]
    if len(sheet.rows) > 1 and any(column.summed for column in sheet.columns):
        shown.append(Row(_shown(sheet.columns, _sums(sheet)), is_total=True))
    note = sheet.note
    if len(sheet.rows) > SHOWN:
        count = cells.number_text(len(sheet.rows))
        note = f"{note} The first {SHOWN} of {count}, with the sum of all; the files have every row.".strip()
    return Table(
        sheet.title,
        tuple(_heading(column) for column in sheet.columns),
        tuple(shown),
        empty=sheet.empty,
        note=note,
        action=action if sheet.rows else "",
    )


def file(sheet: Sheet, *, file_format: spreadsheets.FileFormat) -> Iterable[bytes]:
    """Return the sheet as a file, in pieces. Raises TooManyRows."""
    columns = [spreadsheets.Column(column.label, _KINDS[column.kind], summed=column.summed) for column in sheet.columns]
    rows = ([_plain(value) for value in row] for row in sheet.rows)
    return spreadsheets.write(columns=columns, rows=rows, file_format=file_format, title=sheet.title)


def figure_text(value: object) -> str:
    """Return an amount, a rate or a number as the text of a figure; a dash for nothing."""
    if isinstance(value, Money):
        return cells.money_text(value)
    if isinstance(value, Decimal):
        return percent_text(value)
    return cells.number_text(value) if isinstance(value, int) else "–"


def percent_text(rate: Decimal | None, places: int = 1) -> str:
    """Return a rate as percent with one decimal; a dash for none."""
    return "–" if rate is None else cells.percent_text(money.round_half_up(rate, places + 2))


def month_text(month: date) -> str:
    """Return a month as people write it: "May 2026"."""
    return str(formats.date_format(month, "M Y"))


def labels(months: Sequence[date]) -> tuple[str, ...]:
    """Return months as the labels of a chart."""
    return tuple(str(formats.date_format(month, "M y")) for month in months)


_KINDS = {
    Kind.TEXT: spreadsheets.Kind.TEXT,
    Kind.NUMBER: spreadsheets.Kind.NUMBER,
    Kind.MONEY: spreadsheets.Kind.MONEY,
    Kind.PERCENT: spreadsheets.Kind.PERCENT,
    Kind.DAY: spreadsheets.Kind.DAY,
    Kind.MONTH: spreadsheets.Kind.DAY,
}


def _heading(column: Column) -> blocks.Column:
    kind = TEXT if column.kind in {Kind.TEXT, Kind.DAY, Kind.MONTH} else NUMBER
    label: str = cells.hinted(column.label, column.about) if column.about else column.label
    return blocks.Column(label, kind)


def _shown(columns: Sequence[Column], row: Sequence[object]) -> tuple[object, ...]:
    return tuple(_cell(column, value) for column, value in zip(columns, row, strict=True))


def _cell(column: Column, value: object) -> object:
    cell = value if isinstance(value, Cell) else Cell(value)
    found = _value(column, cell.value)
    if cell.heat is not None:
        level = int(money.round_half_up(min(max(cell.heat, Decimal(0)), Decimal(1)) * _HEAT, 0))
        found = format_html('<span class="q-heat q-heat-{}">{}</span>', level, found)
    if cell.url:
        look = "q-link" if column.kind is Kind.TEXT else "q-behind"
        found = format_html('<a class="{}" href="{}">{}</a>', look, cell.url, found)
    return cells.stack(found, cell.sub) if cell.sub else found


def _value(column: Column, value: object) -> SafeString | str:
    if value is None:
        return "" if column.kind is Kind.PERCENT else cells.EMPTY
    if isinstance(value, Money):
        return cells.money(value)
    if isinstance(value, Decimal) and column.kind is Kind.PERCENT:
        return format_html('<span class="q-num">{}</span>', percent_text(value))
    if isinstance(value, Decimal | int):
        return cells.number(value)
    if isinstance(value, date):
        return cells.nowrap(month_text(value)) if column.kind is Kind.MONTH else cells.day(value)
    return str(value)


def _sums(sheet: Sheet) -> tuple[object, ...]:
    found: list[object] = []
    for place, column in enumerate(sheet.columns):
        values = [_plain(row[place]) for row in sheet.rows] if column.summed else []
        found.append(_sum([value for value in values if isinstance(value, Money | Decimal | int)]))
    found[0] = "Sum" if not sheet.columns[0].summed else found[0]
    return tuple("" if value is None else value for value in found)


def _sum(values: Sequence[Money | Decimal | int]) -> Money | Decimal | int | None:
    if not values:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        if isinstance(values[0], Money):
            amounts = [value.amount for value in values if isinstance(value, Money)]
            return Money(sum(amounts, Decimal(0)), values[0].currency)
        return sum(value for value in values if not isinstance(value, Money))


def _plain(value: object) -> object:
    return value.value if isinstance(value, Cell) else value
