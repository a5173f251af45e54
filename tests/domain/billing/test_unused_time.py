"""What is not used of a plan fee that was paid in advance: days and amounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import proration, unused_time
from billing.domain.periods import Schedule
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import money

NEW_YORK = "America/New_York"


def monthly(zone: str = "UTC", anchor: date = date(2024, 1, 1)) -> Schedule:
    return Schedule(Interval.MONTHLY, BillingTime.CALENDAR, anchor, ZoneInfo(zone))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "at", "upgraded", "days", "of_days"),
    [
        # The day of a termination is used, that of an upgrade is the new plan's.
        ("UTC", "2024-01-16T10:00", False, 15, 31),
        ("UTC", "2024-01-16T10:00", True, 16, 31),
        ("UTC", "2024-02-01T00:00", True, 29, 29),
        ("UTC", "2024-02-29T23:59", False, 0, 29),
        # 02:00 on the 17th in UTC is the evening of the 16th there; days are local, whatever the offset.
        (NEW_YORK, "2024-01-17T02:00", False, 15, 31),
        ("Asia/Tokyo", "2024-01-15T16:00", False, 15, 31),
    ],
)
def test_days(zone: str, at: str, upgraded: bool, days: int, of_days: int) -> None:
    found = unused_time.unused(
        monthly(zone), ended_at=instant(at), upgraded=upgraded, price=Decimal(31), billed=Decimal(31), billed_days=31
    )
    assert (found.days, found.of_days) == (days, of_days)


@pytest.mark.parametrize(
    ("price", "billed", "billed_days", "at", "amount", "used"),
    [
        # 100 / 28 × 7, of 90 % of February that were billed
        ("100", "75", 21, "2025-02-21T00:00", "25", "50"),
        # A fee of less than a day's price per day, by a rounding: never more than was billed.
        ("15", "11.61", 24, "2024-03-12T12:00", "9.19", "2.42"),
        ("0", "0", 31, "2024-01-10T00:00", "0", "0"),
    ],
)
def test_amounts(price: str, billed: str, billed_days: int, at: str, amount: str, used: str) -> None:
    found = unused_time.unused(
        monthly(), ended_at=instant(at), upgraded=False, price=Decimal(price), billed=Decimal(billed),
        billed_days=billed_days,
    )  # fmt: skip
    shown = [money.quantize(figure, currency="EUR") for figure in (found.amount, found.used)]
    assert shown == [Decimal(amount), Decimal(used)]


@pytest.mark.parametrize(
    ("trial_ends_at", "days"),
    [
        # In the middle of the month before, or before the end: it does not matter.
        ("2024-02-20T10:00", 20),
        ("2024-03-05T10:00", 20),
        # On the day of the end, which is then not paid for either.
        ("2024-03-11T10:00", 21),
        ("2024-03-20T10:00", 12),
        ("2024-04-20T10:00", 0),
    ],
)
def test_a_trial_is_not_paid_for(trial_ends_at: str, days: int) -> None:
    found = unused_time.unused(
        monthly(),
        ended_at=instant("2024-03-11T23:00"),
        upgraded=False,
        price=Decimal(31),
        billed=Decimal(31),
        billed_days=31,
        trial_ends_at=instant(trial_ends_at),
    )
    assert found.days == days


@given(day=st.integers(1, 31), hour=st.integers(0, 23), upgraded=st.booleans(), cents=st.integers(0, 10**6))
def test_used_and_unused_are_the_whole(day: int, hour: int, upgraded: bool, cents: int) -> None:
    ended_at = datetime(2024, 1, day, hour, tzinfo=UTC)
    price = Decimal(cents).scaleb(-2)
    found = unused_time.unused(
        monthly(), ended_at=ended_at, upgraded=upgraded, price=price, billed=price, billed_days=31
    )
    kept = proration.termination(monthly(), started_at=instant("2024-01-01"), terminated_at=ended_at, upgraded=upgraded)
    assert kept.days + found.days == 31
    assert abs(found.amount + found.used - price) < Decimal("1e-15")
    assert 0 <= found.amount <= price
