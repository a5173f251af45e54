"""Why recurring revenue changed: customers over months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import retention, revenue_movements
from billing.domain.revenue_movements import History, Movement, Paces

MONTHS = tuple(date(2026, month, 1) for month in range(1, 7))


def paces(*histories: History, months: int = 6) -> Paces:
    return Paces(MONTHS[:months], histories)


def steady(amount: str, customers: int) -> History:
    return History(100, {"EUR": [Decimal(amount)] * 6}, customers=customers)


def eur(key: int, *amounts: str | int, was_known: bool = False) -> History:
    return History(key, {"EUR": [Decimal(one) for one in amounts]}, was_known=was_known)


def amounts(values: Mapping[str, str | int]) -> dict[str, Decimal]:
    return {code: Decimal(value) for code, value in values.items()}


@pytest.mark.parametrize(
    ("before", "after", "was_known", "expected"),
    [
        ({}, {"EUR": 10}, False, {"EUR": Movement.NEW}),
        ({}, {"EUR": 10}, True, {"EUR": Movement.REACTIVATION}),
        ({"EUR": 10}, {"EUR": 12}, True, {"EUR": Movement.EXPANSION}),
        ({"EUR": 12}, {"EUR": 10}, True, {"EUR": Movement.CONTRACTION}),
        ({"EUR": 10}, {}, True, {"EUR": Movement.CHURN}),
        ({"EUR": 10}, {"EUR": 10}, True, {}),
        ({}, {}, False, {}),
        # all of it goes to another currency: neither churn nor new
        ({"EUR": 10}, {"USD": 11}, True, {"EUR": Movement.MOVED, "USD": Movement.MOVED}),
        # a part of it goes
        ({"EUR": 10}, {"EUR": 4, "USD": 7}, True, {"EUR": Movement.MOVED, "USD": Movement.MOVED}),
        # bought more, in another currency
        ({"EUR": 10}, {"EUR": 10, "USD": 7}, True, {"USD": Movement.EXPANSION}),
        # gave one of two up
        ({"EUR": 10, "USD": 7}, {"EUR": 10}, True, {"USD": Movement.CONTRACTION}),
        # both were there and both are: one more, the other less
        ({"EUR": 10, "USD": 7}, {"EUR": 12, "USD": 5}, True, {"EUR": Movement.EXPANSION, "USD": Movement.CONTRACTION}),
        ({}, {"EUR": 10, "USD": 7}, False, {"EUR": Movement.NEW, "USD": Movement.NEW}),
        ({"EUR": 10, "USD": 7}, {}, True, {"EUR": Movement.CHURN, "USD": Movement.CHURN}),
    ],
)
def test_a_movement(
    before: dict[str, int], after: dict[str, int], was_known: bool, expected: dict[str, Movement]
) -> None:
    found = revenue_movements.between(before=amounts(before), after=amounts(after), was_known=was_known)
    assert found == expected


def test_a_life_of_one_customer() -> None:
    """New, more, less, gone, and back; a steady company beside it."""
    found = revenue_movements.by_month(paces(eur(1, 0, 100, 150, 120, 0, 80), steady("250", 4)), currency="EUR")

    assert [(one.month.month, str(one.start.amount), str(one.end.amount)) for one in found] == [
        (2, "1000.00", "1100.00"),
        (3, "1100.00", "1150.00"),
        (4, "1150.00", "1120.00"),
        (5, "1120.00", "1000.00"),
        (6, "1000.00", "1080.00"),
    ]
    kinds = [{kind.value: str(part.amount) for kind, part in one.movements.items() if part} for one in found]
    assert kinds == [
        {"new": "100.00"},
        {"expansion": "50.00"},
        {"contraction": "-30.00"},
        {"churn": "-120.00"},
        {"reactivation": "80.00"},
    ]
    assert [(one.customers_start, one.customers_end) for one in found] == [(4, 5), (5, 5), (5, 5), (5, 4), (4, 5)]


def test_who_was_known_before_the_first_month_comes_back() -> None:
    found = revenue_movements.by_month(paces(eur(1, 0, 50, was_known=True), months=2), currency="EUR")
    assert found[0].movements[Movement.REACTIVATION].amount == 50
    assert not found[0].movements[Movement.NEW]


def test_cents_of_yearly_plans() -> None:
    """100.00 / 12 = 8.333…: two begin, the end is 16.67 rounded once, and the movement says so."""
    third = Decimal(100) / 12
    [month] = revenue_movements.by_month(
        Paces(MONTHS[:2], (History(1, {"EUR": [Decimal(0), third]}), History(2, {"EUR": [Decimal(0), third]}))),
        currency="EUR",
    )
    assert (month.start.amount, month.end.amount) == (0, Decimal("16.67"))
    assert month.movements[Movement.NEW].amount == Decimal("16.67")


def test_retention_of_three_customers() -> None:
    """100 → 130, 50 → 20, 40 → 0; a new one with 500 does not count.

    Net (130 + 20) / 190, gross (100 + 20) / 190, one of three lost.
    """
    found = retention.by_month(
        paces(eur(1, 100, 130), eur(2, 50, 20), eur(3, 40, 0), eur(4, 0, 500), months=2), currency="EUR", back=1
    )
    [one] = found
    assert (one.before.amount, one.after.amount, one.kept.amount) == (190, 150, 120)
    assert one.net is not None
    assert abs(one.net - Decimal(150) / 190) < Decimal("1e-20")
    assert (one.customers, one.lost) == (3, 1)
    assert one.churn is not None
    assert abs(one.churn * 3 - 1) < Decimal("1e-20")


def test_who_moves_to_another_currency_is_in_no_retention() -> None:
    moved = History(1, amounts_of({"EUR": (100, 0), "USD": (0, 110)}))
    stays = eur(2, 10, 10)
    [euro] = retention.by_month(paces(moved, stays, months=2), currency="EUR", back=1)
    [dollar] = retention.by_month(paces(moved, stays, months=2), currency="USD", back=1)
    assert (euro.before.amount, euro.after.amount, euro.customers, euro.lost) == (10, 10, 1, 0)
    assert (dollar.net, dollar.gross, dollar.churn) == (None, None, None)


def test_who_gives_up_one_of_two_currencies_is_not_lost() -> None:
    both = History(1, amounts_of({"EUR": (100, 0), "USD": (50, 50)}))
    [euro] = retention.by_month(paces(both, months=2), currency="EUR", back=1)
    assert (euro.before.amount, euro.after.amount, euro.customers, euro.lost) == (100, 0, 1, 0)


def amounts_of(values: Mapping[str, tuple[int, ...]]) -> dict[str, list[Decimal]]:
    return {code: [Decimal(one) for one in own] for code, own in values.items()}


AMOUNTS = st.lists(st.one_of(st.just(Decimal(0)), st.decimals(0, 1000, places=6)), min_size=6, max_size=6)
HISTORIES = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(["EUR", "USD", "JPY"]), AMOUNTS, max_size=3), st.booleans()), max_size=8
)


@settings(max_examples=80, deadline=None)
@given(HISTORIES)
def test_start_and_movements_come_to_the_end(given_histories: list[tuple[dict[str, list[Decimal]], bool]]) -> None:
    """To the cent, month by month; the ends chain; and nobody is new twice."""
    all_paces = paces(
        *(History(key, own, was_known=known) for key, (own, known) in enumerate(given_histories)),
        steady("11.111111", 3),
    )
    moved = list(revenue_movements.moved(all_paces))
    begun = [(one.customer_id, one.month) for one in moved if one.movement is Movement.NEW]
    assert len({customer for customer, _ in begun}) == len(set(begun))
    for currency in all_paces.currencies():
        months = revenue_movements.by_month(all_paces, currency=currency)
        for one in months:
            assert one.start + sum(one.movements.values(), one.start - one.start) == one.end
            assert all(one.movements[kind].amount >= 0 for kind in (Movement.NEW, Movement.EXPANSION))
            assert all(one.movements[kind].amount <= 0 for kind in (Movement.CHURN, Movement.CONTRACTION))
            assert one.customers_end - one.customers_start == _came(moved, one.month, currency)
        assert [one.end for one in months[:-1]] == [one.start for one in months[1:]]


def _came(moved: list[revenue_movements.Moved], month: date, currency: str) -> int:
    own = [one for one in moved if one.month == month and one.currency == currency]
    return sum(not one.before for one in own) - sum(not one.after for one in own)


@settings(max_examples=50, deadline=None)
@given(HISTORIES)
def test_taking_customers_with_the_same_history_together_changes_nothing(
    given_histories: list[tuple[dict[str, list[Decimal]], bool]],
) -> None:
    """Each of them stands for one customer more than the one before."""
    together = paces(
        *(History(key, own, was_known=known, customers=key + 1) for key, (own, known) in enumerate(given_histories)),
        steady("2", 3),
    )
    alone = paces(*(replace(one, customers=1) for one in together.histories for _ in range(one.customers)))
    assert revenue_movements.by_month(alone, currency="EUR") == revenue_movements.by_month(together, currency="EUR")
    for back in (1, 3):
        found = retention.by_month(alone, currency="EUR", back=back)
        assert found == retention.by_month(together, currency="EUR", back=back)
        for one in found:
            assert one.kept <= one.before
            assert one.kept <= one.after
            assert 0 <= one.lost <= one.customers
