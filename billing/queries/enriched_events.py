"""What metrics read of events, event by event: the value that the first metric of an event's code takes from it.

Owns which property that is; how values of many events come together is `aggregates`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.models import UsageEvent
from catalog.domain import decimals
from catalog.models import BillableMetric

_ONE = "1"


@dataclass(frozen=True)
class Enriched:
    """An event with what is read of it: ``value`` as text, nothing where no metric reads it or the property is missing.

    ``number`` is that value where it is a number, else 0. An event that is only counted is worth 1.
    """

    event: UsageEvent
    value: str | None
    number: Decimal


def enriched(events: Sequence[UsageEvent]) -> list[Enriched]:
    """Return events with the values that metrics read of them, in their order. One query."""
    fields = _fields({event.code for event in events})
    return [_one(event, fields.get(event.code)) for event in events]


def _fields(codes: Iterable[str]) -> dict[str, str]:
    """Return the property that is read, by code: empty where events are counted. Of several, the metric's own wins."""
    rows = BillableMetric.objects.filter(event_code__in=list(codes), deleted_at__isnull=True).order_by("id")
    found: dict[str, str] = {}
    for event_code, code, field_name in rows.values_list("event_code", "code", "field_name"):
        if code == event_code:
            found[event_code] = field_name
        found.setdefault(event_code, field_name)
    return found


def _one(event: UsageEvent, field: str | None) -> Enriched:
    if field is None:
        return Enriched(event, None, Decimal(0))
    raw: Any = _ONE if not field else event.properties.get(field)
    if raw is None or isinstance(raw, dict | list):
        return Enriched(event, None, Decimal(0))
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)  # as it came in JSON
    return Enriched(event, text, decimals.read_number(raw) or Decimal(0))
