"""The parts of an amount, read from stored details."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.domain import document_breakdown
from invoicing.domain.document_breakdown import Part, PartKind


def tier(start: str, end: str | None, units: str, price: str, total: str, flat: str = "0") -> dict[str, Any]:
    return {
        "from_value": start,
        "to_value": end,
        "units": units,
        "per_unit_amount": price,
        "per_unit_total_amount": total,
        "flat_unit_amount": flat,
        "total_with_flat_amount": str(Decimal(total) + Decimal(flat)),
    }


def read(model: str, details: dict[str, Any], units: str = "0") -> tuple[Part, ...]:
    return document_breakdown.parts(charge_model=model, units=Decimal(units), details=details)


def test_graduated_tiers_and_their_flat_fees() -> None:
    # 10 × 0 + (5 × 0.3 + 2)
    details = {"graduated_ranges": [tier("0", "10", "10", "0", "0"), tier("11", None, "5", "0.3", "1.5", flat="2")]}
    free, paid, flat = read("graduated", details)
    assert (free.kind, free.units, free.price, free.amount) == (PartKind.TIER, Decimal(10), Decimal(0), Decimal(0))
    assert (free.from_value, free.to_value) == (Decimal(0), Decimal(10))
    assert (paid.units, paid.price, paid.amount, paid.to_value) == (Decimal(5), Decimal("0.3"), Decimal("1.5"), None)
    assert (flat.kind, flat.amount, flat.units) == (PartKind.FLAT, Decimal(2), None)


def test_the_parts_sum_to_the_whole() -> None:
    details = {"graduated_ranges": [tier("0", "10", "10", "1", "10", flat="3"), tier("11", None, "5", "0.3", "1.5")]}
    assert sum(part.amount for part in read("graduated", details)) == Decimal("14.5")


def test_a_tier_that_nothing_fell_into_is_not_shown() -> None:
    assert read("graduated", {"graduated_ranges": [tier("0", "10", "0", "1", "0")]}) == ()


def test_graduated_percentages_are_rates() -> None:
    details = {"graduated_percentage_ranges": [tier("0", None, "200", "0", "3") | {"rate": "1.5"}]}
    (part,) = read("graduated_percentage", details)
    assert (part.rate, part.price, part.amount) == (Decimal("0.015"), None, Decimal(3))


def test_volume_with_a_flat_fee() -> None:
    details = {"flat_unit_amount": "10", "per_unit_amount": "0.1", "per_unit_total_amount": "50"}
    units, flat = read("volume", details, units="500")
    assert (units.units, units.price, units.amount) == (Decimal(500), Decimal("0.1"), Decimal(50))
    assert flat.amount == Decimal(10)
    assert [part.kind for part in read("volume", details, units="0")] == [PartKind.FLAT]


def test_volume_by_the_day_shows_the_units_that_were_priced() -> None:
    # 20 units for one of 31 days: 0.64517 × 31
    details = {"flat_unit_amount": "5", "per_unit_amount": "31", "per_unit_total_amount": "20.00027"}
    units, flat = read("volume", details, units="20")
    assert (units.units, units.price, units.amount) == (Decimal("0.64517"), Decimal(31), Decimal("20.00027"))
    assert flat.amount == Decimal(5)


def test_volume_without_a_flat_fee_is_said_by_the_line() -> None:
    details = {"flat_unit_amount": "0", "per_unit_amount": "0.1", "per_unit_total_amount": "50"}
    assert read("volume", details, units="500") == ()


def test_packages_begun_count_in_full() -> None:
    # (2,850 − 100) / 1,000 → 3 packages × 5
    details = {
        "free_units": "100",
        "paid_units": "2750",
        "per_package_size": "1000",
        "per_package_unit_amount": "5",
    }
    free, paid = read("package", details, units="2850")
    assert (free.kind, free.units, free.amount) == (PartKind.FREE, Decimal(100), Decimal(0))
    assert (paid.units, paid.price, paid.amount, paid.size) == (Decimal(3), Decimal(5), Decimal(15), Decimal(1000))


def test_percentage() -> None:
    details = {
        "free_units": "50",
        "paid_units": "200",
        "rate": "1.5",
        "per_unit_total_amount": "3",
        "paid_events": "4",
        "fixed_fee_unit_amount": "0.25",
        "fixed_fee_total_amount": "1",
        "min_max_adjustment_total_amount": "-0.5",
    }
    parts = read("percentage", details)
    assert [part.kind for part in parts] == [
        PartKind.FREE,
        PartKind.RATE,
        PartKind.PER_EVENT,
        PartKind.ADJUSTMENT,
    ]
    assert parts[1].rate == Decimal("0.015")
    assert sum(part.amount for part in parts) == Decimal("3.5")


@pytest.mark.parametrize("model", ["standard", "dynamic", "custom", ""])
def test_other_models_have_no_parts(model: str) -> None:
    assert read(model, {"anything": "1"}) == ()


@pytest.mark.parametrize("model", ["graduated", "volume", "package", "percentage", "graduated_percentage"])
def test_no_details_are_no_parts(model: str) -> None:
    assert read(model, {}) == ()
