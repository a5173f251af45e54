"""Which thresholds a move crosses, what a good list is, and when a value starts anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import alerts
from billing.domain.alerts import AlertType, InvalidAlert, Seen, Threshold

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def thresholds(*values: int, step: int | None = None) -> tuple[Threshold, ...]:
    fixed = tuple(Threshold(Decimal(value)) for value in values)
    return fixed if step is None else (*fixed, Threshold(Decimal(step), recurring=True))


def crossed(found: tuple[Threshold, ...], previous: int, current: int) -> list[int]:
    return [
        int(one.value) for one in alerts.crossed(thresholds=found, previous=Decimal(previous), current=Decimal(current))
    ]


@pytest.mark.parametrize(
    ("found", "previous", "current", "expected"),
    [
        (thresholds(10, 20), 0, 9, []),
        (thresholds(10, 20), 0, 10, [10]),  # the upper end is in it
        (thresholds(10, 20), 10, 19, []),  # the lower one is not
        (thresholds(20, 10), 0, 25, [10, 20]),  # by value, whatever their order
        (thresholds(10), 10, 10, []),
        (thresholds(10), 30, 20, []),  # less is never told
        (thresholds(10), 5, 12, [10]),  # lower before: armed again
        (thresholds(10, step=5), 0, 14, [10]),
        (thresholds(10, step=5), 0, 15, [10, 15]),  # 10 + 5
        (thresholds(10, step=5), 12, 31, [15, 20, 25, 30]),
        (thresholds(10, step=5), 15, 20, [20]),
        (thresholds(step=5), 0, 11, [5, 10]),
        (thresholds(step=5), 11, 14, []),
        (thresholds(10, step=5), -3, 9, []),
    ],
)
def test_what_a_move_crosses(found: tuple[Threshold, ...], previous: int, current: int, expected: list[int]) -> None:
    assert crossed(found, previous, current) == expected


def test_of_very_many_steps_the_last_are_told() -> None:
    found = crossed(thresholds(step=1), 0, 10**12)
    assert (len(found), found[0], found[-1]) == (1000, 10**12 - 999, 10**12)


def test_a_step_has_the_code_of_its_threshold() -> None:
    (step,) = alerts.crossed(
        thresholds=[Threshold(Decimal("0.5"), recurring=True, code="half")], previous=Decimal(0), current=Decimal("0.9")
    )
    assert step == Threshold(Decimal("0.5"), recurring=True, code="half")


@given(
    fixed=st.sets(st.integers(1, 60), max_size=5),
    step=st.none() | st.integers(1, 20),
    moves=st.lists(st.integers(0, 40), min_size=1, max_size=8),
)
def test_a_move_in_steps_tells_the_same_once(fixed: set[int], step: int | None, moves: list[int]) -> None:
    found = thresholds(*fixed, step=step)
    stations = [0]
    for move in moves:
        stations.append(stations[-1] + move)
    told = [value for before, after in pairwise(stations) for value in crossed(found, before, after)]
    assert sorted(told) == sorted(crossed(found, 0, stations[-1]))


@given(fixed=st.sets(st.integers(1, 60), max_size=5), values=st.lists(st.integers(0, 80), min_size=2, max_size=8))
def test_what_is_told_lies_in_the_move(fixed: set[int], values: list[int]) -> None:
    for before, after in pairwise(values):
        assert all(before < one <= after for one in crossed(thresholds(*fixed, step=7), before, after))


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ((), "value_is_mandatory"),
        (thresholds(*range(1, 22)), "too_many_thresholds"),
        (thresholds(0), "value_is_out_of_range"),
        (thresholds(-1), "value_is_out_of_range"),
        (thresholds(5, 5), "duplicate_threshold_values"),
        ((*thresholds(step=5), *thresholds(step=6)), "multiple_recurring_thresholds"),
    ],
)
def test_what_is_no_good_list(found: tuple[Threshold, ...], code: str) -> None:
    with pytest.raises(InvalidAlert) as refusal:
        alerts.demand_good(found)
    assert refusal.value.details == {"thresholds": [code]}


def test_good_lists_are_taken() -> None:
    for found in (thresholds(*range(1, 21)), thresholds(5, step=5)):
        alerts.demand_good(found)
        assert alerts.crossed(thresholds=found, previous=Decimal(0), current=Decimal(5))


@pytest.mark.parametrize("text", ["", "wallet_balance_amount", "wallet_credits_ongoing_balance", "anything"])
def test_what_a_subscription_has_not_cannot_be_watched(text: str) -> None:
    with pytest.raises(InvalidAlert) as refusal:
        alerts.alert_type(text)
    assert refusal.value.details == {"alert_type": ["invalid_type"]}


@pytest.mark.parametrize(
    ("kind", "subscription_id", "from_at", "expected"),
    [
        (AlertType.CURRENT_USAGE_AMOUNT, 1, MAY, 70),
        (AlertType.CURRENT_USAGE_AMOUNT, 1, MAY + timedelta(hours=9), 70),  # the time zone moved
        (AlertType.CURRENT_USAGE_AMOUNT, 1, JUNE, 0),
        (AlertType.CURRENT_USAGE_AMOUNT, 1, JUNE - timedelta(hours=9), 0),
        (AlertType.METRIC_CURRENT_USAGE_UNITS, 2, MAY, 0),  # another plan
        (AlertType.LIFETIME_USAGE_AMOUNT, 2, JUNE, 70),
        (AlertType.METRIC_LIFETIME_USAGE_UNITS, 1, JUNE, 70),
    ],
)
def test_where_a_move_starts(kind: AlertType, subscription_id: int, from_at: datetime, expected: int) -> None:
    seen = Seen(Decimal(70), 1, MAY, JUNE)
    assert alerts.start(alert_type=kind, seen=seen, subscription_id=subscription_id, from_at=from_at) == expected


def test_what_was_never_seen_starts_from_nothing() -> None:
    seen = Seen(Decimal(0), None, None, None)
    assert alerts.start(alert_type=AlertType.CURRENT_USAGE_AMOUNT, seen=seen, subscription_id=1, from_at=MAY) == 0
