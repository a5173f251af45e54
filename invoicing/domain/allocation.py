"""What a payment does to an invoice. Owns the rule that nothing is ever overpaid; knows no table and no ledger."""

from __future__ import annotations

from dataclasses import dataclass

from moneyed import Money

from config.kernel import errors, money


class NotPayable(errors.Invalid):
    """The amount is nothing, negative, in another currency, finer than the currency or more than is due."""


@dataclass(frozen=True)
class Settlement:
    """The state of an invoice after a payment: paid in all, and still due."""

    paid: Money
    due: Money

    @property
    def is_complete(self) -> bool:
        """Say whether nothing is due any more."""
        return not self.due


def settle(*, total: Money, paid: Money, amount: Money) -> Settlement:
    """Add a payment to what was paid before. Part payments are welcome. Raises NotPayable."""
    currency = total.currency.code
    if amount.currency.code != currency:
        raise NotPayable(
            "currencies_does_not_match",
            f"{amount.currency.code} cannot pay an invoice in {currency}.",
            {"amount_currency": ["currencies_does_not_match"]},
        )
    money.to_minor(amount)
    due = total - paid
    if amount.amount <= 0:
        raise NotPayable("invalid_amount", "A payment is more than nothing.", {"amount_cents": ["invalid_value"]})
    if amount > due:
        raise NotPayable(
            "payment_exceeds_due", f"{amount} is more than the {due} due.", {"amount_cents": ["invalid_value"]}
        )
    return Settlement(paid=paid + amount, due=due - amount)
