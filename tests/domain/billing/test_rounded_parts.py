"""Parts that add up to the figure that they explain."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import rounded_parts
from config.kernel import money


@pytest.mark.parametrize(
    ("parts", "whole", "expected"),
    [
        ((), "0.00", ()),
        (("1.50", "2.50"), "4.00", ("1.50", "2.50")),
        # three times 8.333…: 25.00, the missing cent goes to the first
        (("8.3333", "8.3333", "8.3333"), "25.00", ("8.34", "8.33", "8.33")),
        # 0.006 + 0.006 = 0.012: both round up to 0.01, one gives it back
        (("0.006", "0.006"), "0.01", ("0.00", "0.01")),
        # nothing stays nothing
        (("0", "8.3333", "16.6666", "0"), "25.00", ("0", "8.33", "16.67", "0")),
        (("8.3333", "-8.3333", "0.004"), "0.00", ("8.33", "-8.33", "0.00")),
        (("-8.3333", "-8.3333", "-8.3333"), "-25.00", ("-8.34", "-8.33", "-8.33")),
    ],
)
def test_parts(parts: tuple[str, ...], whole: str, expected: tuple[str, ...]) -> None:
    found = rounded_parts.spread(parts=[Decimal(part) for part in parts], whole=Money(whole, "EUR"))
    assert [one.amount for one in found] == [Decimal(one) for one in expected]


def test_parts_of_something_else_are_refused() -> None:
    with pytest.raises(rounded_parts.PartsDoNotFit):
        rounded_parts.spread(parts=[Decimal("1.00"), Decimal(0)], whole=Money("1.02", "EUR"))
    with pytest.raises(rounded_parts.PartsDoNotFit):
        rounded_parts.spread(parts=[], whole=Money("0.01", "EUR"))


@given(st.lists(st.decimals(-1000, 1000, places=7), max_size=30), st.sampled_from(["EUR", "JPY", "BHD"]))
def test_parts_sum_to_the_whole_and_stay_close(parts: list[Decimal], currency: str) -> None:
    whole = Money(money.quantize(sum(parts, Decimal(0)), currency=currency), currency)
    found = rounded_parts.spread(parts=parts, whole=whole)

    unit = money.from_minor(1, currency).amount
    assert sum((one.amount for one in found), Decimal(0)) == whole.amount
    for part, one in zip(parts, found, strict=True):
        assert abs(one.amount - part) < unit * Decimal("1.5")
        assert part or not one.amount
