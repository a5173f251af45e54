"""Alerts on wallets: which thresholds a fall crosses, and which lists of them are good."""

from decimal import Decimal

import pytest

from billing.domain import wallet_alerts
from billing.domain.alerts import InvalidAlert, Threshold


def thresholds(*values: int, step: int = 0) -> list[Threshold]:
    found = [Threshold(Decimal(value)) for value in values]
    return [*found, Threshold(Decimal(step), recurring=True, code="step")] if step else found


@pytest.mark.parametrize(
    ("values", "step", "previous", "current", "expected"),
    [
        ((100, 50), 0, 120, 100, [100]),
        ((100, 50), 0, 100, 99, []),  # 100 was told when it was reached
        ((100, 50), 0, 120, 10, [100, 50]),
        ((100, 50), 0, 10, 120, []),
        ((100,), 0, 100, 100, []),
        # Steps below the lowest: 40, 30, 20.
        ((100, 50), 10, 120, 20, [100, 50, 40, 30, 20]),
        ((100, 50), 10, 45, 31, [40]),
        ((100, 50), 10, 40, 30, [30]),
        # Below nothing: an ongoing balance goes there. Alone a step counts from nothing.
        ((), 10, 5, -25, [-10, -20]),
        ((0,), 0, 5, -25, [0]),
    ],
)
def test_a_fall_crosses(values: tuple[int, ...], step: int, previous: int, current: int, expected: list[int]) -> None:
    found = wallet_alerts.crossed(
        thresholds=thresholds(*values, step=step), previous=Decimal(previous), current=Decimal(current)
    )
    assert [int(one.value) for one in found] == expected


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], "value_is_mandatory"),
        (thresholds(*range(21)), "too_many_thresholds"),
        (thresholds(5, 5), "duplicate_threshold_values"),
        (thresholds(-1), "value_is_out_of_range"),
        ([Threshold(Decimal(0), recurring=True)], "value_is_out_of_range"),
        ([*thresholds(step=5), Threshold(Decimal(6), recurring=True)], "multiple_recurring_thresholds"),
    ],
)
def test_lists_that_are_refused(found: list[Threshold], code: str) -> None:
    with pytest.raises(InvalidAlert) as refused:
        wallet_alerts.demand_good(found)
    assert refused.value.details == {"thresholds": [code]}


def test_nothing_is_a_threshold() -> None:
    wallet_alerts.demand_good(thresholds(0, 10, step=5))
    assert wallet_alerts.alert_type("wallet_balance_amount").is_of_amount
    assert not wallet_alerts.alert_type("wallet_credits_balance").is_of_amount


def test_what_only_subscriptions_have() -> None:
    with pytest.raises(InvalidAlert) as refused:
        wallet_alerts.alert_type("current_usage_amount")
    assert refused.value.details == {"alert_type": ["invalid_type"]}
