"""Completing events with the properties that metrics compute. Owns knowing which events are concerned."""

from __future__ import annotations

from collections.abc import Sequence

from billing.domain import computed_properties
from billing.domain.usage_events import EventIn
from catalog.queries import metrics


def completed(*, events: Sequence[EventIn]) -> Sequence[EventIn]:
    """Return the events in their order, completed by the expressions of the metrics that read them.

    One small read, whatever the number of events; events that nothing is computed for are returned as they are.
    """
    by_code = metrics.expressions(event_codes={event.code for event in events})
    if not by_code:
        return events
    return [
        computed_properties.complete(event=event, expressions=by_code[event.code]) if event.code in by_code else event
        for event in events
    ]
