"""Which usage thresholds are passed, how far the next ones are, and which lines take off what was billed before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import progressive
from billing.domain.progressive import Completion, Reached, Threshold

AT = datetime(2026, 5, 4, tzinfo=UTC)
EARLIER = datetime(2026, 5, 1, tzinfo=UTC)


def threshold(cents: int, *, recurring: bool = False) -> Threshold:
    return Threshold(UUID(int=cents + (10**12 if recurring else 0)), cents, recurring)


def thresholds(*fixed: int, step: int | None = None) -> list[Threshold]:
    return [threshold(cents) for cents in fixed] + ([] if step is None else [threshold(step, recurring=True)])


def passed(found: Sequence[Threshold], invoiced: int, new: int) -> list[int]:
    return [one.amount_cents for one in progressive.passed(thresholds=found, invoiced=invoiced, new=new)]


def eur(amount: str | int) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("fixed", "step", "invoiced", "new", "expected"),
    [
        ((200,), None, 0, 199, []),
        ((200,), None, 0, 200, [200]),  # reached is passed
        ((200,), None, 200, 500, []),  # passed before
        ((200, 500, 700), None, 0, 600, [200, 500]),
        ((700, 200, 500), None, 199, 501, [200, 500, 700]),  # their order does not matter
        ((200,), None, 100, 0, []),
        ((200,), None, 300, -200, []),
        # Below the highest fixed one the step begins there: 700 + 1000.
        ((200, 500, 700), 1000, 660, 220, [700]),  # 880 - 700 = 180
        ((200, 500, 700), 1000, 660, 1040, [700, 1000]),  # 1700 - 700 = 1000
        # From there on the next multiple of the step, from nothing: 880 % 1000 + 2200 >= 1000.
        ((200, 500, 700), 1000, 880, 2200, [1000]),
        ((200, 500, 700), 1000, 880, 119, []),
        ((200, 500, 700), 1000, 880, 120, [1000]),
        ((), 1000, 0, 999, []),
        ((), 1000, 0, 1000, [1000]),
        ((), 1000, 0, 5000, [1000]),  # once, whatever the number of steps
        ((), 1000, 5280, 719, []),  # 280 + 719 = 999
        ((), None, 0, 10**12, []),
    ],
)
def test_what_is_passed(fixed: tuple[int, ...], step: int | None, invoiced: int, new: int, expected: list[int]) -> None:
    assert passed(thresholds(*fixed, step=step), invoiced, new) == expected


@settings(max_examples=200, deadline=None)
@given(
    fixed=st.sets(st.integers(1, 3000), min_size=1, max_size=6),
    moves=st.lists(st.integers(0, 800), max_size=12),
)
def test_steps_pass_what_one_move_passes_and_nothing_twice(fixed: set[int], moves: list[int]) -> None:
    found = thresholds(*sorted(fixed))
    level, seen = 0, []
    for move in moves:
        now = passed(found, level, move)
        seen += now
        # What passes nothing is not billed: the level stays where it was billed last.
        level += move
    assert seen == passed(found, 0, sum(moves))
    assert len(seen) == len(set(seen))


@settings(max_examples=200, deadline=None)
@given(
    fixed=st.sets(st.integers(1, 3000), max_size=4),
    step=st.integers(1, 500),
    moves=st.lists(st.integers(0, 800), max_size=12),
)
def test_a_level_that_is_billed_only_when_passed_loses_no_threshold(
    fixed: set[int], step: int, moves: list[int]
) -> None:
    """The way it is used: what passes nothing waits, and counts with what comes next."""
    found = thresholds(*sorted(fixed), step=step)
    billed = total = 0
    fixed_seen: list[int] = []
    for move in moves:
        total += move
        now = progressive.passed(thresholds=found, invoiced=billed, new=total - billed)
        fixed_seen += [one.amount_cents for one in now if not one.recurring]
        if now:
            billed = total
    assert fixed_seen == sorted(cents for cents in fixed if cents <= total)
    # What is not billed is less than a step, once the fixed ones are passed.
    if total >= max(fixed, default=0) and billed >= max(fixed, default=0):
        assert total - billed < step


def test_how_far_it_is() -> None:
    found = thresholds(200, 500, 900)
    reached = [Reached(found[0].key, 220, EARLIER), Reached(found[0].key, 240, AT)]
    # 500 is a quarter on: (275 - 200) / (500 - 200)
    assert progressive.completions(thresholds=found, total=275, reached=reached, at=AT) == (
        Completion(200, Decimal(1), EARLIER),
        Completion(500, Decimal("0.25")),
        Completion(900, Decimal(0)),
    )


def test_a_recurring_one_is_told_by_its_steps() -> None:
    found = thresholds(200, step=100)
    reached = [Reached(found[1].key, 310, EARLIER)]
    assert progressive.completions(thresholds=found, total=440, reached=reached, at=AT) == (
        Completion(200, Decimal(1), AT),  # passed without a record: seen now
        Completion(300, Decimal(1), EARLIER),
        Completion(400, Decimal(1), AT),
        Completion(500, Decimal("0.4")),  # (440 - 400) / 100
    )
    below = progressive.completions(thresholds=found, total=150, reached=[], at=AT)
    assert below == (Completion(200, Decimal("0.75")), Completion(300, Decimal(0)))


def test_of_very_many_steps_the_last_are_told() -> None:
    found = progressive.completions(thresholds=thresholds(step=1), total=10**9, reached=[], at=AT)
    assert len(found) == progressive.MAX_STEPS + 1
    assert (found[-2].amount_cents, found[-1]) == (10**9, Completion(10**9 + 1, Decimal(0)))


def test_usage_below_nothing_is_nothing() -> None:
    assert progressive.completions(thresholds=thresholds(100, step=50), total=-5, reached=[], at=AT) == (
        Completion(100, Decimal(0)),
        Completion(150, Decimal(0)),
    )


@pytest.mark.parametrize(
    ("credit", "amounts", "billed", "expected"),
    [
        # Each takes off what was billed of it.
        ("30", ["20", "40"], ["10", "20"], ["10", "20"]),
        # One came to less: 100 were billed of it, 80 are there; the rest goes to the others.
        ("100", ["80", "50"], ["100", "0"], ["80", "20"]),
        # A part was given back before: in shares of what was billed.
        ("15", ["20", "40"], ["10", "20"], ["5", "10"]),
        ("0", ["20"], ["10"], ["0"]),
        # A line that was not billed before, and one below nothing.
        ("10", ["10", "-5"], ["10", "3"], ["10", "0"]),
    ],
)
def test_lines_take_off_what_was_billed(
    credit: str, amounts: list[str], billed: list[str], expected: list[str]
) -> None:
    found = progressive.shares(
        credit=eur(credit), amounts=[eur(one) for one in amounts], billed=[eur(one) for one in billed]
    )
    assert found == [eur(one) for one in expected]


def test_no_more_than_the_lines_come_to() -> None:
    with pytest.raises(ValueError, match="come to less"):
        progressive.shares(credit=eur(11), amounts=[eur(10)], billed=[eur(20)])


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8),
    part=st.integers(0, 100),
)
def test_the_parts_make_the_whole_and_fit_their_lines(lines: list[tuple[int, int]], part: int) -> None:
    amounts = [eur(Decimal(amount) / 100) for amount, _ in lines]
    billed = [eur(Decimal(before) / 100) for _, before in lines]
    credit = eur(Decimal(sum(amount for amount, _ in lines) * part // 100) / 100)
    found = progressive.shares(credit=credit, amounts=amounts, billed=billed)
    assert sum(found, eur(0)) == credit
    assert all(eur(0) <= share <= amount for share, amount in zip(found, amounts, strict=True))


def test_what_goes_beyond_the_same_charges_is_left() -> None:
    charged = {"a": eur(80), "b": eur(50)}
    assert progressive.limited(billed=eur(100), charged=charged, charges=["a"]) == (eur(80), eur(20))
    assert progressive.limited(billed=eur(100), charged=charged, charges=["a", "b", "a"]) == (eur(100), eur(0))
    assert progressive.limited(billed=eur(100), charged={}, charges=["a"]) == (eur(0), eur(100))
