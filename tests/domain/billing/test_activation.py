"""The terms of a wait for a first payment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.domain import activation
from billing.domain.activation import MAX_TIMEOUT_HOURS, Rule
from config.kernel import errors

AT = datetime(2026, 3, 28, 12, tzinfo=UTC)


def test_hours_are_counted_over_a_change_of_the_clock() -> None:
    # Two days over the night in which Europe's clocks are put forward: still 48 hours.
    assert Rule(timeout_hours=48).expires_at(AT) == datetime(2026, 3, 30, 12, tzinfo=UTC)
    assert Rule().expires_at(AT) is None


@pytest.mark.parametrize("hours", [0, -1, MAX_TIMEOUT_HOURS + 1])
def test_wrong_hours(hours: int) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        Rule(timeout_hours=hours)
    assert refusal.value.details == {"activation_rules.timeout_hours": ["value_is_out_of_range"]}


def test_one_rule_of_a_type() -> None:
    activation.demand_one([Rule()])
    with pytest.raises(errors.Invalid):
        activation.demand_one([Rule(), Rule(timeout_hours=1)])
