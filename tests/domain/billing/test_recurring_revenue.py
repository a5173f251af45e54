"""What a plan fee comes to in a month."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import recurring_revenue as rule
from catalog.models import PlanVersion
from config.kernel import money


@pytest.mark.parametrize(
    ("interval", "fee", "cents"),
    [
        ("monthly", "60.00", "60.00"),
        ("quarterly", "180.00", "60.00"),
        ("semiannual", "100.00", "16.67"),  # 100 / 6
        ("yearly", "1200.00", "100.00"),
        ("weekly", "7.00", "30.44"),  # 7 × 30.44 / 7
    ],
)
def test_a_month(interval: str, fee: str, cents: str) -> None:
    found = rule.a_month(Decimal(fee), interval=interval)
    assert money.quantize(found, currency="EUR") == Decimal(cents)


def test_every_interval_of_a_plan_has_a_month() -> None:
    assert {*rule.MONTHS, "weekly"} == set(PlanVersion.Interval.values)


@given(st.integers(0, 10**8), st.sampled_from(sorted(rule.MONTHS)))
def test_the_months_of_an_interval_come_to_its_fee(cents: int, interval: str) -> None:
    fee = Decimal(cents) / 100
    found = rule.a_month(fee, interval=interval) * rule.MONTHS[interval]
    assert money.quantize(found, currency="EUR") == fee
