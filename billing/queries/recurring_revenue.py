"""Monthly recurring revenue by month, as `billing.domain.recurring_revenue` defines it. Never writes.

A period that was billed counts with the price that it was billed by, so that the past stays what it was when a plan
gets another price; one that was not yet, as in arrears, with the price that is agreed now. Of a price that includes tax
what is left of it on the document counts, and all of it until there is one. Months end in the time zone of the
customer.
"""

# ruff: noqa: S608 - statements are put together from texts of this module, what comes from outside is a parameter

from __future__ import annotations

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
    billing_entity_id: int | None = None,
) -> list[Recurring]:
    """Return the recurring revenue of each month and currency up to that of ``at``, oldest first.

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
        cursor.execute(
            _STATEMENT,
            {
                "at": at,
                "months": months,
                "since": first,
                "currency": currency,
                "customer": external_customer_id,
                "seller": billing_entity_id,
            },
        )
        rows = cursor.fetchall()
    return [
        Recurring(month=month, amount=Money(money.quantize(amount, currency=code), code))
        for month, code, amount in rows
    ]


def _first(last: date) -> date:
    """Return the month of the first start, or ``last`` where nothing ever started."""
    started: datetime | None = Subscription.objects.aggregate(first=Min("started_at"))["first"]
    return last if started is None else min(started.astimezone(UTC).date().replace(day=1), last)


def _a_month(amount: str, interval: str) -> str:
    """Return the rule's amount of a month as SQL."""
    cases = " ".join(f"WHEN '{name}' THEN {amount} / {count}" for name, count in rule.MONTHS.items())
    weekly = f"{amount} * {rule.DAYS_OF_MONTH} / {rule.DAYS_OF_WEEK}"
    return f"(CASE {interval} {cases} ELSE {weekly} END)"


_STATEMENT = f"""
    WITH owner AS (
        SELECT c.id, c.external_id, c.billing_entity_id, coalesce(nullif(c.timezone, ''), e.timezone) AS zone
        FROM customers_customer c JOIN customers_billingentity e ON e.id = c.billing_entity_id
        WHERE %(customer)s::text IS NULL OR c.external_id = %(customer)s
    ), told AS (
        SELECT s.id, s.plan_version_id, month.first,
               least((month.first + interval '1 month') AT TIME ZONE owner.zone - interval '1 microsecond', %(at)s)
               AS moment
        FROM billing_subscription s
        JOIN owner ON owner.id = s.customer_id
        JOIN unnest(%(months)s::date[]) AS month(first)
          ON month.first + interval '32 days' > s.started_at AT TIME ZONE owner.zone
         AND (s.terminated_at IS NULL OR month.first <= s.terminated_at AT TIME ZONE owner.zone)
        WHERE s.status IN ('active', 'terminated')
          AND (%(seller)s::bigint IS NULL OR coalesce(s.billing_entity_id, owner.billing_entity_id) = %(seller)s)
    ), running AS (
        SELECT s.id, told.plan_version_id, told.first, told.moment
        FROM told JOIN billing_subscription s ON s.id = told.id
        WHERE s.started_at <= told.moment
          AND (s.terminated_at IS NULL OR s.terminated_at > told.moment)
          AND (s.trial_ends_at IS NULL OR s.trial_ends_at <= told.moment)
    ), billed AS (
        SELECT p.subscription_id, month.first::date AS first, p.from_at, p.to_at, p.plan_version_id, p.id
        FROM billing_billedperiod p
        CROSS JOIN LATERAL generate_series(
            date_trunc('month', p.from_at AT TIME ZONE p.timezone),
            p.to_at AT TIME ZONE p.timezone,
            interval '1 month'
        ) AS month(first)
        WHERE p.bills_fee AND p.released_at IS NULL
          AND p.to_at > %(since)s::date - interval '2 days' AND p.from_at <= %(at)s
    )
    SELECT running.first, v.currency, sum({_a_month("v.amount", "v.interval")} * coalesce(net.share, 1))
    FROM running
    LEFT JOIN billed
      ON billed.subscription_id = running.id AND billed.first = running.first
     AND billed.from_at <= running.moment AND billed.to_at > running.moment
    JOIN catalog_planversion v ON v.id = coalesce(billed.plan_version_id, running.plan_version_id)
    LEFT JOIN LATERAL (
        SELECT l.amount / l.tax_inclusive_amount AS share
        FROM billing_ratedcharge r
        JOIN invoicing_invoiceline l ON l.id = r.line_id AND l.kind = 'subscription' AND l.tax_inclusive_amount <> 0
        WHERE v.tax_inclusive AND r.period_id = billed.id AND r.charge_id IS NULL AND r.fixed_charge_id IS NULL
        LIMIT 1
    ) AS net ON v.tax_inclusive
    WHERE %(currency)s::text IS NULL OR v.currency = %(currency)s
    GROUP BY 1, 2
    ORDER BY 1, 2
"""
