"""When a rehearsed invoice is conspicuous, and how that is said. Owns the meaning of the rules; they are data.

Amounts are major units of the invoice's currency, before tax; what is compared was billed for whole invoices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from catalog.domain import decimals
from config.kernel import money

PERIODS = 3
"""So many periods in a row make that there always was usage."""

_HUNDRED = Decimal(100)


class RuleKind(StrEnum):
    """What a rule looks at."""

    TIMES_MORE = "times_more"
    TIMES_LESS = "times_less"
    NEGATIVE = "negative"
    ZERO_USAGE = "zero_usage"
    NEW_TAX = "new_tax"
    NO_PURCHASE_ORDER = "no_purchase_order"
    ABOVE_AMOUNT = "above_amount"
    OFF_CONTRACT = "off_contract"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: ``factor`` goes with the kinds that compare, ``amount`` in ``currency`` with the one above an amount."""

    name: str
    kind: RuleKind
    factor: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ItemUsage:
    """Units of a usage item now and in the periods before it, the last one first."""

    label: str
    now: Decimal
    before: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Conspicuous:
    """What the rules look at. ``previous`` and ``expected`` are None where there is nothing to compare with.

    ``recurring`` is what the invoice bills of what is agreed as ``expected``. ``taxes`` are the tax treatments in
    words, ``previous_taxes`` None without a period before. ``usual_purchase_order`` is one that was there before.
    """

    currency: str
    subtotal: Decimal
    total: Decimal
    previous: Decimal | None = None
    expected: Decimal | None = None
    recurring: Decimal = Decimal(0)
    usage: tuple[ItemUsage, ...] = ()
    taxes: frozenset[str] = frozenset()
    previous_taxes: frozenset[str] | None = None
    purchase_order: str = ""
    usual_purchase_order: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that an invoice met, and why, in a sentence."""

    rule: str
    kind: RuleKind
    says: str


def flags(*, rules: Iterable[Rule], found: Conspicuous) -> list[Flag]:
    """Return the rules that an invoice meets, in their order. Never raises."""
    with localcontext(money.DECIMAL_CONTEXT):
        said = ((rule, _CHECKS[rule.kind](rule, found)) for rule in rules)
        return [Flag(rule.name, rule.kind, says) for rule, says in said if says]


def _times_more(rule: Rule, found: Conspicuous) -> str:
    factor, previous = rule.factor or Decimal(0), found.previous
    if previous is None or previous <= 0 or found.subtotal <= previous * factor:
        return ""
    times = money.floor_to(found.subtotal / previous, 1)
    return f"{_amount(found.subtotal, found)} is {times} times last period's {_amount(previous, found)}."


def _times_less(rule: Rule, found: Conspicuous) -> str:
    factor, previous = rule.factor or Decimal(0), found.previous
    if previous is None or previous <= 0 or found.subtotal >= previous * factor:
        return ""
    part = money.round_half_up(found.subtotal / previous * _HUNDRED, 0)
    return f"{_amount(found.subtotal, found)} is {part} % of last period's {_amount(previous, found)}."


def _negative(_: Rule, found: Conspicuous) -> str:
    least = min(found.subtotal, found.total)
    return f"{_amount(least, found)} is negative." if least < 0 else ""


def _zero_usage(_: Rule, found: Conspicuous) -> str:
    gone = [
        item
        for item in found.usage
        if item.now == 0 and len(item.before) >= PERIODS and all(units > 0 for units in item.before[:PERIODS])
    ]
    if not gone:
        return ""
    told = ", ".join(
        f"{item.label} ({' / '.join(decimals.text(one) for one in item.before[:PERIODS])})" for item in gone
    )
    return f"No usage where there was some in each of the last {PERIODS} periods: {told}."


def _new_tax(_: Rule, found: Conspicuous) -> str:
    before = found.previous_taxes
    if before is None or before == found.taxes:
        return ""
    return f"Taxed as {_listed(found.taxes)}, last period as {_listed(before)}."


def _no_purchase_order(_: Rule, found: Conspicuous) -> str:
    if found.purchase_order or not found.usual_purchase_order:
        return ""
    return f"No purchase order number; {found.usual_purchase_order} was there before."


def _above_amount(rule: Rule, found: Conspicuous) -> str:
    if rule.amount is None or rule.currency != found.currency or found.subtotal <= rule.amount:
        return ""
    return f"{_amount(found.subtotal, found)} is above {_amount(rule.amount, found)}."


def _off_contract(rule: Rule, found: Conspicuous) -> str:
    factor, expected = rule.factor or Decimal(0), found.expected
    if expected is None or abs(found.recurring - expected) <= abs(expected) * factor:
        return ""
    return f"{_amount(found.recurring, found)} recurring, {_amount(expected, found)} are agreed."


_CHECKS: dict[RuleKind, Callable[[Rule, Conspicuous], str]] = {
    RuleKind.TIMES_MORE: _times_more,
    RuleKind.TIMES_LESS: _times_less,
    RuleKind.NEGATIVE: _negative,
    RuleKind.ZERO_USAGE: _zero_usage,
    RuleKind.NEW_TAX: _new_tax,
    RuleKind.NO_PURCHASE_ORDER: _no_purchase_order,
    RuleKind.ABOVE_AMOUNT: _above_amount,
    RuleKind.OFF_CONTRACT: _off_contract,
}


def _amount(value: Decimal, found: Conspicuous) -> str:
    return f"{money.quantize(value, currency=found.currency)} {found.currency}"


def _listed(values: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "nothing"
