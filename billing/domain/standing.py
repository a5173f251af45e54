"""Where a subscription stands, and what of its time is billed or due. Owns these values; `dues` decides with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.domain import due_dates
from billing.domain.boundaries import Terms
from billing.domain.periods import Schedule
from billing.domain.proration import Share
from config.kernel import dates
from config.kernel.dates import Period


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscription stands. `next_billing_date` is its oldest billing day that is not settled yet.

    `ends_at` is the instant of its termination, or the one that is agreed for it. `bills_end` says whether a
    termination makes a last invoice. `trial_is_over` says that the end of the trial was dealt with. `is_replaced` says
    that it ended because another plan follows, `is_upgraded` that this was at once, so that the new plan bills the day.
    `is_paused` says that a pause ended it, and `pauses_whole` that this costs the whole fee of the running period. One
    that was resumed waited from `paused_at` on, and bills the plan fee from the local day `fee_from` on.
    Usage is billed from `usage_from` on, where that is not the start.
    The plan may have fixed charges in arrears, in advance, or both. A minimum commitment goes with the intervals that
    end after `commits_from`, where that is not the start: in advance, the first one whose fee is billed.
    """

    schedule: Schedule
    started_at: datetime
    next_billing_date: date
    ends_at: datetime | None = None
    is_terminated: bool = False
    bills_end: bool = True
    pays_in_advance: bool = False
    charges_monthly: bool = False
    fixed_charges_monthly: bool = False
    has_fixed_arrears: bool = False
    has_fixed_advance: bool = False
    trial_ends_at: datetime | None = None
    trial_is_over: bool = False
    is_replaced: bool = False
    is_upgraded: bool = False
    is_paused: bool = False
    pauses_whole: bool = False
    paused_at: datetime | None = None
    fee_from: date | None = None
    usage_from: datetime | None = None
    commits_from: date | None = None

    @property
    def terms(self) -> Terms:
        """Return what decides about boundaries."""
        return Terms(
            self.schedule,
            pay_in_advance=self.pays_in_advance,
            charges_monthly=self.charges_monthly,
            fixed_charges_monthly=self.fixed_charges_monthly,
        )

    @property
    def billing_schedule(self) -> Schedule:
        """Return the schedule of the billing days."""
        return self.terms.billing_schedule

    @property
    def usage_schedule(self) -> Schedule:
        """Return the schedule of the periods of usage."""
        return due_dates.billing_schedule(self.schedule, bills_monthly=self.charges_monthly)

    @property
    def fixed_schedule(self) -> Schedule:
        """Return the schedule of the periods of fixed charges."""
        return due_dates.billing_schedule(self.schedule, bills_monthly=self.fixed_charges_monthly)

    @property
    def first_day(self) -> date:
        """Return the local date of the start."""
        return dates.local_date(self.started_at, self.schedule.timezone)

    @property
    def last_day(self) -> date | None:
        """Return the local date of the end, if there is one."""
        return None if self.ends_at is None else dates.local_date(self.ends_at, self.schedule.timezone)

    @property
    def first_paid_day(self) -> date:
        """Return the first local day of which the plan fee is billed: the day on which a trial ends is paid.

        One that was resumed after a pause with whole periods may pay for days before its start.
        """
        first = self.fee_from or self.first_day
        return first if self.first_day_after_trial is None else max(first, self.first_day_after_trial)

    @property
    def first_day_after_trial(self) -> date | None:
        """Return the local day on which the trial ends, if there is one."""
        return None if self.trial_ends_at is None else dates.local_date(self.trial_ends_at, self.schedule.timezone)


@dataclass(frozen=True, slots=True)
class FixedTimes:
    """Time of fixed charges: the period that is over of those in arrears, the one that runs of those in advance."""

    arrears: Period | None = None
    advance: Period | None = None

    def __bool__(self) -> bool:
        return self.arrears is not None or self.advance is not None


@dataclass(frozen=True, slots=True)
class CommittedTime:
    """Time whose minimum commitment is settled, and the share of a whole interval that it is committed to."""

    period: Period
    share: Share


@dataclass(frozen=True, slots=True)
class Billed:
    """Time that an invoice covers already, or did until its draft was voided (`is_released`)."""

    billing_date: date
    fee: Period
    charges: Period
    is_released: bool = False
    bills_fee: bool = True
    fixed: FixedTimes = FixedTimes()
    commitment: Period | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Time to be billed: of the plan fee with its share, and of usage (empty when no usage is left to bill).

    `due_at` is the local start of the billing day, or the instant of the start, of the end of the trial, or of the
    termination. Without `bills_fee` the fee's time only says what the usage is in. `even_of_nothing` asks for an
    invoice also when nothing is to be paid. A `commitment` is the time whose minimum is settled.
    """

    billing_date: date
    due_at: datetime
    fee: Period
    charges: Period
    share: Share
    is_last: bool = False
    is_first: bool = False
    bills_fee: bool = True
    even_of_nothing: bool = False
    fixed: FixedTimes = FixedTimes()
    commitment: CommittedTime | None = None


def billed_fees(billed: Sequence[Billed]) -> list[Period]:
    """Return the times of which the plan fee is billed, voided drafts left out."""
    return [span.fee for span in billed if span.bills_fee and not span.is_released]


def billed_fixed(billed: Sequence[Billed], *, in_advance: bool) -> list[Period]:
    """Return the times of which the fixed charges in arrears, or in advance, are billed, voided drafts left out."""
    found = [span.fixed.advance if in_advance else span.fixed.arrears for span in billed if not span.is_released]
    return [time for time in found if time is not None]


def billed_usage(billed: Sequence[Billed]) -> list[Period]:
    """Return the times of which the usage is billed, voided drafts left out."""
    return [span.charges for span in billed if not span.is_released]
