"""Amounts that a person set: priced, traced over what they replace, and computed again to the same."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from billing.domain import adjusted_trace, trace, worked_sum
from config.kernel import errors

AT = datetime(2026, 5, 1, tzinfo=UTC)
RANGES = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "2"},
]


def was(kind: str = "charge", model: str = "graduated", **inputs: Any) -> dict[str, Any]:
    terms = {"graduated_ranges": RANGES} if model == "graduated" else {"amount": "0.10"}
    return {
        "version": 1,
        "kind": kind,
        "inputs": {
            "currency": "EUR",
            "charge": {"id": "c", "code": "c", "model": model, "properties": terms},
            "usage": {"units": "3", "events_count": 3},
            "units": "3",
            **inputs,
        },
        "steps": [],
        "unrounded": "3",
        "rounding": {"mode": "half_up", "digits": 2, "result": "3"},
    }


def told(before: dict[str, Any], units: str | None, one: str | None) -> dict[str, Any]:
    return adjusted_trace.of_line(
        was=before,
        units=None if units is None else Decimal(units),
        unit_amount=None if one is None else Decimal(one),
        by="ann",
        at=AT,
        reason="agreed",
    )


@pytest.mark.parametrize(
    ("before", "units", "one", "amount"),
    [
        (was(), "12", None, "13"),  # 10 × 1 + 2 × 0.5 + 2
        (was(), None, "2.335", "7.01"),  # 3 × 2.335 = 7.005
        (was(), "0", None, "0"),
        (was(model="standard"), "12", None, "1.20"),
        (was(kind="fixed_charge"), "12", None, "13"),
        (was(kind="subscription"), "2", None, "6"),  # twice what it came to
        (was(kind="commitment"), None, "5", "5"),
        (
            was(pricing_unit={"id": "u", "code": "u", "short_name": "U", "conversion_rate": "0.5"}),
            "12",
            None,
            "6.50",
        ),
    ],
)
def test_what_an_adjusted_line_comes_to(
    before: dict[str, Any], units: str | None, one: str | None, amount: str
) -> None:
    found = told(before, units, one)

    assert Decimal(found["rounding"]["result"]) == Decimal(amount)
    assert trace.verify(found)
    assert found["inputs"]["was"] == before
    first, *_, last = worked_sum.sentences(found)
    assert (first.label, first.subject, first.result) == (worked_sum.ADJUSTED, "ann", "3.00 EUR")
    assert last.result.endswith(" EUR")


@settings(max_examples=60)
@given(units=some.decimals("0", "9999", places=3), one=some.decimals("0", "99", places=4))
def test_adjusting_again_replaces_what_was_adjusted(units: Decimal, one: Decimal) -> None:
    once = told(was(), "7", "7")

    twice = adjusted_trace.of_line(was=once, units=units, unit_amount=one, by="bob", at=AT)

    assert twice["inputs"]["was"]["kind"] == "charge"
    assert Decimal(twice["unrounded"]) == units * one
    assert trace.verify(twice)


@pytest.mark.parametrize(
    ("before", "units", "one", "is_prorated", "code"),
    [
        (was(model="percentage"), "1", None, False, "invalid_charge_model"),
        (was(model="dynamic"), "1", None, False, "invalid_charge_model"),
        (was(), "1", None, True, "invalid_charge_model"),
        (was(kind="true_up"), "1", None, False, "value_is_invalid"),
        (was(kind="late_usage"), "1", "1", False, "invalid_type_or_status"),
    ],
)
def test_what_cannot_be_adjusted(
    before: dict[str, Any], units: str, one: str | None, *, is_prorated: bool, code: str
) -> None:
    price = None if one is None else Decimal(one)
    with pytest.raises(errors.Invalid) as refused:
        adjusted_trace.demand(was=before, units=Decimal(units), unit_amount=price, is_prorated=is_prorated)
    assert refused.value.code == code


def test_a_unit_price_goes_with_every_model() -> None:
    for model in ("percentage", "dynamic", "graduated"):
        before = was(model=model)
        adjusted_trace.demand(was=before, units=Decimal(1), unit_amount=Decimal(1), is_prorated=True)
        assert adjusted_trace.price(was=before, units=Decimal(2), unit_amount=Decimal(3)).precise == 6
