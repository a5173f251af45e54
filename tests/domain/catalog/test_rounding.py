"""Rounding of units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.domain import rounding
from catalog.domain.rounding import Rounding, RoundingFunction
from config.kernel import errors

D = Decimal


@pytest.mark.parametrize(
    ("function", "precision", "value", "expected"),
    [
        ("round", 2, "123.456", "123.46"),
        ("round", 0, "2.5", "3"),
        ("round", None, "2.5", "3"),  # whole units without a precision
        ("round", -2, "150", "200"),
        ("ceil", 2, "123.451", "123.46"),
        ("ceil", -1, "1", "10"),
        ("ceil", 0, "3", "3"),
        ("floor", 2, "123.459", "123.45"),
        ("floor", -3, "1999", "1000"),
        (None, 2, "123.456", "123.456"),
        ("", None, "123.456", "123.456"),
    ],
)
def test_units_are_rounded(function: str | None, precision: int | None, value: str, expected: str) -> None:
    rule = rounding.rounding(function=function, precision=precision)
    assert rounding.apply(value=D(value), rounding=rule) == D(expected)


def test_unknown_functions_and_far_precisions_are_refused() -> None:
    with pytest.raises(errors.Invalid) as refusal:
        rounding.rounding(function="truncate", precision=2)
    assert refusal.value.details == {"rounding_function": ["value_is_invalid"]}
    with pytest.raises(errors.Invalid) as refusal:
        Rounding(RoundingFunction.CEIL, 16)
    assert refusal.value.details == {"rounding_precision": ["value_is_out_of_range"]}
