"""One of everything that waits for a person, beside a small company: for tests of work queues and of the overview.

Rows that take a whole story to come about are written as they would be at its end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from moneyed import Money

from billing.models import (
    BilledPeriod,
    BillingRun,
    BillingRunItem,
    Contract,
    LateUsage,
    Order,
    OrderForm,
    ParkedAccount,
    Quote,
    QuoteVersion,
    Rehearsal,
)
from catalog.models import Charge
from config.platform.models import ApprovalRequest, WebhookEndpoint
from customers.models import Customer
from invoicing.models import BooksCheck, BooksCheckResult, Delivery, Invoice, InvoiceLine
from invoicing.services import credit_notes, disputes, invoices, payments
from tests.factories import invoicing as make
from tests.factories.company import Company


def make_waiting(company: Company) -> dict[str, int]:
    """Make something wait in every queue at the company's instant; return how many were made of each."""
    at, customer = company.at, company.customers[0]
    _documents(customer, at)
    _runs(company, at)
    _sales(customer, at)
    person = User.objects.create_user("asking")
    ApprovalRequest.objects.create(
        action="void_invoice", verb="void", verb_label="Void", object_type="invoicing.invoice", object_id=1,
        object_label="LUM-1", currency="EUR", amount=Decimal(1500), asked_by=person, asked_at=at,
    )  # fmt: skip
    for number, failing_since in enumerate((at - timedelta(days=3), None)):
        WebhookEndpoint.objects.create(webhook_url=f"https://{number}.example/", failing_since=failing_since)
    return {
        "approvals": 1, "webhooks": 1, "drafts": 1, "untaxed": 2, "failed_payments": 1, "unallocated": 1, "refunds": 1,
        "disputes": 1, "mail": 2, "books": 2, "not_billed": 1, "sign_off": 1, "parked": 1, "late_usage": 2,
        "quotes_to_approve": 1, "quotes_expiring": 1, "failed_orders": 1, "renewals_30": 2, "renewals_60": 1,
        "renewals_90": 1,
    }  # fmt: skip


def _documents(customer: Customer, at: datetime) -> None:
    make.draft(customer, "12.50", at=at)
    for status in (Invoice.Status.PENDING, Invoice.Status.FAILED):
        waiting = make.draft(customer, "20.00", at=at).invoice
        Invoice.objects.filter(pk=waiting.pk).update(status=status)
    failed = make.issue(customer, "30.00", at=at)
    Invoice.objects.filter(pk=failed.pk).update(payment_status=Invoice.PaymentStatus.FAILED)
    disputed = make.issue(customer, "40.00", "2.00", at=at)
    for amount in ("5.00", "7.00"):
        disputes.open_dispute(
            invoice_id=disputed.pk, reason="Wrong.", amount=Money(amount, "EUR"), actor=make.ACTOR, at=at
        )
    voided = _paid(customer, "50.00", at)
    invoices.void(invoice_id=voided.pk, actor=make.ACTOR, at=at)
    credited = _paid(customer, "60.00", at)
    credit_notes.create(
        invoice_id=credited.pk,
        amounts={InvoiceLine.objects.get(invoice=credited).pk: Money("10.00", "EUR")},
        reason="other",
        refund=Money("11.90", "EUR"),  # with the tax of 19 %
        actor=make.ACTOR,
        at=at,
    )
    _mail(failed, 1, at, state="failed", error="SMTPRecipientsRefused")  # sent again since: nobody has to look
    _mail(failed, 2, at, state="pending", attempts=1, error="The server is away.")
    _mail(disputed, 1, at, state="failed", attempts=4, error="No such mailbox.")
    _mail(credited, 1, at, state="pending")  # just asked for
    _mail(voided, 1, at, state="sent", sent_at=at)
    for broken in (1, 2):
        check = BooksCheck.objects.create(
            as_of=at, trigger="test", sample=1, seed=1, status="failed", finished_at=at, broken_count=broken
        )
        for position, status in enumerate(("failed", "error", "passed")):
            count = 3 if status == "failed" else 0
            BooksCheckResult.objects.create(
                books_check=check, position=position, name=status, title=status, proves="", status=status,
                findings_count=count,
            )  # fmt: skip


