"""Taking in events from files. Owns what is stricter there than for events that are sent: each has its instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from billing.domain import event_fields, event_reading
from billing.domain.usage_events import Codes, EventIn, Verdict
from billing.services import usage_streams


class Outcome(NamedTuple):
    """What became of a row; ``codes`` say why it is not stored."""

    verdict: Verdict
    codes: Codes | None = None


_EXISTS: Codes = {"transaction_id": ["value_already_exist"]}
_UNDATED: Codes = {"timestamp": [event_fields.MANDATORY]}


def take_in(*, rows: Sequence[bytes], received_at: datetime) -> list[Outcome]:
    """Store the events of rows, each a JSON object without a line break, and return what became of each.

    A row without a timestamp is rejected: what happened when is not known, and now it was not. All else is as
    `usage_streams.take_in` has it, so that importing a file again changes nothing.
    """
    found = [_dated(one, received_at) for one in event_reading.rows(rows, received_at=received_at)]
    events = [one for one in found if isinstance(one, EventIn)]
    taken = iter(usage_streams.take_in(events=events, received_at=received_at))
    outcomes = []
    for one in found:
        if isinstance(one, EventIn):
            verdict = next(taken).verdict
            outcomes.append(Outcome(verdict, _EXISTS if verdict == Verdict.CONFLICT else None))
        else:
            outcomes.append(Outcome(Verdict.REJECTED, one))
    return outcomes


def _dated(found: EventIn | Codes, received_at: datetime) -> EventIn | Codes:
    return _UNDATED if isinstance(found, EventIn) and found.timestamp == received_at else found
