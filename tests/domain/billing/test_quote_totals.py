"""Totals of quotes: phases fill the term, totals are sums of lines, discounts never raise a price."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import quote_prices, quote_snapshots, quote_totals
from billing.domain.quote_figures import PricedCoupon, PricedCredits, PricedOneOff, PricedPhase, Stretch, Totals
from billing.domain.quote_prices import PlanPrices, UnitPrices, UsagePrices
from billing.domain.quote_values import QuoteItem, QuotePhase


def plan(
    fee: str = "1000", *, seats: str = "", interval: str = "monthly", currency: str = "EUR", **values: Any
) -> PlanPrices:
    """Return the prices of a plan, with seats of 10 a piece where there are some."""
    fixed = (
        (UnitPrices("k1", "seat", "Seats", Decimal(seats), "standard", {"amount": "10"}, interval),) if seats else ()
    )
    return PlanPrices("p", "Plan", 1, currency, interval, Decimal(fee), fixed=fixed, **values)


def phase(
    listed: PlanPrices,
    quoted: PlanPrices | None = None,
    *,
    months: str = "12",
    start: str = "0",
    rate: str = "0",
    **values: Any,
) -> PricedPhase:
    """Return a phase of a product."""
    stretch = Stretch(values.pop("item", 0), values.pop("place", 0), Decimal(start), Decimal(months))
    agreed = values.pop("agreed", listed)
    return PricedPhase(stretch, "sub", "Plan", listed, agreed, quoted or listed, Decimal(rate), **values)


def sums(*phases: PricedPhase, months: str = "12", currency: str = "EUR", **values: Any) -> Totals:
    """Sum phases up."""
    return quote_totals.totals(currency=currency, term_months=Decimal(months), phases=phases, **values)


@pytest.mark.parametrize(
    ("prices", "months", "monthly", "total", "first_year"),
    [
        # 1,000.00 a month for 24 months
        (plan(), "24", "1000.00", "24000.00", "12000.00"),
        # 100.00 a year is 8.33 a month; half a year of it is 50.00
        (plan("100", interval="yearly"), "6", "8.33", "50.00", "50.00"),
        # 100.00 a quarter: 33.33; 5 months are 100 × 5 / 3 = 166.666…
        (plan("100", interval="quarterly"), "5", "33.33", "166.67", "166.67"),
        # 7.00 a week: 7 × 30.44 / 7 = 30.44 a month
        (plan("7", interval="weekly"), "12", "30.44", "365.28", "365.28"),
        # 1,000.00 and 15 × 10.00
        (plan(seats="15"), "12", "1150.00", "13800.00", "13800.00"),
        # 30.44 days of trial are one month: 11 × 1,000.00
        (plan(trial_days=Decimal("30.44")), "12", "1000.00", "11000.00", "11000.00"),
    ],
)
def test_what_a_plan_comes_to(prices: PlanPrices, months: str, monthly: str, total: str, first_year: str) -> None:
    found = sums(phase(prices, months=months), months=months)

    assert (found.recurring_amount, found.total_amount, found.first_year_amount) == (
        Decimal(monthly),
        Decimal(total),
        Decimal(first_year),
    )
    assert found.discount_rate == 0


@pytest.mark.parametrize(("currency", "fee", "amount"), [("JPY", "1000.5", "1001"), ("BHD", "1.0005", "1.001")])
def test_amounts_are_rounded_to_the_currency(currency: str, fee: str, amount: str) -> None:
    found = sums(phase(plan(fee, currency=currency), months="1"), months="1", currency=currency)

    assert found.total_amount == Decimal(amount)


def test_a_ramp_has_steps() -> None:
    full = plan()
    found = sums(
        phase(full, replace(full, fee=Decimal(500)), months="6", rate="0.5"),
        phase(full, months="18", start="6", place=1),
        phase(plan("200"), months="12", start="12", item=1),
        months="24",
    )

    assert [(step.from_month, step.monthly_amount) for step in found.steps] == [(0, 500), (6, 1000), (12, 1200)]
    # 6 × 500 + 18 × 1,000 + 12 × 200; of the first year 6 × 500 + 6 × 1,000
    assert (found.total_amount, found.first_year_amount) == (Decimal(23400), Decimal(9000))
    # 3,000 of 26,400
    assert (found.list_total_amount, found.discount_rate) == (Decimal(26400), Decimal("0.11363636"))
    assert found.deepest_discount_rate == Decimal("0.5")


def test_what_is_sold_once_counts_once() -> None:
    found = sums(
        phase(plan()),
        one_offs=[PricedOneOff("setup", "Setup", Decimal(2), Decimal(100), Decimal(90), Decimal("0.1"))],
        wallets=[PricedCredits("Credits", Decimal(10), Decimal(5), Decimal("1.5"))],
    )

    # 2 × 90 × 0.9 = 162.00; 10 × 1.5 paid, 5 × 1.5 given
    assert (found.one_off_amount, found.credits_amount, found.free_credits_amount) == (162, 15, Decimal("7.5"))
    assert found.total_amount == Decimal("12177.00")
    # 90 % of 90 % of the price
    assert found.deepest_discount_rate == Decimal("0.19")


USAGE = UsagePrices("u1", "calls", "Calls", "Calls", "standard", {"amount": "0.10"}, "monthly")


@pytest.mark.parametrize(
    ("listed", "agreed", "rate", "scope", "deepest"),
    [
        (plan(), plan(), "0.25", "fee", "0.25"),
        # A lower fee and a discount on top: 1 − 0.9 × 0.75
        (plan(), plan("900"), "0.25", "fee", "0.325"),
        # A higher fee does not hide a discount of what is agreed.
        (plan(), plan("1500"), "0.25", "fee", "0.25"),
        # Half a year without a fee is half of it.
        (plan(), plan(trial_days=Decimal("182.64")), "0", "fee", "0.5"),
        (plan(usage=(USAGE,)), plan(usage=(replace(USAGE, properties={"amount": "0.06"}),)), "0", "fee", "0.4"),
        (plan("0", usage=(USAGE,)), plan("0", usage=(USAGE,)), "0.3", "all", "0.3"),
        (plan("0", usage=(USAGE,)), plan("0", usage=(USAGE,)), "0.3", "fee", "0"),
        (plan("0", seats="5"), plan("0", seats="5"), "0.2", "all", "0.2"),
        # More usage for nothing: 10,000 units at 0.10 with 1,000 free are a tenth less, one unit is free.
        (
            plan(usage=(USAGE,)),
            plan(
                usage=(
                    replace(
                        USAGE, model="package", properties={"amount": "10", "package_size": 100, "free_units": 1000}
                    ),
                )
            ),
            "0",
            "fee",
            "1",
        ),
    ],
)
def test_the_deepest_discount(listed: PlanPrices, agreed: PlanPrices, rate: str, scope: str, deepest: str) -> None:
    found = quote_prices.deepest_discount(
        listed=listed, agreed=agreed, rate=Decimal(rate), scope=scope, months=Decimal(12)
    )

    assert found == Decimal(deepest)


@pytest.mark.parametrize(
    ("coupon", "deepest"),
    [
        (PricedCoupon("c", "C", Decimal("0.4"), None, "forever"), "0.4"),
        # 3 × 400 of 12,000
        (PricedCoupon("c", "C", None, Decimal(400), "recurring", 3), "0.1"),
    ],
)
def test_coupons_are_discounts(coupon: PricedCoupon, deepest: str) -> None:
    assert sums(phase(plan()), coupons=[coupon]).deepest_discount_rate == Decimal(deepest)


def test_many_small_discounts_are_as_deep_as_one() -> None:
    twice = [PricedCoupon(code, "C", Decimal("0.2"), None, "once") for code in ("a", "b")]

    found = sums(phase(plan(), rate="0.2"), coupons=twice)

    # 1 − 0.8 × 0.8 × 0.8
    assert found.deepest_discount_rate == Decimal("0.488")


def test_what_a_product_costs_before_counts_once() -> None:
    now, later = plan(), replace(plan(), fee=Decimal(800))

    found = sums(
        phase(now, later, months="6", start="1", before=now),
        phase(later, months="6", start="7", item=1, before=later),
    )

    assert (found.before_recurring_amount, found.recurring_amount) == (Decimal(1000), Decimal(800))


@pytest.mark.parametrize(
    ("first", "after", "months"),
    [
        (date(2026, 1, 1), date(2027, 1, 1), "12"),
        (date(2026, 1, 31), date(2026, 2, 28), "1"),
        # 16 of February's 28 days
        (date(2026, 2, 13), date(2026, 3, 1), str(Decimal(16) / 28)),
        (date(2026, 5, 1), date(2026, 5, 1), "0"),
    ],
)
def test_months_between_days(first: date, after: date, months: str) -> None:
    assert abs(quote_totals.months_between(first=first, after=after) - Decimal(months)) < Decimal("1e-20")


ITEMS = st.lists(
    st.builds(
        lambda offset, steps: QuoteItem(
            starts_after_months=offset,
            phases=tuple(QuotePhase("p", after_months=months) for months in sorted({0, *steps})),
        ),
        st.integers(0, 11),
        st.lists(st.integers(1, 40), max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@given(ITEMS, st.integers(12, 36))
def test_phases_tile_the_term(items: list[QuoteItem], term: int) -> None:
    found = quote_totals.stretches(items=items, term_months=term)

    for number, item in enumerate(items):
        mine = [one for one in found if one.item == number]
        living = [one for one in mine if one.months]
        assert sum(one.months for one in mine) == term - item.starts_after_months
        for before, later in itertools.pairwise(living):
            assert before.from_month + before.months == later.from_month


FEES = st.decimals(min_value=0, max_value=10**6, places=2)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(FEES, st.decimals(0, 1, places=4), st.integers(1, 24), st.integers(0, 500)), min_size=1, max_size=4
    ),
    st.sampled_from(["weekly", "monthly", "quarterly", "yearly"]),
)
def test_totals_are_sums_and_discounts_lower(rows: list[Any], interval: str) -> None:
    phases = []
    for number, (fee, rate, months, seats) in enumerate(rows):
        listed = plan(str(fee), seats=str(seats), interval=interval)
        quoted = replace(listed, fee=fee * (1 - rate))
        phases.append(phase(listed, quoted, months=str(months), rate=str(rate), item=number))

    found = sums(*phases, months="24")

    assert found.total_amount == sum(line.total for one in found.phases for line in one.lines)
    assert found.list_total_amount == sum(line.list_total for one in found.phases for line in one.lines)
    assert all(one.total == sum(line.total for line in one.lines) for one in found.phases)
    assert all(line.amount <= line.list_amount for one in found.phases for line in one.lines)
    assert found.total_amount <= found.list_total_amount
    assert found.first_year_amount <= found.total_amount
    assert 0 <= found.discount_rate <= found.deepest_discount_rate + Decimal("0.01") or found.total_amount < 10
    assert quote_snapshots.read(quote_snapshots.written(found)) == found
