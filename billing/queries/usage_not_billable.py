"""Events that nobody can bill yet, counted by reason. Owns the counting: it goes from one subscription and code to the
next on the covering index and counts only where something is missing, so that it costs by the number of these pairs and
not by that of the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from billing.models import BilledPeriod, RatedCharge, Subscription, UsageEvent
from billing.queries.late_usage_arrivals import ISSUED
from catalog.models import Charge


class Reason(StrEnum):
    """Why an event is not billable."""

    METRIC = "metric"
    SUBSCRIPTION = "subscription"
    EXPRESSION = "expression"
    VALUE = "value"
    TIME = "time"
    PRICE = "price"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class NotBillable:
    """How many events lack a metric of their code, lack a subscription that runs at their time, could not be computed,
    have a value beyond what an invoice can hold, or lie in a time of their subscription that is passed over: before it
    was made, on billing days that were not caught up, after the last billing day where there is no last invoice. Others
    are those whose time was billed before the plan had a price for them, and those of the time in which their
    subscription was paused. An event is counted under the first reason that it has.
    """

    metric: int = 0
    subscription: int = 0
    expression: int = 0
    value: int = 0
    time: int = 0
    price: int = 0
    paused: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        known = self.metric + self.subscription + self.expression + self.value
        return known + self.time + self.price + self.paused


# `pair` walks the index from one subscription and code to the next (a loose scan); `untaken` is the time in which no
# subscription runs that its events could belong to, of which `paused` is what a pause made; recurring metrics count it
# when the subscription resumes. `passed` is time of subscriptions that was settled without being
# billed; what is paid in advance is billed there all the same, and recurring metrics count it later. `unpriced` is
# billed time whose price list has no charge for a code that the price list of now has one for. These are joined by
# equality alone and before they are narrowed further, never row by row: nothing estimates how many pairs there are.
_COUNT = """
WITH RECURSIVE pair AS (
    (
        SELECT external_subscription_id AS s, code AS c FROM billing_usage_event
        WHERE "timestamp" >= %(since)s ORDER BY 1, 2 LIMIT 1
    )
    UNION ALL
    SELECT following.s, following.c
    FROM pair
    CROSS JOIN LATERAL (
        SELECT external_subscription_id AS s, code AS c FROM billing_usage_event
        WHERE (external_subscription_id, code) > (pair.s, pair.c) AND "timestamp" >= %(since)s
        ORDER BY 1, 2 LIMIT 1
    ) AS following
), untaken AS (
    SELECT s, tstzmultirange(tstzrange(%(since)s, NULL)) - coalesce(range_agg(tstzrange(
        subscription.started_at, subscription.terminated_at
    )) FILTER (WHERE subscription.started_at IS NOT NULL
        AND (subscription.terminated_at IS NULL OR subscription.started_at <= subscription.terminated_at)
    ), '{}') AS times
    FROM (SELECT DISTINCT s FROM pair) AS named
    LEFT JOIN billing_subscription AS subscription ON subscription.external_id = s
    GROUP BY s
), paused AS (
    SELECT untaken.s, untaken.times * range_agg(tstzrange(
        subscription.paused_at, coalesce(subscription.started_at, subscription.canceled_at)
    )) AS times
    FROM untaken JOIN billing_subscription AS subscription
        ON subscription.external_id = untaken.s AND subscription.paused_at IS NOT NULL
    GROUP BY untaken.s, untaken.times
), passed AS MATERIALIZED (
    SELECT subscription.external_id AS s, subscription.plan_version_id, tstzmultirange(tstzrange(
        subscription.started_at, greatest(subscription.started_at, CASE
            WHEN subscription.status = 'terminated' AND subscription.next_billing_date IS NULL
            THEN subscription.terminated_at
            ELSE least(greatest(subscription.usage_from_at, billed.until), subscription.terminated_at)
        END)
    )) * tstzmultirange(tstzrange(%(since)s, NULL)) - coalesce(billed.times, '{}') AS times
    FROM (SELECT DISTINCT s FROM pair) AS named
    JOIN billing_subscription AS subscription
        ON subscription.external_id = s AND subscription.started_at IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT max(charges_to_at) AS until, range_agg(tstzrange(charges_from_at, charges_to_at)) AS times
        FROM billing_billedperiod AS period
        WHERE period.subscription_id = subscription.id
            AND reason NOT IN ('in_advance_charge', 'progressive_billing', 'billed_elsewhere')
            AND charges_from_at < charges_to_at AND charges_to_at > %(since)s
            AND (released_at IS NULL OR billing_date >= subscription.next_billing_date)
    ) AS billed
), known AS (
    SELECT pair.*, EXISTS (
        SELECT FROM catalog_billablemetric WHERE event_code = c AND deleted_at IS NULL
    ) AS has_metric
    FROM pair
), settled AS MATERIALIZED (
    SELECT known.s, known.c, passed.plan_version_id, passed.times
    FROM known JOIN passed ON passed.s = known.s WHERE has_metric AND NOT isempty(passed.times)
), unpriced AS (
    SELECT known.s, known.c, tstzrange(charges_from_at, charges_to_at) AS time
    FROM known
    JOIN billing_subscription AS subscription ON subscription.external_id = known.s
    JOIN billing_billedperiod AS period ON period.subscription_id = subscription.id
        AND period.plan_version_id <> subscription.plan_version_id
    LEFT JOIN invoicing_invoice AS invoice ON invoice.id = period.invoice_id
    WHERE has_metric AND reason NOT IN ('in_advance_charge', 'progressive_billing', 'billed_elsewhere')
        AND released_at IS NULL
        AND charges_from_at < charges_to_at AND charges_to_at > %(since)s
        AND (period.invoice_id IS NULL OR invoice.status = ANY(%(issued)s))
        AND EXISTS (
            SELECT FROM catalog_charge AS charge JOIN catalog_billablemetric AS metric ON metric.id = charge.metric_id
            WHERE charge.plan_version_id = subscription.plan_version_id AND metric.event_code = known.c
                AND NOT charge.pay_in_advance AND NOT metric.recurring
        ) AND NOT EXISTS (
            SELECT FROM catalog_charge AS charge JOIN catalog_billablemetric AS metric ON metric.id = charge.metric_id
            WHERE charge.plan_version_id = period.plan_version_id AND metric.event_code = known.c
        )
), missing AS (
    SELECT s, c, '(,)'::tstzrange AS span, 'metric' AS lack FROM known WHERE NOT has_metric
    UNION ALL
    SELECT known.s, known.c, unnest(untaken.times - coalesce(paused.times, '{}')), 'subscription'
    FROM known JOIN untaken ON untaken.s = known.s LEFT JOIN paused ON paused.s = known.s WHERE has_metric
    UNION ALL
    SELECT known.s, known.c, unnest(times), 'paused'
    FROM known JOIN paused ON paused.s = known.s WHERE has_metric AND EXISTS (
        SELECT FROM catalog_billablemetric WHERE event_code = known.c AND deleted_at IS NULL AND NOT recurring
    )
    UNION ALL
    SELECT s, c, time, 'price' FROM unpriced
    UNION ALL
    SELECT s, c, unnest(range_agg(time)), 'time'
    FROM settled CROSS JOIN LATERAL unnest(times) AS time
    WHERE EXISTS (
        SELECT FROM catalog_charge AS charge JOIN catalog_billablemetric AS metric ON metric.id = charge.metric_id
        WHERE charge.plan_version_id = settled.plan_version_id AND metric.event_code = settled.c
            AND NOT charge.pay_in_advance AND NOT metric.recurring
    )
    GROUP BY s, c
)
SELECT
    coalesce(sum(found.count) FILTER (WHERE lack = 'metric'), 0)::bigint,
    coalesce(sum(found.count) FILTER (WHERE lack = 'subscription'), 0)::bigint,
    coalesce(sum(found.count) FILTER (WHERE lack = 'time'), 0)::bigint,
    coalesce(sum(found.count) FILTER (WHERE lack = 'price'), 0)::bigint,
    coalesce(sum(found.count) FILTER (WHERE lack = 'paused'), 0)::bigint,
    array_agg(DISTINCT missing.s) FILTER (WHERE found.is_there AND lack = 'metric'),
    array_agg(DISTINCT missing.s) FILTER (WHERE found.is_there AND lack = 'subscription'),
    array_agg(DISTINCT missing.s) FILTER (WHERE found.is_there AND lack = 'time'),
    array_agg(DISTINCT missing.s) FILTER (WHERE found.is_there AND lack = 'price'),
    (SELECT array_agg(s) FROM paused WHERE NOT isempty(times))
