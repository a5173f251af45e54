"""Drawing prepaid credit: the order, the limits of each credit, and nothing beyond what is due."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import money
from invoicing.domain import prepaid
from invoicing.domain.prepaid import Credit, Owed

JANUARY, DECEMBER = date(2026, 1, 1), date(2026, 12, 31)


def eur(amount: str | int) -> Money:
    return Money(amount, "EUR")


def credit(number: int, left: str, *groups: str, priority: int = 0, last: date = DECEMBER) -> Credit:
    return Credit(number, eur(left), JANUARY, last, frozenset(groups), priority)


def owed(group: str, gross: str, day: date = JANUARY) -> Owed:
    return Owed(group, day, eur(gross))


def test_the_order_is_priority_then_expiry_then_age() -> None:
    soon = date(2026, 6, 30)
    pool = [
        credit(1, "1"),
        credit(2, "1", last=soon),
        credit(3, "1", last=soon),
        credit(4, "1", priority=1, last=JANUARY),
    ]

    assert [one.id for one in prepaid.in_order(pool)] == [2, 3, 1, 4]


@pytest.mark.parametrize(
    ("due", "lines", "pool", "drawn"),
    [
        # More credit than is due: the rest stays.
        ("119", [owed("a", "119")], [credit(1, "500")], ["119"]),
        # Less: the rest is due.
        ("119", [owed("a", "119")], [credit(1, "100")], ["100"]),
        # The second one pays what the first one left: 119 - 100.
        ("119", [owed("a", "119")], [credit(1, "100"), credit(2, "50")], ["100", "19"]),
        # Only the lines of its group.
        ("150", [owed("a", "100"), owed("b", "50")], [credit(1, "500", "b")], ["50"]),
        ("150", [owed("a", "100"), owed("b", "50")], [credit(1, "500", "c")], ["0"]),
        # Only service that begins in its days, both ends included.
        (
            "30",
            [owed("a", "10", date(2025, 12, 31)), owed("a", "10", DECEMBER), owed("a", "10", date(2027, 1, 1))],
            [credit(1, "500")],
            ["10"],
        ),
        # The free one pays what the restricted one may not, so that this still finds its 50: 100 of a, then 50 of b.
        ("150", [owed("b", "50"), owed("a", "100")], [credit(1, "100"), credit(2, "80", "b")], ["100", "50"]),
        # 40 were paid by a credit note: they are counted on a, which no restricted credit may pay.
        ("110", [owed("b", "50"), owed("a", "100")], [credit(1, "80", "b")], ["50"]),
        # 120 were paid: 20 of them have to be b's, 50 - 20.
        ("30", [owed("b", "50"), owed("a", "100")], [credit(1, "80", "b")], ["30"]),
        ("0", [owed("a", "100")], [credit(1, "80")], ["0"]),
        ("100", [], [credit(1, "80")], ["0"]),
    ],
)
def test_what_each_credit_pays(due: str, lines: list[Owed], pool: list[Credit], drawn: list[str]) -> None:
    assert prepaid.draw(due=eur(due), owed=lines, pool=pool) == [eur(amount) for amount in drawn]


def test_a_difference_of_rounding_is_the_largest_line_s() -> None:
    # Three lines of 0.125 tax each round to 0.13; the invoice's tax is 0.375, 0.38: a cent less than 0.39.
    rows = [owed("a", "1.13"), owed("b", "1.13"), owed("c", "2.13")]

    levelled = prepaid.levelled(owed=rows, gross=eur("4.38"))

    assert [one.gross for one in levelled] == [eur("1.13"), eur("1.13"), eur("2.12")]


def test_a_line_below_nothing_lowers_what_may_be_drawn() -> None:
    rows = prepaid.levelled(owed=[owed("a", "100"), owed("b", "-30")], gross=eur("70"))

    assert [one.gross for one in rows] == [eur("100"), eur("0")]
    assert prepaid.draw(due=eur("70"), owed=rows, pool=[credit(1, "500")]) == [eur("70")]


def test_nothing_is_levelled_where_there_is_nothing() -> None:
    assert prepaid.levelled(owed=[], gross=money.zero("EUR")) == []


cents = st.integers(0, 100_000).map(lambda minor: money.from_minor(minor, "EUR"))
groups = st.sampled_from(["a", "b", "c"])
days = st.dates(date(2025, 12, 1), date(2026, 3, 1))
lines = st.lists(st.builds(Owed, groups, days, cents), max_size=6)
credits_ = st.lists(
    st.builds(
        Credit,
        id=st.integers(1, 9),
        left=cents,
        first=st.just(JANUARY),
        last=st.sampled_from([date(2026, 1, 31), DECEMBER]),
        groups=st.frozensets(groups, max_size=2),
        priority=st.integers(0, 2),
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)


@settings(max_examples=80)
@given(lines=lines, pool=credits_, share=st.integers(0, 100))
def test_nothing_is_overdrawn(lines: list[Owed], pool: list[Credit], share: int) -> None:
    gross = sum((one.gross for one in lines), money.zero("EUR"))
    due = money.from_minor(money.to_minor(gross) * share // 100, "EUR")

    drawn = prepaid.draw(due=due, owed=lines, pool=pool)

    assert len(drawn) == len(pool)
    assert sum(drawn, money.zero("EUR")) <= due
    for one, amount in zip(pool, drawn, strict=True):
        assert money.zero("EUR") <= amount <= one.left
        assert amount <= sum((row.gross for row in lines if one.pays(row)), money.zero("EUR"))


@settings(max_examples=80)
@given(lines=lines, pool=credits_)
def test_free_credit_is_drawn_until_it_or_the_invoice_is_used_up(lines: list[Owed], pool: list[Credit]) -> None:
    lines = [Owed(one.group, JANUARY, one.gross) for one in lines]
    free = [Credit(one.id, one.left, one.first, one.last, frozenset(), one.priority) for one in pool]
    due = sum((one.gross for one in lines), money.zero("EUR"))
    have = sum((one.left for one in free), money.zero("EUR"))

    drawn = prepaid.draw(due=due, owed=lines, pool=prepaid.in_order(free))

    assert sum(drawn, money.zero("EUR")) == min(due, have)
