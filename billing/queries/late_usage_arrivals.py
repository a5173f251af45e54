"""Which billed periods events came for after they were rated. Owns the search: one look at what was written lately,
whatever number of events there is, and none at the events of running periods one by one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.queries import event_windows
from billing.queries.event_windows import SENT, Window
from catalog.domain.filters import Id
from invoicing.models import Invoice

ISSUED = (Invoice.Status.FINALIZED.value, Invoice.Status.CLOSED.value)
"""Invoices whose lines stand. Drafts are computed anew until they are issued. A time of nothing has no invoice."""

# Usage paid in advance is billed event by event, whenever the events come, and covers no time; nor does what was billed
# at a usage threshold, which the invoice of the period bills again.
# What another system billed is not ours to correct.
# Recurring metrics count what came before, so that an event changes every period after it as well.
CHANGED = """
WITH arrived AS MATERIALIZED (
    SELECT external_subscription_id, code, min("timestamp") AS first_at, max("timestamp") AS last_at
    FROM billing_usage_event
    WHERE written_in >= %(since)s
    GROUP BY external_subscription_id, code
)
SELECT DISTINCT period.id
FROM arrived
JOIN billing_subscription AS subscription ON subscription.external_id = arrived.external_subscription_id
JOIN billing_billedperiod AS period ON period.subscription_id = subscription.id
    AND period.released_at IS NULL AND period.charges_from_at < period.charges_to_at
    AND period.reason NOT IN ('in_advance_charge', 'progressive_billing', 'billed_elsewhere')
    AND period.charges_to_at > arrived.first_at
LEFT JOIN invoicing_invoice AS invoice ON invoice.id = period.invoice_id
JOIN catalog_charge AS charge
    ON charge.plan_version_id = coalesce(period.plan_version_id, subscription.plan_version_id)
    AND NOT charge.pay_in_advance
JOIN catalog_billablemetric AS metric ON metric.id = charge.metric_id AND metric.event_code = arrived.code
WHERE (metric.recurring OR period.charges_from_at <= arrived.last_at)
    AND (period.invoice_id IS NULL OR invoice.status = ANY(%(issued)s))
ORDER BY period.id
"""
"""The ids of the issued periods that events which were written from the mark `since` on may change."""

UNCHECKED = """
SELECT period.id
FROM billing_billedperiod AS period
LEFT JOIN invoicing_invoice AS invoice ON invoice.id = period.invoice_id
WHERE NOT period.late_checked AND period.released_at IS NULL AND period.charges_from_at < period.charges_to_at
    AND period.reason NOT IN ('in_advance_charge', 'progressive_billing', 'billed_elsewhere')
    AND (period.invoice_id IS NULL OR invoice.status = ANY(%(issued)s))
"""
"""The ids of the issued periods that were not looked at since they were issued, those of nothing among them."""

_BUCKETS = """
SELECT w.n, x.bucket::text, x.events, x.first_at, x.last_at
FROM wanted AS w
CROSS JOIN LATERAL (
    SELECT bucket, count(*) AS events, min(received_at) AS first_at, max(received_at) AS last_at
    FROM (
        SELECT {bucket} AS bucket, e.received_at FROM {events} AND e.written_in >= %(since)s
    ) AS events
    GROUP BY bucket
) AS x"""


Place = tuple[Any, Id | None, tuple[tuple[str, str | None], ...]]
"""The id of a window, a filter, and a group by its sorted names."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """How many events came for a filter and group, and when the first and the last of them did."""

    events: int
    first_at: datetime
    last_at: datetime


def arrived(*, windows: Collection[Window], since: int) -> dict[Place, Arrived]:
    """Return what was written from a mark on, corrected events too, by window, filter and group. One query."""
    found: dict[Place, Arrived] = {}
    if not windows:
        return found
    numbered = dict(enumerate(windows))
    keys = max(len(window.keys) for window in windows)
    for number, bucket, events, first_at, last_at in event_windows.fetch(_statement(keys), numbered, since=since):
        filter_id, group = event_windows.place(numbered[number], bucket)
        key = numbered[number].id, filter_id, tuple(sorted(group.items()))
        one = Arrived(events, first_at, last_at)
        found[key] = _merged(found[key], one) if key in found else one
    return found


def _merged(one: Arrived, other: Arrived) -> Arrived:
    return Arrived(one.events + other.events, min(one.first_at, other.first_at), max(one.last_at, other.last_at))


def _statement(keys: int) -> str:
    return f"WITH {event_windows.wanted(keys=keys)}" + _BUCKETS.format(bucket=event_windows.bucket(keys), events=SENT)
