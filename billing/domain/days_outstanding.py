"""How long customers take to pay: days sales outstanding by two methods, and how much of what was owed was collected.

Amounts are of one currency, gross, by calendar month. Knows no document and no database; no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from config.kernel import dates, money

SIMPLE_MONTHS = 3
"""The simple method compares with the sales of so many months, the one asked for included."""

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sales:
    """What was billed in a month, less what was given back; ``month`` is its first day."""

    month: date
    billed: Decimal

    @property
    def days(self) -> int:
        """The days of the month."""
        return dates.days_between(self.month, dates.add_months(self.month, 1))


@dataclass(frozen=True, slots=True)
class CountedBack:
    """Days by the count-back method, unrounded. ``is_more``: even all the sales known do not come to what is open."""

    days: Decimal
    is_more: bool = False


def simple(*, open_amount: Decimal, sales: Sequence[Sales]) -> Decimal | None:
    """Return what is open at a month's end / sales of the last three months × their days, unrounded.

    ``sales`` ends with that month; the oldest first. None where nothing was sold in these months, nothing is owed by
    less than nothing.
    """
    last = sales[-SIMPLE_MONTHS:]
    sold = sum((one.billed for one in last), _NOTHING)
    if sold <= 0:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        return max(open_amount, _NOTHING) * sum(one.days for one in last) / sold


def count_back(*, open_amount: Decimal, sales: Sequence[Sales]) -> CountedBack:
    """Return the days of sales that what is open stands for, counted back from a month's end, unrounded.

    A month whose sales are no more than what is left counts with all its days and lowers it by them; the month that is
    more counts in proportion. A month without sales, or of less than nothing, counts with its days and lowers nothing.
    """
    left, days = open_amount, _NOTHING
    if left <= 0:
        return CountedBack(_NOTHING)
    with localcontext(money.DECIMAL_CONTEXT):
        for one in reversed(sales):
            if one.billed > left:
                return CountedBack(days + left / one.billed * one.days)
            days += one.days
            left -= max(one.billed, _NOTHING)
            if left == 0:
                return CountedBack(days)
    return CountedBack(days, is_more=True)


def effectiveness(
    *, opening: Decimal, billed: Decimal, closing: Decimal, not_due: Decimal, written_off: Decimal = _NOTHING
) -> Decimal | None:
    """Return the collection effectiveness index of a month as a fraction, unrounded; 1 says that all due is collected.

    (opening + billed − closing − written off) / (opening + billed − closing not yet due): what was given up is no more
    open, and was not collected. None where nothing was to be collected.
    """
    collectable = opening + billed - not_due
    if collectable <= 0:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        return (opening + billed - closing - written_off) / collectable
