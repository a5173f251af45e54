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
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from config.kernel import errors

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 100
MAX_CELL = 5_000
MAX_UNPACKED = 300 * 1024 * 1024
MAX_STRINGS = 32 * 1024 * 1024
MAX_WHOLE = 4 * 1024 * 1024
"""Of all parts of a workbook that are read whole, such as its styles: they take a hundred times as much in memory."""
MAX_PARTS = 1_000
MAX_CELLS = 5_000_000
"""Empty ones too: a row may have one cell far to the right."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
_BROKEN = (LookupError, ArithmeticError, ValueError, TypeError, AttributeError, EOFError, NotImplementedError)
"""What reading a workbook raises that is not as it should be."""
_SWELLS = "The workbook unpacks to more than can be read. Save only the table in it."
_MANIFEST = "[Content_Types].xml"
_SHEET, _STRINGS = "worksheet+xml", "sharedStrings+xml"
_UNREAD = ("xl/media/", "xl/drawings/", "xl/embeddings/", "xl/pivotCache/", "xl/printerSettings/")
"""Parts that nothing of a table is in; they are not opened, unless one says that it is something else."""
_READ = {"styles+xml", "main+xml", "theme+xml", _STRINGS, _SHEET}
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']\s*([A-Z0-9:$]+)\s*[\"']")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
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
        if _CONTROL.search(text):
            break
        return text, "UTF-8" if name == "utf-8-sig" else "Latin-1" if name == "latin-1" else name.upper()
    raise _unreadable("It is no text, or cannot be read in this encoding. Save the file as CSV in UTF-8.")


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
        for number, row in enumerate(reader, start=1):
            yield tuple(_text(cell, number, place) for place, cell in enumerate(row, start=1))
    except csv.Error as error:
        raise _unreadable(f"Line {reader.line_num} cannot be read: {error}.") from None


def _text(text: str, row: int, place: int) -> str:
    """A cell of a CSV; one that a spreadsheet would take for a formula is refused as in a workbook."""
    if len(text) > 1 and text.startswith("="):
        raise _unreadable(
            f"Cell {get_column_letter(place)}{row} has a formula ({text[:40]}). Put its value in its place."
        )
    return _unguarded(text)


def _unguarded(text: str) -> str:
    """Text without the apostrophe that exports put before what looks like a formula."""
    return text[1:] if _GUARD.match(text) else text


def _workbook_rows(content: bytes) -> Iterator[tuple[Cell, ...]]:
    try:
        _demand_bounded(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        _demand_unmerged(content, sheet._worksheet_path)
        for number, row in enumerate(sheet.iter_rows(), start=1):
            yield tuple(_cell(cell, number, place, content) for place, cell in enumerate(row, start=1))
    except UnreadableFile:
        raise
    except (InvalidFileException, DefusedXmlException, ParseError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable("The workbook is damaged, or is none.") from error
    except (
        LookupError,
        ArithmeticError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        NotImplementedError,
    ) as error:
        raise _unreadable("The workbook cannot be read. Save it again as XLSX, or as CSV.") from error


def _demand_bounded(content: bytes) -> None:
    """Refuse an archive that unpacks to more than a table needs."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise _unreadable("The workbook is damaged, or is none.") from error
    sizes = {part.filename: part.file_size for part in parts}
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _unreadable(_SWELLS)
    types = _types(archive, sizes)
    strings = [size for name, size in sizes.items() if types.get(name) == {_STRINGS}]
    sheets = [size for name, size in sizes.items() if types.get(name) == {_SHEET} or _is_unread(name, types)]
    if sum(strings) > MAX_STRINGS or sum(sizes.values()) - sum(strings) - sum(sheets) > MAX_WHOLE:
        raise _unreadable(_SWELLS)


def _is_unread(name: str, types: Mapping[str, set[str]]) -> bool:
    return name.startswith(_UNREAD) and not types.get(name, set()) & _READ


def _types(archive: zipfile.ZipFile, sizes: Mapping[str, int]) -> dict[str, set[str]]:
    """What the parts of a workbook say that they are, by name: names of files prove nothing."""
    if sizes.get(_MANIFEST, 0) > MAX_WHOLE or _MANIFEST not in sizes:
        raise _unreadable("The workbook is damaged, or is none.")
    found: dict[str, set[str]] = {}
    for override in ElementTree.fromstring(archive.read(_MANIFEST)):
        name = (override.get("PartName") or "").lstrip("/")
        found.setdefault(name, set()).add((override.get("ContentType") or "").rsplit(".", 1)[-1])
    return found


def _demand_unmerged(content: bytes, path: str) -> None:
    """Refuse merged cells: all but the first of them are empty in the file, whatever a person sees."""
    rest = b""
    with zipfile.ZipFile(io.BytesIO(content)).open(path) as part:
        while piece := part.read(1024 * 1024):
            if found := _MERGED.search(rest + piece):
                where = found[1].decode("ascii", "replace")
                raise _unreadable(f"The cells {where} are merged. Separate them, and put a value in each.")
            rest = piece[-200:]


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
    cells = 0
    for number, row in enumerate(rows, start=1):
        cells += len(row)
        if number > MAX_ROWS * 5 or cells > MAX_CELLS:
            raise _unreadable("The file has too many empty rows or cells. Save only the table in it.")
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
    if any(_CONTROL.search(cell) for cell in row if isinstance(cell, str)):
        raise _unreadable(f"Row {number} has a character that cannot be kept.")
    return row


def _has(cell: Cell) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else True


def _heading(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else next(iter(cell.values()))
