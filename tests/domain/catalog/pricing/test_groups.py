"""The properties that usage is grouped by."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.domain.pricing import groups


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ({"amount": "1"}, ()),
        ({"pricing_group_keys": None, "grouped_by": []}, ()),
        ({"pricing_group_keys": ["region", "provider"]}, ("region", "provider")),
        ({"grouped_by": ["region"]}, ("region",)),
        ({"pricing_group_keys": ["region"], "grouped_by": ["provider"]}, ("region",)),
        ({"pricing_group_keys": ["region", "region"]}, ("region",)),
    ],
)
def test_names_are_read_under_either_name(raw: dict[str, Any], names: tuple[str, ...]) -> None:
    assert groups.parse(raw) == names


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("region", "invalid_type"),
        ({"region": 1}, "invalid_type"),
        ([1], "invalid_type"),
        ([""], "invalid_type"),
        (["a\x00"], "invalid_type"),
        (["x" * 256], "invalid_type"),
        ([f"key {number}" for number in range(11)], "value_is_too_long"),
    ],
)
def test_what_is_no_list_of_names_is_refused(given: Any, code: str) -> None:
    with pytest.raises(groups.InvalidGroups) as refusal:
        groups.parse({"pricing_group_keys": given})
    assert refusal.value.details == {"properties": [code]}


def test_what_has_no_values_is_a_group_of_nothing() -> None:
    assert groups.nowhere({"pricing_group_keys": ["region", "provider"]}) == {"region": None, "provider": None}
    assert groups.nowhere({}) == {}


def test_older_clients_find_the_old_name() -> None:
    assert groups.mirrored({"amount": "1", "pricing_group_keys": ["region"]}) == {
        "amount": "1",
        "pricing_group_keys": ["region"],
        "grouped_by": ["region"],
    }
    assert groups.mirrored({"amount": "1"}) == {"amount": "1"}
