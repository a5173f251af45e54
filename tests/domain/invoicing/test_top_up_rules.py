"""Rules that top up wallets: when a threshold is reached, how many credits lack, on which days an interval is due."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain import top_up_rules
from invoicing.domain.top_up_rules import InvalidRule, Limits, Terms, Wanted

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
WEEKLY = {"trigger": "interval", "interval": "weekly"}


def terms(**values: Any) -> Terms:
    numbers = ("paid", "granted", "threshold", "target")
    found = {name: Decimal(value) if name in numbers else value for name, value in values.items()}
    return Terms(**{"trigger": "threshold", **found})


@pytest.mark.parametrize(
    ("ongoing", "pending", "fires"),
    [("101", "0", False), ("100", "0", True), ("-5", "0", True), ("90", "10", True), ("90", "11", False)],
)
def test_what_is_bought_and_not_paid_counts(ongoing: str, pending: str, fires: bool) -> None:
    found = top_up_rules.falls(terms(threshold=100), ongoing=Decimal(ongoing), pending=Decimal(pending))
    assert found is fires


@pytest.mark.parametrize(
    ("values", "ongoing", "pending", "limits", "expected"),
    [
        # The gap of 5 is less than one purchase of 20.
        ({"paid": 20, "threshold": 100}, "95", "0", (None, None), (20, 0)),
        # Gap 20: one more than it takes, 20 x (1 + 1).
        ({"paid": 20, "threshold": 100}, "80", "0", (None, None), (40, 0)),
        # Gap 150: 20 x (7 + 1).
        ({"paid": 20, "threshold": 100}, "-50", "0", (None, None), (160, 0)),
        # What is given and what waits for its payment fill the gap first: 150 - 10 - 100 = 40, 20 x (2 + 1).
        ({"paid": 20, "granted": 10, "threshold": 100}, "-50", "100", (None, None), (60, 10)),
        # The largest purchase is respected, but never makes it less than what was agreed on.
        ({"paid": 20, "threshold": 100}, "-50", "0", (None, "50"), (50, 0)),
        ({"paid": 20, "threshold": 100}, "-50", "0", (None, "5"), (20, 0)),
        ({"granted": 7, "threshold": 100}, "-50", "0", (None, None), (0, 7)),
        # Up to a target: what lacks, within the limits of a purchase.
        ({"method": "target", "target": 200, "threshold": 100}, "80", "0", (None, None), (120, 0)),
        ({"method": "target", "target": 200, "threshold": 100}, "80", "0", ("150", None), (150, 0)),
        ({"method": "target", "target": 200, "threshold": 100}, "80", "0", (None, "60"), (60, 0)),
        ({"method": "target", "target": 200, "grants_target": True}, "80", "0", ("150", None), (0, 120)),
        ({"method": "target", "target": 200, **WEEKLY}, "250", "0", ("9", None), (0, 0)),
        # By interval the same each time, whatever is left.
        ({"paid": 20, "granted": 3, **WEEKLY}, "-500", "0", (None, None), (20, 3)),
    ],
)  # fmt: skip
def test_what_lacks(
    values: dict[str, Any],
    ongoing: str,
    pending: str,
    limits: tuple[str | None, str | None],
    expected: tuple[int, int],
) -> None:
    least, most = (None if one is None else Decimal(one) for one in limits)
    found = top_up_rules.wanted(
        terms(**values), ongoing=Decimal(ongoing), pending=Decimal(pending), limits=Limits(least, most)
    )
    assert found == Wanted(Decimal(expected[0]), Decimal(expected[1]))


@pytest.mark.parametrize(
    ("interval", "anchor", "today", "due"),
    [
        # A Wednesday; the next ones.
        ("weekly", "2026-01-07", "2026-01-13", "2026-01-07"),
        ("weekly", "2026-01-07", "2026-01-14", "2026-01-14"),
        ("monthly", "2026-01-07", "2026-02-06", "2026-01-07"),
        ("monthly", "2026-01-07", "2026-02-07", "2026-02-07"),
        # The 31st falls on the last day, and comes back.
        ("monthly", "2026-01-31", "2026-02-27", "2026-01-31"),
        ("monthly", "2026-01-31", "2026-02-28", "2026-02-28"),
        ("monthly", "2026-01-31", "2026-03-30", "2026-02-28"),
        ("monthly", "2026-01-31", "2026-03-31", "2026-03-31"),
        ("quarterly", "2025-11-30", "2026-02-28", "2026-02-28"),
        ("quarterly", "2025-11-30", "2026-02-27", "2025-11-30"),
        ("semiannual", "2025-11-15", "2026-05-15", "2026-05-15"),
        ("semiannual", "2025-11-15", "2026-05-14", "2025-11-15"),
        ("yearly", "2024-02-29", "2026-02-27", "2025-02-28"),
        ("yearly", "2024-02-29", "2028-02-29", "2028-02-29"),
        # It starts later.
        ("monthly", "2026-06-01", "2026-05-31", None),
    ],
)
def test_days_of_intervals(interval: str, anchor: str, today: str, due: str | None) -> None:
    start = date.fromisoformat(anchor)
    found = top_up_rules.due_day(interval, anchor=start, first=start, today=date.fromisoformat(today))
    assert found == (None if due is None else date.fromisoformat(due))


@pytest.mark.parametrize(
    ("started", "first"),
    [(None, "2026-01-11"), ("2026-01-10", "2026-01-10"), ("2026-02-01", "2026-02-01"), ("2025-12-01", "2026-01-11")],
)
def test_a_rule_is_not_due_on_the_day_it_is_made_unless_it_says_so(started: str | None, first: str) -> None:
    start = None if started is None else date.fromisoformat(started)
    assert top_up_rules.first_day(created=date(2026, 1, 10), started=start) == date.fromisoformat(first)


@pytest.mark.parametrize(
    "values",
    [
        {"trigger": "sometimes", "paid": 1},
        {"method": "guess", "paid": 1},
        {"trigger": "interval", "paid": 1},
        {"trigger": "interval", "interval": "daily", "paid": 1},
        {"interval": "weekly", "paid": 1},
        {"threshold": 10},
        {"paid": -1, "threshold": 10},
        {"paid": "1e15"},
        {"method": "target"},
        {"method": "target", "target": 10, "threshold": 10},
    ],
)
def test_rules_that_are_none(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRule) as refused:
        top_up_rules.demand_good(terms(**values))
    assert refused.value.details == {"recurring_transaction_rules": ["invalid_recurring_rule"]}


@pytest.mark.parametrize(("minutes", "suspicious"), [((0, 5, 9), True), ((0, 5, 10), False), ((0, 1), False)])
def test_three_within_ten_minutes_are_suspicious(minutes: tuple[int, ...], suspicious: bool) -> None:
    fired = [AT - timedelta(minutes=one) for one in minutes]
    assert top_up_rules.is_burst(fired, at=AT) is suspicious


@given(
    paid=st.integers(1, 500),
    granted=st.integers(0, 500),
    threshold=st.integers(0, 1000),
    ongoing=st.integers(-2000, 1000),
    pending=st.integers(0, 1000),
)
def test_a_purchase_gets_above_the_threshold_and_the_same_fall_fires_once(
    paid: int, granted: int, threshold: int, ongoing: int, pending: int
) -> None:
    rule = terms(paid=paid, granted=granted, threshold=threshold)
    left, waits = Decimal(ongoing), Decimal(pending)
    if not top_up_rules.falls(rule, ongoing=left, pending=waits):
        return
    found = top_up_rules.wanted(rule, ongoing=left, pending=waits, limits=Limits())
    assert found.paid % paid == 0
    assert not top_up_rules.falls(rule, ongoing=left + found.granted, pending=waits + found.paid)


@given(
    anchor=st.dates(date(2020, 1, 1), date(2024, 12, 31)),
    days=st.integers(0, 1500),
    interval=st.sampled_from(["weekly", *top_up_rules.MONTHS]),
)
def test_a_day_is_due_until_the_next_one_comes(anchor: date, days: int, interval: str) -> None:
    today = anchor + timedelta(days=days)
    due = top_up_rules.due_day(interval, anchor=anchor, first=anchor, today=today)
    assert due is not None
    assert anchor <= due <= today
    assert top_up_rules.due_day(interval, anchor=anchor, first=anchor, today=due) == due
