"""When a customer is reminded of a quote that waits for an answer. Owns the days before its end, and once is enough."""

from __future__ import annotations

from datetime import datetime, timedelta

BEFORE = timedelta(days=3)
"""So long before a quote expires its reminder goes out."""

APART = timedelta(days=1)
"""So long after the quote itself at the earliest: nobody is reminded of what just came."""


def is_due(*, sent_at: datetime, expires_at: datetime, at: datetime) -> bool:
    """Say whether the reminder of a quote is due: in its last three days, and a day after it was sent or later.

    Whether one was sent already is the caller's business.
    """
    return max(expires_at - BEFORE, sent_at + APART) <= at < expires_at
