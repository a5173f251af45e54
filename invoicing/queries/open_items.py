"""What customers owe by the books: receivable postings summed by the invoice that they belong to. Never writes.

Only from what is append-only: postings, and the frozen dates of issued invoices. So a question about a moment in the
past (``known_on``) has the same answer whenever it is asked. An invoice that was declared paid by hand is open here as
long as no money is booked: that is a status, see `receivables`. What belongs to no invoice, such as a fee that stands
alone, is open from its first accounting day, and due on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case, Min, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from moneyed import Money

from invoicing.domain import accounts, ageing
from invoicing.domain import ledger as bookings
from invoicing.models import LedgerPosting, LinePayment, OpeningBalance
from invoicing.queries import ledger

_FEE = LinePayment._meta.label_lower


@dataclass(frozen=True)
class OpenItem:
    """What is open of an invoice, a fee that stands alone, an opening balance or of other bookings.

    ``disputed`` is part of it.
    """

    invoice_id: int | None
    line_id: int | None
    customer_id: int | None
    billing_entity_id: int
    description: str
    issued_on: date
    due_on: date
    amount: Money
    disputed: Money
    opening_id: int | None = None


def items(
    *,
    billing_entity_id: int | None = None,
    customer_id: int | None = None,
    until: date | None = None,
    known_on: datetime | None = None,
) -> list[OpenItem]:
    """Return what is open after the accounting day ``until``, the longest due first. One query, and one for openings.

    The cost follows the number of items that ever were: narrow it to a customer where one is meant.
    """
    rows = _keyed(_receivable(billing_entity_id, customer_id, until, known_on))
    sums = rows.values(
        "invoice_id",
        "line_id",
        "opening_id",
        "currency",
        "entry__billing_entity_id",
        "entry__customer_id",
        "invoice__number",
        "invoice__issuing_date",
        "invoice__payment_due_date",
    ).annotate(
        total=Sum("amount"),
        disputed=Sum("amount", filter=Q(account__role=bookings.DISPUTED), default=Decimal(0)),
        first=Min("entry__accounting_date"),
        told=Min("entry__description"),
    )
    open_ones = list(sums.exclude(total=0))
    keys = {row["opening_id"] for row in open_ones} - {None}
    openings = OpeningBalance.objects.in_bulk(keys) if keys else {}
    found = [_item(row, openings.get(row["opening_id"])) for row in open_ones]
    return sorted(found, key=lambda item: (item.due_on, item.issued_on, item.description))


def by_age(
    *,
    today: date,
    billing_entity_id: int | None = None,
    customer_id: int | None = None,
    known_on: datetime | None = None,
) -> dict[str, dict[str, Money]]:
    """Return what is open on a day by currency and age at it; every bucket of `ageing.BUCKETS` is there.

    Overpaid items and manual credits count as less. The sums are the balance of receivables on that day.
    """
    found = items(billing_entity_id=billing_entity_id, customer_id=customer_id, until=today, known_on=known_on)
    return ages(found=found, today=today)


def ages(*, found: Sequence[OpenItem], today: date) -> dict[str, dict[str, Money]]:
    """Return open items by currency and age; what of them is disputed stands apart."""
    return ageing.by_age(
        open_amounts=[(item.due_on, item.amount - item.disputed) for item in found],
        today=today,
        disputed=[item.disputed for item in found],
    )


def _receivable(
    billing_entity_id: int | None, customer_id: int | None, until: date | None, known_on: datetime | None
) -> models.QuerySet[LedgerPosting]:
    rows = ledger.known(known_on=known_on).filter(account__role__in=accounts.OPEN_ITEMS)
    if billing_entity_id is not None:
        rows = rows.filter(entry__billing_entity_id=billing_entity_id)
    if customer_id is not None:
        rows = rows.filter(entry__customer_id=customer_id)
    return rows if until is None else rows.filter(entry__accounting_date__lte=until)


def _keyed(rows: models.QuerySet[LedgerPosting]) -> models.QuerySet[LedgerPosting]:
    """Tell what each posting belongs to: its invoice, the line of a fee, an opening balance, or else its customer."""
    line = LinePayment.objects.filter(pk=OuterRef("entry__source_id")).values("line_id")
    alone = Q(invoice__isnull=True, entry__source_type=_FEE)
    number = models.BigIntegerField()
    case = Case(When(alone, then=Subquery(line[:1], output_field=number)), default=Value(None), output_field=number)
    opening = Coalesce("entry__opening_balance__id", "entry__opening_settlement__opening_id")
    return rows.annotate(line_id=case, opening_id=opening)


def _item(row: dict[str, Any], opening: OpeningBalance | None) -> OpenItem:
    currency = str(row["currency"])
    issued = row["invoice__issuing_date"] if opening is None else opening.issuing_date
    due = row["invoice__payment_due_date"] if opening is None else opening.due_date
    return OpenItem(
        invoice_id=row["invoice_id"],
        line_id=row["line_id"],
        customer_id=row["entry__customer_id"],
        billing_entity_id=row["entry__billing_entity_id"],
        description=_description(row) if opening is None else f"Opening balance {opening.reference}",
        issued_on=issued or row["first"],
        due_on=due or row["first"],
        amount=Money(row["total"], currency),
        disputed=Money(row["disputed"], currency),
        opening_id=row["opening_id"],
    )


def _description(row: dict[str, Any]) -> str:
    if row["invoice_id"] is not None:
        return f"Invoice {row['invoice__number']}"
    return str(row["told"]) if row["line_id"] is not None else "Other bookings"
