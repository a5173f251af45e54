"""Overdue invoices asked for together, and the one payment that answers: what is booked, what the status follows."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from moneyed import Money

from customers.models import Customer
from invoicing.domain.allocation import NotPayable
from invoicing.domain.payment_requests import UnableToRequest
from invoicing.models import Delivery, Document, Invoice, InvoiceDispute, LedgerPosting, PaymentReceipt, PaymentRequest
from invoicing.services import books_checks, deliveries, disputes, overdue, payment_requests, payments, voiding
from invoicing.services.payment_requests import AlreadyPaid
from invoicing.services.payments import KeyReused
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

BANK = {"bank_name": "Bank", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX", "country": "DE"}


@pytest.fixture
def customer() -> Customer:
    entity = make.make_entity(email="us@example.com", email_settings=["payment_receipt.created"], **BANK)
    return make.make_customer(entity, email="a@example.com, b@example.com", document_locale="de")


def late(customer: Customer, *amounts: str) -> list[Invoice]:
    """Issue invoices that are overdue on 1 May, the first the longest."""
    for number, amount in enumerate(amounts):
        make.issue(customer, amount, at=make.AT - timedelta(days=40 - number))
    overdue.mark(as_of=make.AT)
    return list(Invoice.objects.filter(customer=customer).order_by("pk"))


def ask(customer: Customer, *invoices: Invoice, email: str = "") -> PaymentRequest:
    return payment_requests.create(
        external_customer_id=customer.external_id,
        invoice_uuids=[one.uuid for one in invoices],
        email=email,
        actor=make.ACTOR,
        at=make.AT,
    )


def pay(request: PaymentRequest, amount: str, **values: object) -> object:
    given = {"reference": "wire", "paid_at": make.AT - timedelta(days=2), **values}
    return payment_requests.receive(
        payment_request_id=request.pk,
        amount=Money(amount, "EUR"),
        actor=make.ACTOR,
        at=make.AT,
        **given,  # type: ignore[arg-type]
    )


def dispute(invoice: Invoice, amount: str, at: datetime) -> InvoiceDispute:
    return disputes.open_dispute(
        invoice_id=invoice.pk, reason="Broken", amount=Money(amount, "EUR"), actor=make.ACTOR, at=at
    )


def cash() -> Decimal:
    rows = LedgerPosting.objects.filter(account__role="cash").values_list("amount", flat=True)
    return sum((Decimal(amount) for amount in rows), Decimal(0))


def test_one_payment_pays_them_all(customer: Customer) -> None:
    older, newer = late(customer, "100.00", "50.00")
    request = ask(customer, newer, older)
    assert (request.amount, request.payment_status) == (Money("150.00", "EUR"), "pending")
    assert list(request.parts.values_list("invoice_id", flat=True)) == [older.pk, newer.pk]

    first = pay(request, "120.00", idempotency_key="k")
    assert pay(request, "120.00", idempotency_key="k") == first  # nothing happens twice
    with pytest.raises(KeyReused):
        pay(request, "119.00", idempotency_key="k")
    older.refresh_from_db()
    newer.refresh_from_db()
    request.refresh_from_db()
    # 120 = 100 of the older one + 20 of the other
    assert (older.payment_status, older.paid_at) == ("succeeded", make.AT - timedelta(days=2))
    assert (newer.payment_status, newer.paid_amount) == ("pending", Money("20.00", "EUR"))
    assert request.payment_status == "pending"
    with pytest.raises(NotPayable):
        pay(request, "30.01")

    pay(request, "30.00")
    request.refresh_from_db()
    assert (request.payment_status, request.paid_at) == ("succeeded", make.AT)
    assert cash() == Decimal(150)
    with pytest.raises(AlreadyPaid):
        pay(request, "0.01")
    # Each payment has its receipt, which names the invoices that it paid.
    receipts = list(PaymentReceipt.objects.order_by("pk"))
    assert [row.number for row in receipts] == ["ACME-RCPT-001", "ACME-RCPT-002"]
    paid = [[(part["number"], part["amount"]) for part in row.snapshot["invoices"]] for row in receipts]
    assert paid == [
        [("ACME-001-001", "100.0000"), ("ACME-001-002", "20.0000")],
        [("ACME-001-002", "30.0000")],
    ]
    found = books_checks.run(as_of=make.AT + timedelta(hours=1), trigger="test", actor=make.ACTOR)
    assert found.findings_count == 0


def test_its_status_follows_whatever_pays_or_voids_its_invoices(customer: Customer) -> None:
    first, second, third = late(customer, "10.00", "20.00", "30.00")
    both, last = ask(customer, first, second), ask(customer, third)

    def status(request: PaymentRequest) -> str:
        request.refresh_from_db()
        return request.payment_status

    payments.record(
        invoice_id=first.pk,
        amount=Money("10.00", "EUR"),
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
    assert status(both) == "pending"
    payments.declare(invoice_id=second.pk, payment_status="succeeded", actor=make.ACTOR, at=make.AT)
    assert status(both) == "succeeded"
    payments.declare(invoice_id=second.pk, payment_status="pending", actor=make.ACTOR, at=make.AT)
    assert status(both) == "pending"  # that was taken back
    voiding.void(invoice_id=second.pk, actor=make.ACTOR, at=make.AT)
    assert status(both) == "succeeded"
    voiding.void(invoice_id=third.pk, actor=make.ACTOR, at=make.AT)
    assert status(last) == "failed"  # nothing of it was ever paid
    assert PaymentRequest.objects.get(pk=last.pk).paid_at is None


def test_a_dispute_of_before_is_not_asked_for_and_one_of_later_pays_nothing(customer: Customer) -> None:
    disputed, other, third = late(customer, "100.00", "50.00", "30.00")
    before = dispute(disputed, "60.00", make.AT - timedelta(hours=1))
    request = ask(customer, disputed, other, third)
    assert request.amount == Money("120.00", "EUR")  # 40 + 50 + 30

    dispute(third, "30.00", make.AT + timedelta(hours=1))
    pay(request, "90.00")  # all that nobody disputes by now: 40 + 50
    request.refresh_from_db()
    assert request.payment_status == "pending"  # the 30 that were asked for are disputed, and not paid
    pay(request, "30.00")
    request.refresh_from_db()
    assert request.payment_status == "succeeded"
    assert [Invoice.objects.get(pk=one.pk).paid_amount.amount for one in (disputed, other, third)] == [40, 50, 30]

    later = make.AT + timedelta(hours=2)
    disputes.resolve(dispute_id=before.pk, outcome="won", actor=make.ACTOR, at=later)
    payments.record(
        invoice_id=disputed.pk,
        amount=Money("1.00", "EUR"),
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
    request.refresh_from_db()
    assert request.payment_status == "succeeded"  # the 60 were never asked for


def test_what_was_asked_stays_and_what_cannot_be_asked_is_refused(customer: Customer) -> None:
    (asked,) = late(customer, "10.00")
    issued = make.issue(customer, "5.00")
    request = ask(customer, asked)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentRequest.objects.filter(pk=request.pk).update(amount=Money("1.00", "EUR"))
    with pytest.raises(UnableToRequest) as refused:
        ask(customer, asked, issued)
    assert refused.value.code == "invoices_not_overdue"
    stranger = make.make_customer(customer.billing_entity, "c2")
    with pytest.raises(payment_requests.known_invoices.InvoiceNotFound):
        ask(stranger, asked)
    assert PaymentRequest.objects.count() == 1


def test_the_request_and_the_receipt_are_e_mailed_in_the_customers_language(customer: Customer) -> None:
    older, newer = late(customer, "100.00", "50.00")
    request = ask(customer, older, newer, email="cfo@example.com")
    deliveries.send_pending(as_of=make.AT)
    (asked,) = mail.outbox
    assert (asked.to, asked.subject) == (["cfo@example.com"], "Überfällige Rechnungen von Acme: 150,00\u00a0€")
    assert "ACME-001-001" in str(asked.body)
    assert "DE89 3704 0044 0532 0130 00" in str(asked.body)
    assert [name for name, *_ in asked.attachments] == ["ACME-001-001.pdf", "ACME-001-002.pdf"]

    pay(request, "120.00")
    deliveries.send_pending(as_of=make.AT)
    mail.outbox.clear()
    payment_requests.send_again(payment_request_id=request.pk, actor=make.ACTOR, at=make.AT)
    deliveries.send_pending(as_of=make.AT)
    (again,) = mail.outbox
    assert again.subject.endswith(": 30,00\u00a0€")  # what was paid meanwhile is not asked for again
    assert [name for name, *_ in again.attachments] == ["ACME-001-002.pdf"]

    pay(request, "30.00")
    deliveries.send_pending(as_of=make.AT)
    receipt = mail.outbox[1]
    assert receipt.to == ["a@example.com", "b@example.com"]
    assert receipt.subject == "Zahlungsbeleg ACME-RCPT-002 von Acme: 30,00\u00a0€"
    ((name, content, kind),) = receipt.attachments
    assert (name, kind, bytes(content)[:5]) == ("ACME-RCPT-002.pdf", "application/pdf", b"%PDF-")
    assert Document.objects.filter(payment_receipt__isnull=False).count() == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
