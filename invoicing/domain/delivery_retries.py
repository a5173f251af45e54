"""When an e-mail that could not be handed over is tried again. Owns the times between attempts and their number."""

from __future__ import annotations

from datetime import datetime, timedelta

ATTEMPTS = 4
# Longer than any hand-over takes, waiting sweeps included: a row that was claimed by a process that died is free again.
LEASE = timedelta(hours=1)


def next_attempt_at(*, attempts: int, at: datetime) -> datetime | None:
    """Return when to try again after so many attempts that failed, the last one at `at`; nothing when it was the last.

    The pause after the n-th attempt is n to the fourth minutes: 1, 16 and 81 minutes.
    """
    if attempts >= ATTEMPTS:
        return None
    return at + timedelta(minutes=attempts**4)


def leased_until(*, at: datetime) -> datetime:
    """Return until when a claim made at `at` keeps others away."""
    return at + LEASE
