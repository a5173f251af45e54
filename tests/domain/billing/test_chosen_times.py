"""Chosen times: reading them, and which days can be meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from billing.domain import chosen_times, plan_changes
from billing.domain.chosen_times import ChosenTime, Timing
from billing.domain.terms import InvalidTerms
from tests.domain.billing import schedules


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("now", chosen_times.NOW),
        ("period_end", chosen_times.PERIOD_END),
        ("2026-02-28", chosen_times.on(date(2026, 2, 28))),
    ],
)
def test_a_choice_is_read(text: str, found: ChosenTime) -> None:
    assert chosen_times.read(text, field="change_at") == found


@pytest.mark.parametrize("text", ["", "Now", "later", "2026-02-30", "20260228", "2026-W09", "2026-02-28T00:00:00Z"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidTerms) as refusal:
        chosen_times.read(text, field="change_at")

    assert refusal.value.details == {"change_at": ["value_is_invalid"]}


@pytest.mark.parametrize("values", [{"timing": Timing.DATE}, {"timing": Timing.NOW, "day": date(2026, 1, 1)}])
def test_a_day_belongs_to_a_date(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="A day belongs"):
        ChosenTime(**values)


@pytest.mark.parametrize(
    ("day", "ends_at", "is_refused"),
    [
        (date(2026, 1, 16), None, True),  # today in Tokyo, where it is the 16th already
        (date(2026, 1, 17), None, False),
        (date(2026, 1, 20), datetime(2026, 1, 19, 15, tzinfo=UTC), True),  # its start is the agreed end
        (date(2026, 1, 20), datetime(2026, 1, 19, 15, 0, 1, tzinfo=UTC), False),
    ],
)
def test_a_day_comes_after_today_and_before_the_end(day: date, ends_at: datetime | None, is_refused: bool) -> None:
    schedule = schedules.of("monthly", "calendar", date(2026, 1, 1), "Asia/Tokyo")
    now = datetime(2026, 1, 15, 15, 30, tzinfo=UTC)

    def check() -> None:
        chosen_times.check_day(day, schedule=schedule, at=now, ends_at=ends_at, field="change_at")

    if not is_refused:
        check()
        assert plan_changes.takes_effect_at(schedule, day=day) > now
        return
    with pytest.raises(InvalidTerms) as refusal:
        check()
    assert refusal.value.details == {"change_at": ["invalid_date"]}


@pytest.mark.parametrize(
    ("chosen", "end"),
    [
        # The period goes to where the next one starts; a day is used up to its last instant, also as the clock changes.
        (chosen_times.PERIOD_END, datetime(2026, 3, 31, 22, tzinfo=UTC)),
        (chosen_times.on(date(2026, 3, 16)), datetime(2026, 3, 16, 22, 59, 59, 999999, tzinfo=UTC)),
        (chosen_times.on(date(2026, 3, 29)), datetime(2026, 3, 29, 21, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_an_end_is_at_the_end_of_its_day(chosen: ChosenTime, end: datetime) -> None:
    schedule = schedules.of("monthly", "calendar", date(2026, 1, 1), "Europe/Berlin")
    now, start = datetime(2026, 3, 16, 12, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)

    found = chosen_times.ends_at(chosen, schedule=schedule, started_at=start, at=now, field="terminate_at")

    assert found == end


def test_an_end_is_not_in_the_past() -> None:
    schedule = schedules.of("monthly", "calendar", date(2026, 1, 1), "Europe/Berlin")
    start, now = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 16, 12, tzinfo=UTC)

    with pytest.raises(InvalidTerms) as refusal:
        chosen_times.ends_at(
            chosen_times.on(date(2026, 3, 15)), schedule=schedule, started_at=start, at=now, field="terminate_at"
        )

    assert refusal.value.details == {"terminate_at": ["invalid_date"]}
