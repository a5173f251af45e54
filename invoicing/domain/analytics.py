"""Figures by month: which months are told of, and how parts of a month's figure are put together. Owns no definition of
what counts as revenue; the queries of each figure do.

A month is named by its first day. Amounts of different currencies never meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from moneyed import Money

from config.kernel import dates, errors, money

MOST_MONTHS = 1200
"""A century: more is a mistake."""

Key = tuple[date, str]
"""A month's first day and a currency."""


class InvalidMonths(errors.Invalid):
    """The number of months asked for is none."""


@dataclass(frozen=True, slots=True)
class Revenue:
    """What was invoiced in a month, in one currency."""

    month: date
    amount: Money
    invoices_count: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue of the invoices that were due in a month, in one currency."""

    month: date
    amount: Money
    invoice_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """The invoices of a month that have one payment status, in one currency."""

    month: date
    payment_status: str
    amount: Money
    invoices_count: int


@dataclass(frozen=True, slots=True)
class InvoicedUsage:
    """What the usage of one metric came to on the invoices of a month, in one currency."""

    month: date
    code: str
    amount: Money


def first_month(*, today: date, months: int | None) -> date | None:
    """Return the first day of the oldest month that is told of: 1 is the month of ``today`` alone; None is all of them.

    Raises InvalidMonths (`months`) for less than 1 and for more than `MOST_MONTHS`.
    """
    if months is None:
        return None
    if not 1 <= months <= MOST_MONTHS:
        raise InvalidMonths("validation_errors", "The number of months is not valid.", {"months": ["value_is_invalid"]})
    return dates.add_months(today.replace(day=1), 1 - months)


def revenue(
    *, invoiced: Mapping[Key, tuple[Money, int]], fees: Mapping[Key, Money], given_back: Iterable[Mapping[Key, Money]]
) -> list[Revenue]:
    """Put the parts of each month together, oldest first: invoices and fees that stand alone, less what was given back.

    A month is there in each currency in which any of it happened, so that it may come to less than nothing.
    """
    amounts: dict[Key, Money] = {key: amount for key, (amount, _) in invoiced.items()}
    for key, amount in fees.items():
        amounts[key] = amounts.get(key, money.zero(key[1])) + amount
    for part in given_back:
        for key, amount in part.items():
            amounts[key] = amounts.get(key, money.zero(key[1])) - amount
    counts = {key: count for key, (_, count) in invoiced.items()}
    return [Revenue(month=key[0], amount=amounts[key], invoices_count=counts.get(key, 0)) for key in sorted(amounts)]
