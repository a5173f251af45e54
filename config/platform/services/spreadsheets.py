"""Tables as files for spreadsheets: CSV and XLSX, written row by row. Owns how a value becomes a cell; knows no report.

Figures are figures: money is a number with its currency's digits, a day is a day. Text that a spreadsheet would take
for a formula is guarded, figures are not touched. Sums below are written as values, so that every reader shows them.
Reading uploaded files is not done here.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import IO

from moneyed import Money
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from config.kernel import errors, money

MAX_ROWS = 1_048_576 - 2
"""Rows of data that a sheet of a workbook has room for, between its header and its sums."""

MAX_DIGITS = 15
"""Spreadsheets keep so many digits of a number; a longer one is written as text, with all of them."""

RATE_PLACES = 8
"""Decimals of a rate, as a fraction: more of them say nothing, and a spreadsheet would keep them as text."""

BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PIECE = 64 * 1024
_ROWS_A_PIECE = 500


class FileFormat(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    XLSX = "xlsx"


CONTENT_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Kind(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DAY = "day"
    INSTANT = "instant"


_WIDTHS = {Kind.TEXT: 28, Kind.NUMBER: 14, Kind.MONEY: 16, Kind.PERCENT: 10, Kind.DAY: 12, Kind.INSTANT: 18}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and what its values are. Those that are ``summed`` have their sum below.

    Values are text, Decimal or int, Money, a rate as a Decimal fraction (rounded to eight decimals, half up), a date or
    an aware datetime (written in UTC);
    None leaves a cell empty whatever the kind, and text stays text.
    """

    label: str
    kind: Kind = Kind.TEXT
    summed: bool = False


class TooManyRows(errors.Invalid):
    """A sheet has no room for so many rows."""


def write(
    *,
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    file_format: FileFormat,
    title: str = "",
    bom: bool = True,
) -> Iterator[bytes]:
    """Return a table as a file, in pieces, while ``rows`` are read one by one.

    A row of sums stands below where a column is summed and there is any row; money in several currencies has none.
    CSV is UTF-8, with a byte order mark unless ``bom`` is off, amounts as plain decimals with a full stop and days as
    ISO 8601. A workbook has one sheet (``title``), a header that stays in view, and filters; it is whole before its
    first piece is given, so TooManyRows is raised at once.
    """
    rows = (_rounded(columns, row) for row in rows)
    if file_format is FileFormat.CSV:
        return _csv(columns, rows, bom=bom)
    return _xlsx(columns, rows, title)


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _rounded(columns: Sequence[Column], row: Sequence[object]) -> list[object]:
    return [
        money.round_half_up(value, RATE_PLACES) if column.kind is Kind.PERCENT and isinstance(value, Decimal) else value
        for column, value in zip(columns, row, strict=True)
    ]


