"""Sends usage events through the API in batches, and gets along with events that are there already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any

from config.demo import usage
from config.demo.api import Api, Refused
from config.kernel import dates

BATCH = 1000
_STORED = {"transaction_id": ["value_already_exist"]}

Event = dict[str, object]
Known = frozenset[tuple[object, object]]
"""Events by subscription and transaction id."""


@dataclass(frozen=True)
class Sent:
    """How many events were taken in, and how many had been there."""

    new: int = 0
    known: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(self.new + other.new, self.known + other.known)


def stored(api: Api, *, months: Sequence[date]) -> Known:
    """Ask which events of the sample's code in these months are there. Raises Refused.

    It spares refusals and no more: an event that is there without having been listed is refused, and left out then.
    """
    found: set[tuple[object, object]] = set()
    for month in months:
        bounds = {
            "timestamp_from": datetime.combine(month, time(), UTC).isoformat(),
            "timestamp_to": datetime.combine(dates.add_months(month, 1), time(), UTC).isoformat(),
        }
        found.update(map(_key, api.rows("events", code=usage.EVENT_CODE, **bounds)))
    return frozenset(found)


def send(
    api: Api,
    events: Iterable[Event],
    *,
    done: Callable[[int], object],
    batch: int = BATCH,
    known: Collection[tuple[object, object]] = (),
) -> Sent:
    """Send all events but the ``known``, telling ``done`` after each batch how many it held.

    Sending them again changes nothing: a batch is taken in as a whole or not at all, and one that holds events which
    are there already is sent again without them. Raises Refused for any other reason.
    """
    result = Sent()
    rest = iter(events)
    while chunk := list(islice(rest, batch)):
        unknown = [event for event in chunk if _key(event) not in known] if known else chunk
        result += _send_batch(api, unknown) + Sent(known=len(chunk) - len(unknown))
        done(len(chunk))
    return result


def _send_batch(api: Api, events: list[Event]) -> Sent:
    missing = events
    while missing:
        try:
            api.send("events/batch", {"events": missing})
        except Refused as refusal:
            stored = set(_positions_stored(refusal))
            missing = [event for position, event in enumerate(missing) if position not in stored]
        else:
            break
    return Sent(new=len(missing), known=len(events) - len(missing))


def _key(event: Event) -> tuple[object, object]:
    return event["external_subscription_id"], event["transaction_id"]


def _positions_stored(refusal: Refused) -> Iterator[int]:
    """Return which events are there already. Raises the refusal itself if it has any other reason."""
    reasons: dict[str, Any] = refusal.details
    if refusal.status != 422 or not reasons or any(reason != _STORED for reason in reasons.values()):
        raise refusal
    return map(int, reasons)
