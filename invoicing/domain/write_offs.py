"""What of an invoice may be written off. Owns the rules; knows no table."""

from __future__ import annotations

from moneyed import Money

from config.kernel import errors, money


class NotWritable(errors.NotAllowed):
    """The invoice is no document, nothing of it is due, or it sells credit; or the write-off was undone before."""


class InvalidWriteOff(errors.Invalid):
    """The amount or the reason of a write-off is not valid."""


def demand_amount(*, amount: Money, due: Money) -> None:
    """Demand that an amount can be written off: more than nothing, no more than is due, in minor units.

    Raises InvalidWriteOff.
    """
    if amount.currency.code != due.currency.code:
        code = "currencies_does_not_match"
        raise InvalidWriteOff(code, f"The invoice is in {due.currency.code}.", {"amount_currency": [code]})
    money.to_minor(amount)
    if amount.amount <= 0:
        code = "invalid_value"
        raise InvalidWriteOff(code, "More than nothing is written off.", {"amount_cents": [code]})
    if amount > due:
        code = "higher_than_remaining_amount"
        raise InvalidWriteOff(code, f"No more than {due} is due.", {"amount_cents": [code]})


def demand_reason(reason: str) -> str:
    """Return the reason without blanks around it. Raises InvalidWriteOff for none."""
    if not reason.strip():
        raise InvalidWriteOff("value_is_mandatory", "Say why.", {"reason": ["value_is_mandatory"]})
    return reason.strip()
