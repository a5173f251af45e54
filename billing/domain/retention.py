"""What stays of recurring revenue and of customers: net and gross revenue retention, and the churn of customers.

Compares two month's ends: only customers who had recurring revenue at the first one count, with what they have at the
second one. Who moved to another currency in between is left out of both, as neither a loss nor a gain. Knows no
database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from moneyed import Money

from billing.domain import revenue_movements
from billing.domain.revenue_movements import History, Movement, Paces
from config.kernel import money

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stayed:
    """A customer in one currency: what there was, and what is left, unrounded; the same for so many ``customers``."""

    customer_id: int
    before: Decimal
    after: Decimal
    is_lost: bool
    customers: int = 1

    @property
    def kept(self) -> Decimal:
        """What is left without what was added."""
        return min(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Retention:
    """The retention up to a month's end in one currency; amounts rounded half up, rates unrounded, None of nothing.

    ``before`` is what the customers had then, ``after`` what the same ones have now, ``kept`` that without what was
    added to any of them.
    """

    since: date
    month: date
    before: Money
    after: Money
    kept: Money
    customers: int
    lost: int

    @property
    def net(self) -> Decimal | None:
        """Net revenue retention: more than 1 where the customers grew by more than was lost."""
        return _rate(self.after.amount, self.before.amount)

    @property
    def gross(self) -> Decimal | None:
        """Gross revenue retention: at most 1."""
        return _rate(self.kept.amount, self.before.amount)

    @property
    def churn(self) -> Decimal | None:
        """The share of the customers who have no recurring revenue any more."""
        return _rate(Decimal(self.lost), Decimal(self.customers))


def by_month(paces: Paces, *, currency: str, back: int) -> list[Retention]:
    """Return the retention of each month over the ``back`` months before it, where the paces reach back so far."""
    return [
        _retention(paces, currency=currency, first=place - back, last=place) for place in range(back, len(paces.months))
    ]


def stayed(paces: Paces, *, currency: str, first: int, last: int) -> list[Stayed]:
    """Return the customers of one comparison of two months by their places."""
    found = (_of(history, currency, first, last) for history in paces.histories)
    return [one for one in found if one is not None]


def _of(history: History, currency: str, first: int, last: int) -> Stayed | None:
    own = history.paces.get(currency)
    if own is None or not own[first]:
        return None
    if own[first] == own[last]:
        return Stayed(history.customer_id, own[first], own[last], is_lost=False, customers=history.customers)
    before = {code: paces[first] for code, paces in history.paces.items() if paces[first]}
    after = {code: paces[last] for code, paces in history.paces.items() if paces[last]}
    movement = revenue_movements.between(before=before, after=after, was_known=True)[currency]
    if movement is Movement.MOVED:
        return None
    return Stayed(history.customer_id, own[first], own[last], is_lost=not after, customers=history.customers)


def _retention(paces: Paces, *, currency: str, first: int, last: int) -> Retention:
    before = after = kept = _NOTHING
    customers = lost = 0
    with localcontext(money.DECIMAL_CONTEXT):
        for one in stayed(paces, currency=currency, first=first, last=last):
            before += one.before * one.customers
            after += one.after * one.customers
            kept += one.kept * one.customers
            customers += one.customers
            lost += one.customers * one.is_lost
    return Retention(
        since=paces.months[first],
        month=paces.months[last],
        before=_rounded(before, currency),
        after=_rounded(after, currency),
        kept=_rounded(kept, currency),
        customers=customers,
        lost=lost,
    )


def _rate(part: Decimal, whole: Decimal) -> Decimal | None:
    if not whole:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        return part / whole


def _rounded(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)
