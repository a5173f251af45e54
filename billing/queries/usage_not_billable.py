"""Events that nobody can bill yet, counted by reason. Owns the counting: it goes from one subscription and code to the
next on the covering index and counts only where something is missing, so that it costs by the number of these pairs and
not by that of the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection


class Reason(StrEnum):
    """Why an event is not billable."""

    METRIC = "metric"
    SUBSCRIPTION = "subscription"
    EXPRESSION = "expression"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class NotBillable:
    """How many events lack a metric of their code, lack a subscription that runs at their time, could not be computed,
    or have a value beyond what an invoice can hold. An event is counted under the first reason that it has.
    """

    metric: int = 0
    subscription: int = 0
    expression: int = 0
    value: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.metric + self.subscription + self.expression + self.value


# `pair` walks the index from one subscription and code to the next (a loose scan); `untaken` is the time in which no
# subscription runs that its events could belong to.
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
    SELECT s, '{(,)}'::tstzmultirange - coalesce(range_agg(tstzrange(
        subscription.started_at, subscription.terminated_at, '[]'
    )) FILTER (WHERE subscription.started_at IS NOT NULL
        AND (subscription.terminated_at IS NULL OR subscription.started_at <= subscription.terminated_at)
    ), '{}') AS times
    FROM (SELECT DISTINCT s FROM pair) AS named
    LEFT JOIN billing_subscription AS subscription ON subscription.external_id = s
    GROUP BY s
), known AS (
    SELECT pair.*, EXISTS (
        SELECT FROM catalog_billablemetric WHERE event_code = c AND deleted_at IS NULL
    ) AS has_metric
    FROM pair
)
SELECT
    coalesce(sum(found.count) FILTER (WHERE NOT has_metric), 0)::bigint,
    coalesce(sum(found.count) FILTER (WHERE has_metric), 0)::bigint
FROM known
CROSS JOIN LATERAL (
    SELECT '(,)'::tstzrange AS span WHERE NOT has_metric
    UNION ALL
    SELECT unnest(times) FROM untaken WHERE has_metric AND untaken.s = known.s
) AS missing
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM billing_usage_event AS event
    WHERE event.external_subscription_id = known.s AND event.code = known.c AND event.replaced_at IS NULL
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
            AND (subscription.terminated_at IS NULL OR subscription.terminated_at >= event."timestamp")
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
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"since": since})
        metric, subscription = cursor.fetchone()
        cursor.execute(_MARKED, {"since": since})
        expression, value = cursor.fetchone()
    return NotBillable(int(metric), int(subscription), int(expression), int(value))
