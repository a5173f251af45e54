"""Alerts on the usage of a subscription: what can be watched, what a good list of thresholds is, and which of them a
move of a value crosses. Owns this arithmetic. Amounts are in minor units, units are plain decimals; nothing is rounded.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from config.kernel import errors, money

MAX_THRESHOLDS = 20
MAX_STEPS = 1000
"""How many crossed steps of a recurring threshold one firing tells, the latest ones."""

_ZERO = Decimal(0)


class AlertType(StrEnum):
    """What an alert watches."""

    CURRENT_USAGE_AMOUNT = "current_usage_amount"
    LIFETIME_USAGE_AMOUNT = "lifetime_usage_amount"
    METRIC_CURRENT_USAGE_AMOUNT = "billable_metric_current_usage_amount"
    METRIC_CURRENT_USAGE_UNITS = "billable_metric_current_usage_units"
    METRIC_LIFETIME_USAGE_UNITS = "billable_metric_lifetime_usage_units"

    @property
    def is_of_metric(self) -> bool:
        """Say whether it watches one metric."""
        return self.value.startswith("billable_metric_")

    @property
    def is_of_amount(self) -> bool:
        """Say whether it watches money, in minor units."""
        return self.value.endswith("_amount")

    @property
    def is_of_lifetime(self) -> bool:
        """Say whether it watches all usage since the first day, not that of the running period."""
        return "lifetime" in self.value


class InvalidAlert(errors.Invalid):
    """An alert watches what it cannot, or its thresholds are no good list."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that is watched for; a recurring one is a step beyond the highest of the others."""

    value: Decimal
    recurring: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an alert saw last: the value, and the running period that it saw it in, half-open."""

    value: Decimal
    subscription_id: int | None
    from_at: datetime | None
    to_at: datetime | None


def alert_type(text: str) -> AlertType:
    """Return what is to be watched. Raises InvalidAlert (`invalid_type`), also for what only a wallet has."""
    try:
        return AlertType(text)
    except ValueError:
        message = f"An alert of a subscription watches one of: {', '.join(AlertType)}."
        raise refused("alert_type", "invalid_type", message) from None


def demand_good(thresholds: Sequence[Threshold]) -> None:
    """Demand 1 to 20 thresholds above nothing, no value twice, one recurring at most.

    Raises InvalidAlert (`value_is_mandatory`, `too_many_thresholds`, `value_is_out_of_range`,
    `duplicate_threshold_values`, `multiple_recurring_thresholds`) on the field `thresholds`.
    """
    demand_list(thresholds)
    if any(one.value <= 0 for one in thresholds):
        raise refused("thresholds", "value_is_out_of_range", "A threshold is above nothing.")


def demand_list(thresholds: Sequence[Threshold]) -> None:
    """Demand 1 to 20 thresholds, no value twice, one recurring at most. Raises InvalidAlert on `thresholds`."""
    if not thresholds:
        raise refused("thresholds", "value_is_mandatory", "An alert has a threshold at least.")
    if len(thresholds) > MAX_THRESHOLDS:
        raise refused("thresholds", "too_many_thresholds", f"No more than {MAX_THRESHOLDS} thresholds.")
    if len({(one.value, one.recurring) for one in thresholds}) < len(thresholds):
        raise refused("thresholds", "duplicate_threshold_values", "Two thresholds have the same value.")
    if sum(one.recurring for one in thresholds) > 1:
        raise refused("thresholds", "multiple_recurring_thresholds", "One threshold at most is recurring.")


def crossed(*, thresholds: Sequence[Threshold], previous: Decimal, current: Decimal) -> tuple[Threshold, ...]:
    """Return the thresholds in ``(previous, current]``, by value: one-off ones, then the steps of a recurring one.

    Steps are counted from the highest one-off value, from nothing where there is none, and come with the value that
    was reached; of very many the last MAX_STEPS. A value that does not grow crosses nothing.
    """
    if current <= previous:
        return ()
    fixed = sorted((one for one in thresholds if not one.recurring), key=lambda one: one.value)
    found = tuple(one for one in fixed if previous < one.value <= current)
    recurring = next((one for one in thresholds if one.recurring), None)
    if recurring is None:
        return found
    highest = fixed[-1].value if fixed else _ZERO
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        first = _steps(max(previous, highest) - highest, recurring.value) + 1
        last = _steps(max(current, highest) - highest, recurring.value)
        steps = range(max(first, last - MAX_STEPS + 1), last + 1)
        return (
            *found,
            *(Threshold(highest + step * recurring.value, recurring=True, code=recurring.code) for step in steps),
        )


def start(*, alert_type: AlertType, seen: Seen, subscription_id: int, from_at: datetime) -> Decimal:
    """Return the value that a move starts from: what was seen last, or nothing where a new period has begun since.

    A period is another one where its subscription is another one or where most of the last one is over; one that only
    moves by some hours, with the time zone, is the same. Usage since the first day has no periods.
    """
    if alert_type.is_of_lifetime:
        return seen.value
    is_same = seen.subscription_id == subscription_id and not is_over(seen, from_at)
    return seen.value if is_same else _ZERO


def is_over(seen: Seen, from_at: datetime) -> bool:
    """Say whether a period that starts at ``from_at`` comes after the one that was seen last."""
    if seen.from_at is None or seen.to_at is None:
        return True
    return from_at > seen.from_at + (seen.to_at - seen.from_at) / 2


def refused(field: str, code: str, message: str) -> InvalidAlert:
    """Return the refusal of an alert."""
    return InvalidAlert("validation_errors", message, {field: [code]})


def demand_free(*, code: str, watches: object, others: Iterable[tuple[str, object, str]]) -> None:
    """Demand that no other alert has this code or watches the same; of others their code, what they watch, and name.

    Raises InvalidAlert (`value_already_exist`, `alert_already_exists`).
    """
    for other_code, watched, name in others:
        if other_code == code:
            raise code_taken()
        if watched == watches:
            raise refused("base", "alert_already_exists", f"{name} watches the same already.")


def code_taken() -> InvalidAlert:
    """Return the refusal of a code that another alert has."""
    return refused("code", "value_already_exist", "Another alert has this code.")


def _steps(distance: Decimal, step: Decimal) -> int:
    return int(distance // step)
