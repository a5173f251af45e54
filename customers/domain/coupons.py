"""How often and how much a customer may use a coupon: what is available, what a use leaves, when it is over.

Owns this count; what a coupon takes off an invoice is invoicing's arithmetic. Knows no table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from moneyed import Money

ONCE = "once"
RECURRING = "recurring"
FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class Terms:
    """A coupon as a customer has it: an ``amount`` with what was ``used`` of it, or a rate where there is none.

    ``remaining`` is the number of invoices that a recurring one may still be used on. All amounts are rounded.
    """

    frequency: str
    amount: Money | None = None
    used: Money | None = None
    remaining: int | None = None

    @property
    def available(self) -> Money | None:
        """What may be taken off the next invoice; None for a rate."""
        if self.amount is None or self.used is None or self.frequency != ONCE:
            return self.amount
        return self.amount - self.used

    @property
    def is_over(self) -> bool:
        """Whether an amount that is used once is used up, or a recurring one was on all its invoices."""
        if self.frequency == RECURRING:
            return not self.remaining
        return self.frequency == ONCE and self.amount is not None and self.amount == self.used


def used(terms: Terms, *, amount: Money) -> tuple[Terms, bool]:
    """Use a coupon on one invoice, and say whether that ends it. A rate that is used once is over after it."""
    after = replace(
        terms,
        used=None if terms.used is None else terms.used + amount,
        remaining=None if terms.remaining is None else terms.remaining - 1,
    )
    return after, after.is_over or (terms.frequency == ONCE and terms.amount is None)


def given_back(terms: Terms, *, amount: Money) -> Terms:
    """Take back the use of a coupon on one invoice: it is as if it had not been."""
    return replace(
        terms,
        used=None if terms.used is None else terms.used - amount,
        remaining=None if terms.remaining is None else terms.remaining + 1,
    )
