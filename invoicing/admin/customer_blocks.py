"""What a customer's page shows of money: what was billed in all, payments, credit notes, and what happened, in order.

Owns these blocks; invoices, wallets and prepaid credit of the page are the panel's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Prefetch, Q, Sum
from django.urls import reverse
from moneyed import Money

from config.platform.admin import cells, history
from config.platform.admin.blocks import Figure, Row, Table, columns
from config.platform.queries import audit_trail
from customers.models import Customer
from invoicing.admin import shown
from invoicing.models import CreditNote, Delivery, Invoice, Payment, PaymentAllocation

MOST = 8
EVENTS = 12

Happened = tuple[datetime, object, object]


def billed(customer: Customer) -> list[Figure]:
    """What was billed in all, by currency: issued invoices with tax. One query."""
    rows = Invoice.objects.filter(customer=customer, status=Invoice.Status.FINALIZED).order_by()
    sums = rows.values("currency").annotate(total=Sum("total_amount")).order_by("currency")
    return [
        Figure(f"Billed in all, {row['currency']}", cells.money_text(Money(row["total"], row["currency"])))
        for row in sums
    ]


def payments(customer: Customer) -> Table:
    """The newest payments with the invoices that they pay. Three queries."""
    parts = Prefetch("allocations", queryset=PaymentAllocation.objects.select_related("invoice"))
    found = Payment.objects.filter(customer=customer).prefetch_related(parts).order_by("-created_at", "-id")[:MOST]
    return Table(
        "Newest payments",
        columns("Payment", "Paid on", "Pays", "Amount#"),
        tuple(
            Row(
                (
                    cells.to(one, one.reference or "without reference"),
                    cells.local_day(one.paid_at, customer.applicable_timezone),
                    ", ".join(str(part.invoice.number) for part in one.allocations.all()),
                    cells.money(one.amount),
                )
            )
            for one in found
        ),
        empty="Nothing was paid yet. Record a payment on the page of an invoice.",
        action=cells.link("All payments", _of(customer, "invoicing_payment")),
    )


def credit_notes(customer: Customer) -> tuple[Table, ...]:
    """The newest credit notes, where there are any. One query."""
    found = list(CreditNote.objects.filter(customer=customer).order_by("-created_at", "-id")[:MOST])
    if not found:
        return ()
    rows = tuple(
        Row((cells.to(one), one.get_reason_display(), cells.money(one.balance_amount), cells.money(one.total_amount)))
        for one in found
    )
    link = cells.link("All credit notes", _of(customer, "invoicing_creditnote"))
    return (Table("Newest credit notes", columns("Credit note", "Why", "Credit left#", "Total#"), rows, action=link),)


def timeline(customer: Customer) -> Table:
    """What happened last: what was changed of the customer, what came in, what was sent. Three queries."""
    found = sorted((*_changes(customer), *_received(customer), *_sent(customer)), key=lambda one: one[0], reverse=True)
    return Table(
        "What happened",
        columns("When", "What", "By, or to"),
        tuple(Row((cells.instant(at), what, who)) for at, what, who in found[:EVENTS]),
        empty="Nothing yet: changes, payments and e-mails of this customer are listed here.",
    )


def _changes(customer: Customer) -> Iterator[Happened]:
    for entry in audit_trail.of(customer)[:EVENTS]:
        text = f"Customer: {history.verb(entry.verb)}"
        yield entry.at, cells.stack(text, entry.reason) if entry.reason else text, history.who(entry)


def _received(customer: Customer) -> Iterator[Happened]:
    for one in Payment.objects.filter(customer=customer).order_by("-created_at", "-id")[:EVENTS]:
        yield one.created_at, cells.stack(cells.to(one, "Payment"), cells.money_text(one.amount)), one.reference


def _sent(customer: Customer) -> Iterator[Happened]:
    newest = Invoice.objects.filter(customer=customer).order_by("-issuing_date", "-created_at", "-id")
    keys = list(newest.values_list("pk", flat=True)[: 2 * EVENTS])
    rows = Delivery.objects.filter(Q(invoice__in=keys)).select_related("invoice").order_by("-id")[:EVENTS]
    for one in rows:
        yield (
            one.sent_at or one.created_at,
            cells.stack(cells.to(one, f"E-mail of {one.invoice}"), shown.delivery(one)),
            ", ".join(one.recipients),
        )


def _of(customer: Customer, model: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?customer__id__exact={customer.pk}"
