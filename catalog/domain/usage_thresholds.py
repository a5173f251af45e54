"""Usage thresholds of a price list as values: amounts of lifetime usage at which what was used so far is billed.

Owns what a good list of them is. When one is passed is billing's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from config.kernel import errors

MAX_THRESHOLDS = 100
FIELD = "usage_thresholds"


class InvalidThresholds(errors.Invalid):
    """A list of usage thresholds has two of an amount, two recurring ones, or one without an amount."""


@dataclass(frozen=True, slots=True)
class UsageThreshold:
    """An amount of usage since the first day, net, in minor units; a recurring one is a step beyond the highest other.

    ``key`` stays over the versions of a plan; ``since`` is when the threshold first came.
    """

    key: UUID
    amount_cents: int
    recurring: bool = False
    name: str = ""
    since: datetime | None = field(default=None, compare=False)


def demand_good(thresholds: Sequence[UsageThreshold]) -> None:
    """Demand that amounts are above nothing and told apart, and that one at most is recurring.

    Raises InvalidThresholds (`missing_amount_cents`, `duplicated_values`, `multiple_recurring_thresholds`,
    `value_is_too_long`) on the field `usage_thresholds`.
    """
    if len(thresholds) > MAX_THRESHOLDS:
        raise refused("value_is_too_long", f"No more than {MAX_THRESHOLDS} thresholds.")
    if any(one.amount_cents <= 0 for one in thresholds):
        raise refused("missing_amount_cents", "A threshold is an amount above nothing.")
    if len({(one.amount_cents, one.recurring) for one in thresholds}) < len(thresholds):
        raise refused("duplicated_values", "Two thresholds have the same amount.")
    if sum(one.recurring for one in thresholds) > 1:
        raise refused("multiple_recurring_thresholds", "One threshold at most is recurring.")


def refused(code: str, message: str) -> InvalidThresholds:
    """Return the refusal of a list of thresholds."""
    return InvalidThresholds("validation_errors", message, {FIELD: [code]})
