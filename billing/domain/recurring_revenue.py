"""Monthly recurring revenue: what a plan fee comes to in a month. Owns this one definition; its query sums it up.

The revenue of a month is that of the subscriptions that run at its end, or now in the month that runs: each with the
fee of a whole period of its plan, net of tax and before coupons, brought to a month. Usage, fixed charges, commitments
and what is billed once are no part of it, nor is a subscription in its trial or in a pause. A period that was billed in
part, the first or the last one, counts with the fee of a whole one: the revenue is a pace, not a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from moneyed import Money

from config.kernel import money

DAYS_OF_MONTH = Decimal("30.44")
"""The mean month, which weeks are brought to."""

DAYS_OF_WEEK = 7
MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "yearly": 12}
"""Whole months of an interval."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """The recurring revenue of a month in one currency; ``month`` is its first day."""

    month: date
    amount: Money


def a_month(amount: Decimal, *, interval: str) -> Decimal:
    """Return what the fee of a whole interval comes to in a month, unrounded. Raises KeyError for an unknown one."""
    with localcontext(money.DECIMAL_CONTEXT):
        if interval == "weekly":
            return amount * DAYS_OF_MONTH / DAYS_OF_WEEK
        return amount / MONTHS[interval]
