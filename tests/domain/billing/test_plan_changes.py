"""Which way a change of plan goes, from which day, and which usage the new plan bills."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.domain import plan_changes
from billing.domain.plan_changes import Kind, Price
from catalog.domain.intervals import Interval
from tests.domain.billing import schedules


@pytest.mark.parametrize(
    ("current", "wanted", "kind"),
    [
        (("100", "monthly"), ("200", "monthly"), Kind.UPGRADE),
        (("100", "monthly"), ("100", "monthly"), Kind.UPGRADE),
        (("100", "monthly"), ("99.99", "monthly"), Kind.DOWNGRADE),
        # 129 × 12 = 1548 against 1188
        (("129", "monthly"), ("1188", "yearly"), Kind.DOWNGRADE),
        (("1188", "yearly"), ("99", "monthly"), Kind.UPGRADE),
        # 23 × 52 = 1196 against 99 × 12 = 1188
        (("99", "monthly"), ("23", "weekly"), Kind.UPGRADE),
        (("99", "monthly"), ("296", "quarterly"), Kind.DOWNGRADE),
        (("99", "monthly"), ("594", "semiannual"), Kind.UPGRADE),
        (("0", "monthly"), ("0", "yearly"), Kind.UPGRADE),
    ],
)
def test_a_year_is_compared(current: tuple[str, str], wanted: tuple[str, str], kind: Kind) -> None:
    prices = [Price(Decimal(amount), Interval(interval)) for amount, interval in (current, wanted)]
    assert plan_changes.kind(current=prices[0], wanted=prices[1]) is kind


@pytest.mark.parametrize(
    ("zone", "billing_time", "at", "day", "instant"),
    [
        ("UTC", "calendar", "2026-02-10T12:00", date(2026, 3, 1), "2026-03-01T00:00"),
        ("UTC", "anniversary", "2026-02-10T12:00", date(2026, 2, 28), "2026-02-28T00:00"),
        # In Tokyo the first of March has begun.
        ("Asia/Tokyo", "calendar", "2026-02-28T16:00", date(2026, 4, 1), "2026-03-31T15:00"),
        # The clocks went forward on 29 March.
        ("Europe/Berlin", "calendar", "2026-03-15T12:00", date(2026, 4, 1), "2026-03-31T22:00"),
    ],
)
def test_a_downgrade_follows_the_running_period(zone: str, billing_time: str, at: str, day: date, instant: str) -> None:
    schedule = schedules.of("monthly", billing_time, date(2025, 12, 31), zone)
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    found = plan_changes.change_date(schedule, at=now, started_at=now)
    assert found == day
    assert plan_changes.takes_effect_at(schedule, day=found) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("recurring", "prorated", "followed", "moves"),
    [(True, False, True, True), (True, True, True, False), (True, False, False, False), (False, False, True, False)],
)
def test_carried_units_are_billed_by_one_plan(recurring: bool, prorated: bool, followed: bool, moves: bool) -> None:
    assert plan_changes.moves_on(is_recurring=recurring, is_prorated=prorated, is_followed=followed) is moves
