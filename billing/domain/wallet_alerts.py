"""Alerts on wallets: what can be watched, what a good list of thresholds is, and which of them a fall crosses. Owns
this arithmetic. Amounts are in minor units, credits are plain decimals; nothing is rounded.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from billing.domain import alerts
from billing.domain.alerts import Threshold
from config.kernel import money

_ZERO = Decimal(0)


class WalletAlertType(StrEnum):
    """What an alert watches."""

    BALANCE_AMOUNT = "wallet_balance_amount"
    CREDITS_BALANCE = "wallet_credits_balance"
    ONGOING_BALANCE_AMOUNT = "wallet_ongoing_balance_amount"
    CREDITS_ONGOING_BALANCE = "wallet_credits_ongoing_balance"

    @property
    def is_of_amount(self) -> bool:
        """Say whether it watches money, in minor units."""
        return self.value.endswith("_amount")


def alert_type(text: str) -> WalletAlertType:
    """Return what is to be watched. Raises InvalidAlert (`invalid_type`), also for what only a subscription has."""
    try:
        return WalletAlertType(text)
    except ValueError:
        message = f"An alert of a wallet watches one of: {', '.join(WalletAlertType)}."
        raise alerts.refused("alert_type", "invalid_type", message) from None


def demand_good(thresholds: Sequence[Threshold]) -> None:
    """Demand 1 to 20 thresholds, no value twice, one recurring at most: steps above nothing, others not below it.

    Raises InvalidAlert with the codes that alerts on usage have.
    """
    alerts.demand_list(thresholds)
    if any(one.value < 0 or (one.recurring and not one.value) for one in thresholds):
        raise alerts.refused("thresholds", "value_is_out_of_range", "A threshold is not below nothing.")


def crossed(*, thresholds: Sequence[Threshold], previous: Decimal, current: Decimal) -> tuple[Threshold, ...]:
    """Return the thresholds in ``[current, previous)``, the highest first: one-off ones, then recurring steps.

    Steps are counted down from the lowest one-off value, from nothing where there is none, and come with the value that
    was reached; of very many the last `alerts.MAX_STEPS`. A value that does not fall crosses nothing.
    """
    if current >= previous:
        return ()
    fixed = sorted((one for one in thresholds if not one.recurring), key=lambda one: -one.value)
    found = tuple(one for one in fixed if current <= one.value < previous)
    recurring = next((one for one in thresholds if one.recurring), None)
    if recurring is None:
        return found
    lowest = fixed[-1].value if fixed else _ZERO
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        first = int((lowest - min(previous, lowest)) // recurring.value) + 1
        last = int((lowest - min(current, lowest)) // recurring.value)
        steps = range(max(first, last - alerts.MAX_STEPS + 1), last + 1)
        return (
            *found,
            *(Threshold(lowest - step * recurring.value, recurring=True, code=recurring.code) for step in steps),
        )
