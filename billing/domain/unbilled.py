"""What is left of a period besides what was billed. Owns going on where the last period ended when the time zone of a
customer was changed in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from config.kernel.dates import Period

# A change of the customer's time zone moves midnight by up to this much; what lies closer belongs together.
_LARGEST_SHIFT = timedelta(hours=26)


def rest(period: Period, billed: Iterable[Period]) -> Period | None:
    """Return what is left of a period besides what was billed; nothing when that is most of it, or the period empty.

    Where a time zone was changed, the period before ended some hours earlier or later: the new one goes on from there.
    """
    if period.is_empty:
        return None
    spans = [span for span in billed if not span.is_empty]
    shared = [overlap for span in spans if (overlap := period.overlap(span)) is not None]
    covered = sum((overlap.end - overlap.start for overlap in shared), timedelta())
    if covered * 2 > period.end - period.start:
        return None
    earlier = [
        span.end for span in spans if span.start <= period.start and abs(span.end - period.start) < _LARGEST_SHIFT
    ]
    start = max(earlier, default=period.start)
    end = min((span.start for span in spans if start <= span.start < period.end), default=period.end)
    return Period(start, end) if start < end else None


def from_the_start(period: Period, billed: Iterable[Period], *, since: datetime) -> Period:
    """Return the first period that is billed with the hours before it, from the first instant that is to be billed on.

    Where the time zone was changed before anything was billed, the period that these hours were in has no billing day
    left. Longer time before it is left out on purpose: billing days that were passed over.
    """
    if any(not span.is_empty for span in billed) or not timedelta() < period.start - since < _LARGEST_SHIFT:
        return period
    return Period(since, period.end)
