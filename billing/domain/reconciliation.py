"""Comparing what a sender counted with what is stored. Owns the outcome of an hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.domain import event_digests

Key = tuple[str, str]
"""Transaction id and external subscription id."""


class Outcome(StrEnum):
    """What the comparison of an hour comes to."""

    MATCHING = "matching"
    MISSING = "missing"
    """Fewer events are stored than were counted."""
    SURPLUS = "surplus"
    """More events are stored than were counted."""
    DIFFERENT = "different"
    """As many, but not the same ones."""


@dataclass(frozen=True)
class SentHour:
    """What a sender counted in an hour; ``keys`` are those of its events, where it names them."""

    hour: datetime
    count: int
    digest: str | None = None
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Missing:
    """An event that is not stored in its hour; ``stored_at`` is its instant, where it is stored in another one."""

    key: Key
    stored_at: datetime | None


@dataclass(frozen=True)
class ComparedHour:
    """An hour of the sender, what is stored in it, and which of the events that the sender named are not."""

    sent: SentHour
    stored_count: int
    stored_digest: str
    outcome: Outcome
    missing: tuple[Missing, ...] = ()


def compare(
    *, sent: SentHour, end: datetime, stored_count: int, stored_digest: int, instants: Mapping[Key, datetime]
) -> ComparedHour:
    """Compare an hour that lasts until ``end``; ``instants`` are those of stored events, in whatever hour.

    Without a digest, counts that agree are taken for a match unless a named event is missing.
    """
    digest = event_digests.text(stored_digest)
    missing = tuple(_missing(sent.keys, sent.hour, end, instants))
    if stored_count < sent.count:
        outcome = Outcome.MISSING
    elif stored_count > sent.count:
        outcome = Outcome.SURPLUS
    elif missing or (sent.digest is not None and sent.digest.lower() != digest):
        outcome = Outcome.DIFFERENT
    else:
        outcome = Outcome.MATCHING
    return ComparedHour(sent, stored_count, digest, outcome, missing)


def _missing(keys: Sequence[Key], start: datetime, end: datetime, instants: Mapping[Key, datetime]) -> list[Missing]:
    found = []
    for key in dict.fromkeys(keys):
        at = instants.get(key)
        if at is None or not start <= at < end:
            found.append(Missing(key, at))
    return found
