"""What of an invoice may be disputed, and what becomes of disputes. Owns the rules; knows no table."""

from __future__ import annotations

from collections.abc import Sequence

from moneyed import Money

from config.kernel import errors, money

OUTCOMES = ("won", "lost", "withdrawn")


class NotDisputable(errors.NotAllowed):
    """The invoice is no document, or the dispute is over."""


class InvalidDispute(errors.Invalid):
    """The amount, the reason or the outcome of a dispute is not valid."""


def demand_amount(*, amount: Money, due: Money, disputed: Money, line_left: Money | None = None) -> None:
    """Demand that an amount can be disputed: more than nothing, and no more than is due and not disputed yet.

    ``line_left`` is what may be disputed of the line that it is about, gross. Raises InvalidDispute.
    """
    if amount.currency.code != due.currency.code:
        code = "currencies_does_not_match"
        raise InvalidDispute(code, f"The invoice is in {due.currency.code}.", {"amount_currency": [code]})
    money.to_minor(amount)
    if amount.amount <= 0:
        code = "invalid_value"
        raise InvalidDispute(code, "A dispute is about more than nothing.", {"amount_cents": [code]})
    most = due - disputed
    if line_left is not None:
        most = min(most, line_left)
    if amount > most:
        code = "higher_than_remaining_amount"
        raise InvalidDispute(code, f"No more than {most} is left to dispute.", {"amount_cents": [code]})


def settled(*, due: Money, standing: Sequence[Money]) -> list[Money]:
    """Return by how much each standing dispute shrinks where less is due than is disputed: the newest last.

    ``standing`` are the amounts disputed, oldest first. What is paid or credited beyond the rest of the invoice settles
    the oldest dispute first.
    """
    nothing = money.zero(due.currency.code)
    over = max(sum(standing, nothing) - due, nothing)
    found = []
    for amount in standing:
        part = min(amount, over)
        over -= part
        found.append(part)
    return found
