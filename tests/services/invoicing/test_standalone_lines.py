"""Lines that stand alone in the database: frozen at once, their taxes too; what may change, and on what they may go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from invoicing.domain import standalone
from invoicing.models import Invoice, InvoiceLine, LinePayment, LineTax
from invoicing.services import standalone_lines
from tests.factories import advance, billing, catalog, invoicing, usage
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> InvoiceLine:
    metric = catalog.make_metric("seats", "sum_agg")
    version = advance.make_plan(metric)
    version.charges.get().taxes.add(catalog.make_tax("vat", "0.20"))
    advance.make_subscription(version)
    usage.store(usage.make_event("2026-05-04T12:00:00", code="seats", properties={"seats": 2}))
    advance.bill(billing.instant("2026-05-04T13:00"))
    return InvoiceLine.objects.get()


def refused(change: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            change()
    except IntegrityError:
        return True
    return False


def test_a_line_is_taxed_and_booked_when_it_is_made(line: InvoiceLine) -> None:
    assert (line.amount.amount, str(line.taxes_amount.amount.normalize()), line.payment_status) == (6, "1.2", "pending")
    assert advance.balances() == {"receivable": "7.2", "revenue": "-6", "tax": "-1.2"}
    assert LinePayment.objects.filter(line=line).count() == 1


def test_its_money_and_taxes_are_frozen(line: InvoiceLine) -> None:
    rows, taxes = InvoiceLine.objects.filter(pk=line.pk), LineTax.objects.filter(line=line)
    assert refused(lambda: rows.update(amount=1))
    assert refused(lambda: rows.update(units=1))
    assert refused(lambda: rows.update(position=4))
    assert refused(lambda: taxes.update(rate=0))
    assert refused(taxes.delete)
    assert refused(rows.delete)
    more = catalog.make_tax("more")
    figures = {"rate": more.rate, "currency": "EUR", "amount": 0, "precise_amount": 0, "tax_code": "more"}
    assert refused(lambda: LineTax.objects.create(line=line, tax=more, **figures))
    assert not refused(lambda: rows.update(payment_status="failed"))


def test_it_goes_on_a_draft_of_paid_lines_only(line: InvoiceLine) -> None:
    rows = InvoiceLine.objects.filter(pk=line.pk)
    draft = invoicing.draft(line.customer, "1").invoice
    assert refused(lambda: rows.update(invoice=draft, position=2))
    Invoice.objects.filter(pk=draft.pk).update(kind="advance_charges")
    assert refused(lambda: rows.update(invoice=draft, position=2, amount=1))
    assert not refused(lambda: rows.update(invoice=draft, position=2))
    with pytest.raises(standalone.OnInvoice):
        standalone_lines.set_payment_status(
            line_id=line.pk, payment_status="succeeded", actor=ACTOR, at=billing.instant("2026-05-05")
        )
