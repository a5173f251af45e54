"""What the reader of a simulation must be told beside the figures: usage that has not come yet, periods longer than the
time played, metrics that one plan has no price for. Owns the sentences.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal

from billing.domain.simulation import Frame
from billing.domain.simulation_comparison import Summary
from catalog.domain import intervals
from catalog.domain.intervals import Interval
from config.kernel import money

ZERO = Decimal(0)


def of(
    *,
    summaries: Sequence[Summary],
    frame: Frame,
    today: date,
    supposed: Collection[str],
    billed: Collection[str],
    plans: Collection[tuple[str, str]],
) -> list[str]:
    """Return the remarks on a simulation. `supposed` are metrics whose usage was given, `billed` those with lines,
    `plans` the labels and intervals of the plans.
    """
    found = [] if summaries else ["No contract ran in this time."]
    if summaries and frame.end > today and not supposed:
        found.append("The time is not over: usage that is still to come is missing on every plan.")
    found += [remark for label, interval in sorted(plans) if (remark := _long(label, interval, frame))]
    found += [
        f"Nothing is billed for {code}: no plan here has a price for it, or the price comes to nothing."
        for code in sorted(set(supposed) - set(billed))
        if summaries
    ]
    for summary in summaries:
        found += _one_sided(summary)
        if summary.unused:
            found.append(
                f"{summary.unused} of the contracts ended in time that may have been paid in advance: what a credit "
                "note gives back is not taken off."
            )
        found += [f"{_contracts(count)} left out: {reason}." for reason, count in sorted(summary.left_out.items())]
    return found


def _long(label: str, interval: str, frame: Frame) -> str:
    months = intervals.months(Interval(interval)) or 0
    if months <= len(frame.months):
        return ""
    return (
        f"A period of {label} is {months} months, longer than the time played. Its fee counts whole in the month in "
        "which the period starts, and not at all if that is before."
    )


def _one_sided(summary: Summary) -> list[str]:
    found = [
        f"The other plan has no price for {code}: usage that comes to {_amount(amount, summary)} on the own plan "
        "would cost nothing."
        for code, amount in sorted(summary.missing.items())
    ]
    return found + [
        f"Only the other plan has a price for {code}: it comes to {_amount(amount, summary)}."
        for code, amount in sorted(summary.added.items())
    ]


def _amount(amount: Decimal, summary: Summary) -> str:
    return f"{money.quantize(amount, currency=summary.currency)} {summary.currency}"


def _contracts(count: int) -> str:
    return "1 contract is" if count == 1 else f"{count} contracts are"
