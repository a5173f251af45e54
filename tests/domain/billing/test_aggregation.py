"""Units from facts, and putting facts of parts together."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import aggregation
from billing.domain.aggregation import Count, Facts, Latest, Maximum, Sum, Unique
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.weighted_sum import Weighted
from catalog.domain.metrics import Aggregation
from catalog.domain.rounding import Rounding, RoundingFunction
from config.kernel import money

D = Decimal
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "units"),
    [
        (Count(3), "3"),
        (Sum(2, D("10.25")), "10.25"),
        (Sum(2, D("-4")), "-4"),  # which costs nothing
        (Sum(), "0"),
        (Maximum(4, D("7.5")), "7.5"),
        (Maximum(), "0"),
        (Latest(4, D("6"), START), "6"),
        (Latest(4, D("-6"), START), "0"),
        (Latest(), "0"),
        (Unique(5, 2, frozenset({"a", "b"})), "2"),
        (Unique(5, 2), "2"),
        (Weighted(1, D(30), D(1), D(100)), "0.3"),
        (Weighted(1, D(-30), D(-1), D(100)), "-0.3"),
        (Weighted(), "0"),
        (Prorated(Aggregation.SUM, 1, D(10), (Held(D(10), 2),), 31), "0.64517"),  # 20 / 31 up to five places
    ],
)
def test_units(facts: Facts, units: str) -> None:
    assert aggregation.units(facts=facts) == D(units)


def test_units_are_rounded_last() -> None:
    whole = aggregation.merge(Sum(1, D("0.4")), Sum(1, D("0.4")))
    rule = Rounding(RoundingFunction.CEIL, 0)
    assert aggregation.units(facts=whole, rounding_rule=rule) == 1  # not 1 + 1


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Aggregation.COUNT, None, Count(4)),
        (Aggregation.SUM, D(9), Sum(4, D(9))),
        (Aggregation.SUM, None, Sum(4, D(0))),
        (Aggregation.MAX, D(9), Maximum(4, D(9))),
        (Aggregation.LATEST, D(9), Latest(4, D(9), START, "x")),
        (Aggregation.UNIQUE_COUNT, D(3), Unique(4, 3)),
        (Aggregation.WEIGHTED_SUM, None, Weighted(4)),
    ],
)
def test_rows_become_facts(kind: Aggregation, value: Decimal | None, expected: Facts) -> None:
    facts = aggregation.of(kind=kind, events_count=4, value=value, at=START, order="x")
    assert facts == expected
    assert aggregation.kind(facts) is kind


def test_of_events_of_one_instant_the_higher_order_is_the_latest() -> None:
    first, second = Latest(1, D(1), START, "a"), Latest(1, D(2), START, "b")
    assert aggregation.merge(first, second) == aggregation.merge(second, first) == Latest(2, D(2), START, "b")


def test_an_empty_part_does_not_hide_the_latest_value() -> None:
    assert aggregation.merge(Latest(), Latest(1, D(-5), START)) == Latest(1, D(-5), START)
    assert aggregation.merge(Maximum(), Maximum(1, D(-5))) == Maximum(1, D(-5))


def test_different_kinds_do_not_add_up() -> None:
    with pytest.raises(aggregation.CannotMerge):
        aggregation.merge(Count(1), Sum(1, D(1)))


def test_numbers_of_unique_values_do_not_add_up_without_the_values() -> None:
    with pytest.raises(aggregation.CannotMerge):
        aggregation.merge(Unique(3, 2), Unique(3, 2, frozenset({"a", "b"})))
    assert aggregation.merge(Unique(3, 2), Unique()) == Unique(3, 2)


def test_a_number_of_values_is_their_number() -> None:
    with pytest.raises(ValueError, match="are not 3"):
        Unique(5, 3, frozenset({"a"}))


@pytest.mark.parametrize(
    ("operations", "active"),
    [
        ([("a", "add"), ("b", "add"), ("a", "add")], {"a", "b"}),
        ([("a", "add"), ("a", "remove")], set()),
        ([("a", "remove"), ("a", "add")], {"a"}),  # what was never added cannot be removed
        ([("a", "add"), ("a", "remove"), ("a", "remove"), ("a", "add")], {"a"}),
    ],
)
def test_values_are_added_and_removed(operations: list[tuple[str, str]], active: set[str]) -> None:
    assert aggregation.active_values(operations) == active


EVENTS = st.lists(
    st.tuples(st.decimals(-1000, 1000, places=3), st.integers(0, 50), st.sampled_from("abcde")), min_size=1, max_size=12
)
KINDS = st.sampled_from(list(Aggregation))


def facts_of(kind: Aggregation, events: list[tuple[Decimal, int, str]]) -> Facts:
    """Aggregate events one by one, the plain way; the number of an event decides between those of one instant."""
    count = len(events)
    match kind:
        case Aggregation.COUNT:
            return Count(count)
        case Aggregation.SUM:
            return Sum(count, sum((value for value, _, _ in events), D(0)))
        case Aggregation.MAX:
            return Maximum(count, max((value for value, _, _ in events), default=None))
        case Aggregation.LATEST:
            if not events:
                return Latest()
            value, hour, order = max(events, key=lambda event: (event[1], event[2], event[0]))
            return Latest(count, value, START + timedelta(hours=hour), order)
        case Aggregation.UNIQUE_COUNT:
            names = frozenset(name for _, _, name in events)
            return Unique(count, len(names), names)
        case Aggregation.WEIGHTED_SUM:
            with decimal.localcontext(money.DECIMAL_CONTEXT):
                area = sum((value * (50 - hour) for value, hour, _ in events), D(0))
                level = sum((value for value, _, _ in events), D(0))
            return Weighted(count, area, level, D(50)) if events else Weighted()


@given(kind=KINDS, events=EVENTS, cut=st.integers(0, 12), order=st.randoms(use_true_random=False))
def test_neither_the_cut_nor_the_order_matters(
    kind: Aggregation, events: list[tuple[Decimal, int, str]], cut: int, order: object
) -> None:
    whole = facts_of(kind, events)
    shuffled = list(events)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = facts_of(kind, shuffled[:cut]), facts_of(kind, shuffled[cut:])
    assert aggregation.merge(first, second) == aggregation.merge(second, first) == whole
