"""How a new version of a plan comes: from when on it is sold, and whether those who have the plan follow. Owns the
rules about the moment; storing versions is the services'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.kernel import dates, errors

MOST_YEARS = 10
_YEAR = timedelta(days=366)


class InvalidMoment(errors.Invalid):
    """A version cannot be sold from then on."""


@dataclass(frozen=True, slots=True)
class Publication:
    """``moves_existing`` gives the version to everybody who has the plan. ``effective_at`` is from when on it is sold,
    at once without one.

    A version that is sold later is never given to anybody unasked. Contracts with own terms stay on the version that
    these were made of unless it ``cascades``: then they get all of it that they did not agree otherwise.
    """

    moves_existing: bool = True
    effective_at: datetime | None = None
    cascades: bool = False

    def __post_init__(self) -> None:
        if self.moves_existing and self.effective_at is not None:
            raise ValueError("A version that is sold from a moment on leaves everybody where they are.")

    def waits(self, *, at: datetime) -> bool:
        """Say whether the moment is still to come."""
        return self.effective_at is not None and self.effective_at > at


FOLLOWED = Publication()
"""At once, for everybody who has the plan: what an update through the API means."""

CASCADED = Publication(cascades=True)
"""At once, for everybody who has the plan, on own terms too."""

KEPT = Publication(moves_existing=False)
"""At once, for those who buy from now on."""


def sold_from(moment: datetime, *, at: datetime, timezone: ZoneInfo) -> Publication:
    """Return a publication for those who buy from a moment on: one earlier today, or to come.

    Days are those of the time zone. Raises InvalidMoment (`effective_at`) for an earlier day, or one that is more than
    ten years away.
    """
    if dates.local_date(moment, timezone) < dates.local_date(at, timezone) or moment > at + MOST_YEARS * _YEAR:
        message = "A version is sold from today on, or from a day of the next ten years."
        raise InvalidMoment("invalid_effective_at", message, {"effective_at": ["value_is_out_of_range"]})
    return Publication(moves_existing=False, effective_at=moment)
