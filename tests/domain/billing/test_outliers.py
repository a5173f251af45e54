"""When an invoice is conspicuous, with the sentence that says why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import outliers
from billing.domain.outliers import Conspicuous, ItemUsage, Rule, RuleKind


def found(subtotal: str = "100", **values: Any) -> Conspicuous:
    amount = Decimal(subtotal)
    return Conspicuous(**{"currency": "EUR", "subtotal": amount, "total": amount, **values})


def usage(now: str, *before: str) -> tuple[ItemUsage, ...]:
    return (ItemUsage("Calls", Decimal(now), tuple(Decimal(one) for one in before)),)


TRIPLE = Rule("3x", RuleKind.TIMES_MORE, factor=Decimal(3))
HALF = Rule("half", RuleKind.TIMES_LESS, factor=Decimal("0.5"))
ABOVE = Rule("above", RuleKind.ABOVE_AMOUNT, amount=Decimal(99), currency="EUR")
OFF = Rule("off", RuleKind.OFF_CONTRACT, factor=Decimal("0.1"))
TAX, NEGATIVE, ZERO, ORDER = (
    Rule(kind.value, kind)
    for kind in (RuleKind.NEW_TAX, RuleKind.NEGATIVE, RuleKind.ZERO_USAGE, RuleKind.NO_PURCHASE_ORDER)
)


@pytest.mark.parametrize(
    ("rule", "invoice", "says"),
    [
        (TRIPLE, found("100", previous=Decimal(30)), "100.00 EUR is 3.3 times last period's 30.00 EUR."),
        (TRIPLE, found("90", previous=Decimal(30)), ""),
        (TRIPLE, found("100"), ""),
        (TRIPLE, found("100", previous=Decimal(0)), ""),
        (HALF, found("40", previous=Decimal(100)), "40.00 EUR is 40 % of last period's 100.00 EUR."),
        (HALF, found("50", previous=Decimal(100)), ""),
        (NEGATIVE, found("-5"), "-5.00 EUR is negative."),
        (NEGATIVE, found("0"), ""),
        (
            ZERO,
            found(usage=usage("0", "5", "4.5", "1")),
            "No usage where there was some in each of the last 3 periods: Calls (5 / 4.5 / 1).",
        ),
        (ZERO, found(usage=usage("0", "5", "0", "1")), ""),
        (ZERO, found(usage=usage("0", "5", "4")), ""),
        (ZERO, found(usage=usage("1", "5", "4", "1")), ""),
        (
            TAX,
            found(taxes=frozenset({"no tax"}), previous_taxes=frozenset({"VAT 19 %"})),
            "Taxed as no tax, last period as VAT 19 %.",
        ),
        (TAX, found(taxes=frozenset({"no tax"}), previous_taxes=frozenset({"no tax"})), ""),
        (TAX, found(taxes=frozenset({"no tax"})), ""),
        (ORDER, found(usual_purchase_order="PO-1"), "No purchase order number; PO-1 was there before."),
        (ORDER, found(usual_purchase_order="PO-1", purchase_order="PO-2"), ""),
        (ABOVE, found("99.01"), "99.01 EUR is above 99.00 EUR."),
        (ABOVE, found("99"), ""),
        (ABOVE, found("500", currency="USD"), ""),
        (OFF, found(expected=Decimal(100), recurring=Decimal("89.99")), "89.99 EUR recurring, 100.00 EUR are agreed."),
        (OFF, found(expected=Decimal(100), recurring=Decimal(90)), ""),
        (OFF, found(recurring=Decimal(90)), ""),
    ],
)
def test_a_rule_says_why(rule: Rule, invoice: Conspicuous, says: str) -> None:
    told = outliers.flags(rules=[rule], found=invoice)

    assert [flag.says for flag in told] == ([says] if says else [])
    assert all((flag.rule, flag.kind) == (rule.name, rule.kind) for flag in told)


def test_every_kind_has_its_check_and_rules_are_told_in_their_order() -> None:
    rules = [Rule(kind.value, kind) for kind in RuleKind]

    assert outliers.flags(rules=rules, found=found("1")) == []
    assert [flag.rule for flag in outliers.flags(rules=[ABOVE, TRIPLE], found=found("100", previous=Decimal(1)))] == [
        "above",
        "3x",
    ]
