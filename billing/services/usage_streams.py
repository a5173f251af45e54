"""Taking in a stream of usage events, each for itself. Owns the verdicts: a stream that is sent again, in part or as a
whole, in the same pieces or others, changes nothing and is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.domain.usage_events import EventIn, Taken, Verdict
from billing.queries import computed_properties, event_contents
from billing.services import event_store


def take_in(*, events: Sequence[EventIn], received_at: datetime) -> list[Taken]:
    """Store those events that are new, and return what became of each, in the order in which they were given.

    Outside a transaction what is accepted is committed on return. Of several events with one transaction id in one
    subscription the first is stored; the others, and those that were stored before, are compared with what is stored:
    code, instant, properties and amount. An event whose instant is the moment of receipt came without one, and may
    have any. Calling it twice accepts nothing the second time. Codes and subscriptions need not be known.
    Properties that metrics compute are computed here.
    """
    if not events:
        return []
    events = computed_properties.completed(events=events)
    keys = [event.key for event in events]
    first: dict[event_store.Key, int] = {}
    for position, key in enumerate(keys):
        first.setdefault(key, position)
    new = [events[position] for position in first.values()]
    ids, existing = event_store.write(events=new, received_at=received_at, all_or_none=False)
    id_of = dict(zip(first, ids, strict=True))
    repeats = [position for position, key in enumerate(keys) if key in existing or first[key] != position]
    known = event_contents.same_as_stored(events=[events[position] for position in repeats], received_at=received_at)
    taken = [Taken(Verdict.ACCEPTED, id_of[key]) for key in keys]
    for position, stored_id in zip(repeats, known, strict=True):
        taken[position] = Taken(Verdict.CONFLICT) if stored_id is None else Taken(Verdict.DUPLICATE, stored_id)
    return taken
