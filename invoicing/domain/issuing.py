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


PERIOD_END = "current_period_end"
NEXT_START = "next_period_start"
KEEP_ANCHOR = "keep_anchor"
ALIGN = "align_with_finalization_date"


@dataclass(frozen=True)
class Policy:
    """How invoices for the end of a period are dated: its last day or the day after, kept or moved by the grace."""

    anchor: str = NEXT_START
    adjustment: str = ALIGN

    def __post_init__(self) -> None:
        if self.anchor not in {PERIOD_END, NEXT_START} or self.adjustment not in {KEEP_ANCHOR, ALIGN}:
            raise ValueError(f"{self.anchor}, {self.adjustment} is no policy of issuing dates.")

    def days_off(self, *, grace_days: int) -> int:
        """Return how many days after the billing day, which is the day after the period, the invoice is dated."""
        keeps = self.adjustment == KEEP_ANCHOR
        if self.anchor == PERIOD_END and (keeps or not grace_days):
            return -1
        return 0 if keeps else grace_days


def plan(*, billed_at: datetime, timezone: str, grace_days: int, term_days: int, policy: Policy | None = None) -> Dates:
    """Date a draft: finalized when its grace is over, issued that day, due when the payment term after that is.

    ``policy`` says when an invoice for the end of a period is issued instead; none for all others. ``finalize_after``
    is the instant, in UTC, at which the last day of grace is over in ``timezone``, whatever the issuing date; never
    before ``billed_at``'s own day. Raises Invalid (`invalid_timezone`).
    """
    zone = dates.zone(timezone)
    billed_on = dates.local_date(billed_at, zone)
    off = grace_days if policy is None else policy.days_off(grace_days=grace_days)
    issuing_date = billed_on + timedelta(days=off)
    return Dates(
        issuing_date=issuing_date,
        payment_due_date=issuing_date + timedelta(days=term_days),
        finalize_after=dates.start_of_day(billed_on + timedelta(days=grace_days), zone),
    )


def when_finalized(*, issuing_date: date, at: datetime, timezone: str, term_days: int) -> tuple[date, date]:
    """Return the issuing date and the due date of a document finalized ``at``.

    A document finalized before its grace is over is dated that very day: no document may be dated in the future. One
    finalized later keeps its date, so that a catch-up after a pause dates every invoice to its billing day.
    """
    today = dates.local_date(at, dates.zone(timezone))
    issued_on = min(issuing_date, today)
    return issued_on, issued_on + timedelta(days=term_days)
