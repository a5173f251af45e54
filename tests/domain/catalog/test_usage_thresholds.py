"""What a good list of usage thresholds is."""

from __future__ import annotations

from uuid import UUID

import pytest

from catalog.domain import usage_thresholds
from catalog.domain.usage_thresholds import InvalidThresholds, UsageThreshold


def threshold(cents: int, *, recurring: bool = False) -> UsageThreshold:
    return UsageThreshold(UUID(int=abs(cents)), cents, recurring)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([threshold(0)], "missing_amount_cents"),
        ([threshold(-1)], "missing_amount_cents"),
        ([threshold(5), threshold(5)], "duplicated_values"),
        ([threshold(5, recurring=True), threshold(6, recurring=True)], "multiple_recurring_thresholds"),
        ([threshold(cents) for cents in range(1, 102)], "value_is_too_long"),
    ],
)
def test_refuses(rows: list[UsageThreshold], code: str) -> None:
    with pytest.raises(InvalidThresholds) as refusal:
        usage_thresholds.demand_good(rows)
    assert refusal.value.details == {"usage_thresholds": [code]}


def test_a_step_may_be_an_amount_too() -> None:
    assert usage_thresholds.demand_good([threshold(5), threshold(5, recurring=True)]) is None
    assert usage_thresholds.demand_good([]) is None
