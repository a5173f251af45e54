"""Breakdowns: units by properties that are shown and do not price."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.domain import aggregation, breakdowns, rating
from billing.domain.aggregation import Sum
from billing.domain.contract import Breakdown, UsageFacts
from catalog.domain.rounding import Rounding, RoundingFunction
from tests.domain.billing import contracts


def part(team: str | None, total: str) -> Breakdown:
    return Breakdown({"team": team}, Sum(1, Decimal(total)))


def test_rows_are_in_the_order_of_their_values_and_missing_ones_last() -> None:
    usage = UsageFacts(Sum(3, Decimal(6)), breakdowns=(part(None, "1"), part("red", "2"), part("blue", "3")))
    assert breakdowns.shown(usage=usage) == (
        {"presentation_by": {"team": "blue"}, "units": "3"},
        {"presentation_by": {"team": "red"}, "units": "2"},
        {"presentation_by": {"team": None}, "units": "1"},
    )


def test_units_are_rounded_as_the_metric_says_and_never_below_nothing() -> None:
    usage = UsageFacts(Sum(2, Decimal(1)), breakdowns=(part("blue", "2.4"), part("red", "-1.4")))
    found = breakdowns.shown(usage=usage, rounding_rule=Rounding(RoundingFunction.CEIL, 0))
    assert [row["units"] for row in found] == ["3", "0"]


def test_parts_of_a_bucket_put_their_breakdowns_together() -> None:
    first = UsageFacts(Sum(1, Decimal(2)), breakdowns=(part("red", "2"),))
    second = UsageFacts(Sum(2, Decimal(5)), breakdowns=(part("red", "1"), part("blue", "4")))
    found = breakdowns.shown(usage=first.merged(second))
    assert [(row["presentation_by"]["team"], row["units"]) for row in found] == [("blue", "4"), ("red", "3")]


@given(totals=st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=5))
def test_a_breakdown_changes_neither_amount_nor_trace(totals: list[Decimal]) -> None:
    parts = tuple(part(str(number), format(total, "f")) for number, total in enumerate(totals))
    plain = contracts.usage(len(totals), format(sum(totals), "f"))
    broken = UsageFacts(plain.facts, breakdowns=parts)
    [without], [shown] = (
        rating.rate(contracts.contract(charges=[contracts.charge(usage=[one])])) for one in (plain, broken)
    )
    assert (shown.amount, shown.trace) == (without.amount, without.trace)
    assert sum(Decimal(str(row["units"])) for row in shown.breakdowns) == aggregation.value(plain.facts)
    assert without.breakdowns == ()
