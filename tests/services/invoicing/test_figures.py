"""Figures for charts and reports: balances, receivables by age, billed and collected by month."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from invoicing.models import Invoice
from invoicing.queries import ledger, receivables, revenue
from invoicing.services import payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def pay(invoice: Invoice, amount: str, at: datetime) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money(amount, invoice.currency),
        reference="",
        paid_at=at,
        actor=make.ACTOR,
        at=at,
    )


@pytest.fixture
def business() -> list[Invoice]:
    entity = make.make_entity(taxes=[make.make_tax("vat20", "0.20")], net_payment_term=30)
    customer = make.make_customer(entity)
    months = [datetime(2026, month, 1, 0, 10, tzinfo=UTC) for month in (3, 4, 5)]
    euros = [make.issue(customer, "100.00", billed_at=month, at=month) for month in months]  # 120.00 each
    yen = make.issue(make.make_customer(entity, "c2"), "1000", currency="JPY", billed_at=months[2], at=months[2])
    make.draft(customer, "7.00")
    pay(euros[0], "120.00", datetime(2026, 4, 3, tzinfo=UTC))
    pay(euros[1], "20.00", datetime(2026, 5, 3, tzinfo=UTC))
    return [*euros, yen]


def test_receivables_by_age(business: list[Invoice]) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = receivables.by_age(as_of=datetime(2026, 5, 2, tzinfo=UTC))

    # April's is due on 1 May, one day ago; May's on 31 May
    assert found["EUR"] == {
        "0": Money("120.00", "EUR"),
        "1-30": Money("100.00", "EUR"),
        "31-60": Money("0", "EUR"),
        "61-90": Money("0", "EUR"),
        ">90": Money("0", "EUR"),
        "disputed": Money("0", "EUR"),
    }
    assert found["JPY"]["0"] == Money(1200, "JPY")
    assert len(captured) == 1
    assert receivables.due() == {"EUR": Money("220.00", "EUR"), "JPY": Money(1200, "JPY")}
    assert receivables.due(currency="JPY") == {"JPY": Money(1200, "JPY")}
    assert [invoice.pk for invoice in receivables.overdue_since(day=date(2026, 5, 2))] == [business[1].pk]


def test_billed_and_collected_by_month(business: list[Invoice]) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = revenue.by_month(since=date(2026, 3, 1))

    assert [(row.month, row.currency, row.billed.amount, row.collected.amount, row.invoices) for row in found] == [
        (date(2026, 3, 1), "EUR", Decimal(120), Decimal(0), 1),
        (date(2026, 4, 1), "EUR", Decimal(120), Decimal(120), 1),
        (date(2026, 5, 1), "EUR", Decimal(120), Decimal(20), 1),
        (date(2026, 5, 1), "JPY", Decimal(1200), Decimal(0), 1),
    ]
    assert len(captured) == 3  # invoiced, given back, collected
    seller = business[0].billing_entity_id
    assert revenue.by_month(since=date(2026, 5, 1), billing_entity_id=seller) == found[2:]
    assert revenue.by_month(since=date(2026, 3, 1), billing_entity_id=seller + 1) == []


def test_the_ledger_agrees_with_the_invoices(business: list[Invoice]) -> None:
    balances = {(row.role, row.amount.currency.code): row.amount.amount for row in ledger.balances()}

    assert balances == {
        ("cash", "EUR"): Decimal(140),
        ("receivable", "EUR"): Decimal(220),
        ("revenue", "EUR"): Decimal(-300),
        ("tax", "EUR"): Decimal(-60),
        ("receivable", "JPY"): Decimal(1200),
        ("revenue", "JPY"): Decimal(-1000),
        ("tax", "JPY"): Decimal(-200),
    }
    assert ledger.out_of_balance() == {}
    march = ledger.balances(until=date(2026, 3, 31), customer_id=business[0].customer_id)
    assert {row.role: row.amount.amount for row in march} == {
        "receivable": Decimal(120),
        "revenue": Decimal(-100),
        "tax": Decimal(-20),
    }
    assert ledger.balances(billing_entity_id=business[0].billing_entity_id + 1) == []
    assert [entry.fact for entry in ledger.entries_of(business[0])] == ["invoice_finalized"]
