"""Reading uploaded tables: CSV and XLSX as rows of cells. Owns what a file may be like; knows no column by name.

Nothing is guessed where two readings differ: the encoding and the delimiter are found from the file or have to be
said. What a cell means as a figure or a day is said in `import_cells`. Formulas are refused: their result is whatever a
program last thought it was.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from config.kernel import errors

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 100
MAX_CELL = 5_000
MAX_UNPACKED = 300 * 1024 * 1024
MAX_PARTS = 1_000

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
_GUARD = re.compile(r"'[=+\-@\t\r]")

Cell = str | dict[str, str]
"""Text as it stands there; or of a workbook {"number": "12.5"} and {"day": "2026-01-31"}."""


class UnreadableFile(errors.Invalid):
    """The file is none that can be read, is too large, or can be read in two ways."""


@dataclass(frozen=True)
class Sheet:
    """A table: its headings, and below them the rows with their number in the file; rows without anything are left out.

    ``note`` says how it was read.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    note: str


def read(*, content: bytes, delimiter: str = "", encoding: str = "") -> Sheet:
    """Read a file; a workbook is known by its first bytes, everything else is CSV. Of a workbook the first sheet.

    ``delimiter`` and ``encoding`` are found where they are not given. Raises UnreadableFile.
    """
    if not content.strip():
        raise _unreadable("The file is empty.")
    if len(content) > MAX_BYTES:
        raise _unreadable("The file is larger than 20 MB. Split it.")
    if content.startswith(b"PK\x03\x04"):
        return _sheet(_workbook_rows(content), "Excel workbook")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable("This is a workbook of an old kind (XLS), or one with a password. Save it as XLSX or CSV.")
    text, found = _decoded(content, encoding)
    mark = delimiter or _delimiter(text)
    return _sheet(_csv_rows(text, mark), f"CSV, {found}, {DELIMITERS[mark]} between cells")


def _unreadable(words: str) -> UnreadableFile:
    return UnreadableFile("unreadable_file", words, {"file": ["unreadable_file"]})


def _decoded(content: bytes, encoding: str) -> tuple[str, str]:
    if encoding and encoding not in ENCODINGS:
        raise _unreadable("There is no such encoding.")
    if encoding:
        tried: Sequence[str] = ("utf-8-sig" if encoding == "utf-8" else encoding,)
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tried = ("utf-16",)
    elif content[:200].count(0) * 3 > len(content[:200]):  # every other byte of plain text
        tried = ("utf-16-le" if content[1:2] == b"\x00" else "utf-16-be",)
    else:
        tried = ("utf-8-sig", "cp1252", "latin-1")
    for name in tried:
        try:
            text = content.decode(name)
        except UnicodeError:
            continue
        if "\x00" in text:
            break
        return text, "UTF-8" if name == "utf-8-sig" else "Latin-1" if name == "latin-1" else name.upper()
    raise _unreadable("The text cannot be read in this encoding. Save the file as CSV in UTF-8.")


def _delimiter(text: str) -> str:
    """The mark that the line of headings has most of; two as often as each other have to be told apart by a person."""
    outside = re.sub(r'"(?:[^"]|"")*"', "", text.lstrip().split("\n", 1)[0])
    counts = sorted(((outside.count(mark), mark) for mark in DELIMITERS), reverse=True)
    if not counts[0][0]:
        return ","
    if counts[0][0] == counts[1][0]:
        names = f"{DELIMITERS[counts[0][1]]} and {DELIMITERS[counts[1][1]]}"
        raise _unreadable(f"The headings have {names} equally often. Choose what stands between the cells.")
    return counts[0][1]


def _csv_rows(text: str, delimiter: str) -> Iterator[tuple[Cell, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield tuple(_unguarded(cell) for cell in row)
    except csv.Error as error:
        raise _unreadable(f"Line {reader.line_num} cannot be read: {error}.") from None


def _unguarded(text: str) -> str:
    """Text without the apostrophe that exports put before what looks like a formula."""
    return text[1:] if _GUARD.match(text) else text


def _workbook_rows(content: bytes) -> Iterator[tuple[Cell, ...]]:
    _demand_bounded(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(), start=1):
            yield tuple(_cell(cell, number, place, content) for place, cell in enumerate(row, start=1))
    except (InvalidFileException, DefusedXmlException, ParseError, zipfile.BadZipFile) as error:
        raise _unreadable("The workbook is damaged, or is none.") from error
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError, EOFError) as error:
        raise _unreadable("The workbook cannot be read. Save it again as XLSX, or as CSV.") from error


def _demand_bounded(content: bytes) -> None:
    """Refuse an archive that unpacks to more than a table needs."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise _unreadable("The workbook is damaged, or is none.") from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _unreadable("The workbook unpacks to more than can be read. Save only the table in it.")


def _cell(cell: Any, row: int, place: int, content: bytes) -> Cell:
    value = cell.value
    where = f"{get_column_letter(place)}{row}"
    if value is None:
        return ""
    if cell.data_type == "f":
        cached = _cached(content, row, place)
        raise _unreadable(f"Cell {where} has a formula. Put its value in its place{f' ({cached})' if cached else ''}.")
    if cell.data_type == "e":
        raise _unreadable(f"Cell {where} shows an error ({value}).")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return {"number": str(value)}
    if isinstance(value, datetime):
        if value.time() != time(0):
            raise _unreadable(f"Cell {where} has a time beside its day. Put the day alone.")
        return {"day": value.date().isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if not isinstance(value, str):
        # A workbook keeps figures in binary: the shortest decimal that stands for it is what was typed.
        text = format(Decimal(repr(value)), "f") if repr(value).lstrip("-")[:1].isdigit() else str(value)
        return {"number": text.removesuffix(".0")} if text.lstrip("-")[:1].isdigit() else text
    return _unguarded(value)


def _cached(content: bytes, row: int, place: int) -> str:
    """What a program last had as the result of a formula."""
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
    found = next(sheet.iter_rows(min_row=row, max_row=row, min_col=place, max_col=place, values_only=True), (None,))
    return "" if not found or found[0] is None else str(found[0])


def _sheet(rows: Iterator[tuple[Cell, ...]], note: str) -> Sheet:
    headers: tuple[str, ...] = ()
    found: list[tuple[int, tuple[Cell, ...]]] = []
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS * 5:
            raise _unreadable("The file has too many empty rows.")
        if not any(_has(cell) for cell in row):
            continue
        row = _trimmed(row, number)
        if not headers:
            headers = tuple(_heading(cell) for cell in row)
            continue
        if len(row) > len(headers):
            raise _unreadable(f"Row {number} has more cells than there are headings.")
        found.append((number, row))
        if len(found) > MAX_ROWS:
            raise _unreadable(f"The file has more than {MAX_ROWS:,} rows. Split it.")
    if not found:
        raise _unreadable("The file has headings at most, and no rows.")
    return Sheet(headers=headers, rows=tuple(found), note=note)


def _trimmed(row: tuple[Cell, ...], number: int) -> tuple[Cell, ...]:
    """A row without the empty cells at its end, of a size that a table has."""
    while row and not _has(row[-1]):
        row = row[:-1]
    if len(row) > MAX_COLUMNS:
        raise _unreadable(f"Row {number} has more than {MAX_COLUMNS} columns.")
    if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in row):
        raise _unreadable(f"Row {number} has a cell of more than {MAX_CELL} characters.")
    return row


def _has(cell: Cell) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else True


def _heading(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else next(iter(cell.values()))
