"""What customers owed at the ends of months by the books, how much of it was not due yet, and how old it is. Never
writes.

Sums of postings by accounting month and due day, so that one pass over the postings answers for all the months and for
the ages. The open amount of a month's end is the balance of receivables on its last day; it never changes once the
month's bookings are complete. What belongs to no invoice is due on its accounting day, see `open_items`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import BooleanField, ExpressionWrapper, Q, Sum
from django.db.models.functions import Coalesce, TruncMonth
from moneyed import Money

from config.kernel import dates, money
from invoicing.domain import accounts, ageing, ledger
from invoicing.models import LedgerPosting, OpeningSettlement
from invoicing.queries.revenue import Asked

_DAY = timedelta(days=1)
_NOTHING = Decimal(0)
_WRITTEN_OFF = (
    Q(entry__fact__in=[ledger.WRITTEN_OFF, ledger.WRITE_OFF_UNDONE])
    | Q(entry__opening_settlement__kind=OpeningSettlement.Kind.WRITTEN_OFF)
    | Q(entry__opening_settlement__undoes__kind=OpeningSettlement.Kind.WRITTEN_OFF)
)
_TAKEN_OVER = Q(entry__opening_balance__isnull=False) | Q(
    entry__opening_settlement__kind=OpeningSettlement.Kind.TAKEN_BACK
)
_DUE_ON = Coalesce("invoice__payment_due_date", "entry__accounting_date")


@dataclass(frozen=True, slots=True)
class Standing:
    """What was open at a month's end, what of it was not due yet, and what was written off in the month.

    ``month`` is its first day. A write-off that was undone counts as less. ``taken_over`` are opening balances that
    were booked in the month, less those taken back: nobody billed them here, so they were open before. ``unbilled`` is
    what of the open amount stands on no invoice: fees in advance that wait for their payment, and opening balances.
    """

    month: date
    open: Money
    not_due: Money
    written_off: Money
    taken_over: Money
    unbilled: Money


@dataclass(frozen=True, slots=True)
class Sums:
    """The postings of receivables in one currency: sums by month, due day and what they are."""

    currency: str
    rows: Sequence[tuple[date, date, bool, bool, bool, bool, bool, Decimal]]


def last_day(month: date, *, today: date) -> date:
    """Return the day that a month is looked at: its last one, today while it runs."""
    return min(dates.add_months(month, 1) - _DAY, today)


def sums(*, asked: Asked, until: date, today: date) -> Sums:
    """Return the postings up to the accounting day ``until`` in the one currency asked for.

    One statement, the cost of which follows the number of postings of receivables that ever were.
    """
    own = Asked(
        until=until, billing_entity_id=asked.billing_entity_id, customer_id=asked.customer_id, currency=asked.currency
    )
    rows = (
        LedgerPosting.objects.filter(
            own.conditions("accounting_date", prefix="entry__"), account__role__in=accounts.OPEN_ITEMS
        )
        .order_by()
        .values_list(
            TruncMonth("entry__accounting_date"),
            _DUE_ON,
            _is(Q(entry__accounting_date__lte=today)),
            _is(Q(account__role=ledger.DISPUTED)),
            _is(_WRITTEN_OFF),
            _is(_TAKEN_OVER),
            _is(Q(invoice__isnull=True)),
        )
        .annotate(total=Sum("amount"))
    )
    return Sums(currency=str(asked.currency), rows=list(rows))


def standings(*, months: Sequence[date], found: Sums, today: date) -> list[Standing]:
    """Return what was open at the end of each of consecutive ``months``; ``found`` reaches to the last one's end.

    The month that runs is told as it is booked so far, and what is due ``today`` or later is not due yet.
    """
    looked_at = [last_day(month, today=today) for month in months]
    opened: dict[int, Decimal] = defaultdict(Decimal)
    later: dict[int, Decimal] = defaultdict(Decimal)
    written_off: dict[int, Decimal] = defaultdict(Decimal)
    taken_over: dict[int, Decimal] = defaultdict(Decimal)
    alone: dict[int, Decimal] = defaultdict(Decimal)
    places = {month: place for place, month in enumerate(months)}
    for booked, due_on, _, _, is_written_off, is_taken_over, is_alone, amount in found.rows:
        first = places.get(booked, 0)
        opened[first] += amount
        if is_alone:
            alone[first] += amount
        # Not due at the ends of the months from the booking until the one before it became overdue.
        late = bisect_right(looked_at, due_on)
        if late > first:
            later[first] += amount
            later[late] -= amount
        if is_written_off and booked in places:
            written_off[first] -= amount
        if is_taken_over and booked in places:
            taken_over[first] += amount
    told, due, waiting, unbilled = [], _NOTHING, _NOTHING, _NOTHING
    for place, month in enumerate(months):
        due += opened[place]
        waiting += later[place]
        unbilled += alone[place]
        amounts = (
            Money(amount, found.currency) for amount in (due, waiting, written_off[place], taken_over[place], unbilled)
        )
        told.append(Standing(month, *amounts))
    return told


def by_age(*, found: Sums, today: date) -> dict[str, Money]:
    """Return what is open by the books on a day, that of `sums`, by its age; disputed apart.

    The same sums as `open_items.by_age`.
    """
    known = [row for row in found.rows if row[2]]
    ages = ageing.by_age(
        open_amounts=[(row[1], Money(row[-1], found.currency)) for row in known if not row[3]],
        today=today,
        disputed=[Money(row[-1], found.currency) for row in known if row[3]],
    )
    return ages.get(found.currency, {name: money.zero(found.currency) for name in ageing.BUCKETS})


def _is(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())
