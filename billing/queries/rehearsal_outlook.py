"""What becomes of a rehearsal's invoices: which the run will leave out, because somebody parked the account since, and
what became of all that were agreed to. Never writes.

What was rehearsed stays as it is; this is read beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from moneyed import Money

from billing.models import BillingRunItem, Rehearsal, RehearsedInvoice
from billing.queries import parked_accounts

REFUSED, PARKED = "inputs_changed", "parked"
"""Error codes of what a run refused because it changed, and of whom it left out."""

_OPEN = (Rehearsal.State.READY.value, Rehearsal.State.SIGNED_OFF.value)


@dataclass(frozen=True, slots=True)
class Since:
    """Invoices of one currency whose accounts are parked since they were rehearsed, and their totals."""

    currency: str
    invoices_count: int
    accounts_count: int
    total: Money


@dataclass(frozen=True, slots=True)
class Became:
    """What became of the ``agreed`` invoices: the other four sum to it. ``unagreed`` customers were refused because
    nobody had agreed to any invoice of theirs.
    """

    agreed: int
    billed: int
    refused: int
    parked: int
    failed: int
    unagreed: int


def with_parked_since(rows: QuerySet[RehearsedInvoice]) -> QuerySet[RehearsedInvoice]:
    """Return the rows with ``parked_since``: an invoice that the run will leave out, though it was rehearsed."""
    return rows.annotate(parked_since=_is_left_out())


def rows_parked_since(*, rehearsal_id: int) -> QuerySet[RehearsedInvoice]:
    """Return the invoices whose accounts are parked since they were rehearsed, with their customers."""
    rows = RehearsedInvoice.objects.filter(_is_left_out(), rehearsal_id=rehearsal_id)
    return rows.select_related("customer", "billing_entity")


def parked_since(*, rehearsal_id: int) -> Sequence[Since]:
    """Return what the run will leave out of what was rehearsed, by currency. Nothing once it is billed. One query."""
    found = (
        RehearsedInvoice.objects.filter(_is_left_out(), rehearsal_id=rehearsal_id)
        .order_by("currency")
        .values("currency")
        .annotate(invoices=Count("pk"), accounts=Count("customer_id", distinct=True), total=Sum("total_amount"))
    )
    return [
        Since(
            currency=row["currency"],
            invoices_count=row["invoices"],
            accounts_count=row["accounts"],
            total=Money(Decimal(str(row["total"] or 0)), row["currency"]),
        )
        for row in found
    ]


def became(*, rehearsal: Rehearsal) -> Became | None:
    """Return what became of the invoices of a rehearsal that was billed; nothing of another. Two queries."""
    if rehearsal.run_id is None or rehearsal.state != Rehearsal.State.BILLED:
        return None
    items = BillingRunItem.objects.filter(run_id=rehearsal.run_id)
    agreed = RehearsedInvoice.objects.filter(rehearsal=rehearsal, error_code="")
    code = items.filter(customer_id=OuterRef("customer_id")).order_by("error_code", "pk").values("error_code")[:1]
    counted = dict(
        agreed.annotate(code=Subquery(code)).order_by().values("code").annotate(n=Count("pk")).values_list("code", "n")
    )
    same = agreed.filter(customer_id=OuterRef("customer_id"))
    unagreed = items.filter(error_code=REFUSED).exclude(Exists(same)).values("customer_id").distinct().count()
    total = sum(counted.values())
    billed, refused, parked = (counted.get(name, 0) for name in ("", REFUSED, PARKED))
    return Became(total, billed, refused, parked, total - billed - refused - parked, unagreed)


def _is_left_out() -> Q:
    return Q(parked_accounts.is_parked()) & Q(error_code="", rehearsal__state__in=_OPEN)
