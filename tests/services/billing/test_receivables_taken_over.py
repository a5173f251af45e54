"""Opening balances in the report of receivables: they were open before, and their payments are money collected."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.http import QueryDict
from moneyed import Money

from billing.admin import report_receivables
from billing.admin.report_asked import ReportForm
from customers.models import Customer
from invoicing.models import OpeningBalance
from invoicing.queries import report_receivables as owed
from invoicing.services import opening_balances
from invoicing.services.opening_balances import OpeningValues
from tests.factories import invoicing as parties

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 20, 9, tzinfo=UTC)


def taken_over(customer: Customer, reference: str, amount: str) -> OpeningBalance:
    row, _ = opening_balances.record(
        billing_entity=customer.billing_entity,
        customer=customer,
        values=OpeningValues(
            kind=OpeningBalance.Kind.OWED,
            reference=reference,
            issuing_date=date(2026, 3, 1),
            due_date=date(2026, 3, 15),
            original_amount=Money(amount, "EUR"),
            amount=Money(amount, "EUR"),
        ),
        accounting_date=date(2026, 5, 1),
        actor=parties.ACTOR,
        at=AT,
    )
    return row


def settle(opening: OpeningBalance, kind: str, amount: str) -> None:
    opening_balances.settle(
        opening_id=opening.pk,
        kind=kind,
        amount=Money(amount, "EUR"),
        accounting_date=date(2026, 5, 10),
        reason="bank",
        actor=parties.ACTOR,
        at=AT,
    )


def test_the_month_that_took_balances_over_is_not_told_as_one_that_collected_nothing() -> None:
    customer = parties.make_customer(parties.make_entity("acme"), "c1")
    opening, mistake = taken_over(customer, "R-1", "1000.00"), taken_over(customer, "R-2", "70.00")
    settle(opening, "paid", "600.00")
    settle(opening, "written_off", "100.00")
    opening_balances.take_back(
        opening_id=mistake.pk,
        accounting_date=date(2026, 5, 11),
        reason="twice in the list",
        actor=parties.ACTOR,
        at=AT,
    )
    form = ReportForm(QueryDict("currency=EUR&since=2026-05&until=2026-05"), at=AT)
    assert form.is_valid()
    asked = form.asked()

    (may,) = report_receivables.read(
        asked, owed=owed.sums(asked=asked.documents(), until=date(2026, 5, 31), today=AT.date())
    )

    standing = may.standing
    assert (standing.taken_over.amount, standing.written_off.amount, standing.open.amount) == (1000, 100, 300)
    assert standing.unbilled.amount == 300
    assert (may.billed.amount, may.collected.amount) == (0, 600)
    assert may.effectiveness == Decimal("0.6")  # (1000 + 0 - 300 - 100) / 1000
