"""Figures by month over the API: revenue, what is overdue, what is collected, and usage on invoices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lago_python_client.models.gross_revenue import GrossRevenuesResponse
from lago_python_client.models.invoice_collection import InvoiceCollectionsResponse
from lago_python_client.models.invoiced_usage import InvoicedUsagesResponse
from lago_python_client.models.overdue_balance import OverdueBalancesResponse
from moneyed import Money

from customers.models import BillingEntity
from invoicing.models import Invoice
from invoicing.queries import receivables, revenue, trial_balance
from invoicing.services import credit_notes, overdue, payments, voiding
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

MONTHS = [datetime(2026, month, 1, 0, 10, tzinfo=UTC) for month in (3, 4, 5)]


def figures(api: ApiClient, name: str, **params: Any) -> list[dict[str, Any]]:
    with CaptureQueriesContext(connection) as captured:
        response = api.read(f"analytics/{name}", **params)
    assert response.status_code == 200, response.json()
    assert len([query for query in captured if "invoicing_" in query["sql"]]) <= 3
    (rows,) = response.json().values()  # the list alone: there are no pages
    return list(rows)


@pytest.fixture
def invoices(entity: BillingEntity) -> list[Invoice]:
    """119.00 in March, April and May, of which March is paid and a tenth of April's taken back; ¥1,190 of another."""
    customer = make.make_customer(entity)
    euros = [make.issue(customer, "100.00", billed_at=at, at=at) for at in MONTHS]
    yen = make.issue(make.make_customer(entity, "c2"), "1000", currency="JPY", billed_at=MONTHS[2], at=MONTHS[2])
    gone = make.issue(customer, "55.00", billed_at=MONTHS[2], at=MONTHS[2])
    voiding.void(invoice_id=gone.pk, actor=make.ACTOR, at=MONTHS[2])
    make.draft(customer, "7.00")
    payments.record(
        invoice_id=euros[0].pk,
        amount=Money("119.00", "EUR"),
        reference="",
        paid_at=MONTHS[1],
        actor=make.ACTOR,
        at=MONTHS[1],
    )
    credit_notes.create(
        invoice_id=euros[1].pk,
        amounts={euros[1].lines.get().pk: Money("10.00", "EUR")},
        offset=Money("11.90", "EUR"),
        reason="other",
        actor=make.ACTOR,
        at=MONTHS[2],
    )
    overdue.mark(as_of=MONTHS[2])
    return [*euros, yen]


def test_gross_revenue(api: ApiClient, entity: BillingEntity, invoices: list[Invoice]) -> None:
    rows = figures(api, "gross_revenue")

    def month(first: str, currency: str, cents: int, count: int) -> dict[str, Any]:
        return {
            "month": f"{first}T00:00:00Z",
            "currency": currency,
            "amount_cents": cents,
            "invoices_count": count,
            "billing_entity_id": None,
        }

    assert rows == [
        month("2026-03-01", "EUR", 11900, 1),
        month("2026-04-01", "EUR", 11900, 1),
        month("2026-05-01", "EUR", 10710, 1),  # 119.00 − 11.90 given back in May; nothing of the voided one
        month("2026-05-01", "JPY", 1190, 1),
    ]
    assert len(GrossRevenuesResponse(__root__=rows).__root__) == 4
    assert figures(api, "gross_revenue", months=1) == rows[2:]
    assert figures(api, "gross_revenue", months=2, currency="EUR") == rows[1:3]
    assert figures(api, "gross_revenue", external_customer_id="c2") == rows[3:]
    narrowed = figures(api, "gross_revenue", billing_entity_code="acme")
    assert {row["billing_entity_id"] for row in narrowed} == {str(entity.uuid)}
    assert figures(api, "gross_revenue", external_customer_id="nobody") == []


