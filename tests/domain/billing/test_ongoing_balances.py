"""Ongoing balances: what is open shares one budget, wallets take it in their order, and the last one may go below."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import ongoing_balances
from invoicing.domain.wallets import Bucket, Purse

AT = datetime(2026, 1, 1, tzinfo=UTC)


def eur(amount: str | int | Decimal) -> Money:
    return Money(amount, "EUR")


def nets(**amounts: str) -> dict[tuple[str, str, str], Money]:
    """Nets of the usage of metrics."""
    return {("charge", metric, ""): eur(amount) for metric, amount in amounts.items()}


def purse(number: int, left: str, metrics: str = "", kinds: str = "") -> Purse:
    return Purse(
        number,
        eur(left),
        50,
        AT + timedelta(days=number),
        f"w{number}",
        frozenset(kinds.split()),
        frozenset(metrics.split()),
    )


def usage(found: dict[int, Money]) -> dict[int, Decimal]:
    return {number: amount.amount for number, amount in found.items()}


@pytest.mark.parametrize(
    ("given_nets", "expected"),
    [
        ({}, []),
        ({"a": "10", "b": "20"}, [("b", "20"), ("a", "10")]),
        # 30 - 5 = 25 are open: the larger one asks for its 20 first, the other for what is left of the 25.
        ({"a": "10", "b": "20", "c": "-5"}, [("b", "20"), ("a", "5")]),
        # More was billed than is open of all.
        ({"a": "10", "c": "-15"}, []),
        ({"a": "0"}, []),
        # Of the same amount the first by name comes first.
        ({"b": "7", "a": "7", "c": "-7"}, [("a", "7")]),
    ],
)
def test_what_is_open_shares_what_is_open_of_all(given_nets: dict[str, str], expected: list[tuple[str, str]]) -> None:
    found = ongoing_balances.open_buckets(nets(**given_nets), currency="EUR")
    assert [(bucket.metric, bucket.asked) for bucket in found] == [(name, eur(amount)) for name, amount in expected]


@pytest.mark.parametrize(
    ("purses", "takes_all", "expected"),
    [
        # The first pays 30 of the 100, the last one all that remains, and goes below nothing.
        ([purse(1, "30"), purse(2, "20")], (), {1: 30, 2: 70}),
        ([purse(1, "30")], (), {1: 100}),
        # One that tops itself up takes everything, and the one after it nothing.
        ([purse(1, "30"), purse(2, "500")], (1,), {1: 100, 2: 0}),
        # For metric b (40) the second is the last; for metric a (60) it is the only one.
        ([purse(1, "30", metrics="b"), purse(2, "20")], (), {1: 30, 2: 70}),
        # Nobody pays metric a: its 60 are left out.
        ([purse(1, "30", metrics="b")], (), {1: 40}),
        ([purse(1, "30", metrics="c")], (), {1: 0}),
        ([purse(1, "30", kinds="charge")], (), {1: 100}),
        ([], (), {}),
    ],
)
def test_wallets_take_in_their_order(purses: list[Purse], takes_all: tuple[int, ...], expected: dict[int, int]) -> None:
    buckets = [Bucket("charge", "a", eur(60)), Bucket("charge", "b", eur(40))]
    found = ongoing_balances.cascade(buckets, purses=purses, takes_all=takes_all)
    assert usage(found) == {number: Decimal(amount) for number, amount in expected.items()}


def test_a_targeted_bucket_is_its_wallets() -> None:
    buckets = [Bucket("charge", "a", eur(60), target="w2")]
    found = ongoing_balances.cascade(buckets, purses=[purse(1, "100"), purse(2, "10")])
    assert usage(found) == {1: Decimal(0), 2: Decimal(60)}


def test_credits_of_usage_are_cut_off() -> None:
    # 1.00 / 0.3 = 3.33333...; 20 credits are worth 6.00.
    found = ongoing_balances.ongoing(eur(1), balance=eur(6), credits_balance=Decimal(20), rate=Decimal("0.3"))
    assert (found.credits_usage, found.credits_balance) == (Decimal("3.33333"), Decimal("16.66667"))
    assert (found.balance, found.is_depleted) == (eur(5), False)


@pytest.mark.parametrize(("used", "depleted"), [("5.99", False), ("6", True), ("7", True)])
def test_nothing_left_is_depleted(used: str, depleted: bool) -> None:
    found = ongoing_balances.ongoing(eur(used), balance=eur(6), credits_balance=Decimal(6), rate=Decimal(1))
    assert found.is_depleted is depleted


cents = st.integers(min_value=-50_000, max_value=50_000).map(lambda number: eur(Decimal(number) / 100))


@given(
    amounts=st.dictionaries(st.sampled_from("abcdef"), cents, max_size=6),
    left=st.lists(st.integers(min_value=0, max_value=30_000), min_size=1, max_size=4),
    refilled=st.sets(st.integers(min_value=0, max_value=3)),
)
def test_all_that_is_open_is_taken_once(amounts: dict[str, Money], left: list[int], refilled: set[int]) -> None:
    whole = {("charge", metric, ""): amount for metric, amount in amounts.items()}
    buckets = ongoing_balances.open_buckets(whole, currency="EUR")
    purses = [purse(number, str(Decimal(cent) / 100)) for number, cent in enumerate(left)]
    found = ongoing_balances.cascade(buckets, purses=purses, takes_all=refilled)
    total = sum((amount.amount for amount in amounts.values()), Decimal(0))
    assert sum(usage(found).values()) == max(total, Decimal(0))
    assert all(bucket.asked <= whole[bucket.kind, bucket.metric, ""] for bucket in buckets)
    # Only one that tops itself up, or the last, goes below nothing.
    below = [one.id for one in purses if found[one.id] > one.left]
    assert set(below) <= refilled | {purses[-1].id}
