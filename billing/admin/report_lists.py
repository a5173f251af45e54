"""The lists behind figures of reports: subscriptions with their recurring revenue, documents, bookings.

Each sums to the figure that leads to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.urls import reverse
from moneyed import Money

from billing.admin.report_asked import Asked
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.domain import rounded_parts
from billing.queries import report_recurring
from billing.queries.report_recurring import Pace
from config.kernel import money
from invoicing.queries import report_documents
from invoicing.queries.report_documents import Item

_PAGES = {
    report_documents.INVOICE: "admin:invoicing_invoice_change",
    report_documents.CREDIT_NOTE: "admin:invoicing_creditnote_change",
    report_documents.ENTRY: "admin:invoicing_ledgerentry_change",
}
_KINDS = {
    report_documents.INVOICE: "Invoice",
    report_documents.CREDIT_NOTE: "Credit note",
    report_documents.ENTRY: "Booking",
}


def customer_cell(customer_id: int | None, name: str) -> object:
    """A customer's name that leads to the customer's page."""
    return Cell(name, reverse("admin:customers_customer_change", args=[customer_id])) if customer_id else name


def subscription_cell(subscription_id: int | None, name: str) -> object:
    """A subscription's name that leads to its page."""
    if subscription_id is None:
        return name
    return Cell(name, reverse("admin:billing_subscription_change", args=[subscription_id]))


def document_url(kind: str, pk: int) -> str:
    """The address of the page of a document or booking."""
    return reverse(_PAGES[kind], args=[pk])


def documents(found: Sequence[Item], *, name: str, title: str, amount: Column, note: str = "") -> Sheet:
    """Documents and bookings with what each adds to the figure."""
    rows = tuple(
        (
            Cell(item.label, document_url(item.kind, item.pk)) if item.pk else item.label,
            _KINDS[item.kind],
            customer_cell(item.customer_id, item.customer),
            item.day,
            item.due_on,
            item.amount,
        )
        for item in found
    )
    columns = (
        Column("Document"),
        Column("Kind"),
        Column("Customer"),
        Column("Date", Kind.DAY),
        Column("Due", Kind.DAY),
        amount,
    )
    return Sheet(name, title, columns, rows, note=note)


def running(asked: Asked, *, month: date, title: str) -> Sheet:
    """The subscriptions of the recurring revenue of a month's end."""
    found = report_recurring.by_subscription(
        at=asked.at,
        months=(month, month),
        currency=asked.currency,
        billing_entity_id=asked.entity_id,
        customer_ids=None if asked.customer_id is None else [asked.customer_id],
    )
    whole = total([one.after for one in found], asked.currency)
    parts = rounded_parts.spread(parts=[one.after for one in found], whole=whole)
    rows = tuple((*_named(one), part) for one, part in zip(found, parts, strict=True))
    columns = (*_COLUMNS, Column("A month", Kind.MONEY, "The plan's fee brought to a month", summed=True))
    return Sheet("subscriptions", title, columns, rows, note=_ROUNDED, empty="No subscription had a fee then.")


def moved(asked: Asked, *, months: tuple[date, date], customer_ids: Sequence[int], whole: Money, title: str) -> Sheet:
    """The subscriptions whose recurring revenue changed between two months' ends, of some customers."""
    found = report_recurring.by_subscription(
        at=asked.at,
        months=months,
        currency=asked.currency,
        billing_entity_id=asked.entity_id,
        customer_ids=customer_ids,
    )
    found = [one for one in found if one.before != one.after]
    parts = rounded_parts.spread(parts=[one.after - one.before for one in found], whole=whole)
    rows = tuple(
        (*_named(one), rounded(one.before, asked.currency), rounded(one.after, asked.currency), part)
        for one, part in zip(found, parts, strict=True)
    )
    columns = (
        *_COLUMNS,
        Column("Before", Kind.MONEY, "At the end of the month before"),
        Column("After", Kind.MONEY, "At the end of the month"),
        Column("Movement", Kind.MONEY, summed=True),
    )
    empty = "Nothing moved this way in the month."
    return Sheet("subscriptions", title, columns, rows, note=_ROUNDED, empty=empty)


def total(amounts: Sequence[Decimal], currency: str) -> Money:
    """Return the sum of unrounded amounts, rounded once, half up."""
    return rounded(sum(amounts, Decimal(0)), currency)


def rounded(amount: Decimal, currency: str) -> Money:
    """Return an unrounded amount as money, rounded half up."""
    return Money(money.quantize(amount, currency=currency), currency)


_COLUMNS = (Column("Customer"), Column("Subscription"), Column("Plan"))
_ROUNDED = "Amounts are rounded so that they come to the figure."


def _named(one: Pace) -> tuple[object, ...]:
    return (
        customer_cell(one.customer_id, one.customer),
        subscription_cell(one.subscription_id, one.subscription),
        one.plan,
    )
