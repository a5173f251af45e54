"""How a customer's account stands: what it owes, what of that is late, and how it pays. Never writes.

A fixed number of queries whatever the customer has; each reads what is open or newest by an index. Owns the figures of
one customer; those of all are `receivables`' and `report_receivables`'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Case, Count, F, Min, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce
from moneyed import Money

from config.kernel import dates, money
from invoicing.domain import accounts, ledger
from invoicing.models import Delivery, Invoice, LedgerPosting, OpeningBalance
from invoicing.queries import ledger as books
from invoicing.queries import receivables, work_queues

LOOKED_AT = 12
"""As many paid invoices as how a customer pays is told from: the newest."""

_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Standing:
    """What is open in one currency, with what of it is overdue and disputed.

    ``overdue`` is what nobody disputes, as on the overview. ``taken_over`` is the part of ``open`` that stood open in a
    former system, ``late_taken_over`` that of ``overdue``. ``oldest_due`` is the day on which the oldest part that is
    overdue was due.
    """

    open: Money
    overdue: Money
    disputed: Money
    taken_over: Money
    late_taken_over: Money
    open_count: int
    overdue_count: int
    oldest_due: date | None


@dataclass(frozen=True)
class Balance:
    """What the books say in one currency: owed, and what the customer has with its sellers to lower that."""

    owed: Money
    credit: Money

    @property
    def amount(self) -> Money:
        """What is owed after the credit; less than zero where there is more credit than that."""
        return self.owed - self.credit


@dataclass(frozen=True)
class Habit:
    """How the newest paid invoices were paid: whole days from the document to the money, and how often late.

    ``days`` is the mean, rounded half up.
    """

    count: int
    days: int
    late_count: int


def standings(*, customer_id: int, today: date) -> list[Standing]:
    """Return what is open by currency: issued invoices and balances taken over. Three queries, one without openings.

    An invoice is overdue once it is marked so (see `receivables.became_overdue`); a balance that was taken over on the
    day after it was due.
    """
    late = Q(payment_overdue=True, undisputed__gt=0)
    rows = receivables.open_invoices().filter(customer=customer_id).order_by().alias(undisputed=receivables.UNDISPUTED)
    sums = rows.values("currency").annotate(
        due=Sum(receivables.DUE),
        late=Sum(receivables.UNDISPUTED, filter=late, default=_NOTHING),
        disputed=Sum("disputed_amount"),
        count=Count("pk"),
        late_count=Count("pk", filter=late),
        oldest=Min("payment_due_date", filter=late),
    )
    found = {row["currency"]: row for row in sums}
    openings = _owed_openings(customer_id)
    return [
        _standing(currency, found.get(currency), openings.get(currency, []), today)
        for currency in sorted({*found, *openings})
    ]


def opening_amounts(*, openings: Collection[OpeningBalance]) -> dict[int, Money]:
    """Return what the books say is left of balances that were taken over, by key; what is had is positive too.

    One query.
    """
    if not openings:
        return {}
    known = {one.pk: one for one in openings}
    keys = list(known)
    owner = Coalesce(
        Case(When(entry__opening_balance__in=keys, then=F("entry__opening_balance"))),
        F("entry__opening_settlement__opening"),
    )
    rows = (
        LedgerPosting.objects.filter(
            Q(entry__opening_balance__in=keys) | Q(entry__opening_settlement__opening__in=keys),
            account__role__in=[*accounts.OPEN_ITEMS, ledger.CUSTOMER_CREDIT],
        )
        .order_by()
        .values_list(owner)
        .annotate(total=Sum("amount"))
    )
    left = dict(rows)
    return {pk: Money(abs(left.get(pk, _NOTHING)), one.currency) for pk, one in known.items()}


def balances(*, customer_id: int) -> list[Balance]:
    """Return what the books say by currency, zeros left out. One query."""
    owed: dict[str, Decimal] = defaultdict(Decimal)
    credit: dict[str, Decimal] = defaultdict(Decimal)
    for one in books.balances(customer_id=customer_id):
        code = one.amount.currency.code
        if one.role in accounts.OPEN_ITEMS:
            owed[code] += one.amount.amount
        elif one.role == ledger.CUSTOMER_CREDIT:
            credit[code] -= one.amount.amount
    found = [Balance(Money(owed[code], code), Money(credit[code], code)) for code in sorted({*owed, *credit})]
    return [one for one in found if one.owed or one.credit]


def billed(*, customer_id: int) -> list[Money]:
    """Return what was billed in all by currency: issued invoices with tax, before payments and credits. One query."""
    rows = Invoice.objects.filter(customer=customer_id, status=Invoice.Status.FINALIZED).order_by()
    sums = rows.values("currency").annotate(total=Sum("total_amount")).order_by("currency")
    return [Money(row["total"], row["currency"]) for row in sums]


def habit(*, customer_id: int) -> Habit | None:
    """Return how the newest paid invoices were paid, None where money paid none yet. One query.

    Days are those of the invoice's own time zone.
    """
    rows = (
        Invoice.objects.filter(
            customer=customer_id,
            status=Invoice.Status.FINALIZED,
            payment_status=Invoice.PaymentStatus.SUCCEEDED,
            paid_at__isnull=False,
            paid_amount__gt=0,
        )
        .order_by("-issuing_date", "-created_at")
        .values_list("issuing_date", "payment_due_date", "paid_at", "timezone")[:LOOKED_AT]
    )
    paid = [(issued, due, dates.local_date(at, dates.zone(tz))) for issued, due, at, tz in rows]
    if not paid:
        return None
    days = [max(0, (day - issued).days) for issued, _, day in paid]
    mean = money.round_half_up(Decimal(sum(days)) / len(days), 0)
    return Habit(count=len(paid), days=int(mean), late_count=sum(1 for _, due, day in paid if day > due))


def failing_mail(*, customer_id: int, at: datetime) -> QuerySet[Delivery]:
    """Return the customer's e-mails that did not get out, as the work queue has them, newest first."""
    owners = ("invoice", "credit_note", "payment_receipt__payment", "payment_request")
    own = Q()
    for owner in owners:
        own |= Q(**{f"{owner}__customer": customer_id})
    return work_queues.failing_mail(at).filter(own).order_by("-pk")