def test_gross_revenue_is_that_of_the_books_and_of_the_overview(
    api: ApiClient, entity: BillingEntity, invoices: list[Invoice]
) -> None:
    euros = [row for row in figures(api, "gross_revenue") if row["currency"] == "EUR"]

    books = trial_balance.rows(billing_entity_id=entity.pk, currency="EUR")
    raised = {row.role: row.closing for row in books}
    # What customers still owe and what they have paid is all that ever was invoiced.
    assert Money(sum(row["amount_cents"] for row in euros), "EUR") / 100 == raised["receivable"] + raised["cash"]
    overview = [row for row in revenue.by_month(since=MONTHS[0].date()) if row.currency == "EUR"]
    billed = {row.month.isoformat(): row.billed for row in overview}
    assert {row["month"][:10]: Money(row["amount_cents"], "EUR") / 100 for row in euros} == billed


def test_overdue_balance(api: ApiClient, invoices: list[Invoice]) -> None:
    rows = figures(api, "overdue_balance")

    assert rows == [
        {
            "month": "2026-04-01T00:00:00Z",  # issued on 1 April, due on the 15th: 119.00 − 11.90
            "currency": "EUR",
            "amount_cents": 10710,
            "lago_invoice_ids": [str(invoices[1].uuid)],
            "billing_entity_id": None,
        }
    ]
    assert OverdueBalancesResponse(__root__=rows).__root__[0].amount_cents == 10710
    ages = receivables.by_age(as_of=MONTHS[2])["EUR"]
    assert ages["1-30"] == Money("107.10", "EUR")
    assert figures(api, "overdue_balance", months=1) == []
    assert figures(api, "overdue_balance", external_customer_id="c2") == []


def test_invoice_collection(api: ApiClient, invoices: list[Invoice]) -> None:
    rows = figures(api, "invoice_collection")

    names = ("payment_status", "currency", "amount_cents", "invoices_count")
    told = [(row["month"][:7], *(row[name] for name in names)) for row in rows]
    assert told == [
        ("2026-03", "succeeded", "EUR", 11900, 1),
        ("2026-04", "pending", "EUR", 11900, 1),
        ("2026-05", "pending", "EUR", 11900, 1),
        ("2026-05", "pending", "JPY", 1190, 1),
    ]
    assert len(InvoiceCollectionsResponse(__root__=rows).__root__) == 4
    assert figures(api, "invoice_collection", months=1, currency="JPY") == rows[3:]


def test_invoiced_usage(api: ApiClient, entity: BillingEntity, invoices: list[Invoice]) -> None:
    lines = (make.line("1.00"), make.line("2.00", item_code="storage"), make.line("9.00", kind="subscription"))
    make.issue(make.make_customer(entity, "c3"), lines=lines)

    rows = figures(api, "invoiced_usage", months=1, currency="EUR")

    assert rows == [
        {"month": "2026-05-01T00:00:00Z", "code": "requests", "currency": "EUR", "amount_cents": 10100},
        {"month": "2026-05-01T00:00:00Z", "code": "storage", "currency": "EUR", "amount_cents": 200},
    ]
    assert len(InvoicedUsagesResponse(__root__=rows).__root__) == 2


@pytest.mark.parametrize("name", ["gross_revenue", "overdue_balance", "invoice_collection", "invoiced_usage"])
def test_what_is_refused(api: ApiClient, entity: BillingEntity, name: str) -> None:
    for params, details in (
        ({"months": "0"}, {"months": ["value_is_invalid"]}),
        ({"months": "x"}, {"months": ["value_is_invalid"]}),
        ({"months": "99999999"}, {"months": ["value_is_invalid"]}),
        ({"currency": "EURO"}, {"currency": ["invalid_currency"]}),
    ):
        refused = api.read(f"analytics/{name}", **params)
        assert (refused.status_code, refused.json()["error_details"]) == (422, details)
    missing = api.read(f"analytics/{name}", billing_entity_code="nobody")
    assert (missing.status_code, missing.json()["code"]) == (404, "billing_entity_not_found")
    assert api.read(f"analytics/{name}").json() == {
        {
            "gross_revenue": "gross_revenues",
            "overdue_balance": "overdue_balances",
            "invoice_collection": "invoice_collections",
            "invoiced_usage": "invoiced_usages",
        }[name]: []
    }
