"""Differences by cause: tables with their arithmetic, and causes that sum to the difference whatever changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import bill_differences
from billing.domain.bill_differences import BilledLine, BilledSums, Cause, Comparison


def line(minor: int, units: str = "1", **values: Any) -> BilledLine:
    given: dict[str, Any] = {"subscription": "sub", "key": "fee", "kind": "subscription", "price": "p", **values}
    return BilledLine(
        item_code="pro", label="Pro", units=Decimal(units), unit_amount=Decimal(0), amount_minor=minor, **given
    )


def compare(now: list[BilledLine], before: list[BilledLine], **sums: Any) -> Comparison:
    return bill_differences.compare(
        now=now,
        before=before,
        sums_now=sums.get("sums_now", BilledSums()),
        sums_before=sums.get("sums_before", BilledSums()),
        continuing=sums.get("continuing", ()),
    )


@pytest.mark.parametrize(
    ("now", "before", "causes"),
    [
        (line(3100), line(3100), {}),
        (line(3500, price="q"), line(3100), {"price": 400}),
        # 10 units at 0.10, now 15 of them
        (line(150, "15"), line(100, "10"), {"quantity": 50}),
        # 5 more units at the price of before, 0.10: 0.50; the other 1.50 are the price
        (line(300, "15", price="q"), line(100, "10"), {"price": 150, "quantity": 50}),
        # units from nothing have no price of before
        (line(300, "15", price="q"), line(0, "0"), {"quantity": 300}),
        # 17 of 31 days before, all of them now
        (line(3100, days=31, of_days=31), line(1700, days=17, of_days=31), {"proration": 1400}),
        # before 17 of 31 days of 31.00, now all days of 62.00: the price is told of the days of before
        (
            line(6200, days=31, of_days=31, price="q"),
            line(1700, days=17, of_days=31),
            {"price": 1700, "proration": 2800},
        ),
        (line(0, days=0, of_days=31), line(3100, days=31, of_days=31), {"proration": -3100}),
        # a given amount, with the same units and the same price list
        (line(120, "10"), line(100, "10"), {"price": 20}),
        (line(3100), line(2900, is_other_currency=True), {"currency": 3100}),
        (line(3100), None, {"new": 3100}),
        (None, line(3100), {"ended": -3100}),
        (None, line(3100, is_other_currency=True), {}),
    ],
)
def test_a_line_differs_by_its_causes(
    now: BilledLine | None, before: BilledLine | None, causes: dict[str, int]
) -> None:
    found = compare([now] if now else [], [before] if before else [])

    assert {cause.value: amount for cause, amount in found.causes.items()} == causes


@pytest.mark.parametrize(
    ("values", "continuing", "cause"),
    [
        ({"kind": "charge"}, ["sub"], Cause.QUANTITY),
        ({"kind": "charge"}, [], Cause.NEW),
        ({}, ["sub"], Cause.NEW),
    ],
)
def test_first_usage_of_a_subscription_that_runs_is_a_quantity(
    values: dict[str, Any], continuing: list[str], cause: Cause
) -> None:
    assert compare([line(100, **values)], [], continuing=continuing).causes == {cause: 100}


def test_what_is_below_the_lines_has_causes_of_its_own() -> None:
    # 100.00 − 10.00 discount = 90.00, 19 % tax 17.10, 7.10 credit: 100.00; before 80.00 with 15.20 tax: 95.20
    found = compare(
        [line(10000, "5")],
        [line(8000, "4")],
        sums_now=BilledSums(discount=1000, tax=1710, credits=710),
        sums_before=BilledSums(tax=1520),
    )

    assert found.causes == {Cause.QUANTITY: 2000, Cause.DISCOUNT: -1000, Cause.TAX: 190, Cause.CREDITS: -710}
    assert found.difference == 10000 - 9520


def test_lines_pair_by_subscription_and_item_in_their_order() -> None:
    now = [line(100, key="a"), line(200, key="a"), line(300, key="b"), line(50, key="a", subscription="other")]
    before = [line(100, key="a"), line(150, key="a", price="q"), line(70, key="c")]

    found = compare(now, before)

    told = [(one.now and one.now.amount_minor, one.before and one.before.amount_minor) for one in found.lines]
    assert told == [(100, 100), (200, 150), (300, None), (50, None), (None, 70)]
    assert found.causes == {Cause.PRICE: 50, Cause.NEW: 350, Cause.ENDED: -70}


_lines = st.lists(
    st.builds(
        line,
        st.integers(-(10**9), 10**9),
        st.decimals(0, 10**6, places=3).map(str),
        key=st.sampled_from("abc"),
        subscription=st.sampled_from(["s1", "s2"]),
        kind=st.sampled_from(["charge", "subscription"]),
        price=st.sampled_from("pq"),
        days=st.integers(0, 31),
        of_days=st.integers(28, 31),
        is_other_currency=st.just(False),
    ),
    max_size=6,
)
_sums = st.builds(BilledSums, *[st.integers(-(10**6), 10**6)] * 3)


@settings(max_examples=200, deadline=None)
@given(_lines, _lines, _sums, _sums)
def test_causes_sum_to_the_difference(
    now: list[BilledLine], before: list[BilledLine], sums_now: BilledSums, sums_before: BilledSums
) -> None:
    found = compare(now, before, sums_now=sums_now, sums_before=sums_before, continuing=["s1"])

    def total(lines: list[BilledLine], sums: BilledSums) -> int:
        return sum(one.amount_minor for one in lines) - sums.discount + sums.tax - sums.credits

    assert sum(found.causes.values()) == found.difference == total(now, sums_now) - total(before, sums_before)
    assert all(found.causes.values())
    for pair in found.lines:
        amounts = [one.amount_minor if one else 0 for one in (pair.now, pair.before)]
        assert pair.difference == amounts[0] - amounts[1]