def _owed_openings(customer_id: int) -> Mapping[str, list[tuple[OpeningBalance, Money]]]:
    rows = list(OpeningBalance.objects.filter(customer=customer_id, kind=OpeningBalance.Kind.OWED))
    left = opening_amounts(openings=rows)
    found: dict[str, list[tuple[OpeningBalance, Money]]] = defaultdict(list)
    for row in rows:
        if left[row.pk]:
            found[row.currency].append((row, left[row.pk]))
    return found


def _standing(
    currency: str,
    row: Mapping[str, object] | None,
    openings: Sequence[tuple[OpeningBalance, Money]],
    today: date,
) -> Standing:
    known = row or {"due": 0, "late": 0, "disputed": 0, "count": 0, "late_count": 0, "oldest": None}
    nothing = money.zero(currency)
    taken_over = sum((left for _, left in openings), nothing)
    late = [(one.due_date, left) for one, left in openings if one.due_date < today]
    late_taken_over = sum((left for _, left in late), nothing)
    due_days = [day for day, _ in late] + ([known["oldest"]] if known["oldest"] else [])
    return Standing(
        open=Money(known["due"], currency) + taken_over,
        overdue=Money(known["late"], currency) + late_taken_over,
        disputed=Money(known["disputed"], currency),
        taken_over=taken_over,
        late_taken_over=late_taken_over,
        open_count=int(str(known["count"])) + len(openings),
        overdue_count=int(str(known["late_count"])) + len(late),
        oldest_due=min(due_days) if due_days else None,  # type: ignore[type-var]
    )
