"""The overview: figures that add up, charts that say what they draw, and nothing that the person may not see."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import UsageEvent
from config.dashboard.narrowing import Narrowing
from config.dashboard.pieces import Values
from config.platform.admin import cells
from config.platform.admin.blocks import Beside, Block, Chart, Figures, Table
from config.platform.admin.later import Later
from customers.models import BillingEntity
from invoicing.models import Invoice, Payment
from invoicing.queries import receivables
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def blocks(client: Client, query: str = "") -> list[Block]:
    """All blocks of the overview with those of its pieces, fetched as the browser does."""
    return list(_within(client, f"/admin/{query}"))


def _within(client: Client, address: str) -> Iterator[Block]:
    answer = client.get(address)
    assert answer.status_code == 200
    for block in answer.context["blocks"]:
        for inner in block.blocks if isinstance(block, Beside) else (block,):
            if isinstance(inner, Later):
                yield from _within(client, inner.url)
            else:
                yield inner


def figures(client: Client, query: str = "") -> dict[str, Any]:
    return {
        one.label: one.value for block in blocks(client, query) if isinstance(block, Figures) for one in block.items
    }


def brought(client: Client, query: str = "") -> dict[str, str]:
    """The values that pieces bring for places of the page."""
    return {name: value for block in blocks(client, query) if isinstance(block, Values) for name, value in block.items}


def chart(client: Client, title: str, query: str = "") -> Chart:
    return next(block for block in blocks(client, query) if isinstance(block, Chart) and block.title == title)


def test_figures_of_the_month(finance: Client, company: Company) -> None:
    issued = Invoice.objects.filter(status="finalized", currency="EUR", issuing_date__gte="2026-05-01")
    billed = sum((one.total_amount.amount for one in issued), Decimal(0))
    due = receivables.due(currency="EUR")["EUR"]
    shown = figures(finance, "?currency=EUR")
    assert shown["Billed this month"] == f"€{billed:,.2f}"
    assert shown["Open"] == cells.money_text(due)
    assert brought(finance, "?currency=EUR")["mrr"] == "€196.00"  # four customers on the plan of 49.00


def test_billed_and_collected_by_month(finance: Client, company: Company) -> None:
    drawn = chart(finance, "Billed and collected by month", "?currency=EUR")
    billed, collected = drawn.series
    received = sum((one.amount.amount for one in Payment.objects.filter(currency="EUR")), Decimal(0))
    assert drawn.labels[-1] == "May 26"
    assert len(drawn.labels) == len(billed.values) == len(collected.values) == 12
    assert sum(collected.values) == received
    assert sum(billed.values) > received


def test_the_currency_can_be_switched(finance: Client, company: Company) -> None:
    for currency in ("EUR", "USD", "XXX", ""):
        drawn = chart(finance, "Open receivables by age", f"?currency={currency}")
        assert drawn.currency in ("EUR", "USD")
        if currency == "EUR":
            assert drawn.currency == currency


def test_one_entity_alone(finance: Client, company: Company) -> None:
    """What two entities billed in euros is what both of them billed; an unknown one is none."""
    german, american = (BillingEntity.objects.get(code=code) for code in ("de", "us"))
    shown = {
        name: figures(finance, f"?currency=EUR{query}")["Billed this month"]
        for name, query in (
            ("all", ""),
            ("german", f"&entity={german.pk}"),
            ("unknown", "&entity=999"),
            ("odd", "&entity=x"),
        )
    }
    assert shown["all"] == shown["german"] == shown["unknown"] == shown["odd"] != "€0.00"
    assert chart(finance, "Open receivables by age", f"?entity={american.pk}").currency == "USD"
    about = next(
        block for block in blocks(finance, f"?entity={american.pk}&currency=EUR") if isinstance(block, Narrowing)
    )
    assert (about.entity_id, about.currency) == (american.pk, "USD")  # it never sold anything in euros


def test_figures_lead_to_the_documents_behind_them(finance: Client, company: Company) -> None:
    found = [one for block in blocks(finance, "?currency=EUR") if isinstance(block, Figures) for one in block.items]
    urls = {one.label: one.url for one in found}
    listed = finance.get(urls["Open"]).context["cl"].result_list
    due = sum((receivables.owed(row).amount for row in listed), Decimal(0))
    assert {row.currency for row in listed} == {"EUR"}
    assert due == receivables.due(currency="EUR")["EUR"].amount
    billed = finance.get(urls["Billed this month"]).context["cl"].result_list
    assert (
        f"€{sum(row.total_amount.amount for row in billed):,.2f}"
        == figures(finance, "?currency=EUR")["Billed this month"]
    )
    assert finance.get(urls["Collected this month"]).status_code == 200


def test_movements_explain_the_recurring_revenue(finance: Client, company: Company) -> None:
    drawn = chart(finance, "Why recurring revenue changed", "?currency=EUR")
    assert drawn.stacked
    assert sum(sum(series.values) for series in drawn.series) == Decimal("196.00")
    assert [series.label for series in drawn.series] == ["New", "Won back", "More", "Less", "Lost"]


def test_usage_by_day_counts_every_event_of_this_month_and_the_last(finance: Client, company: Company) -> None:
    drawn = chart(finance, "Usage events by day")
    assert (drawn.labels[0], drawn.labels[-1]) == ("1 Apr", "20 May")
    assert len(drawn.labels) == 30 + 20
    assert sum(drawn.series[0].values) == UsageEvent.objects.filter(timestamp__gte="2026-04-01T00:00Z").count()


def test_people_see_what_they_may(company: Company) -> None:
    assert blocks(signed_in("Nobody")) == []
    engineer = {block.title for block in blocks(signed_in("Engineer")) if isinstance(block, Chart | Table)}
    assert {"Usage events by day", "Latest billing runs"} <= engineer


def test_the_sidebar_shows_what_one_may_open(company: Company) -> None:
    def links(role: str) -> set[str]:
        groups = signed_in(role).get("/admin/").context["sidebar_navigation"]
        return {item["title"] for group in groups for item in group["items"] if item["has_permission"]}

    # Everybody has filters and bulk runs of their own.
    assert links("Nobody") == {"Overview", "Saved filters", "Bulk runs"}
    auditor = links("Auditor")
    assert {"Invoices", "Payments", "Ledger", "Audit trail"} <= auditor
    assert {"People", "Roles", "Schedule"} <= auditor
    assert "People" not in links("Accountant")
    assert {"People", "Roles", "Schedule"} <= links("Superuser")


@pytest.mark.parametrize(
    ("address", "most"), [("", 22), ("overview/money/", 16), ("overview/recurring/", 8), ("overview/running/", 16)]
)
def test_the_overview_costs_a_fixed_number_of_queries(
    finance: Client, company: Company, address: str, most: int
) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert finance.get(f"/admin/{address}?currency=EUR").status_code == 200
    assert len(captured) <= most


def test_pieces_show_nothing_to_whoever_may_not_see_it(company: Company) -> None:
    nobody = signed_in("Nobody")
    for piece in ("money", "recurring", "running"):
        assert list(nobody.get(f"/admin/overview/{piece}/?currency=EUR").context["blocks"]) == []
        assert nobody.post(f"/admin/overview/{piece}/").status_code == 405
        assert Client().get(f"/admin/overview/{piece}/").status_code == 302
