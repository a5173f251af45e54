"""Prepaid commitments: in which instalments they are invoiced, and which of them have come. Owns days and amounts.

What the credit pays is `invoicing.domain.prepaid`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from moneyed import Money

from billing.domain.contract_terms import Span
from config.kernel import dates, money

_DAY = timedelta(days=1)


class Rhythm(StrEnum):
    """How a prepaid commitment is invoiced."""

    WHOLE = "whole"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


_MONTHS = {Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3, Rhythm.YEARLY: 12}


@dataclass(frozen=True, slots=True)
class Instalment:
    """One invoice of a prepaid commitment: for these local days, due on the first of them. ``of`` counts them all."""

    number: int
    of: int
    span: Span
    amount: Money

    @property
    def due_on(self) -> date:
        """Return the local day on which it is invoiced."""
        return self.span.first


def plan(*, amount: Money, span: Span, rhythm: Rhythm) -> list[Instalment]:
    """Split a rounded amount into instalments that sum to it exactly.

    Every step of so many months, counted from the first day, has the same share; the last one, where it is cut off by
    the end, the share of its days. Differences of a minor unit go by largest remainder. One that would come to nothing
    is not made.
    """
    spans = _steps(span, rhythm)
    weights = [Decimal(1)] * len(spans)
    weights[-1] = _share(span, rhythm, len(spans))
    parts = [(one, part) for one, part in zip(spans, money.allocate(amount, weights), strict=True) if part]
    return [Instalment(number, len(parts), one, part) for number, (one, part) in enumerate(parts, start=1)]


def come(
    *, planned: Collection[Instalment], today: date, cut_on: date | None = None, is_whole: bool = False
) -> list[Instalment]:
    """Return the instalments whose day has come, in order.

    Where the contract ended early those after its last day never come; with ``is_whole`` they come on that day, all.
    """
    found = []
    for one in planned:
        is_after = cut_on is not None and one.due_on > cut_on
        if is_after and not is_whole:
            continue
        due_on = cut_on if is_after and cut_on is not None else one.due_on
        if due_on <= today:
            found.append(one)
    return found


def expected(*, planned: Collection[Instalment], cut_on: date | None = None, is_whole: bool = False) -> int:
    """Count the instalments that come in all."""
    return len(come(planned=planned, today=date.max, cut_on=cut_on, is_whole=is_whole))


def _steps(span: Span, rhythm: Rhythm) -> list[Span]:
    if rhythm is Rhythm.WHOLE:
        return [span]
    found: list[Span] = []
    first = span.first
    while first <= span.last:
        following = dates.add_months(span.first, _MONTHS[rhythm] * (len(found) + 1))
        found.append(Span(first, min(following - _DAY, span.last)))
        first = following
    return found


def _share(span: Span, rhythm: Rhythm, count: int) -> Decimal:
    """Return the share of the last step: its days of those that it would have whole."""
    if rhythm is Rhythm.WHOLE:
        return Decimal(1)
    months = _MONTHS[rhythm]
    first = dates.add_months(span.first, months * (count - 1))
    whole = Span(first, dates.add_months(span.first, months * count) - _DAY)
    return Decimal(Span(first, span.last).days) / whole.days
