"""Fixed charges as items: price, what an increase adds, what was paid before, and the trace of all that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import rating, trace, verification, worked_sum
from billing.domain.fixed_charges import FixedChargeFacts, Increase, PaidBefore
from billing.domain.fixed_units import UnitsHeld
from billing.domain.rating import ItemKind, RatedItem
from catalog.domain.pricing.models import ChargeModel
from tests.domain.billing import contracts

D = Decimal
TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "10", "flat_amount": "1"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "5", "flat_amount": "2"},
]


def fixed(units: str, amount: str = "10", **changed: Any) -> FixedChargeFacts:
    given: dict[str, Any] = {
        "id": "key",
        "code": "seats",
        "model": ChargeModel.STANDARD,
        "properties": {"amount": amount},
        "period": contracts.JANUARY,
        "units": D(units),
        "name": "Seats",
    }
    return FixedChargeFacts(**{**given, **changed})


def rate(facts: FixedChargeFacts) -> list[RatedItem]:
    return rating.rate(contracts.contract(fixed_charges=[facts]))


def held(*parts: tuple[str, int]) -> tuple[UnitsHeld, ...]:
    return tuple(UnitsHeld(D(units), days) for units, days in parts)


@pytest.mark.parametrize(
    ("facts", "units", "amount"),
    [
        (fixed("10"), "10", "100.00"),
        (fixed("10", held=held(("10", 13)), of_days=31), "10", "41.94"),  # 4.193548 × 10
        (fixed("20", held=held(("10", 10), ("20", 21)), of_days=31), "20", "167.74"),  # 16.774193 × 10
        (fixed("12", model=ChargeModel.GRADUATED, properties={"graduated_ranges": TIERS}), "12", "113.00"),
        (fixed("12", model=ChargeModel.VOLUME, properties={"volume_ranges": TIERS}), "12", "62.00"),  # 12 × 5 + 2
        # All units choose the range, those of the days are priced: 12 × 10 / 31 = 3.870968 × 5 + 2
        (
            fixed(
                "12",
                model=ChargeModel.VOLUME,
                properties={"volume_ranges": TIERS},
                held=held(("12", 10)),
                of_days=31,
            ),
            "12",
            "21.35",
        ),
        # Graduated by the units of the days: 3.870968 × 10 + 1
        (
            fixed(
                "12",
                model=ChargeModel.GRADUATED,
                properties={"graduated_ranges": TIERS},
                held=held(("12", 10)),
                of_days=31,
            ),
            "12",
            "39.71",
        ),
    ],
)
def test_prices(facts: FixedChargeFacts, units: str, amount: str) -> None:
    (item,) = rate(facts)
    assert (item.kind, item.units, item.amount) == (ItemKind.FIXED_CHARGE, D(units), Money(amount, "EUR"))
    assert (item.fixed_charge_id, item.charge_id, item.name) == ("key", None, "Seats")
    assert trace.verify(item.trace)


def test_no_units_make_no_item() -> None:
    assert rate(fixed("0")) == []


@pytest.mark.parametrize(
    ("agreed", "billed", "units", "amount"),
    [("15", "10", "5", "50.00"), ("5", "10", "0", "0.00"), ("10", "10", "0", "0.00"), ("3", "0", "3", "30.00")],
)
def test_an_increase_is_billed_alone_and_a_decrease_is_told(agreed: str, billed: str, units: str, amount: str) -> None:
    increase = Increase(D(agreed), D(billed))
    (item,) = rate(fixed(units, increase=increase, pay_in_advance=True))
    assert (item.units, item.amount) == (increase.units, Money(amount, "EUR"))
    assert trace.verify(item.trace)


@pytest.mark.parametrize(
    ("paid", "amount"),
    [
        ((PaidBefore(D("15.00"), 31, 11),), "30.16"),  # 35.48 − round(15 × 11 / 31 = 5.3226)
        ((PaidBefore(D("6.29"), 13, 11),), "30.16"),  # 35.48 − round(6.29 × 11 / 13 = 5.3223)
        ((PaidBefore(D("15.00"), 31, 11), PaidBefore(D("10.00"), 20, 11)), "24.66"),  # … − 5.50
        ((PaidBefore(D("1000.00"), 31, 11),), "0.00"),  # never below nothing
        ((PaidBefore(D("6.00"), 3, 11),), "29.48"),  # no more than was paid
    ],
)
def test_what_was_paid_before_an_upgrade_is_taken_off(paid: tuple[PaidBefore, ...], amount: str) -> None:
    (item,) = rate(fixed("10", held=held(("10", 11)), of_days=31, paid_before=paid))  # 3.548387 × 10
    assert item.amount == Money(amount, "EUR")
    assert item.units == 10
    assert trace.verify(item.trace)


def test_the_worked_sum_tells_units_days_and_what_was_paid() -> None:
    paid = (PaidBefore(D("15.00"), 31, 11),)
    (item,) = rate(fixed("10", held=held(("10", 11)), of_days=31, paid_before=paid))
    assert [(line.label, line.formula, line.result) for line in worked_sum.sentences(item.trace)] == [
        ("Units by their days", "10 × 11 / 31", "3.548387"),
        ("Units", "3.548387 × 10", "35.48387"),
        ("Paid before for the same days", "", "-5.32"),
        ("Total", "35.48387 − 5.32", "30.16387"),
        ("Rounded half up", "30.16387", "30.16 EUR"),
    ]
    (more,) = rate(fixed("5", increase=Increase(D(15), D(10))))
    first = worked_sum.sentences(more.trace)[0]
    assert (first.label, first.formula, first.result) == ("Units agreed, less those billed", "15 − 10", "5")


def test_a_changed_trace_is_found_out() -> None:
    (item,) = rate(fixed("10", held=held(("10", 13)), of_days=31))
    sha256 = trace.digest(item.trace)
    assert verification.verify(trace=item.trace, sha256=sha256, amount=item.amount.amount).is_right
    forged = {**item.trace, "units": "10", "inputs": {**item.trace["inputs"], "held": None}}
    found = verification.verify(trace=forged, sha256=sha256, amount=item.amount.amount)
    assert (found.is_digest_right, found.is_amount_right, found.amount) == (False, False, D("100.00"))


@given(
    units=st.integers(0, 10_000),
    days=st.integers(1, 31),
    model=st.sampled_from([ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME]),
    paid=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 31)), max_size=3),
)
def test_every_trace_gives_its_amount_again_and_none_is_negative(
    units: int, days: int, model: ChargeModel, paid: list[tuple[int, int]]
) -> None:
    prices = {"amount": "1.005", "graduated_ranges": TIERS, "volume_ranges": TIERS}
    before = tuple(PaidBefore(D(cents) / 100, total, min(days, total)) for cents, total in paid)
    facts = fixed(
        str(units), model=model, properties=prices, held=held((str(units), days)), of_days=31, paid_before=before
    )
    for item in rate(facts):
        assert trace.verify(item.trace)
        assert item.amount.amount >= 0
