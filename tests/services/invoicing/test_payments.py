"""Payments: in parts, never too much, once per key, booked, and telling when nothing is due."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from moneyed import Money

from config.kernel import errors
from config.platform.models import AuditEntry
from invoicing.domain import allocation
from invoicing.domain.facts import InvoicePaid
from invoicing.models import Invoice, LedgerEntry, Payment, PaymentAllocation
from invoicing.queries import ledger, receivables
from invoicing.services import invoices, payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

PAID_AT = datetime(2026, 5, 10, 23, 30, tzinfo=UTC)


@pytest.fixture
def invoice() -> Invoice:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    return make.issue(customer, "100.00", timezone="Europe/Berlin")


def pay(invoice: Invoice, amount: str, **values: Any) -> Payment:
    given = {"reference": "wire 1", "paid_at": PAID_AT, "actor": make.ACTOR, "at": PAID_AT, **values}
    return payments.record(invoice_id=invoice.pk, amount=Money(amount, invoice.currency), **given)


def test_a_part_payment_leaves_the_rest_due(invoice: Invoice, heard: list[object]) -> None:
    payment = pay(invoice, "19.00")

    invoice.refresh_from_db()
    assert (invoice.paid_amount, invoice.payment_status, invoice.paid_at) == (Money("19.00", "EUR"), "pending", None)
    assert receivables.owed(invoice) == Money("100.00", "EUR")
    assert payment.allocations.get().amount == Money("19.00", "EUR")
    assert (payment.kind, payment.status, payment.paid_at) == ("manual", "succeeded", PAID_AT)
    entry = LedgerEntry.objects.get(fact="payment_received")
    assert entry.accounting_date == date(2026, 5, 11)  # 23:30 UTC is 01:30 in Berlin
    assert {(row.account.role, row.amount.amount) for row in entry.postings.all()} == {
        ("cash", Decimal(19)),
        ("receivable", Decimal(-19)),
    }
    assert heard == []
    assert AuditEntry.objects.get(verb="record_payment").new["due_cents"] == 10000


def test_the_last_payment_settles_the_invoice_once(invoice: Invoice, heard: list[object]) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(payment_overdue=True)
    pay(invoice, "19.00")
    pay(invoice, "100.00", reference="wire 2")

    invoice.refresh_from_db()
    assert (invoice.payment_status, invoice.paid_at, invoice.payment_overdue) == ("succeeded", PAID_AT, False)
    assert heard == [InvoicePaid(invoice_id=invoice.pk)]
    assert {row.role: row.amount.amount for row in ledger.balances()} == {
        "cash": Decimal(119),
        "receivable": Decimal(0),
        "revenue": Decimal(-100),
        "tax": Decimal(-19),
    }
    assert ledger.out_of_balance() == {}


@pytest.mark.parametrize("amount", ["119.01", "0", "-1.00"])
def test_refuses_amounts_that_do_not_fit_and_changes_nothing(invoice: Invoice, amount: str) -> None:
    with pytest.raises(allocation.NotPayable):
        pay(invoice, amount)
    invoice.refresh_from_db()
    assert (invoice.paid_amount.amount, Payment.objects.count(), LedgerEntry.objects.count()) == (0, 0, 1)


def test_a_paid_invoice_takes_nothing_more(invoice: Invoice) -> None:
    pay(invoice, "119.00")

    with pytest.raises(allocation.NotPayable):
        pay(invoice, "0.01")
    assert PaymentAllocation.objects.aggregate(sum=Sum("amount"))["sum"] == 119


def test_the_same_key_pays_once(invoice: Invoice, heard: list[object]) -> None:
    first = pay(invoice, "119.00", idempotency_key="k1")
    again = pay(invoice, "119.00", idempotency_key="k1")

    assert again.pk == first.pk
    assert (Payment.objects.count(), LedgerEntry.objects.filter(fact="payment_received").count()) == (1, 1)
    assert heard == [InvoicePaid(invoice_id=invoice.pk)]


def test_a_key_belongs_to_one_payment(invoice: Invoice) -> None:
    other = make.issue(invoice.customer, "100.00")
    pay(invoice, "10.00", idempotency_key="k1")

    for wrong in (
        {"amount": "11.00"},
        {"amount": "10.00", "reference": "other"},
        {"amount": "10.00", "invoice": other},
    ):
        with pytest.raises(payments.KeyReused):
            pay(wrong.pop("invoice", invoice), wrong.pop("amount"), idempotency_key="k1", **wrong)
    assert Payment.objects.count() == 1


def test_without_a_key_two_payments_are_two(invoice: Invoice) -> None:
    pay(invoice, "10.00")
    pay(invoice, "10.00")

    invoice.refresh_from_db()
    assert invoice.paid_amount == Money("20.00", "EUR")


def test_only_issued_invoices_are_paid(invoice: Invoice) -> None:
    draft = make.draft(invoice.customer, "1.00").invoice
    voided = make.draft(invoice.customer, "1.00").invoice
    invoices.void_draft(invoice_id=voided.pk, reason="test", actor=make.ACTOR, at=make.AT)

    for wrong in (draft, voided):
        with pytest.raises(payments.UnableToPay) as refused:
            pay(wrong, "1.00")
        assert refused.value.code == "invoice_not_finalized"
    with pytest.raises(errors.NotFound):
        payments.record(
            invoice_id=0, amount=Money(1, "EUR"), reference="", paid_at=PAID_AT, actor=make.ACTOR, at=PAID_AT
        )
    assert not Payment.objects.exists()


def test_declared_paid_books_nothing_and_is_told_once(invoice: Invoice, heard: list[object]) -> None:
    def declare(status: str) -> Invoice:
        return payments.declare(invoice_id=invoice.pk, payment_status=status, actor=make.ACTOR, at=PAID_AT)

    declare("succeeded")
    declare("succeeded")
    invoice.refresh_from_db()
    assert (invoice.payment_status, invoice.paid_at, invoice.paid_amount.amount) == ("succeeded", PAID_AT, 0)
    assert (heard, Payment.objects.count()) == ([InvoicePaid(invoice_id=invoice.pk)], 0)
    assert LedgerEntry.objects.count() == 1

    pay(invoice, "119.00")
    assert heard == [InvoicePaid(invoice_id=invoice.pk)]


def test_a_declaration_can_be_taken_back(invoice: Invoice) -> None:
    def declare(status: str) -> Invoice:
        return payments.declare(invoice_id=invoice.pk, payment_status=status, actor=make.ACTOR, at=PAID_AT)

    declare("succeeded")
    declare("failed")
    invoice.refresh_from_db()
    assert (invoice.payment_status, invoice.paid_at) == ("failed", None)
    assert AuditEntry.objects.filter(verb="set_payment_status").count() == 2


def test_payments_cannot_be_declared_away(invoice: Invoice) -> None:
    pay(invoice, "119.00")

    with pytest.raises(errors.NotAllowed):
        payments.declare(invoice_id=invoice.pk, payment_status="pending", actor=make.ACTOR, at=PAID_AT)
    draft = make.draft(invoice.customer, "1.00").invoice
    with pytest.raises(errors.NotAllowed, match="draft"):
        payments.declare(invoice_id=draft.pk, payment_status="succeeded", actor=make.ACTOR, at=PAID_AT)


@pytest.mark.parametrize(
    ("currency", "net", "part", "rest"), [("JPY", "1005", "196", "1000"), ("BHD", "1.005", "0.196", "1.000")]
)
def test_amounts_of_other_currencies(currency: str, net: str, part: str, rest: str) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    invoice = make.issue(customer, net, currency=currency)  # 1196 yen, 1.196 dinars

    pay(invoice, part)
    invoice.refresh_from_db()
    assert receivables.owed(invoice) == Money(rest, currency)
    pay(invoice, rest)
    invoice.refresh_from_db()
    assert invoice.payment_status == "succeeded"


def test_money_that_is_yet_to_come_is_no_payment(invoice: Invoice, heard: list[object]) -> None:
    with pytest.raises(payments.NotReceivedYet) as refused:
        pay(invoice, "19.00", paid_at=PAID_AT + timedelta(days=1, seconds=1))
    assert refused.value.details == {"paid_at": ["invalid_date"]}
    assert not Payment.objects.exists()
    assert heard == []
    pay(invoice, "19.00", paid_at=PAID_AT + timedelta(hours=14))  # today's date in the easternmost zone, sent as UTC
    assert Payment.objects.count() == 1
