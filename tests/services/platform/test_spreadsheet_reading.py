"""Reading uploaded tables and their cells: every table of nasty ones says what they are, or why they are refused."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.platform.services import import_cells, import_kinds, spreadsheet_reading, spreadsheets
from config.platform.services.import_cells import CellKind, DayOrder, DecimalMark, Layout
from config.platform.services.import_kinds import Effect, ImportColumn, ImportKind
from config.platform.services.spreadsheets import Column, FileFormat


@pytest.mark.parametrize(
    ("content", "headers", "row"),
    [
        (b"a,b\n1,2\n", ("a", "b"), ("1", "2")),
        ("a;b\nü;2,5\n".encode(), ("a", "b"), ("ü", "2,5")),
        ("\ufeffa\tb\n1\t2\n".encode(), ("a", "b"), ("1", "2")),
        ("a;b\nü;2\n".encode("cp1252"), ("a", "b"), ("ü", "2")),
        ("a,b\nü,2\n".encode("utf-16"), ("a", "b"), ("ü", "2")),
        ("a,b\nx,2\n".encode("utf-16-le"), ("a", "b"), ("x", "2")),
        (b'a,b\n"1\n2","say ""x"", y"\n', ("a", "b"), ("1\n2", 'say "x", y')),
        (b"\n\na,b\r\n'=1+1,2\r\n", ("a", "b"), ("=1+1", "2")),
        (b"a,b,\n1,,\n", ("a", "b"), ("1",)),
        (b"a\n1\n", ("a",), ("1",)),
    ],
)
def test_csv_is_read(content: bytes, headers: tuple[str, ...], row: tuple[str, ...]) -> None:
    sheet = spreadsheet_reading.read(content=content)
    assert sheet.headers == headers
    assert sheet.rows[0][1] == row


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a;b,c\n1;2,3\n", "equally often"),
        (b"a,b\n1,2,3\n", "more cells"),
        (b"a,b\n1,=SUM(A1)\n", "Cell B2 has a formula (=SUM(A1))"),
        (b'a,b\n"1,2\n', "cannot be read"),
        (b"\xd0\xcf\x11\xe0rest", "XLS"),
        (b"PK\x03\x04 no archive", "damaged"),
        (b"a\n" + b"x" * 6000 + b"\n", "characters"),
        (b"a,b\n" + b"1\x00\x00,2\n", "cannot be read"),
    ],
)
def test_files_that_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(spreadsheet_reading.UnreadableFile) as refusal:
        spreadsheet_reading.read(content=content)
    assert words in str(refusal.value)


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_keeps_figures_and_days() -> None:
    content = workbook(["a", "b", "c", "d"], [0.1, 12, datetime(2026, 1, 31), "x"], [], [1e-7, 19.99, None, True])  # noqa: DTZ001 - workbooks have days without a zone
    sheet = spreadsheet_reading.read(content=content)
    assert sheet.rows == (
        (2, ({"number": "0.1"}, {"number": "12"}, {"day": "2026-01-31"}, "x")),
        (4, ({"number": "0.0000001"}, {"number": "19.99"}, "", "true")),
    )


def test_a_formula_is_refused_with_its_cell() -> None:
    with pytest.raises(spreadsheet_reading.UnreadableFile) as refusal:
        spreadsheet_reading.read(content=workbook(["a", "b"], [1, "=A2*2"]))
    assert "B2" in str(refusal.value)


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet_reading, "MAX_UNPACKED", 1_000_000)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
    assert len(content.getvalue()) < 10_000
    with pytest.raises(spreadsheet_reading.UnreadableFile, match="unpacks"):
        spreadsheet_reading.read(content=content.getvalue())


CLEAR, POINT, COMMA = DecimalMark.CLEAR, DecimalMark.POINT, DecimalMark.COMMA


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("12", CLEAR, "12"),
        ("-12.5", CLEAR, "-12.5"),
        ("12,5", CLEAR, "12.5"),
        ("1.234,56", CLEAR, "1234.56"),
        ("1,234.56", CLEAR, "1234.56"),
        ("1.234.567", CLEAR, "1234567"),
        ("0,125", CLEAR, "0.125"),
        ("1234,567", CLEAR, "1234.567"),
        ("1,234", CLEAR, None),
        ("1.234", CLEAR, None),
        ("1,234", POINT, "1234"),
        ("1,234", COMMA, "1.234"),
        ("1 234,50", COMMA, "1234.50"),
        ("1.23", COMMA, None),
        ("1,2,3", POINT, None),
        ("1e5", POINT, None),
        ("NaN", CLEAR, None),
        ("€5", CLEAR, None),
        ("--1", CLEAR, None),
        ("٣", CLEAR, None),
        ("9" * 40, CLEAR, None),
    ],
)
def test_figures(text: str, mark: DecimalMark, value: str | None) -> None:
    layout = Layout(decimals=mark)
    if value is None:
        with pytest.raises(import_cells.BadCell):
            import_cells.value(kind=CellKind.NUMBER, cell=text, layout=layout)
    else:
        assert import_cells.value(kind=CellKind.NUMBER, cell=text, layout=layout) == Decimal(value)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_again(amount: Decimal) -> None:
    german = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    for mark, text in ((POINT, f"{amount:,.2f}"), (COMMA, german), (CLEAR, f"{amount:.2f}")):
        read = import_cells.value(kind=CellKind.NUMBER, cell=text, layout=Layout(decimals=mark))
        assert read == amount


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-01-31", DayOrder.CLEAR, date(2026, 1, 31)),
        ("31.01.2026", DayOrder.CLEAR, date(2026, 1, 31)),
        ("01/31/2026", DayOrder.CLEAR, date(2026, 1, 31)),
        ("03.04.2026", DayOrder.CLEAR, None),
        ("03.04.2026", DayOrder.DAY_FIRST, date(2026, 4, 3)),
        ("03/04/2026", DayOrder.MONTH_FIRST, date(2026, 3, 4)),
        ("30.02.2026", DayOrder.DAY_FIRST, None),
        ("1.1.26", DayOrder.CLEAR, None),
        ("46053", DayOrder.CLEAR, None),
    ],
)
def test_days(text: str, order: DayOrder, day: date | None) -> None:
    layout = Layout(days=order)
    if day is None:
        with pytest.raises(import_cells.BadCell):
            import_cells.value(kind=CellKind.DAY, cell=text, layout=layout)
    else:
        assert import_cells.value(kind=CellKind.DAY, cell=text, layout=layout) == day


@pytest.mark.parametrize(("text", "value"), [("Yes", True), ("x", True), ("FALSE", False), ("0", False), ("-", False)])
def test_yes_and_no(text: str, value: bool) -> None:
    assert import_cells.value(kind=CellKind.YES_NO, cell=text, layout=Layout()) is value


def test_headings_find_their_columns_once() -> None:
    column = ImportColumn("external_id", "External id", synonyms=("customer no",))
    kind = ImportKind(
        "x", "X", "", (), (column, ImportColumn("name", "Name")), key=("external_id",), apply=lambda _: Effect(None)
    )
    assert import_kinds.matched(kind=kind, headers=["NAME ", "Customer-No."]) == {"name": 0, "external_id": 1}
    assert import_kinds.matched(kind=kind, headers=["name", "Name"]) == {}


def test_a_written_file_is_read_again() -> None:
    for file_format in FileFormat:
        pieces = spreadsheets.write(columns=[Column("a"), Column("b")], rows=[["=1+1", "-x"]], file_format=file_format)
        sheet = spreadsheet_reading.read(content=b"".join(pieces))
        assert sheet.rows == ((2, ("=1+1", "-x")),)


def rewritten(content: bytes, parts: dict[str, bytes]) -> bytes:
    """A workbook with other parts in the place of its own, or beside them."""
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (*source.namelist(), *(name for name in parts if name not in source.namelist())):
            archive.writestr(name, parts[name] if name in parts else source.read(name))
    return target.getvalue()


PLAIN = (["id", "name"], ["1", "One"], ["2", "Two"])

_ROWS = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
_STYLES = b"<styleSheet><cellXfs>" + b"<xf/>" * 900_000 + b"</cellXfs></styleSheet>"


def test_parts_that_swell_are_refused_before_they_are_read() -> None:
    """5 KB that unpack to 4.5 MB of styles would take half a gigabyte; so would they under another name."""
    whole = workbook(*PLAIN)
    manifest = zipfile.ZipFile(io.BytesIO(whole)).read("[Content_Types].xml")
    elsewhere = {
        "xl/media/a.xml": _STYLES,
        "[Content_Types].xml": manifest.replace(b"/xl/styles.xml", b"/xl/media/a.xml"),
    }
    far = b'<row><c r="A1"><v>1</v></c></row>' + b'<row><c r="XFD1"/></row>' * 400
    for parts in ({"xl/styles.xml": _STYLES}, elsewhere, {"xl/worksheets/sheet1.xml": _ROWS % far}):
        with pytest.raises(spreadsheet_reading.UnreadableFile, match=r"than can be read|empty rows or cells"):
            spreadsheet_reading.read(content=rewritten(whole, parts))
    assert len(spreadsheet_reading.read(content=whole).rows) == 2


def test_merged_cells_are_refused_by_name() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(*PLAIN)))
    book.worksheets[0].merge_cells("B2:B3")
    content = io.BytesIO()
    book.save(content)
    with pytest.raises(spreadsheet_reading.UnreadableFile, match="B2:B3 are merged"):
        spreadsheet_reading.read(content=content.getvalue())
    for part in (b"<mergeCell ref='A1:B2'/>", b'<x:mergeCell  ref = "A1:B2" />', b'<mergeCell\nref="A1:B2"/>'):
        assert spreadsheet_reading._MERGED.search(part)[1] == b"A1:B2"


@pytest.mark.parametrize(
    "content", [bytes(range(1, 256)) * 20, b"id,name\n1,a\x01b\n", b"\x89PNG\r\n\x1a\n\x02\x03", b"PK\x03\x04nothing"]
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(spreadsheet_reading.UnreadableFile):
        spreadsheet_reading.read(content=content)
