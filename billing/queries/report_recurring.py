"""Recurring revenue by customer and by subscription, for reports of its movements and of what stays. Never writes.

The figures are those of `recurring_revenue`, unrounded. Customers who had the very same in all the months are counted
in the database, so that what is read here follows how many different prices and beginnings there are.
"""

# ruff: noqa: S608 - statements are put together from texts of this module, what comes from outside is a parameter

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db import connection
from django.db.models import Min

from billing.domain.revenue_movements import History, Paces
from billing.models import Subscription
from billing.queries import recurring_revenue
from config.kernel import dates, money

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pace:
    """What one subscription came to at two months' ends, unrounded, with the names of what it is of."""

    subscription_id: int
    subscription: str
    plan: str
    customer_id: int
    customer: str
    before: Decimal
    after: Decimal


def paces(
    *,
    at: datetime,
    months: Sequence[date],
    billing_entity_id: int | None = None,
    customer_ids: Sequence[int] | None = None,
    is_whole: bool = False,
) -> Paces:
    """Return the recurring revenue of customers at the ends of ``months`` (first days, oldest first).

    The month of ``at`` ends now. All currencies are in it: which movement it is depends on the others. Customers who
    begin within the months are looked up before them. ``is_whole`` has every customer for itself, else those with the
    same history are one. Two statements.
    """
    asked = recurring_revenue.parameters(
        at=at, months=months, billing_entity_id=billing_entity_id, customer_ids=customer_ids
    )
    with connection.cursor() as cursor:
        cursor.execute(_HISTORIES, asked | {"whole": is_whole})
        rows = cursor.fetchall()
    begun = [key for ids, _, lows, _, _ in rows if min(lows) > 1 for key in ids]
    known = _known(begun, at=at, first=months[0], billing_entity_id=billing_entity_id)
    histories: list[History] = []
    for ids, *runs in rows:
        own = _by_month(len(months), *runs)
        both = [key for key in ids if key not in known], [key for key in ids if key in known]
        histories.extend(
            History(alike[0], own, was_known=was_known, customers=len(alike))
            for was_known, alike in zip((False, True), both, strict=True)
            if alike
        )
    return Paces(tuple(months), tuple(histories))


def by_subscription(
    *,
    at: datetime,
    months: tuple[date, date],
    currency: str,
    billing_entity_id: int | None = None,
    customer_ids: Sequence[int] | None = None,
) -> list[Pace]:
    """Return the subscriptions with recurring revenue in a currency at one of two months' ends, by customer and id.

    One statement. Both months may be the same.
    """
    asked = recurring_revenue.parameters(
        at=at,
        months=sorted(set(months)),
        currency=currency,
        billing_entity_id=billing_entity_id,
        customer_ids=customer_ids,
    )
    with connection.cursor() as cursor:
        before, after = (sorted(set(months)).index(month) + 1 for month in months)
        cursor.execute(_SUBSCRIPTIONS, asked | {"before": before, "after": after})
        return [Pace(*row) for row in cursor.fetchall()]


def first_month(*, at: datetime) -> date | None:
    """Return the first day of the month (UTC) in which the first subscription began; None before there is any."""
    started: datetime | None = Subscription.objects.filter(started_at__lte=at).aggregate(first=Min("started_at"))[
        "first"
    ]
    return None if started is None else started.date().replace(day=1)


def month_range(first: date, last: date) -> list[date]:
    """Return the first days of the months from one to another, both included."""
    months: list[date] = []
    while (month := dates.add_months(first, len(months))) <= last:
        months.append(month)
    return months


def _by_month(
    count: int, currencies: Sequence[str], lows: Sequence[int], highs: Sequence[int], amounts: Sequence[Decimal]
) -> dict[str, list[Decimal]]:
    """Return what runs of months come to in each of so many months, by currency."""
    found: dict[str, list[Decimal]] = {}
    with localcontext(money.DECIMAL_CONTEXT):
        for currency, low, high, amount in zip(currencies, lows, highs, amounts, strict=True):
            values = found.setdefault(currency, [_NOTHING] * count)
            for place in range(low - 1, high):
                values[place] += amount
    return found


def _known(ids: Sequence[int], **narrowed: Any) -> set[int]:
    """Return those of the customers who had recurring revenue at the end of any month before the first one."""
    started = (
        Subscription.objects.filter(customer_id__in=ids, started_at__lt=dates.start_of_day(narrowed["first"], _UTC))
        .order_by()
        .values("customer_id")
        .annotate(first=Min("started_at"))
    )
    starts = {row["customer_id"]: row["first"] for row in started}
    if not starts:
        return set()
    first, last = min(starts.values()).date().replace(day=1), dates.add_months(narrowed["first"], -1)
    asked = recurring_revenue.parameters(
        at=narrowed["at"],
        months=month_range(first, last) or [last],
        billing_entity_id=narrowed["billing_entity_id"],
        customer_ids=sorted(starts),
    )
    with connection.cursor() as cursor:
        cursor.execute(_EVER, asked)
        return {row[0] for row in cursor.fetchall()}


_UTC = dates.zone("UTC")

_HISTORIES = f"""
    WITH {recurring_revenue.PACES}, run AS (
        SELECT customer_id, currency, lo, hi, sum(amount) AS amount
        FROM pace WHERE amount <> 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ), history AS (
        SELECT customer_id, array_agg(currency::text) AS currencies, array_agg(lo) AS lows, array_agg(hi) AS highs,
               array_agg(amount) AS amounts
        FROM run GROUP BY 1
    )
    SELECT array_agg(customer_id ORDER BY customer_id), currencies, lows, highs, amounts
    FROM history GROUP BY 2, 3, 4, 5, CASE WHEN %(whole)s THEN customer_id END
"""

_EVER = f"""
    WITH {recurring_revenue.PACES}
    SELECT DISTINCT customer_id FROM pace WHERE amount <> 0
"""

_SUBSCRIPTIONS = f"""
    WITH {recurring_revenue.PACES}, own AS (
        SELECT subscription_id, max(plan_version_id) AS plan_version_id,
               coalesce(sum(amount) FILTER (WHERE %(before)s BETWEEN lo AND hi), 0) AS before,
               coalesce(sum(amount) FILTER (WHERE %(after)s BETWEEN lo AND hi), 0) AS after
        FROM pace GROUP BY 1
    )
    SELECT s.id, coalesce(nullif(s.name, ''), s.external_id), p.name, c.id,
           coalesce(nullif(c.name, ''), nullif(trim(c.firstname || ' ' || c.lastname), ''), c.external_id),
           own.before, own.after
    FROM own
    JOIN billing_subscription s ON s.id = own.subscription_id
    JOIN customers_customer c ON c.id = s.customer_id
    JOIN catalog_planversion v ON v.id = own.plan_version_id
    JOIN catalog_plan p ON p.id = v.plan_id
    WHERE own.before <> 0 OR own.after <> 0
    ORDER BY 5, 4, 1
"""
