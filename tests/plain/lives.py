"""The days of a life, reckoned one by one: which local days of a chain of subscriptions cost a fee, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.plain import periods

DAY = timedelta(days=1)
Days = dict[date, Decimal]


@dataclass(frozen=True)
class Stay:
    """A stay on one plan.

    ``ended_by`` is empty for one that runs, else upgrade, downgrade, prorated or whole (a pause), or end. ``paused`` is
    the kind of the pause that it was resumed from. Without ``tidy`` billing days may have been open as it ended.
    """

    price: Decimal
    interval: str
    in_advance: bool
    started_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    paused: str = ""
    bills_end: bool = True
    gives_back: bool = True
    made_on: date | None = None
    tidy: bool = True


@dataclass(frozen=True)
class Chain:
    """Stays of one customer that follow each other, on one anchor."""

    zone: str
    anchor: date
    billing_time: str
    stays: tuple[Stay, ...]


def reckon(chain: Chain, horizon: date) -> tuple[Days, set[date]]:
    """Return the price of each day that costs a fee by the time of the horizon, and days that may cost it or not."""
    paid: Days = {}
    open_days: set[date] = set()
    before: Stay | None = None
    agreed = date.min
    for stay in chain.stays:
        agreed = _agreed(chain, stay, before, agreed)
        since = _first(chain, stay, agreed) if before is None else agreed
        until, doubt = _until(chain, stay, since, horizon)
        open_days |= doubt
        day = since
        while day < until:
            first, after = _around(chain, stay, day)
            assert day not in paid, f"{day} is paid twice by the reckoning itself"
            paid[day] = stay.price / (after - first).days
            day += DAY
        before = stay
    return paid, open_days


def _around(chain: Chain, stay: Stay, day: date) -> tuple[date, date]:
    return periods.around(day, anchor=chain.anchor, interval=stay.interval, billing_time=chain.billing_time)


def _agreed(chain: Chain, stay: Stay, before: Stay | None, before_agreed: date) -> date:
    """The first day that a stay is to pay, whether or not it is passed over."""
    first_day = periods.day_of(stay.started_at, chain.zone)
    if before is None or before.ended_at is None:
        return first_day
    ended_on = periods.day_of(before.ended_at, chain.zone)
    if not stay.paused:
        # Only a pause can have paid for days beyond a change of plan.
        return max(first_day, before_agreed)
    has_paid = periods.midnight(before_agreed, chain.zone) < before.ended_at
    if stay.paused == "prorated":
        return max(first_day, ended_on + DAY if has_paid else before_agreed)
    start, _ = _around(chain, stay, first_day)
    return max(start, _around(chain, before, ended_on)[1] if has_paid else before_agreed)


def _first(chain: Chain, stay: Stay, first_day: date) -> date:
    """Time before it was made is passed over until the first billing day."""
    if stay.made_on is None or first_day >= stay.made_on:
        return first_day
    _, boundary = _around(chain, stay, first_day)
    while boundary < stay.made_on:
        _, boundary = _around(chain, stay, boundary)
    return boundary if stay.in_advance else max(first_day, _around(chain, stay, boundary - DAY)[0])


def _until(chain: Chain, stay: Stay, since: date, horizon: date) -> tuple[date, set[date]]:
    """The first day that a stay does not pay any more, and a day that may be paid or not."""
    if stay.ended_at is None:
        first, after = _around(chain, stay, horizon)
        return (after if stay.in_advance else first), set()
    if stay.ended_by == "end" and stay.ended_at <= stay.started_at and not stay.in_advance:
        # Ended at the very instant at which it began, it never ran.
        return since, set()
    day = periods.day_of(stay.ended_at, chain.zone)
    first, after = _around(chain, stay, day)
    if stay.ended_by in ("upgrade", "downgrade"):
        return day, set()
    # The day on which a period opens costs nothing where its end is noticed before it was billed.
    doubt = {day} if day == first and not stay.tidy and stay.ended_by == "end" else set()
    keeps = stay.ended_by == "whole" or (stay.ended_by == "end" and stay.in_advance and not stay.gives_back)
    if keeps:
        has_paid = periods.midnight(since, chain.zone) < stay.ended_at
        return (after if has_paid else since), (set() if not doubt else _days(day, after))
    if stay.ended_by == "end" and not stay.bills_end and not stay.in_advance:
        return first, set()
    return day + DAY, doubt


def _days(first: date, after: date) -> set[date]:
    return {first + DAY * number for number in range((after - first).days)}
