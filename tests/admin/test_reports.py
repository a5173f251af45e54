"""Reports: every figure leads to a list that sums to it, files say the same, the question is in the address."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from billing.admin import report_pages, reports
from billing.admin.report_asked import Asked
from billing.admin.report_sheets import Cell, Kind, Sheet
from billing.queries import recurring_revenue, report_overview
from config.platform.admin.blocks import Table
from customers.models import Customer
from invoicing.queries import analytics, open_items, report_receivables, revenue
from tests.admin import addresses
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

INDEX = "/admin/reports/"
TOLD_BY_MONTH = (f"{INDEX}recurring-revenue/", f"{INDEX}receivables/")
"""These have a row for every month, be it of nothing."""

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)
BEHIND = [f"{INDEX}{one.name}/{figure}/" for one in reports.REPORTS for figure in one.behind]
PAGES = [*(f"{INDEX}{one.name}/" for one in reports.REPORTS), *BEHIND]


def asked(**values: object) -> Asked:
    return Asked(at=NOW, currency="EUR", since=date(2026, 3, 1), until=MAY, **values)


@pytest.fixture
def _unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are computed, not written out, where only their figures or their status matter."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")


def text(answer: HttpResponse) -> str:
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def rows(answer: HttpResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(answer))))


def figures(sheet: Sheet) -> Iterator[tuple[str, Money | int, str]]:
    """Every amount and count of a table that leads to a list: its column, the value and the address."""
    for row in sheet.rows:
        for column, cell in zip(sheet.columns, row, strict=True):
            if not isinstance(cell, Cell) or column.label in {"ARR", "ARPA"} or "DSO" in column.label:
                continue  # twelve times, a mean, days: they lead to what they are made of
            if cell.url.startswith(INDEX) and isinstance(cell.value, Money | int):
                yield column.label, cell.value, cell.url


@pytest.mark.parametrize("report", reports.REPORTS, ids=lambda one: one.name)
def test_every_figure_is_the_sum_of_the_list_behind_it(
    auditor: Client, company: Company, report: report_pages.Report
) -> None:
    found = 0
    for sheet in report.show(asked()).sheets:
        for label, value, url in figures(sheet):
            behind = rows(auditor.get(f"{url}&format=csv"))
            listed = [row for row in behind if row[next(iter(row))] != "Sum"]
            sums = [Decimal(one) for one in (behind[-1] if behind else {}).values() if _is_number(one)]
            if isinstance(value, Money):
                assert value.amount in ([*sums, Decimal(0)] if not listed else sums), (label, value, url)
            else:
                assert value in {*sums, len({row["Customer"] for row in listed})}, (label, value, url)
            found += 1
    assert found >= 3


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).removeprefix("-").isdigit()


def test_figures_agree_with_what_others_say(company: Company) -> None:
    """The same figures as the API's analytics, the overview and the ledger have."""
    months = {one.month: one for one in report_overview.movements(at=NOW)["EUR"]}
    told = {one.month: one.amount for one in recurring_revenue.by_month(at=NOW, currency="EUR")}
    assert {month: one.end for month, one in months.items() if one.end} == told
    assert len(told) == 3

    question = asked().documents()
    today = NOW.date()
    owed = report_receivables.sums(asked=question, until=date(2026, 5, 31), today=today)
    standings = report_receivables.standings(months=[APRIL, MAY], found=owed, today=today)
    for standing, day in zip(standings, (date(2026, 4, 30), today), strict=True):
        found = [one for one in open_items.items(until=day) if one.amount.currency.code == "EUR"]
        assert standing.open.amount == sum(one.amount.amount for one in found)
        assert standing.not_due.amount == sum(one.amount.amount for one in found if one.due_on >= day)
    ages = report_receivables.by_age(found=owed, today=today)
    assert ages == open_items.by_age(today=today)["EUR"]
    assert any(one.amount for one in ages.values())

    [usage] = [one for one in reports.REPORTS if one.name == "usage"]
    by_metric = usage.show(asked()).sheets[0]
    known = analytics.invoiced_usage(analytics.Asked(since=date(2026, 3, 1), currency="EUR"))
    shown = {(row[0], row[2]): row[4].value for row in by_metric.rows}
    assert shown == {(one.month, one.code): one.amount for one in known}
    assert shown

    narrowed = revenue.by_month(since=APRIL, customer_id=company.customers[0].pk, until=date(2026, 4, 30))
    assert 0 < len(narrowed) <= len(revenue.by_month(since=APRIL, until=date(2026, 4, 30)))
    assert all(one.month == APRIL for one in narrowed)


