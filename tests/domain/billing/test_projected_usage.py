"""Projections: days that have begun, units that grow with them, and what the models make of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import projected_usage
from billing.domain.pricing_units import PricingUnit
from billing.domain.projected_usage import Elapsed
from catalog.domain.pricing.models import ChargeModel
from config.kernel import dates
from config.kernel.dates import Period


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "at", "zone", "expected"),
    [
        ("2026-05-01", "2026-06-01", "2026-05-01T00:00", "UTC", (1, 31)),
        ("2026-05-01", "2026-06-01", "2026-05-10T23:59", "UTC", (10, 31)),
        ("2026-05-01", "2026-06-01", "2026-05-31T12:00", "UTC", (31, 31)),
        ("2026-05-01", "2026-06-01", "2026-06-03", "UTC", (31, 31)),  # a period that is over has begun as a whole
        ("2026-05-16T14:00", "2026-06-01", "2026-05-16T15:00", "UTC", (1, 16)),  # a start within the period
        # Local days: at 15:00 UTC the next day begins in Tokyo.
        ("2026-04-30T15:00", "2026-05-31T15:00", "2026-05-10T15:00", "Asia/Tokyo", (11, 31)),
        ("2026-04-30T15:00", "2026-05-31T15:00", "2026-05-10T14:59", "Asia/Tokyo", (10, 31)),
        # March has an hour less in Berlin, and the same 31 days.
        ("2026-02-28T23:00", "2026-03-31T22:00", "2026-03-29T22:00", "Europe/Berlin", (30, 31)),
    ],
)
def test_the_days_that_have_begun(start: str, end: str, at: str, zone: str, expected: tuple[int, int]) -> None:
    found = projected_usage.elapsed(
        period=Period(instant(start), instant(end)), at=instant(at), timezone=dates.zone(zone)
    )
    assert (found.days, found.of_days) == expected


@pytest.mark.parametrize(
    ("current", "days", "expected"),
    [("100", 10, "310"), ("1", 3, "10.33"), ("10", 31, "10"), ("0", 5, "0"), ("0.01", 2, "0.16")],  # 0.155 -> 0.16
)
def test_units_grow_with_the_days(current: str, days: int, expected: str) -> None:
    assert projected_usage.units(current=Decimal(current), elapsed=Elapsed(days, 31)) == Decimal(expected)


def amount(
    model: str,
    raw: dict[str, Any],
    units: str,
    current: str,
    unit: PricingUnit | None = None,
    billed: Decimal | None = None,
) -> str:
    found = projected_usage.amount(
        model=ChargeModel(model),
        raw=raw,
        projected_units=Decimal(units),
        current=Decimal(current),
        elapsed=Elapsed(10, 30),
        pricing_unit=unit,
        currency="EUR",
        billed=billed,
    )
    return str(found)


TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "5"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
]


@pytest.mark.parametrize(
    ("model", "raw", "expected"),
    [
        ("standard", {"amount": "0.10"}, "3.00"),  # 30 x 0.10
        ("graduated", {"graduated_ranges": TIERS}, "25.00"),  # 5 + 10 x 1 + 20 x 0.5: the flat amount does not grow
        ("volume", {"volume_ranges": TIERS}, "15.00"),  # 30 x 0.5
        ("package", {"amount": "4", "package_size": 20, "free_units": 0}, "8.00"),  # two packages begun
        ("percentage", {"rate": "2"}, "0.63"),  # 0.21 x 3: the amount grows
        ("dynamic", {}, "0.63"),
    ],
)
def test_models_that_price_units_price_projected_ones(model: str, raw: dict[str, Any], expected: str) -> None:
    assert amount(model, raw, "30", "0.21") == expected


def test_a_projection_in_a_pricing_unit_is_converted_after_it() -> None:
    unit = PricingUnit("u", "credits", "CR", Decimal("0.5"))
    assert amount("standard", {"amount": "0.111"}, "30", "1.11", unit) == "1.67"  # 3.33 CR x 0.5 = 1.665
    assert amount("percentage", {"rate": "1"}, "30", "1.11", unit) == "1.67"  # 1.11 x 3 = 3.33 CR


@pytest.mark.parametrize(("billed", "expected"), [("0.53", "0.53"), ("0.29", "0.30"), ("0", "0.30")])
def test_a_projection_is_never_below_what_stays_billed(billed: str, expected: str) -> None:
    assert amount("standard", {"amount": "0.10"}, "3", "0.10", billed=Decimal(billed)) == expected  # 3 x 0.10


@given(current=st.decimals(0, 10**6, places=4), days=st.integers(1, 31))
def test_nothing_shrinks_and_the_last_day_changes_nothing_but_the_rounding(current: Decimal, days: int) -> None:
    elapsed = Elapsed(days, 31)
    assert elapsed.projected(current) >= current
    assert abs(projected_usage.units(current=current, elapsed=Elapsed(31, 31)) - current) <= Decimal("0.005")


def test_a_period_of_which_no_day_has_begun_is_none() -> None:
    with pytest.raises(ValueError, match="have not begun"):
        Elapsed(0, 31)
