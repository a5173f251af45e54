"""The least that a plan costs in an interval: its minimum commitment. Owns how much of it is due for some days, which
lines count against it, and what is missing to it.

Which time an invoice settles is `commitment_dues`'; reading what was billed is the caller's.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.domain import periods
from billing.domain.minimums import Minimum
from billing.domain.periods import Schedule
from billing.domain.proration import Share
from catalog.domain import decimals
from config.kernel import money
from config.kernel.dates import Period

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CommitmentFacts:
    """A minimum and the days of it that are settled, the time of these days, and what counts against it.

    `counted` are the amounts that were billed for that time, by the kind of their lines, in major units: net, before
    coupons, taxes and credits.
    """

    minimum: Minimum
    period: Period
    counted: Mapping[str, Decimal] = field(default_factory=dict)
    name: str = ""

    @property
    def total(self) -> Decimal:
        """Return all that counts, in major units."""
        return total(self.counted.values())


def missing(*, committed: Decimal, counted: Decimal) -> Decimal:
    """Return what is missing to a commitment: major units, unrounded, never less than nothing."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return max(committed - counted, ZERO)


def owed(facts: CommitmentFacts) -> Decimal:
    """Return what is missing to the minimum of the days settled: major units, unrounded; to be rounded once, half up.

    The amounts that count are rounded to the currency already, so that it does not matter that the minimum is not.
    """
    return missing(committed=facts.minimum.due, counted=facts.total)


def window(schedule: Schedule, *, time: Period) -> Period:
    """Return the whole interval that a settled time is in: whatever was billed of it counts.

    A fee in advance does so in full, though the contract ended before the interval.
    """
    return periods.period_at(schedule, _middle(time)).period


def counts(*, time: Period, within: Period) -> bool:
    """Say whether a line for some time counts in an interval: where most of it lies.

    Hours of the neighbours may be billed with a period, where a time zone was changed or a contract ended.
    """
    return within.start <= _middle(time) < within.end


def together(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Return the sums by kind, in the order of the kinds."""
    found: dict[str, Decimal] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for part in parts:
            for kind, amount in part.items():
                found[kind] = found.get(kind, ZERO) + amount
    return dict(sorted(found.items()))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts, in major units."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return sum(amounts, ZERO)


def _middle(time: Period) -> datetime:
    return time.start + (time.end - time.start) / 2


def written(facts: CommitmentFacts) -> dict[str, Any]:
    """Return the inputs of a trace: what `owed_again` reads."""
    return {
        "amount": decimals.text(facts.minimum.amount),
        "days": facts.minimum.share.days,
        "of_days": facts.minimum.share.of_days,
        "counted": {kind: decimals.text(amount) for kind, amount in sorted(facts.counted.items())},
    }


def steps(facts: CommitmentFacts) -> list[dict[str, Any]]:
    """Return the steps of a trace: the minimum of the days, and each kind of lines that counts, taken off."""
    inputs = written(facts)
    figures = {name: inputs[name] for name in ("amount", "days", "of_days")}
    taken = [
        {"kind": f"counted_{kind}", "total": decimals.text(-amount)} for kind, amount in sorted(facts.counted.items())
    ]
    return [{"kind": "commitment", **figures, "total": decimals.text(facts.minimum.due)}, *taken]


def owed_again(inputs: Mapping[str, Any]) -> Decimal:
    """Return what is missing, from the inputs of a trace alone: major units, unrounded."""
    minimum = Minimum(Decimal(inputs["amount"]), Share(inputs["days"], inputs["of_days"]))
    return missing(committed=minimum.due, counted=total(Decimal(amount) for amount in inputs["counted"].values()))
