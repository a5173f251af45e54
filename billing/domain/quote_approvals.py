"""Which consents a version needs: approval rules held against what the version comes to. Owns the comparison and the
sentence that tells the cause; who is in a group and what somebody said is the services'.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from billing.domain import quote_prices
from catalog.domain import decimals
from config.kernel import money


class Subject(StrEnum):
    """What a rule is about."""

    DISCOUNT = "discount_rate"
    TERM = "term_months"
    PAYMENT_TERM = "payment_term_days"
    TOTAL = "total_amount"
    FREE_CREDITS = "free_credits"


@dataclass(frozen=True, slots=True)
class Rule:
    """A consent is needed where the subject is above the threshold; amounts count in one ``currency``."""

    id: int
    subject: Subject
    threshold: Decimal
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a version comes to: the deepest discount (a fraction), months, days, and amounts in major units.

    ``renewal_cut_rate`` is what prices fall by with each renewal: it is as deep a discount, one term later.
    """

    currency: str
    discount_rate: Decimal = Decimal(0)
    renewal_cut_rate: Decimal = Decimal(0)
    term_months: int = 0
    payment_term_days: int = 0
    total_amount: Decimal = Decimal(0)
    free_credits: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Needed:
    """A consent that is needed by a rule, and the cause as a sentence without its full stop."""

    rule_id: int
    cause: str


def needed(*, rules: Sequence[Rule], facts: Facts) -> tuple[Needed, ...]:
    """Return the consents that are needed, in the order of the rules. Exactly the threshold needs none.

    A rule about an amount in another currency does not apply.
    """
    return tuple(Needed(rule.id, _cause(rule, facts)) for rule in rules if _applies(rule, facts))


def _applies(rule: Rule, facts: Facts) -> bool:
    if rule.currency and rule.currency != facts.currency:
        return False
    return _value(rule.subject, facts) > rule.threshold


def _value(subject: Subject, facts: Facts) -> Decimal:
    if subject is Subject.DISCOUNT:
        cut = quote_prices.combined(first=facts.discount_rate, second=facts.renewal_cut_rate)
        return money.round_half_up(cut, 8)
    return Decimal(getattr(facts, subject.value))


def _cause(rule: Rule, facts: Facts) -> str:
    value, limit = _value(rule.subject, facts), rule.threshold
    match rule.subject:
        case Subject.DISCOUNT:
            cut = f" with the {_percent(facts.renewal_cut_rate)} of each renewal" if facts.renewal_cut_rate else ""
            return f"discount of {_percent(value)}{cut} is above {_percent(limit)}"
        case Subject.TERM:
            return f"term of {decimals.text(value)} months is above {decimals.text(limit)} months"
        case Subject.PAYMENT_TERM:
            return f"payment term of {decimals.text(value)} days is above {decimals.text(limit)} days"
        case Subject.TOTAL:
            return f"total of {_amount(value, facts.currency)} is above {_amount(limit, facts.currency)}"
        case Subject.FREE_CREDITS:
            given = _amount(value, facts.currency)
            return f"credits worth {given} given for nothing are above {_amount(limit, facts.currency)}"


def _percent(rate: Decimal) -> str:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return f"{decimals.text(money.round_half_up(rate * 100, 6))}%"


def _amount(value: Decimal, currency: str) -> str:
    return f"{money.quantize(value, currency=currency):,} {currency}"
