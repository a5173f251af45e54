"""Why recurring revenue changed from one month's end to the next: new, expansion, contraction, churn, reactivation.

Looks at customers, not at subscriptions: a change of plan, a second subscription or a pause of one of several is an
expansion or a contraction. What a customer pays in a currency may go to another one; that is no movement of the
business, and stands apart as moved between currencies. Amounts are unrounded up to the figures of a month, which are
rounded so that start and movements come to the end. Knows no database; the paces come from
`billing.queries.report_recurring`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum

from moneyed import Money

from billing.domain import rounded_parts
from config.kernel import money

_NOTHING = Decimal(0)


class Movement(StrEnum):
    """Why a customer's recurring revenue changed."""

    NEW = "new"
    REACTIVATION = "reactivation"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class History:
    """A customer's recurring revenue at the end of each of some months, by currency; unrounded, months as in `Paces`.

    ``was_known`` says that the customer had some before the first of them. So many ``customers`` have the very same
    history, of whom ``customer_id`` is one.
    """

    customer_id: int
    paces: Mapping[str, Sequence[Decimal]]
    was_known: bool = False
    customers: int = 1


@dataclass(frozen=True, slots=True)
class Paces:
    """The recurring revenue of all customers at the ends of ``months``."""

    months: tuple[date, ...]
    histories: tuple[History, ...] = ()

    def currencies(self) -> list[str]:
        """Return the currencies in which there is any, in the order of the alphabet."""
        return sorted({code for history in self.histories for code in history.paces})


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement in one currency from a month's end (``before``) to a later one: of a customer, unrounded.

    So many ``customers`` made the very same one.
    """

    month: date
    customer_id: int
    currency: str
    movement: Movement
    before: Decimal
    after: Decimal
    customers: int = 1


@dataclass(frozen=True, slots=True)
class MonthMoved:
    """A month in one currency: start, movements and end, rounded so that they add up; customers at start and end."""

    month: date
    start: Money
    movements: Mapping[Movement, Money]
    end: Money
    counts: Mapping[Movement, int]
    customers_start: int
    customers_end: int


def between(*, before: Mapping[str, Decimal], after: Mapping[str, Decimal], was_known: bool) -> dict[str, Movement]:
    """Return the movement in each currency in which a customer's recurring revenue differs.

    Without any before, all is new, or a reactivation where the customer ``was_known``; without any after, all is churn.
    Otherwise it rose or fell: but where a currency came or went while others went the other way, it moved.
    """
    steps = {code: after.get(code, _NOTHING) - before.get(code, _NOTHING) for code in {*before, *after}}
    steps = {code: step for code, step in steps.items() if step}
    if not any(before.values()):
        return dict.fromkeys(steps, Movement.REACTIVATION if was_known else Movement.NEW)
    if not any(after.values()):
        return dict.fromkeys(steps, Movement.CHURN)
    came_or_went = any(not before.get(code) or not after.get(code) for code in steps)
    if came_or_went and min(steps.values()) < 0 < max(steps.values()):
        return dict.fromkeys(steps, Movement.MOVED)
    return {code: Movement.EXPANSION if step > 0 else Movement.CONTRACTION for code, step in steps.items()}


def moved(paces: Paces) -> Iterator[Moved]:
    """Return what moved from each month to the next, customer by customer. The first month only says where they start.

    The other steps of the months may be longer than a month; what happens between two of them is not seen.
    """
    for history in paces.histories:
        was_known = history.was_known
        before = _at(history, 0)
        for place, month in enumerate(paces.months[1:], start=1):
            was_known = was_known or any(before.values())
            after = _at(history, place)
            if after != before:
                for code, movement in sorted(between(before=before, after=after, was_known=was_known).items()):
                    yield Moved(
                        month=month,
                        customer_id=history.customer_id,
                        currency=code,
                        movement=movement,
                        before=before.get(code, _NOTHING),
                        after=after.get(code, _NOTHING),
                        customers=history.customers,
                    )
            before = after


def by_month(paces: Paces, *, currency: str) -> list[MonthMoved]:
    """Return each month but the first with its start, movements and end in one currency, rounded half up.

    Start and end are rounded as the recurring revenue of a month is; the movements so that they explain the difference
    to the cent.
    """
    sums: dict[date, dict[Movement, Decimal]] = defaultdict(lambda: dict.fromkeys(Movement, _NOTHING))
    counts: dict[date, dict[Movement, int]] = defaultdict(lambda: dict.fromkeys(Movement, 0))
    with localcontext(money.DECIMAL_CONTEXT):
        for one in moved(paces):
            if one.currency == currency:
                sums[one.month][one.movement] += (one.after - one.before) * one.customers
                counts[one.month][one.movement] += one.customers
        ends = totals(paces, currency=currency)
    found = []
    for (start, customers_start), (end, customers_end), month in zip(ends, ends[1:], paces.months[1:], strict=False):
        first, last = _rounded(start, currency), _rounded(end, currency)
        parts = rounded_parts.spread(parts=tuple(sums[month].values()), whole=last - first)
        found.append(
            MonthMoved(
                month=month,
                start=first,
                movements=dict(zip(Movement, parts, strict=True)),
                end=last,
                counts=counts[month],
                customers_start=customers_start,
                customers_end=customers_end,
            )
        )
    return found


def totals(paces: Paces, *, currency: str) -> list[tuple[Decimal, int]]:
    """Return the recurring revenue of every month in one currency, unrounded, and how many customers have some."""
    amounts, customers = [_NOTHING] * len(paces.months), [0] * len(paces.months)
    with localcontext(money.DECIMAL_CONTEXT):
        for history in paces.histories:
            for place, amount in enumerate(history.paces.get(currency, ())):
                if amount:
                    amounts[place] += amount * history.customers
                    customers[place] += history.customers
    return list(zip(amounts, customers, strict=True))


def of(movements: Iterable[Moved], *, month: date, movement: Movement, currency: str) -> list[Moved]:
    """Return the customers of one figure, the largest first."""
    found = [one for one in movements if one.month == month and one.movement is movement and one.currency == currency]
    return sorted(found, key=lambda one: (-abs(one.after - one.before), one.customer_id))


def _at(history: History, place: int) -> dict[str, Decimal]:
    return {code: paces[place] for code, paces in history.paces.items() if paces[place]}


def _rounded(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)
