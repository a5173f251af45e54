"""Shares of days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import periods, proration
from billing.domain.periods import Schedule
from billing.domain.proration import Share
from config.kernel import dates, money
from config.kernel.dates import Period
from tests.domain.billing import schedules
from tests.domain.billing.schedules import at


def monthly(anchor: date, zone: str = "UTC") -> Schedule:
    return schedules.of("monthly", "calendar", anchor, zone)


@pytest.mark.parametrize(
    ("interval", "billing_time", "zone", "started_at", "days", "of_days"),
    [
        ("monthly", "calendar", "UTC", "2024-01-15T14:00:00Z", 17, 31),  # 15 to 31 January
        ("monthly", "calendar", "UTC", "2024-01-01T00:00:00Z", 31, 31),
        ("weekly", "calendar", "America/Halifax", "2023-06-16T05:00:00Z", 3, 7),  # Friday to Sunday
        ("monthly", "calendar", "America/Los_Angeles", "2023-02-08T00:00:00Z", 22, 28),  # still the 7th there
        ("quarterly", "calendar", "UTC", "2024-03-12T10:00:00Z", 20, 91),  # 12 to 31 March of 31 + 29 + 31
        ("monthly", "anniversary", "UTC", "2024-01-15T14:00:00Z", 31, 31),
        ("monthly", "calendar", "Europe/Berlin", "2024-03-30T12:00:00Z", 2, 31),  # over the change of clocks
    ],
)
def test_first_period(interval: str, billing_time: str, zone: str, started_at: str, days: int, of_days: int) -> None:
    schedule = periods.schedule(
        interval=interval, billing_time=billing_time, subscription_at=at(started_at), timezone=dates.zone(zone)
    )
    assert proration.first_period(schedule, started_at=at(started_at)) == Share(days, of_days)


@pytest.mark.parametrize(
    ("started_at", "terminated_at", "upgraded", "days", "of_days"),
    [
        ("2022-12-15T00:00:00Z", "2022-12-20T06:00:00Z", False, 6, 31),  # 15 to 20 December
        ("2022-12-15T00:00:00Z", "2022-12-20T00:00:00Z", False, 6, 31),  # at midnight the new day counts
        ("2022-12-15T00:00:00Z", "2022-12-15T06:00:00Z", False, 1, 31),
        ("2012-02-01T00:00:00Z", "2012-02-15T10:00:00Z", True, 14, 29),  # the day of the upgrade is the new plan's
        ("2012-02-01T00:00:00Z", "2012-02-01T10:00:00Z", True, 0, 29),
        ("2012-01-01T00:00:00Z", "2012-02-29T23:00:00Z", False, 29, 29),
    ],
)
def test_termination(started_at: str, terminated_at: str, upgraded: bool, days: int, of_days: int) -> None:
    schedule = monthly(date.fromisoformat(started_at[:10]))
    share = proration.termination(
        schedule, started_at=at(started_at), terminated_at=at(terminated_at), upgraded=upgraded
    )
    assert share == Share(days, of_days)


def test_unused_days() -> None:
    schedule = monthly(date(2024, 1, 1))
    end = at("2024-02-12T06:00:00Z")
    assert proration.unused(schedule, terminated_at=end) == Share(17, 29)  # 13 to 29 February
    assert proration.unused(schedule, terminated_at=end, upgraded=True) == Share(18, 29)


def test_an_upgrade_in_the_middle_of_january() -> None:
    # 3100 a month paid in advance, 6200 from the 16th: 16 x 100 back, 16 x 200 new.
    schedule, upgrade = monthly(date(2024, 1, 1)), at("2024-01-16T09:00:00Z")
    assert proration.unused(schedule, terminated_at=upgrade, upgraded=True).of(Decimal(3100)) == 1600
    assert proration.first_period(schedule, started_at=upgrade).of(Decimal(6200)) == 3200


def test_shares_keep_full_precision() -> None:
    exact = Share(17, 31).of(Decimal(3000))  # 1645.16129...
    assert money.round_half_up(exact, 2) == Decimal("1645.16")
    assert abs(Fraction(exact) - Fraction(51000, 31)) < Fraction(1, 10**50)
    assert Share(31, 31).of(Decimal("49.90")) == Decimal("49.90")


@pytest.mark.parametrize(("days", "of_days"), [(-1, 31), (32, 31), (0, 0)])
def test_shares_that_cannot_be(days: int, of_days: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        Share(days, of_days)


INSTANTS = st.tuples(st.integers(0, 900), st.integers(0, 86_399))


def instant(schedule: Schedule, passed: tuple[int, int]) -> datetime:
    start = dates.start_of_day(schedule.anchor + timedelta(days=passed[0]), schedule.timezone)
    return start + timedelta(seconds=passed[1])


@given(schedule=schedules.SCHEDULES, passed=INSTANTS)
def test_used_and_unused_days_make_the_period(schedule: Schedule, passed: tuple[int, int]) -> None:
    end = instant(schedule, passed)
    long_ago = dates.start_of_day(schedule.anchor - timedelta(days=800), schedule.timezone)
    for upgraded in (False, True):
        used = proration.termination(schedule, started_at=long_ago, terminated_at=end, upgraded=upgraded)
        unused = proration.unused(schedule, terminated_at=end, upgraded=upgraded)
        assert used.days + unused.days == used.of_days == unused.of_days


@given(schedule=schedules.SCHEDULES, passed=INSTANTS)
def test_an_upgrade_bills_every_day_once(schedule: Schedule, passed: tuple[int, int]) -> None:
    end = instant(schedule, passed)
    long_ago = dates.start_of_day(schedule.anchor - timedelta(days=800), schedule.timezone)
    old = proration.termination(schedule, started_at=long_ago, terminated_at=end, upgraded=True)
    new = proration.first_period(schedule, started_at=end)
    assert old.days + new.days == old.of_days


@given(schedule=schedules.SCHEDULES, number=st.integers(-5, 30), cut=st.integers(0, 400))
def test_the_days_of_a_cut_period_sum_to_the_whole(schedule: Schedule, number: int, cut: int) -> None:
    natural = periods.nth_period(schedule, number)
    assert proration.covered(schedule, natural.period) == proration.whole(natural)
    day = natural.first_day + timedelta(days=min(cut, natural.days - 1))
    middle = dates.start_of_day(day, schedule.timezone)
    parts = [Period(natural.period.start, middle), Period(middle, natural.period.end)]
    days = [proration.covered(schedule, part).days for part in parts if not part.is_empty]
    # A day that the zone left out is in neither part.
    assert natural.days - sum(days) in ((0, 1) if schedule.timezone.key == "Pacific/Apia" else (0,))


@given(days=st.integers(0, 366), amount=st.decimals(0, 100_000, places=2))
def test_two_shares_of_an_amount_sum_to_it(days: int, amount: Decimal) -> None:
    parts = Fraction(Share(days, 366).of(amount)) + Fraction(Share(366 - days, 366).of(amount))
    assert abs(parts - Fraction(amount)) < Fraction(1, 10**50)
