"""Taking in usage events, all of a request or none. Owns what a repeat means there; what an event must look like is
checked by who calls, writing it is `event_store`'s, and what events add up to is read by `billing.queries.aggregates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.domain.usage_events import EventIn
from billing.models import EventKey
from billing.queries import computed_properties
from billing.services import event_store
from config.kernel import errors


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was stored, in the order in which it was given: the events with what was computed in them, and their ids."""

    events: Sequence[EventIn]
    ids: list[str]


class EventsAlreadyExist(errors.Invalid):
    """Some events are stored already, or came twice in one request. ``positions`` are theirs in the request, from 0."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(
            "value_already_exist",
            f"{len(positions)} of the events exist already.",
            {"transaction_id": ["value_already_exist"]},
        )
        self.positions = list(positions)


def ingest(*, events: Sequence[EventIn], received_at: datetime) -> Ingested:
    """Store events, all of them or none, and return their ids; outside a transaction they are committed on return.

    Events are told apart by transaction id and subscription. Raises EventsAlreadyExist, having stored nothing, where
    some are there already or come twice, so sending the same events again changes nothing. Codes and subscriptions need
    not be known. Properties that metrics compute are computed here. Months that have no partition yet get one, whatever
    becomes of the events.
    """
    repeated = _repeated(events)
    if repeated:
        stored = _stored(events)
        raise EventsAlreadyExist([at for at, e in enumerate(events) if at in repeated or e.key in stored])
    events = computed_properties.completed(events=events)
    ids, existing = event_store.write(events=events, received_at=received_at, all_or_none=True)
    if existing:
        raise EventsAlreadyExist([at for at, event in enumerate(events) if event.key in existing])
    return Ingested(events, ids)


def _stored(events: Sequence[EventIn]) -> set[event_store.Key]:
    """Return the keys that are taken already."""
    rows = EventKey.objects.filter(transaction_id__in={event.transaction_id for event in events})
    return set(rows.values_list("transaction_id", "external_subscription_id"))


def _repeated(events: Sequence[EventIn]) -> set[int]:
    """Return the positions of events whose key came before in the same request."""
    if len({event.key for event in events}) == len(events):
        return set()
    seen: set[event_store.Key] = set()
    found = set()
    for position, event in enumerate(events):
        key = event.key
        if key in seen:
            found.add(position)
        seen.add(key)
    return found
