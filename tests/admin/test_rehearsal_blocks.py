"""How a rehearsal is drawn: the way from last period to this run, the switch of currencies, signs and shares."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from moneyed import Money

from billing.admin import rehearsal_blocks, rehearsal_words
from billing.domain.bill_differences import Cause
from billing.queries.rehearsals import Sums
from config.kernel import money
from config.platform.admin.blocks import Head


def sums(previous: int, causes: dict[Cause, int], *, currency: str = "EUR", invoices: int = 1) -> Sums:
    """Sums in minor units."""

    def amount(minor: int) -> Money:
        return money.from_minor(minor, currency)

    total = previous + sum(causes.values())
    return Sums(
        currency=currency,
        invoices_count=invoices,
        flagged_count=0,
        subtotal=amount(total),
        tax=amount(0),
        total=amount(total),
        due=amount(total),
        previous=amount(previous),
        difference=amount(sum(causes.values())),
        expected=amount(0),
        causes={cause: amount(minor) for cause, minor in causes.items()},
    )


def steps(one: Sums) -> list[tuple[str, str, str]]:
    chart = rehearsal_blocks.waterfall(one)
    return [(label, *map(str, step)) for label, step in zip(chart.labels, chart.series[0].values, strict=True)]


@pytest.mark.parametrize(
    ("one", "drawn"),
    [
        (
            sums(10000, {Cause.PRICE: 500, Cause.ENDED: -2000}),
            [
                ("Before", "0", "100.00"),
                ("Price", "100.00", "105.00"),
                ("Ended", "105.00", "85.00"),
                ("Now", "0", "85.00"),
            ],
        ),
        (  # through nothing and below it
            sums(1000, {Cause.CREDITS: -1500}),
            [("Before", "0", "10.00"), ("Credits", "10.00", "-5.00"), ("Now", "0", "-5.00")],
        ),
        (sums(0, {}), [("Before", "0", "0.00"), ("Now", "0", "0.00")]),
        (
            sums(1000, {Cause.PRORATION: 1}, currency="JPY"),
            [("Before", "0", "1000"), ("Prorated", "1000", "1001"), ("Now", "0", "1001")],
        ),
    ],
)
def test_each_bar_begins_where_the_one_before_ended(one: Sums, drawn: list[tuple[str, str, str]]) -> None:
    assert steps(one) == drawn


@settings(max_examples=50, deadline=None)
@given(
    previous=some.integers(-(10**9), 10**9),
    causes=some.dictionaries(some.sampled_from(list(Cause)), some.integers(-(10**9), 10**9).filter(bool)),
)
def test_the_bars_are_a_way(previous: int, causes: dict[Cause, int]) -> None:
    one = sums(previous, causes)
    chart = rehearsal_blocks.waterfall(one)
    first, *between, last = chart.series[0].values
    at = first[1]
    for start, end in between:
        assert start == at
        at = end
    assert at == last[1] == one.total.amount
    assert len(chart.series[0].tones) == len(chart.labels)


def test_the_currency_with_the_most_invoices_comes_first_unless_another_is_asked_for() -> None:
    found = [sums(100, {}, invoices=1), sums(200, {}, currency="USD", invoices=9)]

    def head(currency: str) -> str:
        block = next(rehearsal_blocks.money_blocks(found, currency=currency))
        assert isinstance(block, Head)
        return block.text

    assert head("") == head("XXX") == "9 invoices in USD"
    assert head("EUR") == "1 invoice in EUR"
    assert list(rehearsal_blocks.money_blocks([], currency="EUR")) == []
    alone = list(rehearsal_blocks.money_blocks(found[:1], currency=""))
    assert not any(isinstance(block, Head) for block in alone)  # nothing to choose from


@pytest.mark.parametrize(
    ("amount", "text"),
    [("12.00", "+€12.00"), ("-3.50", "-€3.50"), ("0", "€0.00")],
)
def test_differences_have_their_sign(amount: str, text: str) -> None:
    assert rehearsal_words.signed_text(Money(Decimal(amount), "EUR")) == text


def test_causes_are_told_by_size_with_their_amounts() -> None:
    shown = rehearsal_words.causes({"tax": 19, "quantity": -100}, "EUR")
    assert shown.index("quantity -€1.00") < shown.index("tax +€0.19")
    assert "none" in rehearsal_words.causes({}, "EUR")


def test_what_people_wrote_is_escaped() -> None:
    assert "<b>" not in rehearsal_words.flags([{"says": "<b>3 times</b>", "rule": "x", "kind": "negative"}])
