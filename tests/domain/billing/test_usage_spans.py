"""Days, weeks and months that usage is told of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import usage_spans
from billing.domain.usage_spans import Granularity, Span
from config.kernel import errors

DAILY, WEEKLY, MONTHLY = Granularity


@pytest.mark.parametrize(
    ("granularity", "first", "last", "expected"),
    [
        (DAILY, "2026-05-30", "2026-06-01", ["05-30/05-30", "05-31/05-31", "06-01/06-01"]),
        # 6 May 2026 is a Wednesday: weeks begin on Mondays, and the first one is cut
        (WEEKLY, "2026-05-06", "2026-05-19", ["05-06/05-10", "05-11/05-17", "05-18/05-19"]),
        (MONTHLY, "2026-01-31", "2026-03-01", ["01-31/01-31", "02-01/02-28", "03-01/03-01"]),
    ],
)
def test_spans(granularity: Granularity, first: str, last: str, expected: list[str]) -> None:
    found = usage_spans.spans(first=date.fromisoformat(first), last=date.fromisoformat(last), granularity=granularity)
    assert [f"{span.first:%m-%d}/{span.last:%m-%d}" for span in found] == expected


@pytest.mark.parametrize(
    ("granularity", "start"), [(DAILY, "2026-05-02"), (WEEKLY, "2026-03-09"), (MONTHLY, "2025-06-01")]
)
def test_the_usual_start(granularity: Granularity, start: str) -> None:
    found = usage_spans.usual_start(last=date(2026, 5, 31), granularity=granularity)
    assert found == date.fromisoformat(start)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 900), st.sampled_from(list(Granularity)))
def test_spans_tile_the_days(first: date, days: int, granularity: Granularity) -> None:
    last = first + timedelta(days=days)
    found = usage_spans.spans(first=first, last=last, granularity=granularity)
    told = [span.first + timedelta(days=day) for span in found for day in range((span.last - span.first).days + 1)]
    assert told == [first + timedelta(days=day) for day in range(days + 1)]


@pytest.mark.parametrize(
    ("last", "code"), [(date(2026, 4, 30), "invalid_date_range"), (date(2029, 5, 1), "value_is_out_of_range")]
)
def test_days_that_are_refused(last: date, code: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        usage_spans.spans(first=date(2026, 5, 1), last=last, granularity=DAILY)
    assert refused.value.details == {"from_date": [code]}


def test_a_span_of_one_day() -> None:
    assert usage_spans.spans(first=date(2026, 5, 1), last=date(2026, 5, 1), granularity=MONTHLY) == [
        Span(date(2026, 5, 1), date(2026, 5, 1))
    ]
