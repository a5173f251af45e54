"""Commitments over the term of a contract: what a customer promised to buy in it, what counts towards that, and what is
missing in the end. Owns the figures; which lines there are is read, and billed, elsewhere.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.domain.contract_terms import Span
from config.kernel import money

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Committed:
    """An amount in major units for the days of a span; ``of`` is the span it was agreed for.

    A contract that ends early leaves ``span`` shorter: the amount is owed by its days, unless ``is_whole`` says that
    all of it is.
    """

    amount: Decimal
    span: Span
    of: Span
    is_whole: bool = False

    @property
    def days(self) -> int:
        """Count the days that are owed: those of the agreed span where the whole amount is."""
        return self.of.days if self.is_whole else self.span.days

    @property
    def due(self) -> Decimal:
        """Return what has to be reached, unrounded, in major units."""
        return by_days(amount=self.amount, days=self.days, of_days=self.of.days)


@dataclass(frozen=True, slots=True)
class Counted:
    """A billed line: its net amount less what was credited of it, for the days of its own time."""

    net: Decimal
    span: Span

    def within(self, span: Span) -> Decimal:
        """Return what of it counts in a span, unrounded: a line that reaches over an end counts by its days."""
        shared = self.span.overlap(span)
        return ZERO if shared is None else by_days(amount=self.net, days=shared.days, of_days=self.span.days)


def by_days(*, amount: Decimal, days: int, of_days: int) -> Decimal:
    """Return the share of an amount that some of its days have, unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount if days == of_days else amount * days / of_days


def counted(*, lines: Sequence[Counted], span: Span) -> Decimal:
    """Return what of billed lines counts in a span, unrounded, in major units."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return sum((line.within(span) for line in lines), ZERO)


def missing(*, due: Decimal, billed: Decimal) -> Decimal:
    """Return what lacks, unrounded: nothing where as much or more was billed."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return max(due - billed, ZERO)


def forecast(*, billed: Decimal, span: Span, last: date | None) -> Decimal:
    """Return what is to be billed by the end of the span if it goes on as in the days up to the ``last`` one that is
    billed, unrounded. Before any of them is billed nothing can be said: it is what was billed.
    """
    if last is None or last < span.first:
        return billed
    over = Span(span.first, min(span.last, last))
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return billed * span.days / over.days
