"""Dates of an invoice: when it is issued, finalized and due. Local dates in the invoice's time zone; no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from config.kernel import dates


@dataclass(frozen=True)
class Dates:
    """``issuing_date`` and ``payment_due_date`` are local; the draft may be finalized from ``finalize_after`` on."""

    issuing_date: date
    payment_due_date: date
    finalize_after: datetime


def plan(*, billed_at: datetime, timezone: str, grace_days: int, term_days: int) -> Dates:
    """Date a draft: issued when its grace is over, due when the payment term after that is.

    ``finalize_after`` is the instant, in UTC, at which the issuing date starts in ``timezone``; never before
    ``billed_at``'s own day. Raises Invalid (`invalid_timezone`).
    """
    zone = dates.zone(timezone)
    issuing_date = dates.local_date(billed_at, zone) + timedelta(days=grace_days)
    return Dates(
        issuing_date=issuing_date,
        payment_due_date=issuing_date + timedelta(days=term_days),
        finalize_after=dates.start_of_day(issuing_date, zone),
    )


def when_finalized(*, issuing_date: date, at: datetime, timezone: str, term_days: int) -> tuple[date, date]:
    """Return the issuing date and the due date of a document finalized ``at``.

    A document finalized before its grace is over is dated that very day: no document may be dated in the future. One
    finalized later keeps its date, so that a catch-up after a pause dates every invoice to its billing day.
    """
    today = dates.local_date(at, dates.zone(timezone))
    issued_on = min(issuing_date, today)
    return issued_on, issued_on + timedelta(days=term_days)
