"""Monthly recurring revenue by month, as `billing.domain.recurring_revenue` defines it. Never writes.

A period that was billed counts with the price that it was billed by, so that the past stays what it was when a plan
gets another price; one that was not yet, as in arrears, with the price that is agreed now. Of a price that includes tax
what is left of it on the document counts, and all of it until there is one. Months end in the time zone of the
customer. Owns the sum and the statement below it; what customers and subscriptions have is `report_recurring`.
"""

# ruff: noqa: S608 - statements are put together from texts of this module, what comes from outside is a parameter

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from django.db import connection
from django.db.models import Min
from moneyed import Money

from billing.domain import recurring_revenue as rule
from billing.domain.recurring_revenue import Recurring
from billing.models import Subscription
from config.kernel import dates, money


def by_month(
    *,
    at: datetime,
    since: date | None = None,
    currency: str | None = None,
    external_customer_id: str | None = None,
    customer_id: int | None = None,
    billing_entity_id: int | None = None,
) -> list[Recurring]:
    """Return the recurring revenue of each month and currency up to that of ``at``, oldest first.

    An external id may be that of a retired customer too; ``customer_id`` is one alone.
    ``since`` is the first day of the oldest month, None the month of the first start. Months without a subscription
    are left out. Summed unrounded and rounded once. Two statements, the cost of which follows the number of
    subscriptions and periods in the time asked for.
    """
    last = at.astimezone(UTC).date().replace(day=1)
    first = since or _first(last)
    months = []
    while (month := dates.add_months(first, len(months))) <= last:
        months.append(month)
    with connection.cursor() as cursor:
        asked = parameters(
            at=at,
            months=months,
            currency=currency,
            billing_entity_id=billing_entity_id,
            customer_ids=None if customer_id is None else [customer_id],
        )
        cursor.execute(_STATEMENT, asked | {"customer": external_customer_id})
        rows = cursor.fetchall()
    return [
        Recurring(month=month, amount=Money(money.quantize(amount, currency=code), code))
        for month, code, amount in rows
    ]


def parameters(
    *,
    at: datetime,
    months: Sequence[date],
    currency: str | None = None,
    billing_entity_id: int | None = None,
    customer_ids: Sequence[int] | None = None,
) -> dict[str, object]:
    """Return what `PACES` asks for: the first days of the months, oldest first, and what they are narrowed to."""
    return {
        "at": at,
        "months": list(months),
        "since": months[0],
        "currency": currency,
        "customer": None,
        "customers": None if customer_ids is None else list(customer_ids),
        "seller": billing_entity_id,
    }


def _first(last: date) -> date:
    """Return the month of the first start, or ``last`` where nothing ever started."""
    started: datetime | None = Subscription.objects.aggregate(first=Min("started_at"))["first"]
    return last if started is None else min(started.astimezone(UTC).date().replace(day=1), last)


def _a_month(amount: str, interval: str) -> str:
    """Return the rule's amount of a month as SQL."""
    cases = " ".join(f"WHEN '{name}' THEN {amount} / {count}" for name, count in rule.MONTHS.items())
    weekly = f"{amount} * {rule.DAYS_OF_MONTH} / {rule.DAYS_OF_WEEK}"
    return f"(CASE {interval} {cases} ELSE {weekly} END)"


def _ended(moment: str, *, of: str) -> str:
    """Return as SQL how many of the months ended before a moment, by the ends of a row."""
    return f"width_bucket({moment} - interval '1 microsecond', {of}.ends)"


