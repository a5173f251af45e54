"""The least that a charge costs, and what brings it there."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import minimums, rating, trace, worked_sum
from billing.domain.contract import FilterFacts
from billing.domain.minimums import Minimum
from billing.domain.proration import Share
from catalog.domain.pricing.models import ChargeModel
from config.kernel import money
from tests.domain.billing import contracts

D = Decimal
FILTERS = [FilterFacts(id=1, properties={"amount": "1"}, values={"status": ["200"]})]


def rate_charge(amount: str, days: int = 31, **changed: Any) -> list[rating.RatedItem]:
    minimum = Minimum(D(amount), Share(days, 31))
    return rating.rate(contracts.contract(charges=[contracts.charge(minimum=minimum, **changed)]))


@pytest.mark.parametrize(
    ("days", "used", "expected"),
    [
        (31, "50.00", "50.00"),  # 100 - 50
        (31, "100.00", "0"),
        (31, "100.01", "0"),
        (17, "50.00", "4.84"),  # 100 / 31 x 17 = 54.8387..., less 50
        (15, "50.00", "0"),  # 48.387... is reached
    ],
)
def test_what_is_missing(days: int, used: str, expected: str) -> None:
    missing = minimums.missing(minimum=Minimum(D(100), Share(days, 31)), used=D(used))
    assert missing.quantize(D("0.01")) == D(expected)


@given(
    amount=st.decimals(0, 10**6, places=2),
    days=st.integers(0, 31),
    used=st.decimals(0, 10**6, places=2),
)
def test_usage_and_what_is_missing_reach_the_minimum_and_no_more(amount: D, days: int, used: D) -> None:
    minimum = Minimum(amount, Share(days, 31))
    missing = minimums.missing(minimum=minimum, used=used)
    assert missing >= 0
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        assert used + missing == max(used, minimum.due)


def test_a_charge_below_its_minimum_is_topped_up() -> None:
    own, fine, missing = rate_charge(
        "100", filters=FILTERS, usage=[contracts.usage(1, "1000"), contracts.usage(1, "5", filter_id=1)]
    )
    assert [item.amount for item in (own, fine)] == [Money(10, "EUR"), Money(5, "EUR")]
    assert (missing.amount, missing.units, missing.events_count) == (Money(85, "EUR"), 1, 0)
    assert (missing.is_true_up, own.is_true_up, missing.filter_id) == (True, False, None)
    assert missing.name == "Requests – True-up"


def test_a_charge_at_its_minimum_is_not_topped_up() -> None:
    items = rate_charge("10", usage=[contracts.usage(1, "1000")])
    assert [item.is_true_up for item in items] == [False]


def test_without_usage_the_minimum_tops_up_an_item_of_nothing() -> None:
    own, missing = rate_charge("10", days=17, filters=FILTERS)
    assert (own.is_empty, own.filter_id) == (True, None)
    assert missing.amount == Money("5.48", "EUR")  # 10 / 31 x 17 = 5.4838...


def test_a_minimum_is_of_all_groups_together() -> None:
    raw = {"amount": "1", "pricing_group_keys": ["region"]}
    usage = [contracts.usage(1, "4", group={"region": name}) for name in ("eu", "us")]
    items = rate_charge("10", model=ChargeModel.STANDARD, properties=raw, usage=usage)
    assert [(dict(item.group), item.amount.amount) for item in items] == [
        ({"region": "eu"}, 4),
        ({"region": "us"}, 4),
        ({}, 2),
    ]


def test_the_trace_tells_how_much_was_missing() -> None:
    (_, missing) = rate_charge("100", days=17, usage=[contracts.usage(1, "1000")])
    assert trace.verify(missing.trace)
    assert trace.recompute(missing.trace) == D("44.84")  # 54.8387... - 10
    assert trace.recompute({**missing.trace, "inputs": {**missing.trace["inputs"], "used": "0"}}) == D("54.84")
    told = [(line.label, line.formula, line.result) for line in worked_sum.sentences(missing.trace)]
    assert told == [
        (worked_sum.MINIMUM, "100 × 17 / 31", "54.8387096774…"),
        (worked_sum.BILLED, "", "-10"),
        (worked_sum.TOTAL, "54.8387096774… − 10", "44.8387096774…"),
        (worked_sum.ROUNDED, "44.8387096774…", "44.84 EUR"),
    ]
