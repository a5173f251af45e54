"""Revenue, tax and money received by month of the books. Never writes.

From postings alone, by accounting date, so that ``known_on`` gives the same answer whenever it is asked. What documents
were issued, with their numbers, is `revenue`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth
from moneyed import Money

from invoicing.domain import ledger as bookings
from invoicing.queries import ledger


@dataclass(frozen=True)
class EarnedMonth:
    """One month in one currency. ``revenue`` is net, less credit notes and less ``promotion``: given credits used.

    ``tax`` became payable, ``received`` is money in less money out.
    """

    month: date
    currency: str
    revenue: Money
    promotion: Money
    tax: Money
    received: Money


def by_month(
    *,
    since: date | None = None,
    until: date | None = None,
    billing_entity_id: int | None = None,
    currency: str | None = None,
    known_on: datetime | None = None,
) -> list[EarnedMonth]:
    """Return the months with postings on revenue, tax or cash, oldest first; both days are included. One query."""
    rows = ledger.known(known_on=known_on).filter(
        account__role__in=[bookings.REVENUE, bookings.PROMOTION, bookings.TAX, bookings.CASH]
    )
    if since is not None:
        rows = rows.filter(entry__accounting_date__gte=since)
    if until is not None:
        rows = rows.filter(entry__accounting_date__lte=until)
    if billing_entity_id is not None:
        rows = rows.filter(entry__billing_entity_id=billing_entity_id)
    if currency is not None:
        rows = rows.filter(currency=currency)
    sums = rows.values("currency", month=TruncMonth("entry__accounting_date")).annotate(
        earned=_sum(bookings.REVENUE, bookings.PROMOTION),
        given=_sum(bookings.PROMOTION),
        taxed=_sum(bookings.TAX),
        received=_sum(bookings.CASH),
    )
    return [
        EarnedMonth(
            month=row["month"],
            currency=row["currency"],
            revenue=-Money(row["earned"], row["currency"]),
            promotion=Money(row["given"], row["currency"]),
            tax=-Money(row["taxed"], row["currency"]),
            received=Money(row["received"], row["currency"]),
        )
        for row in sums.order_by("month", "currency")
    ]


def _sum(*roles: str) -> Sum:
    return Sum("amount", filter=Q(account__role__in=roles), default=Decimal(0))
