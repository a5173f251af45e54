"""What was used by day, week or month, as it was billed. Never writes.

It is the usage on issued invoices and in fees that stand alone, told of the time in which it was used: the fees of the
same days are spread evenly over them, to the last minor unit, and the fee of one event is told of its day. Usage
that was not billed yet is not there: current usage tells of that. Units of what a minimum brings a charge up to are
none, and what was billed progressively before is counted once.
"""

# ruff: noqa: S608 - statements are put together from texts of this module, what comes from outside is a parameter

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from moneyed import Money

from billing.domain.usage_spans import Span, Used
from config.kernel import money
from invoicing.queries import books_sql


@dataclass(frozen=True)
class Narrowed:
    """What usage is narrowed to; nothing given narrows nothing."""

    currency: str | None = None
    external_customer_id: str | None = None
    external_subscription_id: str | None = None
    customer_type: str | None = None
    country: str | None = None
    plan_code: str | None = None
    metric_code: str | None = None
    is_recurring: bool | None = None
    billing_entity_id: int | None = None


def by_span(*, spans: Sequence[Span], narrowed: Narrowed) -> list[Used]:
    """Return what was used in each stretch, by metric and currency, in the order of time. One statement.

    ``spans`` follow each other without a gap. Stretches without usage are left out. The amounts of all stretches that
    fees reach into come to the amounts of the fees.
    """
    parameters = {
        "firsts": [span.first for span in spans],
        "ends": [span.last for span in spans],
        "first": spans[0].first,
        "last": spans[-1].last,
        "currency": narrowed.currency,
        "customer": narrowed.external_customer_id,
        "subscription": narrowed.external_subscription_id,
        "type": narrowed.customer_type,
        "country": narrowed.country,
        "plan": narrowed.plan_code,
        "metric": narrowed.metric_code,
        "recurring": narrowed.is_recurring,
        "seller": narrowed.billing_entity_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, parameters)
        rows = cursor.fetchall()
    return [
        Used(
            span=Span(first, last),
            metric_code=code,
            is_metric_deleted=is_deleted,
            amount=Money(money.quantize(amount, currency=currency), currency),
            units=units,
        )
        for first, last, currency, code, is_deleted, amount, units in rows
    ]


_DIGITS = books_sql.exponent("currency")

_STATEMENT = f"""
    WITH fee AS (
        SELECT l.currency, metric.code, metric.deleted_at IS NOT NULL AS is_deleted,
               l.amount - l.progressive_credit_amount AS amount,
               CASE
                   WHEN r.true_up_of_id IS NOT NULL THEN 0
                   WHEN l.progressive_credit_amount > 0
                   THEN l.units * (l.amount - l.progressive_credit_amount) / l.amount
                   ELSE l.units
               END AS units,
               time.first, greatest(time.after, time.first + 1) AS after
        FROM invoicing_invoiceline l
        JOIN billing_ratedcharge r ON r.line_id = l.id
        JOIN catalog_charge charge ON charge.id = r.charge_id
        JOIN catalog_billablemetric metric ON metric.id = charge.metric_id
        JOIN billing_subscription s ON s.id = r.subscription_id
        JOIN customers_customer c ON c.id = l.customer_id
        JOIN customers_billingentity e ON e.id = c.billing_entity_id
        LEFT JOIN invoicing_invoice i ON i.id = l.invoice_id
        CROSS JOIN LATERAL (
            SELECT coalesce(i.timezone, nullif(c.timezone, ''), e.timezone) AS name
        ) AS zone
        CROSS JOIN LATERAL (
            -- An event is told of its day, which is one of its period's even if it came late.
            SELECT least(greatest(l.created_at, r.from_at), r.to_at - interval '1 microsecond') AS moment
        ) AS event
        CROSS JOIN LATERAL (
            SELECT
                (CASE WHEN l.event_transaction_id IS NULL THEN r.from_at ELSE event.moment END
                    AT TIME ZONE zone.name)::date AS first,
                (CASE WHEN l.event_transaction_id IS NULL THEN r.to_at - interval '1 microsecond' ELSE event.moment END
                    AT TIME ZONE zone.name)::date + 1 AS after
        ) AS time
        WHERE l.kind = 'charge' AND l.deleted_at IS NULL AND (i.id IS NULL OR i.status = 'finalized')
          AND r.charge_id IS NOT NULL
          AND r.to_at > %(first)s::date - interval '2 days' AND r.from_at < %(last)s::date + interval '3 days'
          AND time.first <= %(last)s AND greatest(time.after, time.first + 1) > %(first)s
          AND (%(currency)s::text IS NULL OR l.currency = %(currency)s)
          AND (%(customer)s::text IS NULL OR c.external_id = %(customer)s)
          AND (%(subscription)s::text IS NULL OR s.external_id = %(subscription)s)
          AND (%(type)s::text IS NULL OR c.customer_type = %(type)s)
          AND (%(country)s::text IS NULL OR c.country = %(country)s)
          AND (%(plan)s::text IS NULL OR l.plan_code = %(plan)s)
          AND (%(metric)s::text IS NULL OR metric.code = %(metric)s)
          AND (%(recurring)s::boolean IS NULL OR metric.recurring = %(recurring)s)
          AND (%(seller)s::bigint IS NULL OR l.billing_entity_id = %(seller)s)
    ), used AS (
        SELECT currency, code, is_deleted, first, after, sum(amount) AS amount, sum(units) AS units
        FROM fee
        GROUP BY currency, code, is_deleted, first, after
    ), part AS (
        SELECT span.first, span.last, used.currency, used.code, used.is_deleted, used.amount, used.units,
               greatest(span.first - used.first, 0) AS before,
               least(span.last + 1, used.after) - used.first AS until,
               used.after - used.first AS days
        FROM used
        JOIN unnest(%(firsts)s::date[], %(ends)s::date[]) AS span(first, last)
          ON span.first < used.after AND span.last >= used.first
    )
    SELECT first, last, currency, code, is_deleted,
           sum(round(amount * until / days, {_DIGITS}) - round(amount * before / days, {_DIGITS})),
           sum(units * (until - before) / days)
    FROM part
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 3, 4
"""