def test_files_say_what_the_page_says(auditor: Client, company: Company) -> None:
    address = f"{INDEX}receivables/?currency=EUR&since=2026-03&until=2026-05"
    before = addresses.fingerprint()
    [sheet] = report_receivables_sheets()
    answer = auditor.get(f"{address}&format=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="receivables-months-eur-2026-03-2026-05.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    found = rows(answer)
    assert [row["Month"] for row in found] == ["2026-05-01", "2026-04-01", "2026-03-01", "Sum"]
    assert [row["Billed"] for row in found[:3]] == [f"{row[1].value.amount:.2f}" for row in sheet.rows]

    book = openpyxl.load_workbook(io.BytesIO(b"".join(auditor.get(f"{address}&format=xlsx").streaming_content)))
    values = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert values[0] == [column.label for column in sheet.columns]
    assert values[1][0] == datetime(2026, 5, 1)  # noqa: DTZ001 - workbooks know no time zone
    assert [Decimal(str(row[1])) for row in values[1:4]] == [row[1].value.amount.normalize() for row in sheet.rows]
    assert addresses.fingerprint() == before


def report_receivables_sheets() -> tuple[Sheet, ...]:
    [report] = [one for one in reports.REPORTS if one.name == "receivables"]
    return report.show(asked()).sheets


def test_the_second_table_has_a_file_too(auditor: Client, company: Company) -> None:
    found = rows(auditor.get(f"{INDEX}cohorts/?sheet=customers&format=csv&currency=EUR"))
    assert found
    assert found[0]["Month 0"] == "1"


def test_a_customer_narrows_every_report(auditor: Client, company: Company) -> None:
    customer = company.customers[0]
    answer = auditor.get(f"{INDEX}recurring-revenue/?currency=EUR&customer={customer.pk}")
    assert answer.status_code == 200
    listed = rows(
        auditor.get(f"{INDEX}recurring-revenue/subscriptions/?currency=EUR&customer={customer.pk}&format=csv")
    )
    assert {row["Customer"] for row in listed[:-1]} <= {customer.display_name}
    billed = rows(auditor.get(f"{INDEX}receivables/billed/?currency=EUR&customer={customer.pk}&format=csv"))
    assert {row["Customer"] for row in billed if row["Document"] != "Sum"} == {customer.display_name}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=nonsense", "A month is written as 2026-05."),
        ("until=2026-13", "A month is written as 2026-05."),
        ("until=2027-01", "This month has not begun."),
        ("since=2026-05&until=2026-04", "The last month is before the first."),
        ("since=2015-01", "Ask for 60 months at most."),
        ("currency=XXX", "XXX is not one of the available choices"),
        ("entity=99999", "There is no such billing entity."),
        ("customer=nobody", "There is no such customer."),
    ],
)
def test_what_makes_no_sense_is_told_beside_the_field(
    auditor: Client, company: Company, query: str, words: str
) -> None:
    answer = auditor.get(f"{INDEX}recurring-revenue/?{query}&format=csv")
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert answer.context["blocks"] == []


@pytest.mark.usefixtures("_unwritten")
@pytest.mark.parametrize(
    "query",
    [
        "month=2030-01&subscription=x&age=-1",
        "month=x&movement=x&back=99&cohort=x",
        "metric=a%00b&sheet=%00&part=%00&month=%00&subscription=999999999999999999",
        "month=0001-01&cohort=9990-12&age=999999999999999999",
    ],
)
def test_odd_addresses_of_lists_fall_back(auditor: Client, company: Company, query: str) -> None:
    for address in BEHIND:
        assert auditor.get(f"{address}?{query}").status_code == 200


