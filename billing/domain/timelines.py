"""The time line of a subscription through all changes of its plan: what happened, what is agreed to come, and the bars
of its plans and pauses. Owns the order and the sorting into groups; where the entries come from is the queries'.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from moneyed import Money


class Group(StrEnum):
    """What a time line is narrowed to."""

    MONEY = "money"
    CHANGES = "changes"
    NOTICES = "notices"


class Kind(StrEnum):
    """What an entry tells, in the order in which such things follow each other at the same instant."""

    CREATED = "created"
    WAITS_FOR_PAYMENT = "waits_for_payment"
    STARTED = "started"
    ACTIVATED = "activated"
    CHANGE_CANCELED = "change_canceled"
    CHANGE_SCHEDULED = "change_scheduled"
    PLAN_CHANGED = "plan_changed"
    TERMS_CHANGED = "terms_changed"
    UNITS_CHANGED = "units_changed"
    AGREEMENT_CHANGED = "agreement_changed"
    CONTRACT_PHASE = "contract_phase"
    CONTRACT_RENEWED = "contract_renewed"
    CONTRACT_AMENDED = "contract_amended"
    CONTRACT_NOTICE = "contract_notice"
    CONTRACT_ENDS = "contract_ends"
    VERSION_MIGRATION = "version_migration"
    TRIAL_ENDED = "trial_ended"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    CANCELED = "canceled"
    PAYMENT_DEADLINE = "payment_deadline"
    INVOICE = "invoice"
    PROGRESSIVE_INVOICE = "progressive_invoice"
    CREDIT_NOTE = "credit_note"
    LATE_USAGE = "late_usage"
    ALERT = "alert"
    CAP_REACHED = "cap_reached"
    END_NOTICE = "end_notice"


_ORDER = {kind: place for place, kind in enumerate(Kind)}
_MONEY = frozenset({Kind.INVOICE, Kind.PROGRESSIVE_INVOICE, Kind.CREDIT_NOTE, Kind.LATE_USAGE})
_NOTICES = frozenset({Kind.ALERT, Kind.CAP_REACHED, Kind.END_NOTICE})


@dataclass(frozen=True, slots=True)
class Subject:
    """A record that an entry is about: its model ("app.model" in lower case), keys and name."""

    model: str
    id: int
    uuid: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a time line. ``before`` is what ``name`` and ``amount`` say was the case until then.

    ``amount`` is a price, or the total of a document with tax. ``state`` is that of the document or decision. ``by``
    and ``reason`` say who did it and why. ``key`` tells entries of one kind at one instant apart.
    """

    at: datetime
    kind: Kind
    key: int
    name: str = ""
    before: str = ""
    amount: Money | None = None
    amount_before: Money | None = None
    state: str = ""
    by: str = ""
    reason: str = ""
    count: int = 0
    subject: Subject | None = None

    @property
    def group(self) -> Group:
        """Return what it is found under."""
        if self.kind in _MONEY:
            return Group.MONEY
        return Group.NOTICES if self.kind in _NOTICES else Group.CHANGES


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a time line, newest first, and whether there are older ones."""

    entries: tuple[Entry, ...]
    has_older: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of one plan, at one price, or of a pause; open at its end where nothing ends it yet."""

    from_at: datetime
    to_at: datetime | None
    name: str
    amount: Money | None = None
    is_paused: bool = False
    is_planned: bool = False


def page(streams: Iterable[Iterable[Entry]], *, offset: int, size: int, groups: Sequence[Group] = ()) -> Page:
    """Return some entries of streams of them, newest first; what happened later at the same instant stands above.

    Each stream may be in any order, but must hold its newest ``offset + size + 1`` entries of the groups.
    """
    wanted = frozenset(groups) or frozenset(Group)
    kept = (entry for stream in streams for entry in stream if entry.group in wanted)
    found = heapq.nlargest(offset + size + 1, kept, key=_place)
    return Page(tuple(islice(found, offset, offset + size)), len(found) > offset + size)


def upwards(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return entries that are still to come, the soonest first."""
    return tuple(sorted(entries, key=_place))


def _place(entry: Entry) -> tuple[datetime, int, int]:
    return (entry.at, _ORDER[entry.kind], entry.key)
