"""The overview: figures that add up, charts that say what they draw, and nothing that the person may not see."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import UsageEvent
from config.platform.admin import cells
from config.platform.admin.blocks import Beside, Block, Chart, Figures, Table
from invoicing.models import Invoice, Payment
from invoicing.queries import receivables
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def blocks(client: Client, query: str = "") -> list[Block]:
    answer = client.get(f"/admin/{query}")
    assert answer.status_code == 200
    found: list[Block] = []
    for block in answer.context["blocks"]:
        found += block.blocks if isinstance(block, Beside) else [block]
    return found


def figures(client: Client, query: str = "") -> dict[str, Any]:
    return {
        one.label: one.value for block in blocks(client, query) if isinstance(block, Figures) for one in block.items
    }


def chart(client: Client, title: str, query: str = "") -> Chart:
    return next(block for block in blocks(client, query) if isinstance(block, Chart) and block.title == title)


def test_figures_of_the_month(finance: Client, company: Company) -> None:
    issued = Invoice.objects.filter(status="finalized", currency="EUR", issuing_date__gte="2026-05-01")
    billed = sum((one.total_amount.amount for one in issued), Decimal(0))
    due = receivables.due(currency="EUR")["EUR"]
    shown = figures(finance, "?currency=EUR")
    assert shown["Billed this month"] == f"€{billed:,.2f}"
    assert shown["Open"] == cells.money_text(due)
    assert shown["Drafts waiting"] == str(Invoice.objects.filter(status="draft").count())
    assert shown["Failures"] == "0"


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

    assert links("Nobody") == {"Overview"}
    auditor = links("Auditor")
    assert {"Invoices", "Payments", "Ledger", "Audit trail"} <= auditor
    assert {"People", "Roles", "Schedule"} <= auditor
    assert "People" not in links("Accountant")
    assert {"People", "Roles", "Schedule"} <= links("Superuser")


def test_the_overview_costs_a_fixed_number_of_queries(finance: Client, company: Company) -> None:
    with CaptureQueriesContext(connection) as captured:
        finance.get("/admin/")
    assert len(captured) <= 22
