"""Wallets: credits follow rounded money, wallets pay in their order, grants are used in theirs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import money
from invoicing.domain import wallets
from invoicing.domain.wallets import Bucket, Grant, InvalidCredits, Purse

AT = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def eur(amount: str | Decimal) -> Money:
    return Money(amount, "EUR")


def purse(number: int, left: str, *kinds: str, metrics: str = "", priority: int = 50, code: str = "") -> Purse:
    return Purse(number, eur(left), priority, AT + number * DAY, code, frozenset(kinds), frozenset(metrics.split()))


def bucket(asked: str, kind: str = "charge", metric: str = "", target: str = "") -> Bucket:
    return Bucket(kind, metric, eur(asked), target)


def grant(number: int, amount: str, *, purchased: str = "0", rate: str = "1", **values: object) -> Grant:
    given = eur(amount)
    content = {
        "id": number,
        "credits": wallets.credits_of(given, rate=Decimal(rate)),
        "amount": given,
        "purchased": eur(purchased),
        "priority": 50,
        "is_purchased": purchased != "0",
        "created_at": AT + number * DAY,
    }
    return Grant(**{**content, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quantity", "rate", "currency", "bought", "amount"),
    [
        ("17.9699999999999988631316", "1", "EUR", "17.97", "17.97"),
        ("10", "1", "EUR", "10", "10.00"),
        # 3 x 0.333 = 0.999 -> 1.00; 1.00 / 0.333 = 3.003003...
        ("3", "0.333", "EUR", "3.00300", "1.00"),
        # 2.5 x 10 = 25; the yen has no decimals, and 0.55 x 10 = 5.5 -> 6.
        ("2.5", "10", "JPY", "2.5", "25"),
        ("0.55", "10", "JPY", "0.6", "6"),
        # The dinar has three.
        ("1.2345", "1", "BHD", "1.235", "1.235"),
    ],
)
def test_credits_follow_their_rounded_money(quantity: str, rate: str, currency: str, bought: str, amount: str) -> None:
    assert wallets.worth(Decimal(quantity), rate=Decimal(rate), currency=currency, field="paid_credits") == (
        Decimal(bought),
        Money(amount, currency),
    )


def test_credits_that_come_to_nothing_are_refused() -> None:
    with pytest.raises(InvalidCredits) as caught:
        wallets.worth(Decimal("0.004"), rate=Decimal(1), currency="EUR", field="granted_credits")

    assert caught.value.details == {"granted_credits": ["amount_rounds_to_zero"]}


@pytest.mark.parametrize(
    ("amount", "code"),
    [("9.99", "amount_below_minimum"), ("10", None), ("50", None), ("50.01", "amount_above_maximum")],
)
def test_a_purchase_keeps_to_the_limits(amount: str, code: str | None) -> None:
    if code is None:
        wallets.demand_limits(eur(amount), least=eur("10"), most=eur("50"))
        wallets.demand_limits(eur(amount), least=None, most=None)
        return
    with pytest.raises(InvalidCredits, match="than") as caught:
        wallets.demand_limits(eur(amount), least=eur("10"), most=eur("50"))
    assert (caught.value.code, caught.value.details) == (code, {"paid_credits": [code]})


def test_the_order_is_priority_then_age() -> None:
    pool = [purse(3, "1"), purse(1, "1"), purse(2, "1", priority=1)]

    assert [one.id for one in wallets.in_order(pool)] == [2, 1, 3]


@pytest.mark.parametrize(
    ("asked", "due", "found"),
    [
        # 10.126 -> 10.13 and 5.001 -> 5.00: a cent too much, taken off the largest.
        ({"a": "5.001", "b": "10.126"}, "15.12", [("b", "10.12"), ("a", "5.00")]),
        ({"a": "1.004", "b": "1.004", "c": "1.004"}, "3.01", [("a", "1.01"), ("b", "1.00"), ("c", "1.00")]),
        # Nothing asks less than nothing.
        ({"a": "-1", "b": "3"}, "2.00", [("b", "2.00"), ("a", "0.00")]),
        ({}, "2.00", []),
    ],
)
def test_what_is_asked_sums_to_what_is_due(asked: dict[str, str], due: str, found: list[tuple[str, str]]) -> None:
    exact = {("charge", metric, ""): Decimal(amount) for metric, amount in asked.items()}

    rows = wallets.buckets(exact, due=eur(due))

    assert [(row.metric, row.asked) for row in rows] == [(metric, eur(amount)) for metric, amount in found]


@pytest.mark.parametrize(
    ("due", "asked", "purses", "paid"),
    [
        # More than is due: the rest stays. Less: the rest is due.
        ("119", [bucket("119")], [purse(1, "500")], ["119"]),
        ("119", [bucket("119")], [purse(1, "100")], ["100"]),
        ("119", [bucket("119")], [purse(1, "100"), purse(2, "50")], ["100", "19"]),
        # By kind of line, or by metric: either is enough.
        ("150", [bucket("100", "subscription"), bucket("50", metric="c1")], [purse(1, "500", "subscription")], ["100"]),
        ("150", [bucket("100", "subscription"), bucket("50", metric="c1")], [purse(1, "500", metrics="c1 c2")], ["50"]),
        (
            "150",
            [bucket("100", "subscription"), bucket("50", metric="c1")],
            [purse(1, "500", "subscription", metrics="c1")],
            ["150"],
        ),
        ("50", [bucket("50", metric="c3")], [purse(1, "500", metrics="c1 c2")], ["0"]),
        # The restricted one pays first here; the free one pays what is left.
        (
            "150",
            [bucket("100", "subscription"), bucket("50", metric="c1")],
            [purse(1, "30", metrics="c1"), purse(2, "500")],
            ["30", "120"],
        ),
        # Only the wallet that the usage names pays it, whatever its restrictions.
        (
            "50",
            [bucket("50", metric="c1", target="gpu")],
            [purse(1, "500"), purse(2, "20", "fixed_charge", code="gpu")],
            ["0", "20"],
        ),
        # No more than is due, though the lines ask more.
        ("30", [bucket("100")], [purse(1, "500")], ["30"]),
        ("100", [], [purse(1, "80")], ["0"]),
    ],
)
def test_what_each_wallet_pays(due: str, asked: list[Bucket], purses: list[Purse], paid: list[str]) -> None:
    assert wallets.allocate(due=eur(due), asked=asked, purses=purses) == [eur(amount) for amount in paid]


CENTS = st.integers(0, 50_000).map(lambda minor: money.from_minor(minor, "EUR"))
ASKED = st.lists(st.tuples(st.sampled_from(["charge", "subscription"]), st.sampled_from("ab"), CENTS), max_size=4)
PURSES = st.lists(
    st.tuples(CENTS, st.sets(st.sampled_from(["charge", "subscription"])), st.sets(st.sampled_from("ab"))), max_size=4
)


@given(asked=ASKED, pool=PURSES, due=CENTS)
@settings(max_examples=150, deadline=None)
def test_nobody_pays_more_than_it_has_or_may(
    asked: list[tuple[str, str, Money]], pool: list[tuple[Money, set[str], set[str]]], due: Money
) -> None:
    rows = [Bucket(kind, metric, amount) for kind, metric, amount in asked]
    purses = [
        Purse(number, left, 50, AT, "", frozenset(kinds), frozenset(metrics))
        for number, (left, kinds, metrics) in enumerate(pool)
    ]

    paid = wallets.allocate(due=due, asked=rows, purses=purses)

    assert sum((amount.amount for amount in paid), Decimal(0)) <= due.amount
    for one, amount in zip(purses, paid, strict=True):
        may = sum((row.asked.amount for row in rows if one.pays(row)), Decimal(0))
        assert 0 <= amount.amount <= min(one.left.amount, may)


@pytest.mark.parametrize(
    ("amount", "grants", "taken"),
    [
        # Given before bought, then the oldest.
        ("60", [grant(1, "50", purchased="50"), grant(2, "30"), grant(3, "30")], [(2, "30", "0"), (3, "30", "0")]),
        ("70", [grant(1, "50", purchased="50"), grant(2, "30")], [(2, "30", "0"), (1, "40", "40")]),
        # A priority goes before that.
        ("60", [grant(1, "50", purchased="50", priority=1), grant(2, "30")], [(1, "50", "50"), (2, "10", "0")]),
        # Given back money that was paid for in part: the given part of it goes first, 30 of 40, then 5 of 10.
        ("35", [grant(1, "40", purchased="10", is_purchased=False)], [(1, "35", "5")]),
        ("0", [grant(1, "40")], []),
    ],
)
def test_which_credits_are_used(amount: str, grants: list[Grant], taken: list[tuple[int, str, str]]) -> None:
    parts = wallets.consume(eur(amount), grants=grants, rate=Decimal(1))

    assert [(part.grant_id, part.amount, part.purchased) for part in parts] == [
        (number, eur(part), eur(purchased)) for number, part, purchased in taken
    ]


def test_more_than_there_is_is_refused() -> None:
    with pytest.raises(InvalidCredits) as caught:
        wallets.consume(eur("30.01"), grants=[grant(1, "30")], rate=Decimal(1))

    assert caught.value.code == "insufficient_credits"


@given(
    rate=st.decimals("0.001", "30", places=3),
    bought=st.lists(st.integers(1, 9999), min_size=1, max_size=4),
    draws=st.lists(st.integers(1, 3000), max_size=8),
)
@settings(max_examples=150, deadline=None)
def test_credits_and_money_end_together(rate: Decimal, bought: list[int], draws: list[int]) -> None:
    grants = {
        number: Grant(number, wallets.credits_of(amount, rate=rate), amount, amount, 50, True, AT)
        for number, amount in enumerate(money.from_minor(minor, "EUR") for minor in bought)
    }

    for minor in [*draws, sum(bought)]:
        left = sum((one.amount.amount for one in grants.values()), Decimal(0))
        amount = min(money.from_minor(minor, "EUR"), eur(left))
        parts = wallets.consume(amount, grants=grants.values(), rate=rate)
        assert sum((part.amount.amount for part in parts), Decimal(0)) == amount.amount
        for part in parts:
            one = grants[part.grant_id]
            assert 0 <= part.credits <= one.credits
            grants[one.id] = Grant(
                one.id,
                one.credits - part.credits,
                one.amount - part.amount,
                one.purchased - part.purchased,
                50,
                True,
                AT,
            )

    assert {(one.credits, one.amount.amount, one.purchased.amount) for one in grants.values()} == {(0, 0, 0)}
    assert wallets.all_of(grants.values()) == []