PACES = f"""
    owner AS (
        SELECT c.id, c.billing_entity_id, coalesce(nullif(c.timezone, ''), e.timezone) AS zone
        FROM customers_customer c JOIN customers_billingentity e ON e.id = c.billing_entity_id
        WHERE (%(customer)s::text IS NULL OR c.external_id = %(customer)s)
          AND (%(customers)s::bigint[] IS NULL OR c.id = ANY(%(customers)s))
    ), zone AS MATERIALIZED (
        SELECT known.zone, array_agg(
            least((month.first + interval '1 month') AT TIME ZONE known.zone - interval '1 microsecond', %(at)s)
            ORDER BY month.first) AS ends
        FROM (SELECT DISTINCT zone FROM owner) AS known, unnest(%(months)s::date[]) AS month(first)
        GROUP BY known.zone
    ), running AS MATERIALIZED (
        SELECT s.id, s.customer_id, s.plan_version_id, v.tax_inclusive, zone.ends, own.lo, own.hi
        FROM billing_subscription s
        JOIN catalog_planversion v ON v.id = s.plan_version_id
        JOIN owner ON owner.id = s.customer_id
        JOIN zone ON zone.zone = owner.zone
        CROSS JOIN LATERAL (
            SELECT {_ended("greatest(s.started_at, s.trial_ends_at)", of="zone")} + 1 AS lo,
                   CASE WHEN s.terminated_at IS NULL THEN cardinality(zone.ends)
                        ELSE {_ended("s.terminated_at", of="zone")} END AS hi
        ) AS own
        WHERE s.status IN ('active', 'terminated') AND s.started_at IS NOT NULL AND own.lo <= own.hi
          AND (%(seller)s::bigint IS NULL OR coalesce(s.billing_entity_id, owner.billing_entity_id) = %(seller)s)
    ), billed AS MATERIALIZED (
        SELECT running.id, running.customer_id, coalesce(p.plan_version_id, running.plan_version_id) AS plan_version_id,
               p.id AS period_id, own.lo, own.hi
        FROM running
        JOIN billing_billedperiod p
          ON p.subscription_id = running.id
         AND (p.plan_version_id <> running.plan_version_id OR running.tax_inclusive)
        CROSS JOIN LATERAL (
            SELECT greatest(running.lo, {_ended("p.from_at", of="running")} + 1) AS lo,
                   least(running.hi, {_ended("p.to_at", of="running")}) AS hi
        ) AS own
        WHERE p.bills_fee AND p.released_at IS NULL AND own.lo <= own.hi
          AND p.to_at > %(since)s::date - interval '2 days' AND p.from_at <= %(at)s
    ), unbilled AS (
        SELECT running.id, running.customer_id, running.plan_version_id, NULL::bigint AS period_id,
               lower(part) AS lo, upper(part) - 1 AS hi
        FROM running
        LEFT JOIN (SELECT id, range_agg(int4range(lo, hi, '[]')) AS months FROM billed GROUP BY id) AS other
          ON other.id = running.id
        CROSS JOIN LATERAL unnest(
            int4multirange(int4range(running.lo, running.hi, '[]')) - coalesce(other.months, '{{}}')
        ) AS part
    ), pace AS (
        SELECT part.id AS subscription_id, part.customer_id, part.lo, part.hi, v.currency, v.id AS plan_version_id,
               v.amount * coalesce(net.share, 1) AS amount
        FROM (SELECT * FROM unbilled UNION ALL SELECT * FROM billed) AS part
        JOIN (
            SELECT id, currency, tax_inclusive, {_a_month("amount", "interval")} AS amount FROM catalog_planversion
        ) AS v ON v.id = part.plan_version_id
        LEFT JOIN LATERAL (
            SELECT l.amount / l.tax_inclusive_amount AS share
            FROM billing_ratedcharge r
            JOIN invoicing_invoiceline l ON l.id = r.line_id AND l.kind = 'subscription' AND l.tax_inclusive_amount <> 0
            WHERE v.tax_inclusive AND r.period_id = part.period_id AND r.charge_id IS NULL AND r.fixed_charge_id IS NULL
            LIMIT 1
        ) AS net ON v.tax_inclusive
        WHERE %(currency)s::text IS NULL OR v.currency = %(currency)s
    )
"""
"""What every subscription comes to, as common table expressions: ``pace`` has a row for each run of months, by their
places from 1 on, at the ends of which it comes to the same; no month of a subscription is in two of them. ``zone`` has
the ends of the months where the customers are. Of the billed periods only those are read further that were billed by
another price than the subscription's, or by one that includes tax. Its parameters are those of `parameters`."""

_STATEMENT = f"""
    WITH {PACES}, total AS (
        SELECT currency, lo, hi, sum(amount) AS amount FROM pace GROUP BY 1, 2, 3
    )
    SELECT (%(months)s::date[])[month.place], currency, sum(amount)
    FROM total CROSS JOIN LATERAL generate_series(lo, hi) AS month(place)
    GROUP BY 1, 2 ORDER BY 1, 2
"""
