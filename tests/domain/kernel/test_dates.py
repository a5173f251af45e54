"""Local days, periods and months."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel import dates, errors
from config.kernel.dates import Period

ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia", "Europe/Berlin", "Australia/Lord_Howe"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "europe/berlin", "America"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        dates.zone(name)
    assert refusal.value.code == "invalid_timezone"


@pytest.mark.parametrize(
    ("day", "zone", "start"),
    [
        (date(2024, 3, 31), "Europe/Berlin", "2024-03-30T23:00:00Z"),  # clocks go forward at 2 that day
        (date(2024, 4, 1), "Europe/Berlin", "2024-03-31T22:00:00Z"),
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00:00Z"),  # midnight did not exist: the day starts at 1
        (date(2023, 11, 5), "America/Havana", "2023-11-05T04:00:00Z"),  # midnight came twice: the first one
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00:00Z"),  # a day that was left out
        (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00:00Z"),
        (date(2024, 1, 1), "Asia/Kolkata", "2023-12-31T18:30:00Z"),
    ],
)
def test_a_local_day_starts(day: date, zone: str, start: str) -> None:
    assert dates.start_of_day(day, dates.zone(zone)) == at(start)


@given(
    day=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    zone=st.sampled_from(ZONES),
    seconds=st.integers(0, 82_000),
)
@settings(deadline=None, max_examples=100)
def test_instants_of_a_day_have_its_date(day: date, zone: str, seconds: int) -> None:
    if day == date(2011, 12, 30):
        return  # Apia left it out
    tz = dates.zone(zone)
    start = dates.start_of_day(day, tz)
    assert dates.local_date(start, tz) == day
    assert dates.local_date(start + timedelta(seconds=seconds), tz) == day
    assert dates.local_date(start - timedelta(seconds=1), tz) < day


def test_naive_instants_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        dates.local_date(datetime(2024, 1, 1), dates.zone("UTC"))  # noqa: DTZ001
    with pytest.raises(ValueError, match="aware"):
        Period(datetime(2024, 1, 1), datetime(2024, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2023, 1, 31), 2, date(2023, 3, 31)),
        (date(2024, 1, 30), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2024, 1, 15), -1, date(2023, 12, 15)),
        (date(2024, 3, 31), -13, date(2023, 2, 28)),
        (date(2024, 12, 1), 1, date(2025, 1, 1)),
    ],
)
def test_months_are_added_to_the_anchor(anchor: date, months: int, expected: date) -> None:
    assert dates.add_months(anchor, months) == expected


def test_days_between_excludes_the_last_day() -> None:
    assert dates.days_between(date(2024, 1, 1), date(2024, 1, 31)) == 30


def test_a_period_holds_its_start_and_not_its_end() -> None:
    period = Period(at("2024-01-01T00:00:00Z"), at("2024-02-01T00:00:00Z"))
    assert period.contains(period.start)
    assert not period.contains(period.end)
    assert period.days(dates.zone("UTC")) == 31
    assert period.last_day(dates.zone("UTC")) == date(2024, 1, 31)


def test_a_period_counts_begun_days_and_no_hours() -> None:
    berlin = dates.zone("Europe/Berlin")
    # 15 January 14:00 to 31 January 24:00: 17 begun days.
    assert Period(at("2024-01-15T13:00:00Z"), at("2024-01-31T23:00:00Z")).days(berlin) == 17
    # March has 31 days although one has 23 hours.
    assert Period(at("2024-02-29T23:00:00Z"), at("2024-03-31T22:00:00Z")).days(berlin) == 31
    assert Period(at("2024-01-15T13:00:00Z"), at("2024-01-15T13:00:00Z")).days(berlin) == 0


def test_a_period_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        Period(at("2024-02-01T00:00:00Z"), at("2024-01-01T00:00:00Z"))


def test_periods_that_touch_do_not_overlap() -> None:
    january = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    february = Period(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    middle = Period(datetime(2024, 1, 15, tzinfo=UTC), datetime(2024, 2, 15, tzinfo=UTC))
    assert january.overlap(february) is None
    assert january.overlap(middle) == Period(middle.start, january.end)