def _paid(customer: Customer, amount: str, at: datetime) -> Invoice:
    invoice = make.issue(customer, amount, at=at)
    payments.record(
        invoice_id=invoice.pk, amount=invoice.total_amount, reference=f"P {amount}", paid_at=at, actor=make.ACTOR, at=at
    )
    return invoice


def _mail(invoice: Invoice, number: int, at: datetime, **values: Any) -> Delivery:
    Delivery.objects.filter(invoice=invoice, number=number).delete()  # what issuing it asked for
    return Delivery.objects.create(
        invoice=invoice, number=number, recipients=["a@example.com"], next_attempt_at=at, **values
    )


def _runs(company: Company, at: datetime) -> None:
    customer = company.customers[0]
    run = BillingRun.objects.create(as_of=at, trigger="test", status="failed", finished_at=at, created_at=at)
    for code in ("rating_failed", "parked", ""):
        BillingRunItem.objects.create(run=run, customer=customer, error_code=code, error=code)
    BillingRun.objects.create(as_of=at, trigger="test", created_at=at + timedelta(minutes=1))  # goes on still
    ParkedAccount.objects.create(customer=customer, reason="A merger.", parked_label="Ada", parked_at=at)
    ParkedAccount.objects.create(
        customer=company.customers[1], reason="Over.", parked_label="Ada", parked_at=at, released_at=at
    )
    for state in ("ready", "dropped"):
        Rehearsal.objects.create(as_of=at, state=state, requested_label="Ada", finished_at=at, updated_at=at)
    period = BilledPeriod.objects.filter(subscription=company.subscriptions[0]).order_by("pk").first()
    assert period is not None
    charge = Charge.objects.order_by("pk").first()
    for number, (state, amount) in enumerate((("held", "3.00"), ("held", "-1.00"), ("no_effect", "0"))):
        LateUsage.objects.create(
            subscription=company.subscriptions[0], period=period, charge=charge, item_key=number, state=state,
            currency="EUR", settled_amount=1, total_amount=1 + Decimal(amount), amount=Decimal(amount),
            settled_units=1, total_units=2, events_count=1, trace={}, trace_sha256="0" * 64, horizon=1, updated_at=at,
            created_at=at - timedelta(days=number),
        )  # fmt: skip


def _sales(customer: Customer, at: datetime) -> None:
    today = at.date()
    for number, days in enumerate((-1, 0, 30, 31, 61, 91)):
        Contract.objects.create(
            number=f"CT-{number}", customer=customer, name="Term", currency="EUR", state="active",
            starts_on=today - timedelta(days=300), term_months=12, ends_on=today + timedelta(days=days),
            renewal_months=12, activated_at=at, updated_at=at,
        )  # fmt: skip
    person = User.objects.create_user("selling")
    for number, (state, days) in enumerate(
        (("in_approval", 30), ("sent", 7), ("sent", 8), ("sent", -1), ("draft", 3), ("accepted", 3))
    ):
        quote = Quote.objects.create(
            number=f"QT-2025-{number:04}", name="Growth", customer=customer, updated_at=at,
            billing_entity=customer.billing_entity,
        )  # fmt: skip
        version = QuoteVersion.objects.create(
            quote=quote, number=1, state=state, currency="EUR", valid_until=today + timedelta(days=days),
            total_amount=Decimal(1200), terms_sha256="" if state == "draft" else "0" * 64, updated_at=at,
            submitted_by=person, submitted_at=None if state == "draft" else at, approved_at=at,
            decided_at=at if state == "accepted" else None,
        )  # fmt: skip
        if state == "accepted":
            form = OrderForm.objects.create(
                number="OF-1", version=version, customer=customer, state="signed", decided_at=at, signer_name="Bo",
                updated_at=at,
            )  # fmt: skip
            Order.objects.create(
                number="OR-1", order_form=form, customer=customer, currency="EUR", state="failed", updated_at=at
            )
