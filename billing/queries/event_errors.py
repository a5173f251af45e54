"""Events of a while that are no good for billing, by what they lack. Never writes.

An event is looked at as metrics are now. Each is in the while of one look alone, however late its transaction ends.
"""

# ruff: noqa: S608 - the statement is put together from pieces of this app, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from billing.models import UsageEvent
from billing.queries import event_values
from catalog.domain.metrics import Aggregation

INVALID_CODE = "invalid_code"
MISSING_PROPERTY = "missing_aggregation_property"
INVALID_FILTER = "invalid_filter_values"
REASONS = (INVALID_CODE, MISSING_PROPERTY, INVALID_FILTER)
MOST = 1000
"""How many events are named for a reason."""

_PAGE = 500
_NOTHING = "1:1:"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# The plain comparison is for the index, the snapshots are exact.
_ARRIVED = """
    event.written_in >= %(oldest)s AND event.received_at >= %(received_from)s AND event.replaced_at IS NULL
    AND NOT pg_visible_in_snapshot(event.written_in::text::xid8, %(since)s::pg_snapshot)
    AND pg_visible_in_snapshot(event.written_in::text::xid8, %(until)s::pg_snapshot)
"""
_NUMBER = event_values.number(properties="event.properties", field_name="metric.field_name")
# The metric's property is absent, or is no number where numbers are needed.
_LACKING = f"""
    SELECT FROM catalog_billablemetric AS metric
    WHERE metric.event_code = event.code AND metric.deleted_at IS NULL AND metric.field_name <> '' AND (
        event.properties ->> metric.field_name IS NULL
        OR metric.aggregation_type <> '{Aggregation.UNIQUE_COUNT.value}' AND ({_NUMBER}) IS NULL
    )
"""
_UNDECLARED = """
    SELECT FROM catalog_billablemetric AS metric
    JOIN catalog_metricfilter AS declared ON declared.metric_id = metric.id
    WHERE metric.event_code = event.code AND metric.deleted_at IS NULL
        AND event.properties ->> declared.key IS NOT NULL
        AND NOT declared.values ? (event.properties ->> declared.key)
"""
_KNOWN = "SELECT FROM catalog_billablemetric WHERE event_code = event.code AND deleted_at IS NULL"


def _of(reason: str, condition: str) -> str:
    return f"""(
    SELECT '{reason}', event.transaction_id FROM billing_usage_event AS event
    WHERE {_ARRIVED} AND {condition}
    ORDER BY event.received_at, event.transaction_id LIMIT {MOST}
)"""


_FIND = "UNION ALL".join(
    [
        _of(INVALID_CODE, f"NOT EXISTS ({_KNOWN})"),
        _of(MISSING_PROPERTY, f"EXISTS ({_LACKING})"),
        _of(INVALID_FILTER, f"EXISTS ({_UNDECLARED})"),
    ]
)

_FAILED = f"""
SELECT event.id FROM billing_usage_event AS event
WHERE event.failures IS NOT NULL AND {_ARRIVED}
ORDER BY event.received_at, event.id
"""


@dataclass(frozen=True)
class Written:
    """Events that were written between two snapshots, and came in from an instant on."""

    since: str
    until: str
    received_from: datetime

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what the statements are given."""
        return {
            "oldest": _oldest(self.since),
            "since": self.since,
            "until": self.until,
            "received_from": self.received_from,
        }


def written(*, since: str, first_from: datetime) -> Written:
    """Return the events that were written since a snapshot until now: each belongs to one such while.

    Without a snapshot, or with one of before a restore from a dump, by which transactions are numbered anew, they are
    those that came in from ``first_from`` on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        now = str(cursor.fetchone()[0])
    if not since or _oldest(now) < _oldest(since):
        return Written(_NOTHING, now, first_from)
    return Written(since, now, _EVER)


def by_reason(written: Written) -> dict[str, list[str]]:
    """Return the transaction ids of events that are no good, by reason, in the order in which they came: the first of
    each. One statement.
    """
    found: dict[str, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_FIND, written.parameters)
        for reason, transaction_id in cursor.fetchall():
            found[reason].append(transaction_id)
    return dict(found)


def not_computed(written: Written) -> Iterator[list[UsageEvent]]:
    """Yield the events that have properties that no expression could compute, some hundred at a time."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, written.parameters)
        ids = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        found = UsageEvent.objects.in_bulk(page)
        yield [found[one] for one in page]


def _oldest(snapshot: str) -> int:
    return int(snapshot.partition(":")[0])