FROM missing
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_there, count(*) FILTER (WHERE event.replaced_at IS NULL AND (
        lack IN ('metric', 'subscription', 'paused')
        OR event.failures IS NULL AND (event.value IS NULL OR abs(event.value) < 1e25)
    )) AS count
    FROM billing_usage_event AS event
    WHERE event.external_subscription_id = missing.s AND event.code = missing.c
        AND event."timestamp" >= greatest(%(since)s, coalesce(lower(span), '-infinity'))
        AND event."timestamp" <= coalesce(upper(span), 'infinity')
        AND event."timestamp" <@ span
) AS found
"""

_TAKEN = """
    EXISTS (SELECT FROM catalog_billablemetric WHERE event_code = event.code AND deleted_at IS NULL)
    AND EXISTS (
        SELECT FROM billing_subscription AS subscription
        WHERE subscription.external_id = event.external_subscription_id
            AND subscription.started_at <= event."timestamp"
            AND (subscription.terminated_at IS NULL OR subscription.terminated_at > event."timestamp")
    )
"""

# Both have indexes of their own, with few rows.
_MARKED = f"""
SELECT
    (
        SELECT count(*) FROM billing_usage_event AS event
        WHERE failures IS NOT NULL AND replaced_at IS NULL AND "timestamp" >= %(since)s AND {_TAKEN}
    ),
    (
        SELECT count(*) FROM billing_usage_event AS event
        WHERE (value >= 1e25 OR value <= -1e25) AND replaced_at IS NULL AND failures IS NULL
            AND "timestamp" >= %(since)s AND {_TAKEN}
    )
