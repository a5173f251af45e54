"""Rehearsals, what they found, and their sums. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from moneyed import Money

from billing.domain import rehearsed_lines
from billing.domain.bill_differences import Cause, PairedLine
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import contracts, parked_accounts
from config.kernel import errors, money

PARKED = "parked"
"""The error code of a row for an account that was left out."""

NOTHING_TO_BILL = "nothing_to_bill"
"""The error code of a row for a customer who would get no invoice, but got one last period."""

OPEN_STATES = (
    Rehearsal.State.WAITING,
    Rehearsal.State.RUNNING,
    Rehearsal.State.READY,
    Rehearsal.State.SIGNED_OFF,
)
"""States in which something is still to be done."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What a rehearsal comes to in one currency. ``causes`` sum to ``difference``: ``total`` less ``previous``.

    ``expected`` is the agreed recurring value of whole periods, before tax.
    """

    currency: str
    invoices_count: int
    flagged_count: int
    subtotal: Money
    tax: Money
    total: Money
    due: Money
    previous: Money
    difference: Money
    expected: Money
    causes: dict[Cause, Money]

    @property
    def credits(self) -> Money:
        """Return what credit notes and prepaid money pay, below zero: what it is after tax, but for them, is due."""
        return self.total - self.subtotal - self.tax


@dataclass(frozen=True, slots=True)
class DueNow:
    """What a run at a clock would look at: customers with something due, and how many of them are parked."""

    customers_count: int
    parked_count: int


def rehearsals() -> QuerySet[Rehearsal]:
    """Return all rehearsals with who asked and who signed off, the newest first."""
    return Rehearsal.objects.select_related("requested_by", "signed_off_by", "run")


def by_id(*, rehearsal_id: int) -> Rehearsal:
    """Return a rehearsal. Raises NotFound (``rehearsal_not_found``)."""
    found = rehearsals().filter(pk=rehearsal_id).first()
    if found is None:
        raise errors.NotFound("rehearsal_not_found", "There is no such rehearsal.")
    return found


def by_uuid(uuid: UUID) -> Rehearsal:
    """Return a rehearsal by its public id. Raises NotFound (``rehearsal_not_found``)."""
    found = rehearsals().filter(uuid=uuid).first()
    if found is None:
        raise errors.NotFound("rehearsal_not_found", "There is no such rehearsal.")
    return found


def waiting_one(*, until: datetime | None = None) -> Rehearsal | None:
    """Return the newest rehearsal that is to be computed, reviewed or billed, of a clock up to ``until``."""
    rows = rehearsals().filter(state__in=OPEN_STATES)
    return (rows if until is None else rows.filter(as_of__lte=until)).first()


def invoices(*, rehearsal_id: int) -> QuerySet[RehearsedInvoice]:
    """Return the invoices that would be made, with customer and seller; also those of nothing that were something."""
    rows = RehearsedInvoice.objects.filter(rehearsal_id=rehearsal_id, error_code__in=["", NOTHING_TO_BILL])
    return rows.select_related("customer", "billing_entity")


def everything(*, rehearsal_id: int) -> QuerySet[RehearsedInvoice]:
    """Return all rows of a rehearsal: invoices, failures and parked accounts."""
    rows = RehearsedInvoice.objects.filter(rehearsal_id=rehearsal_id)
    return rows.select_related("customer", "billing_entity", "previous")


def with_cause(rows: QuerySet[RehearsedInvoice], *, cause: Cause) -> QuerySet[RehearsedInvoice]:
    """Return those of the rows whose difference has this cause."""
    return rows.filter(causes__has_key=cause.value)


def failures(*, rehearsal_id: int) -> QuerySet[RehearsedInvoice]:
    """Return the customers that could not be billed, with the reason."""
    rows = RehearsedInvoice.objects.filter(rehearsal_id=rehearsal_id)
    return rows.exclude(error_code__in=["", NOTHING_TO_BILL, PARKED]).select_related("customer")


def parked(*, rehearsal_id: int) -> QuerySet[RehearsedInvoice]:
    """Return the customers that were left out because they were parked, with the reason."""
    return RehearsedInvoice.objects.filter(rehearsal_id=rehearsal_id, error_code=PARKED).select_related("customer")


def sums(*, rehearsal_id: int) -> list[Sums]:
    """Return what a rehearsal comes to by currency, in the order of their codes. Two statements."""
    found = (
        invoices(rehearsal_id=rehearsal_id)
        .values("currency")
        .annotate(
            invoices=Count("id", filter=Q(error_code="")),
            flagged=Count("id", filter=Q(is_flagged=True)),
            **{f"sum_{name}": Sum(F(f"{name}_amount")) for name in _AMOUNTS},
        )
        .order_by("currency")
    )
    causes = _causes(rehearsal_id)
    return [_sums(row, causes.get(row["currency"], {})) for row in found]


def lines(row: RehearsedInvoice) -> tuple[PairedLine, ...]:
    """Return the lines of a rehearsed invoice beside those of the period before, with the causes of each difference."""
    return rehearsed_lines.paired(now=row.lines, before=row.previous_lines)


def flags(row: RehearsedInvoice) -> Sequence[str]:
    """Return why an invoice is conspicuous, in sentences."""
    return [flag["says"] for flag in row.flags]


def due_now(*, as_of: datetime) -> DueNow:
    """Return how many customers a run at this clock would look at. Reads page by page; time follows their number."""
    everybody = list(contracts.due_customers(as_of=as_of, with_parked=True))
    return DueNow(len(everybody), len(parked_accounts.among(customer_ids=everybody)))


_AMOUNTS = ("subtotal", "tax", "total", "due", "previous", "difference", "expected")

_CAUSES = """
SELECT i.currency, cause.key, sum(cause.value::bigint)
FROM billing_rehearsedinvoice i CROSS JOIN LATERAL jsonb_each_text(i.causes) AS cause
WHERE i.rehearsal_id = %s
GROUP BY 1, 2"""


def _causes(rehearsal_id: int) -> dict[str, dict[Cause, Money]]:
    found: dict[str, dict[Cause, Money]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CAUSES, [rehearsal_id])
        for currency, cause, minor in cursor.fetchall():
            found.setdefault(currency, {})[Cause(cause)] = money.from_minor(int(minor), currency)
    return found


def _sums(row: dict[str, object], causes: dict[Cause, Money]) -> Sums:
    code = str(row["currency"])
    amounts = {name: Money(Decimal(str(row[f"sum_{name}"] or 0)), code) for name in _AMOUNTS}
    return Sums(
        currency=code,
        invoices_count=int(str(row["invoices"])),
        flagged_count=int(str(row["flagged"])),
        causes={cause: causes[cause] for cause in Cause if cause in causes},
        **amounts,
    )
