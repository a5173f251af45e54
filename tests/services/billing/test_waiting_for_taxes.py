"""Invoices that wait for their taxes bill what they bill: nothing is billed again meanwhile, and nothing is lost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.queries import lifetime_usage
from billing.services import progressive_billing
from customers.models import Customer
from invoicing.domain import states
from invoicing.models import CreditNote, Invoice, LedgerEntry
from invoicing.services import invoices, tax_calculations
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """A customer whose VAT number is being asked about, of a seller that taxes by 19 %."""
    return parties.make_customer(parties.make_entity(taxes=[parties.make_tax()]), awaits_tax_decision=True)


def answered(customer: Customer, *, at: str) -> int:
    """Tell that the customer pays 20 %, and issue what waited for it."""
    customer.taxes.set([goods.make_tax("vat20", "0.20")])
    Customer.objects.filter(pk=customer.pk).update(awaits_tax_decision=False)
    return tax_calculations.issue_ready(as_of=instant(at))


def test_unused_time_of_an_invoice_that_waits(customer: Customer) -> None:
    plan = goods.make_plan("small", cents=3100, pay_in_advance=True)
    subscription = story.begin(customer, plan, "2026-01-01")
    [invoice] = Invoice.objects.all()
    assert invoice.status == "pending"

    story.end(subscription, "2026-01-16T10:00", on_termination_invoice="skip")
    [note] = CreditNote.objects.all()
    assert (note.status, note.number, LedgerEntry.objects.count()) == ("draft", None, 0)

    assert answered(customer, at="2026-01-17") == 1
    invoice.refresh_from_db()
    note = CreditNote.objects.get()
    # 31.00 + 20 %, less 15 of 31 days of it.
    assert (invoice.status, invoice.taxes_amount.amount) == ("finalized", Decimal("6.20"))
    assert (note.status, note.number) == ("finalized", f"{invoice.number}-CN001")
    assert (note.sub_total_amount.amount, note.taxes_amount.amount) == (15, 3)


def test_what_was_billed_progressively_and_waits_is_billed_once(customer: Customer) -> None:
    metric = goods.make_metric("gigabytes", "sum_agg")
    plan = goods.make_plan(
        "p", cents=0, charges=[goods.standard(metric, "1")], usage_thresholds=[{"amount_cents": 20_000}]
    )
    subscription = story.begin(customer, plan, "2026-05-01")
    made.send("sub", "gigabytes", "2026-05-05T10:00", gigabytes="250")
    for moment in ("2026-05-05T11:00", "2026-05-05T12:00"):
        assert progressive_billing.run(as_of=instant(moment)).failed == {}
    [early] = Invoice.objects.all()
    assert (early.status, early.fees_amount.amount) == ("pending", 250)
    with pytest.raises(states.InvalidTransition):
        invoices.finalize(invoice_id=early.pk, actor=ACTOR, at=instant("2026-05-05T13:00"))

    made.send("sub", "gigabytes", "2026-05-20T10:00", gigabytes="50")
    story.run("2026-06-01T00:10")
    period = Invoice.objects.get(kind="subscription")
    assert (period.status, period.fees_amount.amount) == ("pending", 300)
    assert period.progressive_billing_credit_amount.amount == 250
    # What the other one took off stays billed.
    with pytest.raises(states.InvalidTransition):
        invoices.void_draft(invoice_id=early.pk, reason="x", actor=ACTOR, at=instant("2026-06-01T08:00"))
    lifetime = lifetime_usage.read(subscription=subscription, at=instant("2026-06-01T08:00"))
    assert lifetime.invoiced.amount == 300

    assert answered(customer, at="2026-06-02") == 2
    totals = Invoice.objects.order_by("pk").values_list("status", "total_amount")
    # 250 + 50, and 50 + 10
    assert list(totals) == [("finalized", Decimal(300)), ("finalized", Decimal(60))]


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_what_waits_can_be_taken_back_and_is_billed_anew(customer: Customer, status: str) -> None:
    story.begin(customer, goods.make_plan("small", cents=3100), "2026-01-01")
    story.run("2026-02-01T00:10")
    [invoice] = Invoice.objects.all()
    Invoice.objects.update(status=status)
    invoices.void_draft(invoice_id=invoice.pk, reason="wrong price", actor=ACTOR, at=instant("2026-02-02"))
    invoice.refresh_from_db()
    assert (invoice.status, invoice.number) == ("voided", None)
    story.run("2026-02-02T01:00")
    again = Invoice.objects.exclude(pk=invoice.pk).get()
    assert (again.status, again.fees_amount.amount) == ("pending", 31)
