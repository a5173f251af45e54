"""Gathering paid fees of usage in advance on one invoice: which, when, once, and without booking anything twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import Subscription
from billing.services import advance_invoices, subscriptions
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import standalone_lines
from tests.factories import advance, billing, catalog, usage
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fees() -> None:
    """Three fees of 3, 6 and 9 in May, with 20 % tax."""
    tax = catalog.make_tax("vat", "0.20")
    metric = catalog.make_metric("seats", "sum_agg")
    version = advance.make_plan(metric, cents=1000, regroup_paid_fees="invoice")
    version.charges.get().taxes.add(tax)
    advance.make_subscription(version)
    for units in (1, 2, 3):
        usage.store(usage.make_event("2026-05-04T12:00:00", code="seats", properties={"seats": units}))
    advance.bill("2026-05-04T13:00")


def pay(*positions: int, at: str = "2026-05-10T10:00") -> None:
    lines = list(InvoiceLine.objects.filter(invoice=None).order_by("pk"))
    for position in positions:
        standalone_lines.set_payment_status(
            line_id=lines[position].pk, payment_status="succeeded", actor=ACTOR, at=billing.instant(at)
        )


def gather(at: str) -> int:
    found = advance_invoices.gather(as_of=billing.instant(at))
    assert not found.failed
    return found.invoices


def test_paid_fees_of_an_ended_period_are_one_invoice_that_is_paid() -> None:
    pay(0, 2)
    before = advance.balances()
    assert gather("2026-05-20T00:00") == 0  # the period runs
    assert gather("2026-06-01T01:00") == 1
    invoice = Invoice.objects.get()
    assert (invoice.kind, invoice.status, invoice.payment_status) == ("advance_charges", "finalized", "succeeded")
    # 3 + 9, the taxes 0.60 + 1.80.
    assert [invoice.fees_amount.amount, invoice.taxes_amount.amount, invoice.paid_amount.amount] == [
        Decimal(12),
        Decimal("2.4"),
        Decimal("14.4"),
    ]
    assert [(row.tax_code, row.base_amount.amount) for row in invoice.applied_taxes.all()] == [("vat", 12)]
    assert list(invoice.lines.values_list("position", flat=True)) == [1, 2]
    assert InvoiceLine.objects.filter(invoice=None).count() == 1
    assert advance.balances() == before == {"cash": "14.4", "receivable": "7.2", "revenue": "-18", "tax": "-3.6"}
    assert gather("2026-06-01T02:00") == 0


def test_what_is_paid_later_waits_for_the_next_billing_day() -> None:
    pay(0)
    assert gather("2026-06-01T01:00") == 1
    pay(0, at="2026-06-10T10:00")
    assert gather("2026-06-10T11:00") == 0
    assert gather("2026-07-01T01:00") == 1


def test_an_ended_subscription_does_not_wait() -> None:
    pay(0, 1, 2)
    subscriptions.terminate(
        subscription_id=Subscription.objects.get().pk, actor=ACTOR, at=billing.instant("2026-05-15T10:00")
    )
    assert gather("2026-05-15T10:00") == 1
    assert Invoice.objects.filter(kind="advance_charges").get().lines.count() == 3


def test_unpaid_refunded_and_deleted_fees_are_left_alone() -> None:
    pay(0)
    lines = list(InvoiceLine.objects.order_by("pk"))
    standalone_lines.set_payment_status(
        line_id=lines[0].pk, payment_status="refunded", actor=ACTOR, at=billing.instant("2026-05-11")
    )
    standalone_lines.delete(line_id=lines[1].pk, actor=ACTOR, at=billing.instant("2026-05-11"))
    assert gather("2026-06-01T01:00") == 0
    # Only the last fee of 9 and its tax are owed; the refund is as if it had never been.
    assert advance.balances() == {"receivable": "10.8", "revenue": "-9", "tax": "-1.8"}
