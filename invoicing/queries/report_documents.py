"""The documents and bookings behind figures of reports: what was billed, collected, and is open. Never writes.

Each list sums to the figure of `revenue` or `report_receivables` that it explains: it is read by the same
conditions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Min, Sum
from moneyed import Money

from customers.models import Customer
from invoicing.domain import accounts
from invoicing.models import LedgerPosting
from invoicing.queries import open_items, revenue
from invoicing.queries.revenue import Asked

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"
ENTRY = "entry"

_NAMES = ("customer__external_id", "customer__name", "customer__firstname", "customer__lastname")
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Item:
    """A document or booking of a figure; ``kind`` and ``pk`` name it, ``pk`` is None for what has no page."""

    kind: str
    pk: int | None
    label: str
    customer_id: int | None
    customer: str
    day: date
    due_on: date | None
    amount: Money


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """What a customer was billed over some months, and owes at the end of them."""

    customer_id: int
    billed: Money
    open: Money


def billed(asked: Asked) -> list[Item]:
    """Return the invoices and credit notes (as less) behind what was billed, by day and number. Two statements."""
    fields = ("pk", "number", "issuing_date", "currency", "customer_id", *_NAMES)
    invoices = revenue.invoices(asked).values(*fields, "payment_due_date", "sold")
    notes = revenue.credit_notes(asked).values(*fields, "total_amount")
    found = [
        _item(INVOICE, row, day=row["issuing_date"], due_on=row["payment_due_date"], amount=row["sold"])
        for row in invoices.iterator()
    ]
    found += [
        _item(CREDIT_NOTE, row, day=row["issuing_date"], due_on=None, amount=-_plain(row["total_amount"]))
        for row in notes.iterator()
    ]
    return sorted(found, key=lambda item: (item.day, item.label))


def collected(asked: Asked) -> list[Item]:
    """Return the bookings behind what was collected, less what was paid back, by day. One statement."""
    names = tuple(f"entry__{name}" for name in ("customer_id", *_NAMES))
    rows = revenue.receipts(asked).values(
        "entry_id", "entry__description", "entry__accounting_date", "currency", *names
    )
    found = []
    for row in rows.annotate(total=Sum("amount")).order_by("entry__accounting_date", "entry_id"):
        flat = {name.removeprefix("entry__"): value for name, value in row.items()}
        flat |= {"pk": row["entry_id"], "number": row["entry__description"]}
        found.append(_item(ENTRY, flat, day=row["entry__accounting_date"], due_on=None, amount=row["total"]))
    return found


def open_at(asked: Asked) -> list[Item]:
    """Return what is open by the books on the last day asked for, the longest due first. Two statements."""
    found = [
        item
        for item in open_items.items(
            billing_entity_id=asked.billing_entity_id, customer_id=asked.customer_id, until=asked.until
        )
        if item.amount.currency.code == asked.currency
    ]
    names = names_of({item.customer_id for item in found if item.customer_id})
    return [
        Item(
            kind=INVOICE if item.invoice_id else ENTRY,
            pk=item.invoice_id,
            label=item.description.removeprefix("Invoice "),
            customer_id=item.customer_id,
            customer=names.get(item.customer_id or 0, ""),
            day=item.issued_on,
            due_on=item.due_on,
            amount=item.amount,
        )
        for item in found
    ]


def by_customer(asked: Asked) -> list[OfCustomer]:
    """Return what each customer was billed in the days asked for and owes on the last of them, the most billed first.

    Three statements over sums.
    """
    sums: dict[int, list[Decimal]] = {}
    for row in revenue.invoices(asked).values("customer_id").annotate(total=Sum("sold")):
        sums.setdefault(row["customer_id"], [_NOTHING, _NOTHING])[0] += row["total"]
    for row in revenue.credit_notes(asked).values("customer_id").annotate(total=Sum("total_amount")):
        sums.setdefault(row["customer_id"], [_NOTHING, _NOTHING])[0] -= row["total"]
    for customer_id, total in _owed(asked):
        sums.setdefault(customer_id, [_NOTHING, _NOTHING])[1] += total
    currency = str(asked.currency)
    found = [OfCustomer(key, Money(one[0], currency), Money(one[1], currency)) for key, one in sums.items() if any(one)]
    return sorted(found, key=lambda one: (-one.billed.amount, -one.open.amount, one.customer_id))


def first_bills(
    *, currency: str, billing_entity_id: int | None = None, customer_id: int | None = None
) -> dict[int, date]:
    """Return the first day of the month of each customer's first bill in a currency: the first issued invoice that came
    to something before credits, by its issuing date. One statement over all issued invoices.
    """
    asked = Asked(billing_entity_id=billing_entity_id, customer_id=customer_id, currency=currency)
    rows = revenue.invoices(asked).filter(fees_amount__gt=0).values("customer_id").annotate(first=Min("issuing_date"))
    return {row["customer_id"]: row["first"].replace(day=1) for row in rows}


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """Return what customers are called. One statement."""
    rows = Customer.objects.filter(pk__in=list(ids)).values("pk", "external_id", "name", "firstname", "lastname")
    return {row["pk"]: _named(row, "") for row in rows}


def _owed(asked: Asked) -> list[tuple[int, Decimal]]:
    until = Asked(
        until=asked.until,
        billing_entity_id=asked.billing_entity_id,
        customer_id=asked.customer_id,
        currency=asked.currency,
    )
    rows = LedgerPosting.objects.filter(
        until.conditions("accounting_date", prefix="entry__"),
        account__role__in=accounts.OPEN_ITEMS,
        entry__customer__isnull=False,
    )
    sums = rows.order_by().values("entry__customer_id").annotate(total=Sum("amount")).exclude(total=0)
    return [(row["entry__customer_id"], row["total"]) for row in sums]


def _item(kind: str, row: dict[str, Any], *, day: date, due_on: date | None, amount: Any) -> Item:
    return Item(
        kind=kind,
        pk=row["pk"],
        label=str(row["number"]),
        customer_id=row["customer_id"],
        customer=_named(row, "customer__") if row["customer_id"] else "",
        day=day,
        due_on=due_on,
        amount=Money(_plain(amount), row["currency"]),
    )


def _plain(amount: Any) -> Decimal:
    """The number of an amount, whether the column gives it as money or not."""
    return Decimal(amount.amount if isinstance(amount, Money) else amount)


def _named(row: dict[str, Any], prefix: str) -> str:
    person = f"{row[f'{prefix}firstname']} {row[f'{prefix}lastname']}".strip()
    return str(row[f"{prefix}name"] or person or row[f"{prefix}external_id"])
