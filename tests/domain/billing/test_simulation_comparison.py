"""Comparing plans: buckets, sums over many contracts, the largest changes, and what the reader is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import simulation_comparison, simulation_remarks
from billing.domain.rating import ItemKind
from billing.domain.simulation import Frame, Played, PlayedLine, PlayedPeriod
from billing.domain.simulation_comparison import MOVERS, Bucket, Outcome, Summary


def played(fee: str, **usage: str) -> Played:
    """Return a contract in May with a fee and the usage of some metrics."""
    lines = [PlayedLine(ItemKind.SUBSCRIPTION, "plan", "Plan", Decimal(1), 0, Money(fee, "EUR"))]
    lines += [
        PlayedLine(ItemKind.CHARGE, code, code, Decimal(10), 10, Money(amount, "EUR"), metric_code=code)
        for code, amount in usage.items()
    ]
    return Played("EUR", (PlayedPeriod(date(2026, 5, 1), date(2026, 5, 31), tuple(lines)),))


def outcome(own: str, other: str, name: str = "sub") -> Outcome:
    """Return a compared contract of two fees."""
    return Outcome(name, "acme", "Acme", "A", "monthly", played(own), played(other))


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ("100", "100", Bucket.SAME),
        ("0", "0", Bucket.SAME),
        ("0", "1", Bucket.NEW),
        ("100", "110", Bucket.SLIGHTLY_MORE),  # the bound belongs to the smaller change
        ("100", "110.01", Bucket.MORE),
        ("100", "150", Bucket.MORE),
        ("100", "150.01", Bucket.MUCH_MORE),
        ("100", "99.99", Bucket.SLIGHTLY_LESS),
        ("100", "50", Bucket.LESS),
        ("100", "0", Bucket.MUCH_LESS),
    ],
)
def test_buckets(own: str, other: str, expected: Bucket) -> None:
    assert simulation_comparison.bucket(outcome(own, other)) is expected


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=30))
def test_sums_are_those_of_the_contracts(fees: list[tuple[int, int]]) -> None:
    summary = Summary("EUR", is_compared=True)
    outcomes = [outcome(str(own), str(other), f"sub-{number}") for number, (own, other) in enumerate(fees)]
    for one in outcomes:
        summary.add(one)

    assert summary.contracts == len(fees) == sum(summary.buckets.values())
    assert summary.total.own == sum(own for own, _ in fees)
    assert summary.total.difference == sum(other - own for own, other in fees)
    assert summary.winners == sum(other < own for own, other in fees)
    assert summary.losers == sum(other > own for own, other in fees)
    largest = sorted((abs(other - own) for own, other in fees if own != other), reverse=True)[:MOVERS]
    assert [abs(one.difference) for one in summary.movers] == largest


def test_items_are_told_apart_and_metrics_that_only_one_plan_prices_are_named() -> None:
    own, other = played("10", requests="5", egress="2"), played("20", requests="4", seats="3")
    missing = simulation_comparison.unpriced(own, priced=frozenset({"requests", "seats"}))
    added = simulation_comparison.unpriced(other, priced=frozenset({"requests", "egress"}))
    assert (missing, added) == ((("egress", Decimal(2)),), (("seats", Decimal(3)),))

    summary = Summary("EUR", is_compared=True)
    summary.add(Outcome("sub", "acme", "Acme", "A", "monthly", own, other, missing=missing, added=added))
    summary.add(Outcome("sub-2", "b", "B", "A", "monthly", own, left_out="of its currency"))

    assert {code: (pair.own, pair.other) for (_, code), pair in summary.items.items()} == {
        "": (10, 20),
        "requests": (5, 4),
        "egress": (2, 0),
        "seats": (0, 3),
    }
    assert summary.contracts == 1
    remarks = simulation_remarks.of(
        summaries=[summary],
        frame=Frame(date(2026, 5, 1), date(2026, 6, 1)),
        today=date(2026, 5, 20),
        supposed=[],
        billed=[],
        plans=[("A", "monthly"), ("Year", "yearly")],
    )
    assert remarks == [
        "The time is not over: usage that is still to come is missing on every plan.",
        (
            "A period of Year is 12 months, longer than the time played. Its fee counts whole in the month in which "
            "the period starts, and not at all if that is before."
        ),
        "The other plan has no price for egress: usage that comes to 2.00 EUR on the own plan would cost nothing.",
        "Only the other plan has a price for seats: it comes to 3.00 EUR.",
        "1 contract is left out: of its currency.",
    ]


def test_nothing_played_is_said() -> None:
    told = simulation_remarks.of(
        summaries=[],
        frame=Frame(date(2026, 5, 1), date(2026, 6, 1)),
        today=date(2026, 5, 20),
        supposed=["m"],
        billed=[],
        plans=[],
    )
    assert told == ["No contract ran in this time."]
