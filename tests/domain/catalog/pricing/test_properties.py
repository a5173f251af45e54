"""Reading and refusing of charge properties."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.pricing import models, properties
from catalog.domain.pricing.models import ChargeModel
from config.kernel import errors


def row(start: object, end: object, price: object = "1", flat: object = "0") -> dict[str, object]:
    return {"from_value": start, "to_value": end, "per_unit_amount": price, "flat_amount": flat}


@pytest.mark.parametrize(
    ("model", "raw", "codes"),
    [
        ("standard", {}, ["invalid_amount"]),
        ("standard", None, ["invalid_amount"]),
        ("standard", [], ["invalid_amount"]),
        ("standard", {"amount": "-1"}, ["invalid_amount"]),
        ("standard", {"amount": "NaN"}, ["invalid_amount"]),
        ("standard", {"amount": "1e400"}, ["invalid_amount"]),
        ("standard", {"amount": 0.1}, ["invalid_amount"]),
        ("standard", {"amount": True}, ["invalid_amount"]),
        ("standard", {"amount": {"a": 1}}, ["invalid_amount"]),
        ("standard", {"amount": "0.0000000000000001"}, ["invalid_amount"]),
        ("graduated", {}, ["missing_graduated_ranges"]),
        ("graduated", {"graduated_ranges": []}, ["missing_graduated_ranges"]),
        ("graduated", {"graduated_ranges": "0-10"}, ["missing_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [1]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(1, None)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, 10)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, None), row(1, None)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, 10), row(12, None)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, 10), row(9, None)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, 10), row(10, 10), row(10, None)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, "x"), row(1, None)]}, ["invalid_graduated_ranges"]),
        ("graduated", {"graduated_ranges": [row(0, None, price=None)]}, ["invalid_amount"]),
        ("graduated", {"graduated_ranges": [row(0, None, flat="-1")]}, ["invalid_amount"]),
        ("graduated", {"graduated_ranges": [row(1, 5, price="x")]}, ["invalid_amount", "invalid_graduated_ranges"]),
        ("volume", {"graduated_ranges": [row(0, None)]}, ["missing_volume_ranges"]),
        ("volume", {"volume_ranges": [row(0, 5)]}, ["invalid_volume_ranges"]),
        ("package", {}, ["invalid_amount", "invalid_package_size"]),
        ("package", {"amount": "1", "package_size": 0}, ["invalid_package_size"]),
        ("package", {"amount": "1", "package_size": "2.5"}, ["invalid_package_size"]),
        ("package", {"amount": "1", "package_size": 5, "free_units": -1}, ["invalid_free_units"]),
        ("percentage", {}, ["invalid_rate"]),
        ("percentage", {"rate": "1", "fixed_amount": "-1"}, ["invalid_fixed_amount"]),
        ("percentage", {"rate": "1", "free_units_per_events": "1.5"}, ["invalid_free_units_per_events"]),
        (
            "percentage",
            {"rate": "1", "free_units_per_total_aggregation": "x"},
            ["invalid_free_units_per_total_aggregation"],
        ),
        (
            "percentage",
            {"rate": "1", "per_transaction_min_amount": "5", "per_transaction_max_amount": "4"},
            ["per_transaction_max_lower_than_per_transaction_min"],
        ),
        ("graduated_percentage", {}, ["missing_graduated_percentage_ranges"]),
        (
            "graduated_percentage",
            {"graduated_percentage_ranges": [{"from_value": 0, "to_value": None, "rate": "x", "flat_amount": "1"}]},
            ["invalid_rate"],
        ),
    ],
)
def test_wrong_properties_are_refused_with_their_codes(model: str, raw: object, codes: list[str]) -> None:
    with pytest.raises(properties.InvalidProperties) as refusal:
        properties.parse(model=model, raw=raw)
    assert refusal.value.details == {"properties": codes}


def test_unknown_models_are_refused() -> None:
    with pytest.raises(errors.Invalid) as refusal:
        properties.parse(model="free", raw={})
    assert refusal.value.details == {"charge_model": ["value_is_invalid"]}


def test_amounts_are_text_or_integers_and_bounds_may_be_numbers() -> None:
    assert properties.parse(model="standard", raw={"amount": 5}) == properties.parse(
        model="standard", raw={"amount": "5.00", "pricing_group_keys": ["region"]}
    )
    by_number = properties.parse(model="volume", raw={"volume_ranges": [row(0, 0.5), row(0.5, None)]})
    by_text = properties.parse(model="volume", raw={"volume_ranges": [row("0", "0.5"), row("0.5", None)]})
    assert by_number == by_text


def test_a_first_range_may_be_for_no_units_at_all() -> None:
    terms = properties.parse(model="volume", raw={"volume_ranges": [row(0, 0), row(1, None, flat="9")]})
    assert properties.written(terms) == {
        "volume_ranges": [
            {"from_value": "0", "to_value": "0", "per_unit_amount": "1", "flat_amount": "0"},
            {"from_value": "1", "to_value": None, "per_unit_amount": "1", "flat_amount": "9"},
        ]
    }


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["amount", "rate", "package_size", "graduated_ranges", "volume_ranges", "free_units", "fixed_amount"]
)
RANGE_KEYS = st.sampled_from(["from_value", "to_value", "per_unit_amount", "flat_amount", "rate"])
ROWS = st.lists(st.dictionaries(RANGE_KEYS, JUNK, max_size=4), max_size=3)


@given(model=st.sampled_from(list(ChargeModel)), raw=JUNK | st.dictionaries(KEYS, JUNK | ROWS, max_size=4))
def test_whatever_comes_is_read_or_refused(model: ChargeModel, raw: object) -> None:
    refused: list[str] = []
    terms: models.Properties | None = None
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid as refusal:
        refused = refusal.details["properties"]
    assert bool(refused) == (terms is None)
    if terms is not None:
        assert properties.parse(model=model, raw=properties.written(terms)) == terms


def test_prices_keep_all_their_decimals() -> None:
    terms = properties.parse(model="standard", raw={"amount": "0.123456789012345"})
    assert properties.written(terms) == {"amount": "0.123456789012345"}
    assert Decimal(str(properties.written(terms)["amount"])) == Decimal("0.123456789012345")
