"""The least that a charge costs in a period, whatever is used. Owns what is missing to it."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal

from billing.domain.proration import Share
from config.kernel import money

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Minimum:
    """The minimum of a whole period in major units, and the share of the period that is billed."""

    amount: Decimal
    share: Share

    @property
    def due(self) -> Decimal:
        """Return the minimum of the time that is billed, in major units, unrounded."""
        return self.share.of(self.amount)


def missing(*, minimum: Minimum, used: Decimal) -> Decimal:
    """Return what usage, as it was billed, lacks to its minimum: in major units, unrounded, never less than nothing."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return max(minimum.due - used, ZERO)
