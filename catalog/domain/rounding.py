"""Rounding of aggregated units, as a metric asks for it. Owns the three functions; the rounding of money is the
kernel's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from config.kernel import errors, money

MAX_PRECISION = 15


class RoundingFunction(StrEnum):
    """Where units that are finer than the precision go."""

    ROUND = "round"
    CEIL = "ceil"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Rounding:
    """A rounding to `precision` decimals; a negative one rounds to tens, hundreds and so on."""

    function: RoundingFunction
    precision: int = 0

    def __post_init__(self) -> None:
        if abs(self.precision) > MAX_PRECISION:
            raise errors.Invalid(
                "invalid_rounding",
                f"Units are rounded to at most {MAX_PRECISION} places.",
                {"rounding_precision": ["value_is_out_of_range"]},
            )


def rounding(*, function: str | None, precision: int | None) -> Rounding | None:
    """Return the rounding that a metric's two fields describe, or none. Without a precision it is to whole units.

    Raises Invalid for an unknown function or a precision beyond 15 places.
    """
    if not function:
        return None
    try:
        known = RoundingFunction(function)
    except ValueError as error:
        raise errors.Invalid(
            "invalid_rounding", f"{function} is no rounding.", {"rounding_function": ["value_is_invalid"]}
        ) from error
    return Rounding(known, precision or 0)


def apply(*, value: Decimal, rounding: Rounding | None) -> Decimal:
    """Round units; ties go away from zero. Without a rounding the value is returned as it is."""
    if rounding is None:
        return value
    match rounding.function:
        case RoundingFunction.ROUND:
            return money.round_half_up(value, rounding.precision)
        case RoundingFunction.CEIL:
            return money.ceil_to(value, rounding.precision)
        case RoundingFunction.FLOOR:
            return money.floor_to(value, rounding.precision)
