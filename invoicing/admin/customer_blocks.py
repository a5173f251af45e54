"""What a customer's page lists of money: payments, credit notes, balances taken over, e-mails, and what happened, in
order.

Owns these blocks; invoices, wallets and prepaid credit of the page are the panel's, the figures `customer_glance`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone

from config.platform.admin import cells, history
from config.platform.admin.blocks import Row, Table, columns
from config.platform.queries import audit_trail
from customers.models import Customer
from invoicing.admin import shown
from invoicing.models import CreditNote, Delivery, Invoice, OpeningBalance, Payment, PaymentAllocation
from invoicing.queries import customer_accounts

MOST = 8
EVENTS = 12

Happened = tuple[datetime, object, object]


def payments(customer: Customer) -> Table:
    """The newest payments with the invoices that they pay. Three queries."""
    parts = Prefetch("allocations", queryset=PaymentAllocation.objects.select_related("invoice"))
    found = Payment.objects.filter(customer=customer).prefetch_related(parts).order_by("-created_at", "-id")[:MOST]
    return Table(
        "Newest payments",
        columns("Payment", "Paid on", "Amount#"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(one, one.reference or "without reference"), _pays(one)),
                    cells.local_day(one.paid_at, customer.applicable_timezone),
                    cells.money(one.amount),
                )
            )
            for one in found
        ),
        empty="Nothing was paid yet. Record a payment on the page of an invoice.",
        action=cells.link("All payments", _of(customer, "invoicing_payment")) if found else "",
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


def openings(customer: Customer) -> tuple[Table, ...]:
    """What was taken over from a former system, where something was, with what the books say is left. Two queries."""
    rows = list(OpeningBalance.objects.filter(customer=customer).order_by("-issuing_date", "-pk")[:MOST])
    if not rows:
        return ()
    left = customer_accounts.opening_amounts(openings=rows)
    found = tuple(
        Row(
            (
                cells.stack(cells.to(one), f"{one.get_kind_display()}, {cells.day_text(one.issuing_date)}"),
                cells.day(one.due_date) if one.kind == OpeningBalance.Kind.OWED else cells.EMPTY,
                cells.money(one.amount),
                cells.money(left[one.pk]),
            )
        )
        for one in rows
    )
    link = cells.link("All opening balances", _of(customer, "invoicing_openingbalance"))
    return (Table("Opening balances", columns("Number there", "Due", "Taken over#", "Left#"), found, action=link),)


def mails(customer: Customer) -> tuple[Table, ...]:
    """The newest e-mails of invoices, and before them those that did not get out. Three queries."""
    broken = customer_accounts.failing_mail(customer_id=customer.pk, at=timezone.now())
    failing = list(broken.select_related("invoice")[:MOST])
    sent = list(_newest_mails(customer)[:MOST])
    found = list({one.pk: one for one in (*failing, *sent)}.values())[:MOST]
    if not found:
        return ()
    rows = tuple(
        Row(
            (
                cells.stack(cells.to(one, _document(one)), one.error[:80]),
                ", ".join(one.recipients),
                shown.delivery(one),
                cells.nowrap(cells.day_of(one.sent_at or one.created_at)),
            )
        )
        for one in found
    )
    return (Table("Newest e-mails", columns("Document", "To", "State", "On"), rows),)


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
    for one in _newest_mails(customer)[:EVENTS]:
        yield (
            one.sent_at or one.created_at,
            cells.stack(cells.to(one, f"E-mail of {one.invoice}"), shown.delivery(one)),
            ", ".join(one.recipients),
        )


def _newest_mails(customer: Customer) -> QuerySet[Delivery]:
    """The e-mails of the newest invoices: found by these, so that a long past costs nothing. One query more."""
    newest = Invoice.objects.filter(customer=customer).order_by("-issuing_date", "-created_at", "-id")
    keys = list(newest.values_list("pk", flat=True)[: 2 * EVENTS])
    return Delivery.objects.filter(invoice__in=keys).select_related("invoice").order_by("-id")


def _document(mail: Delivery) -> str:
    if mail.invoice is not None:
        return str(mail.invoice)
    return mail.subject or "E-mail"


def _pays(payment: Payment) -> str:
    return ", ".join(str(part.invoice) for part in payment.allocations.all())


def _of(customer: Customer, model: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?customer__id__exact={customer.pk}"
