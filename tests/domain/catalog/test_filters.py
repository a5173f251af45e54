"""Matching of usage to charge filters, and checking of filters."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain import filters
from catalog.domain.filters import Filter
from config.kernel import errors

DECLARED = {"region": ("eu", "us"), "status": ("200", "404", "500"), "tier": ("gold", "silver")}


def filter_of(filter_id: int, **values: list[str]) -> Filter:
    return filters.resolve(filter_id=filter_id, values=values, declared=DECLARED)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"region": "eu", "status": "200"}, 2),  # more properties win over fewer
        ({"region": "eu", "status": "404"}, 1),
        ({"region": "eu"}, 1),
        ({"region": "us", "status": "500"}, 3),  # all declared values
        ({"region": "us", "status": "418"}, None),  # a value that nobody declared
        ({"region": "us", "status": None}, None),
        ({}, None),
        ({"status": "200"}, 3),
    ],
)
def test_usage_belongs_to_the_most_exact_filter(properties: dict[str, str | None], expected: int | None) -> None:
    found = [
        filter_of(1, region=["eu"]),
        filter_of(2, region=["eu"], status=["200"]),
        filter_of(3, status=[filters.ALL_VALUES]),
    ]
    assert filters.assign(filters=found, properties=properties) == expected


def test_fewer_values_win_over_more_and_the_oldest_over_its_twin() -> None:
    wide, narrow, twin = filter_of(1, status=["200", "404"]), filter_of(2, status=["200"]), filter_of(3, status=["200"])
    assert filters.assign(filters=[wide, narrow, twin], properties={"status": "200"}) == 2
    assert filters.assign(filters=[wide, twin, narrow], properties={"status": "200"}) == 3
    assert filters.assign(filters=[wide, narrow, twin], properties={"status": "404"}) == 1


def test_overlapping_filters_do_not_count_usage_twice() -> None:
    first, second = filter_of(1, status=["200", "404"]), filter_of(2, status=["404", "500"])
    found = [filters.assign(filters=[first, second], properties={"status": status}) for status in ("200", "404", "500")]
    assert found == [1, 1, 2]


def test_a_filter_without_values_takes_nothing() -> None:
    assert filters.assign(filters=[Filter(1, {})], properties={"status": "200"}) is None


STATUSES = st.lists(st.sampled_from(DECLARED["status"]), min_size=1, unique=True)
REGIONS = st.lists(st.sampled_from(DECLARED["region"]), min_size=1, unique=True)


@given(
    parts=st.lists(
        st.fixed_dictionaries({}, optional={"status": STATUSES, "region": REGIONS}).filter(bool), max_size=5
    ),
    properties=st.fixed_dictionaries(
        {}, optional={"status": st.sampled_from(("200", "404", "x")), "region": st.sampled_from(("eu", "us"))}
    ),
)
def test_the_order_of_filters_matters_only_between_equals(
    parts: list[dict[str, list[str]]], properties: dict[str, str]
) -> None:
    found = [filter_of(number, **part) for number, part in enumerate(parts)]
    chosen = filters.assign(filters=found, properties=properties)
    matching = [item for item in found if item.accepts(properties)]
    assert (chosen is None) == (not matching)
    if chosen is None:
        return
    best = found[int(chosen)]
    assert all((len(best.values), -best.combinations) >= (len(other.values), -other.combinations) for other in matching)
    # Whatever the order, a filter as exact as the chosen one takes the usage.
    for permuted in itertools.islice(itertools.permutations(found), 6):
        other = found[int(filters.assign(filters=list(permuted), properties=properties) or 0)]
        assert (len(other.values), other.combinations) == (len(best.values), best.combinations)


def test_names_are_what_usage_is_grouped_by() -> None:
    found = [filter_of(1, status=["200"]), filter_of(2, region=["eu"], status=["404"])]
    assert filters.names(found) == ("region", "status")


@pytest.mark.parametrize(
    ("value", "expected"), [("200", "200"), (200, "200"), (True, "true"), (False, "false"), (None, None), (1.5, "1.5")]
)
def test_properties_compare_as_text(value: object, expected: str | None) -> None:
    assert filters.as_text(value) == expected


def test_declared_filters_are_sorted_values_by_key() -> None:
    raw = [{"key": "status", "values": ["404", "200", "200"]}, {"key": "region", "values": ["us", "eu"]}]
    assert filters.declare(raw) == {"status": ("200", "404"), "region": ("eu", "us")}
    assert filters.declare(None) == {}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("status", "value_is_invalid"),
        ([{"key": "", "values": ["1"]}], "value_is_invalid"),
        ([{"key": "a", "values": ["1"]}, {"key": "a", "values": ["2"]}], "value_is_invalid"),
        ([{"key": "a", "values": []}], "value_is_mandatory"),
        ([{"key": "a"}], "value_is_mandatory"),
        ([{"key": "a", "values": [1]}], "value_is_invalid"),
        ([{"key": "a", "values": "abc"}], "value_is_invalid"),
        ([{"key": "a", "values": [filters.ALL_VALUES]}], "value_is_invalid"),
        ([None], "value_is_invalid"),
    ],
)
def test_wrong_declarations_are_refused(raw: object, code: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        filters.declare(raw)
    assert refusal.value.details == {"filters": [code]}


def test_values_of_a_charge_filter_are_kept_in_their_order() -> None:
    raw = {"status": ["500", "200", "500"], "region": [filters.ALL_VALUES]}
    assert filters.check(raw=raw, declared=DECLARED) == {"status": ["500", "200"], "region": [filters.ALL_VALUES]}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "value_is_mandatory"),
        ({}, "value_is_mandatory"),
        ({"status": []}, "value_is_mandatory"),
        ({"colour": ["red"]}, "value_is_invalid"),
        ({"status": ["201"]}, "value_is_invalid"),
        ({"status": "200"}, "value_is_invalid"),
        ({"status": [200]}, "value_is_invalid"),
        ({"status": [["200"]]}, "value_is_invalid"),
    ],
)
def test_wrong_values_of_a_charge_filter_are_refused(raw: object, code: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        filters.check(raw=raw, declared=DECLARED)
    assert refusal.value.details == {"values": [code]}