class _Sums:
    """The sums of the columns that have one, as the rows pass by."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._sums: dict[int, object] = {}
        self._mixed: set[int] = set()
        self.rows = 0

    def add(self, row: Sequence[object]) -> None:
        self.rows += 1
        for place, (column, value) in enumerate(zip(self._columns, row, strict=True)):
            if column.summed and isinstance(value, Money | Decimal | int):
                self._add(place, value)

    def _add(self, place: int, value: Money | Decimal | int) -> None:
        known = self._sums.get(place)
        if known is None:
            self._sums[place] = value
        elif isinstance(known, Money) != isinstance(value, Money) or (
            isinstance(known, Money) and isinstance(value, Money) and known.currency != value.currency
        ):
            self._mixed.add(place)
        else:
            with localcontext(money.DECIMAL_CONTEXT):
                self._sums[place] = known + value  # type: ignore[operator]

    def row(self) -> list[object] | None:
        """The row of sums; none where nothing is summed."""
        if not self.rows or not any(column.summed for column in self._columns):
            return None
        found: list[object] = [None if place in self._mixed else self._sums.get(place) for place in self._places()]
        if not self._columns[0].summed:
            found[0] = "Sum"
        return found

    def _places(self) -> range:
        return range(len(self._columns))


def _csv(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, bom: bool) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    sums = _Sums(columns)
    if bom:
        buffer.write(BOM)
    writer.writerow([guarded(column.label) for column in columns])
    for row in rows:
        sums.add(row)
        writer.writerow([_plain(value) for value in row])
        if sums.rows % _ROWS_A_PIECE == 0:
            yield _taken(buffer)
    if (last := sums.row()) is not None:
        writer.writerow([_plain(value) for value in last])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Money):
        return format(money.quantize(value.amount, currency=value.currency.code), "f")
    if isinstance(value, Decimal):
        return _short(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int) else guarded(str(value))


def _short(value: Decimal) -> str:
    """A number without an exponent and without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _xlsx(columns: Sequence[Column], rows: Iterable[Sequence[object]], title: str) -> Iterator[bytes]:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(title))
    for place, column in enumerate(columns, start=1):
        width = max(_WIDTHS[column.kind], min(len(column.label) + 4, 40))
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.append([_heading(sheet, column) for column in columns])
    sums = _Sums(columns)
    for row in rows:
        sums.add(row)
        if sums.rows > MAX_ROWS:
            sheet.close()
            raise TooManyRows("too_many_rows", "A workbook has no room for so many rows. Take the CSV file.")
        sheet.append([_cell(sheet, column, value) for column, value in zip(columns, row, strict=True)])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{sums.rows + 1}"
    if (last := sums.row()) is not None:
        cells = [_cell(sheet, column, value) for column, value in zip(columns, last, strict=True)]
        for cell in cells:
            cell.font = Font(bold=True)
        sheet.append(cells)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads its pieces to the end, or drops them
    book.save(file)
    return _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:31] or "Sheet"


def _heading(sheet: WriteOnlyWorksheet, column: Column) -> WriteOnlyCell:
    cell = _text(sheet, column.label)
    cell.font = Font(bold=True)
    if column.kind not in {Kind.TEXT, Kind.DAY, Kind.INSTANT}:
        cell.alignment = Alignment(horizontal="right")
    return cell


def _cell(sheet: WriteOnlyWorksheet, column: Column, value: object) -> WriteOnlyCell:
    if value is None:
        return WriteOnlyCell(sheet)
    if isinstance(value, Money):
        code = value.currency.code
        places = money.exponent(code)
        digits = "0" if places == 0 else f"0.{'0' * places}"
        return _number(sheet, money.quantize(value.amount, currency=code), rf"#,##{digits}\ [${code}]")
    if isinstance(value, Decimal | int):
        whole = value == int(value)
        return _number(sheet, value, "0.0%" if column.kind is Kind.PERCENT else "#,##0" if whole else "#,##0.########")
    if isinstance(value, datetime):
        return _formatted(sheet, value.astimezone(UTC).replace(tzinfo=None), "yyyy-mm-dd hh:mm:ss")
    if isinstance(value, date):
        return _formatted(sheet, value, "yyyy-mm-dd")
    return _text(sheet, str(value))


def _number(sheet: WriteOnlyWorksheet, value: Decimal | int, number_format: str) -> WriteOnlyCell:
    digits = re.sub(r"\D", "", format(value, "f") if isinstance(value, Decimal) else str(value)).strip("0")
    if len(digits) > MAX_DIGITS:
        cell = _text(sheet, _plain(value))
        cell.alignment = Alignment(horizontal="right")
        return cell
    return _formatted(sheet, value, number_format)


def _formatted(sheet: WriteOnlyWorksheet, value: object, number_format: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell


def _text(sheet: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    """A cell that is text whatever it looks like: typed as text, and kept as text when somebody edits it."""
    cell = WriteOnlyCell(sheet, _CONTROL.sub("", text))
    cell.data_type = "s"
    if text.startswith(_FORMULA):
        cell.quotePrefix = True
    return cell
