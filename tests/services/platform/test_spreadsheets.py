"""Tables as files: what stands in a cell, what is guarded, and what stands below."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from moneyed import Money
from openpyxl.worksheet.worksheet import Worksheet

from config.platform.services import spreadsheets
from config.platform.services.spreadsheets import Column, FileFormat, Kind

COLUMNS = (
    Column("Customer"),
    Column("Due", Kind.DAY),
    Column("Seen", Kind.INSTANT),
    Column("Open", Kind.MONEY, summed=True),
    Column("Share", Kind.PERCENT),
    Column("Units", Kind.NUMBER, summed=True),
)
SEEN = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)
ROWS = (
    ("=SUM(A1)", date(2026, 5, 31), SEEN, Money("1234.5", "EUR"), Decimal("0.125"), Decimal("3.500")),
    ("Müller, \"K\" & Co", None, None, Money("-5", "EUR"), None, 2),
    ("", date(2026, 6, 1), None, None, Decimal(1), None),
)  # fmt: skip


def csv(rows: tuple[tuple[object, ...], ...], columns: tuple[Column, ...] = COLUMNS, *, bom: bool = False) -> str:
    return b"".join(spreadsheets.write(columns=columns, rows=rows, file_format=FileFormat.CSV, bom=bom)).decode()


def xlsx(rows: tuple[tuple[object, ...], ...], columns: tuple[Column, ...] = COLUMNS) -> Worksheet:
    content = b"".join(
        spreadsheets.write(columns=columns, rows=rows, file_format=FileFormat.XLSX, title="Open: by/age [now]")
    )
    return openpyxl.load_workbook(io.BytesIO(content)).active


def test_csv() -> None:
    assert csv(ROWS).splitlines() == [
        "Customer,Due,Seen,Open,Share,Units",
        "'=SUM(A1),2026-05-31,2026-05-20T10:30:00Z,1234.50,0.125,3.5",
        '"Müller, ""K"" & Co",,,-5.00,,2',
        ",2026-06-01,,,1,",
        "Sum,,,1229.50,,5.5",
    ]
    assert csv(ROWS, bom=True).startswith("\ufeffCustomer")


def test_no_rows_have_no_sum() -> None:
    assert csv(()) == "Customer,Due,Seen,Open,Share,Units\r\n"
    assert [cell.value for cell in xlsx(())[1]] == [column.label for column in COLUMNS]
    assert xlsx(()).max_row == 1


def test_xlsx() -> None:
    sheet = xlsx(ROWS)
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert values[1] == [
        "=SUM(A1)",
        datetime(2026, 5, 31),  # noqa: DTZ001 - workbooks know no time zone
        datetime(2026, 5, 20, 10, 30),  # noqa: DTZ001
        1234.5,
        0.125,
        3.5,
    ]
    assert values[2][3:] == [-5, None, 2]
    assert values[4] == ["Sum", None, None, 1229.5, None, 5.5]
    first = sheet[2]
    assert (first[0].data_type, first[0].quotePrefix) == ("s", True)  # no formula, and none after an edit
    assert first[1].number_format == "yyyy-mm-dd"
    assert first[3].number_format == r"#,##0.00\ [$EUR]"
    assert first[4].number_format == "0.0%"
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("Open  by age  now", "A2", "A1:F4")
    assert sheet.column_dimensions["A"].width == 28


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@cmd", "\tx", "\rx"])
def test_text_is_never_a_formula(text: str) -> None:
    columns = (Column("Note"),)
    assert spreadsheets.guarded(text) == f"'{text}"
    assert b"'" + text.encode() in b"".join(
        spreadsheets.write(columns=columns, rows=[(text,)], file_format=FileFormat.CSV)
    )
    assert xlsx(((text,),), columns)["A2"].data_type in {"s", "n"}


def test_figures_are_not_guarded() -> None:
    columns = (Column("Amount", Kind.MONEY), Column("Units", Kind.NUMBER))
    assert csv(((Money("-5", "JPY"), Decimal("-0.000001")),), columns).splitlines()[1] == "-5,-0.000001"


def test_currencies_are_not_added_up() -> None:
    columns = (Column("Amount", Kind.MONEY, summed=True), Column("Count", Kind.NUMBER, summed=True))
    rows = ((Money("1", "EUR"), 1), (Money("1.500", "BHD"), 1))
    assert csv(rows, columns).splitlines()[1:] == ["1.00,1", "1.500,1", ",2"]
    assert xlsx(rows, columns)["A3"].number_format == r"#,##0.000\ [$BHD]"


def test_a_rate_is_a_number_with_eight_decimals() -> None:
    third = Decimal(2) / Decimal(3)
    columns = (Column("Share", Kind.PERCENT),)
    assert csv(((third,),), columns).splitlines()[1] == "0.66666667"
    cell = xlsx(((third,),), columns)["A2"]
    assert (cell.value, cell.number_format) == (0.66666667, "0.0%")


def test_more_digits_than_a_spreadsheet_keeps_are_text() -> None:
    long = Decimal("12345678901234567.89")
    assert xlsx(((long,),), (Column("Units", Kind.NUMBER),))["A2"].value == "12345678901234567.89"


def test_a_workbook_that_is_full_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 2)
    with pytest.raises(spreadsheets.TooManyRows) as refused:
        spreadsheets.write(columns=COLUMNS, rows=ROWS, file_format=FileFormat.XLSX)
    assert refused.value.code == "too_many_rows"
    assert len(csv(ROWS).splitlines()) == 5  # a text file has room


def test_control_characters_do_not_break_a_workbook() -> None:
    assert xlsx((("a\x00b\x0bc",),), (Column("Note"),))["A2"].value == "abc"