def test_names_that_look_like_formulas_stay_names(auditor: Client, company: Company) -> None:
    Customer.objects.filter(pk=company.customers[0].pk).update(name='=HYPERLINK("http://x.example")')
    file = text(auditor.get(f"{INDEX}receivables/billed/?currency=EUR&since=2026-03&format=csv"))
    assert "\"'=HYPERLINK(" in file
    assert ",=HYPERLINK(" not in file


@pytest.mark.parametrize(
    ("role", "status"), [("Finance admin", 200), ("Accountant", 200), ("Auditor", 200), ("Engineer", 403)]
)
def test_who_may_read(company: Company, role: str, status: int) -> None:
    client = signed_in(role)
    assert (f'href="{INDEX}"' in client.get("/admin/").content.decode()) == (status == 200)
    for address in [INDEX, f"{PAGES[0]}?format=xlsx", BEHIND[-1], f"{PAGES[0]}preview/"]:
        assert client.get(address).status_code == status


@pytest.mark.usefixtures("_unwritten")
def test_every_page_is_refused_without_the_right(company: Company) -> None:
    client = signed_in("Nobody")
    assert {client.get(address).status_code for address in [INDEX, *PAGES]} == {403}


def test_the_right_alone_is_enough_and_needed(company: Company) -> None:
    person = User.objects.create_user("reader", password="x", is_staff=True)
    client = Client()
    client.force_login(person)
    assert client.get(PAGES[0]).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename="read_report"))
    assert client.get(PAGES[0]).status_code == 200
    assert "Trial balance" not in client.get(INDEX).content.decode()  # the ledger has a right of its own


def test_nothing_is_posted(auditor: Client, company: Company) -> None:
    assert {auditor.post(address).status_code for address in PAGES} == {405}


@pytest.mark.usefixtures("_unwritten")
def test_the_same_queries_for_any_number_of_rows(auditor: Client, company: Company) -> None:
    """A list costs as many queries for one customer as for all, and no page more than thirty."""
    one = f"customer={company.customers[0].pk}"
    for address in PAGES:
        for query in ("currency=EUR", f"currency=EUR&{one}"):
            with CaptureQueriesContext(connection) as captured:
                assert auditor.get(f"{address}?{query}").status_code == 200
            assert len(captured) <= 30, (address, len(captured))


@pytest.mark.usefixtures("_unwritten")
def test_pages_of_nothing_say_what_to_do(auditor: Client, company: Company) -> None:
    query = "currency=JPY&since=2026-04"
    for address in PAGES:
        answer = auditor.get(f"{address}?{query}")
        assert answer.status_code == 200
        assert auditor.get(f"{address}?{query}&format=xlsx").status_code == 200
        tables = [block for block in answer.context_data["blocks"] if isinstance(block, Table)]
        assert all(not block.rows and block.empty for block in tables if address not in TOLD_BY_MONTH)


def test_previews_are_pieces_of_the_index(auditor: Client, company: Company) -> None:
    page = auditor.get(INDEX).content.decode()
    for report in reports.REPORTS:
        assert report.title in page
        address = f"{INDEX}{report.name}/preview/"
        assert address in page
        piece = auditor.get(address).content.decode()
        assert "<html" not in piece
        assert "data-q-chart" in piece or "q-empty" in piece


def test_definitions_stand_on_the_page(auditor: Client, company: Company) -> None:
    for report in reports.REPORTS:
        page = auditor.get(f"{INDEX}{report.name}/?currency=EUR").content.decode()
        for name, _ in report.definitions:
            assert name.replace("'", "&#x27;") in page
        for sheet in report.show(asked()).sheets:
            figured = [column for column in sheet.columns if column.kind in {Kind.MONEY, Kind.PERCENT}]
            assert all(column.about for column in figured if not column.label.startswith("Month "))


def test_the_month_that_runs_ends_now(company: Company) -> None:
    assert report_overview.movements(at=datetime(2026, 2, 15, tzinfo=UTC)) == {}
    found = report_overview.movements(at=datetime(2026, 3, 15, tzinfo=UTC), months=2)["EUR"]
    assert [(one.month.month, one.customers_start, one.customers_end) for one in found] == [(2, 0, 0), (3, 0, 4)]