"""  # noqa: S608 - put together from pieces of this module


def count(*, since: datetime) -> NotBillable:
    """Count the events from an instant on that are not billable as things are now, by reason. Two statements."""
    return find(since=since)[0]


def find(*, since: datetime) -> tuple[NotBillable, dict[Reason, list[str]]]:
    """Count these events, and return by reason the external ids that those name which lack a metric, a subscription, a
    billed time or a price, or fall in a pause: no event of another subscription does. Of a code without a metric
    nothing more is asked: its events are named there alone. Two statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"since": since, "issued": list(ISSUED)})
        metric, subscription, time, price, paused, *named = cursor.fetchone()
        cursor.execute(_MARKED, {"since": since})
        expression, value = cursor.fetchone()
    found = NotBillable(
        metric=int(metric),
        subscription=int(subscription),
        expression=int(expression),
        value=int(value),
        time=int(time),
        price=int(price),
        paused=int(paused),
    )
    reasons = (Reason.METRIC, Reason.SUBSCRIPTION, Reason.TIME, Reason.PRICE, Reason.PAUSED)
    return found, {reason: list(group or ()) for reason, group in zip(reasons, named, strict=True)}


def in_pause(rows: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
    """Return events with ``is_paused``: whether their subscription was paused at their time."""
    theirs = Subscription.objects.filter(
        Q(started_at__gt=OuterRef("timestamp"))
        | Q(started_at__isnull=True, canceled_at__gt=OuterRef("timestamp"))
        | Q(started_at__isnull=True, canceled_at__isnull=True),
        external_id=OuterRef("external_subscription_id"),
        paused_at__lte=OuterRef("timestamp"),
    )
    return rows.annotate(is_paused=Exists(theirs))


def in_passed_time(rows: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
    """Return events with ``is_passed``: whether they lie in a time of their subscription that is passed over."""
    theirs = Subscription.objects.filter(
        Q(terminated_at__isnull=True) | Q(terminated_at__gt=OuterRef("timestamp")),
        external_id=OuterRef("external_subscription_id"),
        started_at__lte=OuterRef("timestamp"),
    )
    times = BilledPeriod.objects.filter(subscription=OuterRef("pk")).exclude(reason__in=BilledPeriod.WITHIN)
    at = OuterRef(OuterRef("timestamp"))
    billed = times.filter(
        Q(released_at__isnull=True) | Q(billing_date__gte=OuterRef("next_billing_date")),
        charges_from_at__lte=at,
        charges_to_at__gt=at,
    )
    charges = Charge.objects.filter(
        plan_version=OuterRef("plan_version"),
        metric__event_code=OuterRef(OuterRef("code")),
        metric__recurring=False,
        pay_in_advance=False,
    )
    is_settled = (
        Q(status=Subscription.Status.TERMINATED, next_billing_date__isnull=True)
        | Q(usage_from_at__gt=OuterRef("timestamp"))
        | Exists(times.filter(released_at__isnull=True, charges_to_at__gt=at, charges_from_at__lt=F("charges_to_at")))
    )
    return rows.annotate(is_passed=Exists(theirs.filter(is_settled, Exists(charges), ~Exists(billed))))


def with_price(rows: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
    """Return events with ``has_charge``, whether the plan of their subscription has or had a price for them, and
    ``is_unpriced``, whether their time was billed before it had: by a price list without, where there is one now.
    """
    at, code = OuterRef(OuterRef("timestamp")), OuterRef(OuterRef("code"))
    theirs = Subscription.objects.filter(
        Q(terminated_at__isnull=True) | Q(terminated_at__gt=OuterRef("timestamp")),
        external_id=OuterRef("external_subscription_id"),
        started_at__lte=OuterRef("timestamp"),
    )
    now = Charge.objects.filter(plan_version=OuterRef("plan_version"), metric__event_code=OuterRef(OuterRef("code")))
    periods = BilledPeriod.objects.filter(
        Q(invoice__isnull=True) | Q(invoice__status__in=ISSUED),
        subscription=OuterRef("pk"),
        released_at__isnull=True,
        charges_from_at__lte=at,
        charges_to_at__gt=at,
    ).exclude(reason__in=BilledPeriod.WITHIN)
    then = Charge.objects.filter(
        plan_version=Coalesce(OuterRef("plan_version"), OuterRef("subscription__plan_version")),
        metric__event_code=OuterRef(code),
    )
    alone = RatedCharge.objects.filter(
        line__event_transaction_id=OuterRef("transaction_id"),
        subscription__external_id=OuterRef("external_subscription_id"),
        released_at__isnull=True,
    )
    has_charge = Exists(theirs.filter(Exists(now) | Exists(periods.filter(Exists(then))))) | Exists(alone)
    arrears = now.filter(pay_in_advance=False, metric__recurring=False)
    return rows.annotate(
        has_charge=has_charge,
        is_unpriced=Exists(theirs.filter(Exists(arrears), Exists(periods.filter(~Exists(then))))),
    )
