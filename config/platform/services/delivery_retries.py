"""When a webhook is tried again, and how long a silent endpoint is left alone. Pure; owns no clock and no row."""

from __future__ import annotations

from datetime import timedelta

LONGEST_WAIT = timedelta(hours=4)
LONGEST_REST = timedelta(minutes=15)
_FIRST_REST = timedelta(seconds=30)
_MOST_ASKED_FOR = timedelta(hours=1)


def wait(*, attempts: int, seed: int) -> timedelta:
    """Return how long to wait after this many attempts: n⁴ + 2 seconds, 4 hours at most, and up to a tenth more.

    The part on top depends on ``seed``, the delivery's key, so that what failed together is not tried together again.
    """
    plain = min(timedelta(seconds=attempts**4 + 2), LONGEST_WAIT)
    return plain + plain * (seed * 7919 % 100) / 1000


def rest(*, failures: int) -> timedelta:
    """Return how long an endpoint is left alone after this many requests without an answer, one after the other:
    30 seconds, a minute, two, … 15 minutes at most.
    """
    return min(_FIRST_REST * 2 ** min(failures - 1, 10), LONGEST_REST)


def asked_for(retry_after: str) -> timedelta | None:
    """Return how long an endpoint asks to be left alone by its header ``Retry-After`` in seconds, an hour at most.

    None where it asks for nothing, or by a date, which needs clocks that agree.
    """
    if not (retry_after.isascii() and retry_after.isdigit()) or len(retry_after) > 9:
        return None
    return min(timedelta(seconds=int(retry_after)), _MOST_ASKED_FOR)
