"""How values look: money by its currency's digits, quantities, rates, days and periods. No database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import translation
from moneyed import Money

from config.kernel import errors
from config.platform.admin import blocks, cells, forms
from config.platform.admin.blocks import Chart, Progress, Row, Series, Table


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        ("1234.5", "EUR", "en", "€1,234.50"),
        ("1234.5", "EUR", "de", "1.234,50\xa0€"),
        ("1234", "JPY", "en", "¥1,234"),
        ("1.234", "BHD", "en", "BHD\xa01.234"),
        ("-0.01", "USD", "en", "-$0.01"),
        ("0", "GBP", "en", "£0.00"),
        ("12345678901234.56", "EUR", "en", "€12,345,678,901,234.56"),
    ],
)
def test_money(amount: str, currency: str, language: str, text: str) -> None:
    with translation.override(language):
        assert cells.money_text(Money(amount, currency)) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("0.00012", "EUR", "€0.00012"),
        ("2", "EUR", "€2.00"),
        ("0.5", "JPY", "¥0.5"),
        ("1.23456789", "USD", "$1.23456789"),
    ],
)
def test_unit_prices_have_as_many_digits_as_they_need(value: str, currency: str, text: str) -> None:
    assert cells.unit_price_text(Decimal(value), currency) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("12345.670000000000000", "12,345.67"), ("0", "0"), ("-3", "-3"), ("0.000000000001", "0.000000000001")],
)
def test_quantities_lose_trailing_zeros(value: str, text: str) -> None:
    assert cells.number_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("rate", "text"), [("0.19", "19%"), ("0.077", "7.7%"), ("0", "0%"), ("0.33333333", "33.333333%")]
)
def test_rates(rate: str, text: str) -> None:
    assert cells.percent_text(Decimal(rate)) == text


@pytest.mark.parametrize(
    ("start", "end", "zone", "text"),
    [
        # May in Berlin begins on 30 April at 22:00 UTC.
        ("2026-04-30T22:00", "2026-05-31T22:00", "Europe/Berlin", "1 May 2026 – 31 May 2026"),
        ("2026-05-01T00:00", "2026-05-02T00:00", "UTC", "1 May 2026"),
        ("2026-05-01T00:00", "2026-05-01T00:00", "UTC", "1 May 2026"),
    ],
)
def test_periods_are_named_by_their_days(start: str, end: str, zone: str, text: str) -> None:
    first, last = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (start, end))
    assert cells.period_text(first, last, zone) == text


def test_text_is_escaped_and_cells_are_not_escaped_twice() -> None:
    bad = "<b>x</b>"
    assert str(cells.badge(bad)) == '<span class="q-badge q-tone-neutral">&lt;b&gt;x&lt;/b&gt;</span>'
    assert "&amp;lt;" not in cells.stack(cells.link(bad, "/x"), bad)
    assert "<b>" not in cells.hinted(bad, bad)


def test_a_chart_carries_decimals_as_text() -> None:
    chart = Chart("x", ("a", "b"), (Series("s", (Decimal("1.10"), 0)),), currency="EUR")
    assert '"values": ["1.10", 0]' in chart.spec
    assert chart.is_empty is False
    assert Chart("x", ("a",), (Series("s", (Decimal(0),)),)).is_empty is True


@pytest.mark.parametrize(("done", "total", "percent"), [(0, 0, 100), (1, 3, 33), (3, 3, 100), (999, 1000, 99)])
def test_progress_is_never_done_too_early(done: int, total: int, percent: int) -> None:
    assert Progress("x", done, total, is_running=True).percent == percent


def test_columns_of_numbers_are_marked() -> None:
    assert [column.kind for column in blocks.columns("Name", "Total#")] == ["text", "number"]
    table = Table("x", blocks.columns("A", "B#"), (Row(("a", "b")),))
    assert [column.label for _, column in table.lined[0][1]] == ["A", "B"]


def test_refusals_are_said_in_words() -> None:
    refusal = errors.Invalid("validation_errors", "x", {"email": ["invalid_email_format"]})
    assert forms.told(refusal) == "email: invalid email format"
    assert forms.words("invalid_email_format") == "This is not an e-mail address."
    assert forms.words("something_new") == "Something new."
