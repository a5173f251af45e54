"""Sends usage events through the API in batches, and gets along with events that are there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from config.demo.api import Api, Refused

BATCH = 1000
_STORED = {"transaction_id": ["value_already_exist"]}

Event = dict[str, object]


@dataclass(frozen=True)
class Sent:
    """How many events were taken in, and how many had been there."""

    new: int = 0
    known: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(self.new + other.new, self.known + other.known)


def send(api: Api, events: Iterable[Event], *, done: Callable[[int], object], batch: int = BATCH) -> Sent:
    """Send all events, telling ``done`` after each batch how many it held. Sending them again changes nothing.

    A batch is taken in as a whole or not at all; one that holds events which are there already is sent again without
    them. Raises Refused for any other reason.
    """
    result = Sent()
    rest = iter(events)
    while chunk := list(islice(rest, batch)):
        result += _send_batch(api, chunk)
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


def _positions_stored(refusal: Refused) -> Iterator[int]:
    """Return which events are there already. Raises the refusal itself if it has any other reason."""
    reasons: dict[str, Any] = refusal.details
    if refusal.status != 422 or not reasons or any(reason != _STORED for reason in reasons.values()):
        raise refusal
    return map(int, reasons)
