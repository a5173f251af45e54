"""What comes to pass next of a subscription, as it is agreed at a clock. Owns the order of these steps; doing them is
not its work.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class StepKind(IntEnum):
    """What happens, in the order in which it does at the same instant: an end bills what a billing day would."""

    START = 1
    RESUME = 2
    END = 3
    TRIAL_END = 4
    BILL = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One thing, and the instant at which it comes to pass."""

    at: datetime
    kind: StepKind


@dataclass(frozen=True, slots=True)
class Known:
    """What is agreed of a subscription. ``settles_at`` is when a billing day with nothing to bill is over."""

    starts_at: datetime | None = None
    resumes_at: datetime | None = None
    ends_at: datetime | None = None
    trial_ends_at: datetime | None = None
    changes_at: datetime | None = None
    bills_at: datetime | None = None
    settles_at: datetime | None = None
    renews_at: datetime | None = None


def next_step(known: Known, *, clock: datetime, done: Collection[Step]) -> Step | None:
    """Return the soonest step that was not done yet, at the clock where its instant is over; nothing if none is left.

    One that does not come to pass before the end never does. A billing day that stayed open comes again once the grace
    is over.
    """
    planned = (
        (known.starts_at, StepKind.START),
        (known.resumes_at, StepKind.RESUME),
        (known.ends_at, StepKind.END),
        (known.trial_ends_at, StepKind.TRIAL_END),
        (known.changes_at, StepKind.BILL),
        (known.bills_at, StepKind.BILL),
        (known.renews_at, StepKind.BILL),
        (known.settles_at, StepKind.BILL),
    )
    steps = {Step(max(at, clock), kind) for at, kind in planned if at is not None}
    return min(steps - set(done), key=lambda step: (step.at, step.kind), default=None)
