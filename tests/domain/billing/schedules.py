"""Random schedules. Owns what tests of periods share."""

from __future__ import annotations

from datetime import date, datetime

from hypothesis import strategies as st

from billing.domain.periods import Schedule
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates

ZONES = (
    *("UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia", "Europe/Berlin", "Australia/Lord_Howe"),
    *("America/Sao_Paulo", "Asia/Kolkata", "America/Havana"),
)

# Ends of months are where periods go wrong.
ANCHORS = st.dates(date(2000, 1, 1), date(2040, 12, 31)) | st.builds(
    dates.add_months,
    st.sampled_from([date(2000, 1, 29), date(2000, 1, 30), date(2000, 1, 31), date(2000, 2, 29)]),
    st.integers(0, 480),
)
SCHEDULES = st.builds(
    Schedule,
    interval=st.sampled_from(Interval),
    billing_time=st.sampled_from(BillingTime),
    anchor=ANCHORS,
    timezone=st.sampled_from(ZONES).map(dates.zone),
)


def at(text: str) -> datetime:
    """Return the instant of an ISO text."""
    return datetime.fromisoformat(text)


def of(interval: str, billing_time: str, anchor: date, zone: str = "UTC") -> Schedule:
    """Return a schedule of plain texts."""
    return Schedule(Interval(interval), BillingTime(billing_time), anchor, dates.zone(zone))
