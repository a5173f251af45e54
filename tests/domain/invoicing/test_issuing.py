"""Dates of invoices: grace, payment term, time zones, and no date in the future."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import dates, errors
from invoicing.domain import issuing


@pytest.mark.parametrize(
    ("billed_at", "timezone", "grace", "term", "issued", "due", "finalize_after"),
    [
        (
            datetime(2026, 5, 1, 0, 10, tzinfo=UTC),
            "UTC",
            0,
            14,
            date(2026, 5, 1),
            date(2026, 5, 15),
            "2026-05-01T00:00",
        ),
        # 22:10 UTC is already 1 May in Berlin (UTC+2)
        (
            datetime(2026, 4, 30, 22, 10, tzinfo=UTC),
            "Europe/Berlin",
            3,
            0,
            date(2026, 5, 4),
            date(2026, 5, 4),
            "2026-05-03T22:00",
        ),
        (
            datetime(2026, 5, 1, 0, 10, tzinfo=UTC),
            "America/New_York",
            0,
            30,
            date(2026, 4, 30),
            date(2026, 5, 30),
            "2026-04-30T04:00",
        ),
        (
            datetime(2026, 4, 30, 15, 10, tzinfo=UTC),
            "Asia/Tokyo",
            1,
            0,
            date(2026, 5, 2),
            date(2026, 5, 2),
            "2026-05-01T15:00",
        ),
        # the grace period runs over the change to winter time
        (
            datetime(2026, 10, 24, 0, 0, tzinfo=UTC),
            "Europe/Berlin",
            2,
            0,
            date(2026, 10, 26),
            date(2026, 10, 26),
            "2026-10-25T23:00",
        ),
    ],
)
def test_dates_are_local_to_the_invoice(
    billed_at: datetime, timezone: str, grace: int, term: int, issued: date, due: date, finalize_after: str
) -> None:
    found = issuing.plan(billed_at=billed_at, timezone=timezone, grace_days=grace, term_days=term)

    assert (found.issuing_date, found.payment_due_date) == (issued, due)
    assert found.finalize_after == datetime.fromisoformat(finalize_after).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "issued"),
    [
        (datetime(2026, 5, 1, 12, tzinfo=UTC), date(2026, 5, 1)),  # before its grace is over: dated that day
        (datetime(2026, 5, 4, 0, 20, tzinfo=UTC), date(2026, 5, 4)),
        (datetime(2026, 8, 1, 0, 20, tzinfo=UTC), date(2026, 5, 4)),  # caught up late: keeps its date
    ],
)
def test_no_document_is_dated_in_the_future(at: datetime, issued: date) -> None:
    found = issuing.when_finalized(issuing_date=date(2026, 5, 4), at=at, timezone="UTC", term_days=10)

    assert found == (issued, date.fromordinal(issued.toordinal() + 10))


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        issuing.plan(billed_at=datetime(2026, 5, 1, tzinfo=UTC), timezone="Mars/Base", grace_days=0, term_days=0)


PERIOD_END, NEXT_START = issuing.PERIOD_END, issuing.NEXT_START
KEEP, ALIGN = issuing.KEEP_ANCHOR, issuing.ALIGN


@pytest.mark.parametrize(
    ("anchor", "adjustment", "grace", "issued", "finalized_from"),
    [
        # April was billed on 1 May.
        (NEXT_START, ALIGN, 0, date(2026, 5, 1), date(2026, 5, 1)),
        (NEXT_START, ALIGN, 3, date(2026, 5, 4), date(2026, 5, 4)),
        (NEXT_START, KEEP, 0, date(2026, 5, 1), date(2026, 5, 1)),
        (NEXT_START, KEEP, 3, date(2026, 5, 1), date(2026, 5, 4)),
        (PERIOD_END, ALIGN, 0, date(2026, 4, 30), date(2026, 5, 1)),
        (PERIOD_END, ALIGN, 3, date(2026, 5, 4), date(2026, 5, 4)),
        (PERIOD_END, KEEP, 0, date(2026, 4, 30), date(2026, 5, 1)),
        (PERIOD_END, KEEP, 3, date(2026, 4, 30), date(2026, 5, 4)),
    ],
)
@pytest.mark.parametrize("timezone", ["UTC", "Asia/Tokyo"])
def test_the_policy_dates_an_invoice_and_never_shortens_its_grace(
    anchor: str, adjustment: str, grace: int, issued: date, finalized_from: date, timezone: str
) -> None:
    zone = dates.zone(timezone)
    found = issuing.plan(
        billed_at=dates.start_of_day(date(2026, 5, 1), zone),
        timezone=timezone,
        grace_days=grace,
        term_days=10,
        policy=issuing.Policy(anchor=anchor, adjustment=adjustment),
    )

    assert (found.issuing_date, found.payment_due_date) == (issued, issued + timedelta(days=10))
    assert found.finalize_after == dates.start_of_day(finalized_from, zone)


@given(
    grace=st.integers(0, 60),
    policy=st.builds(
        issuing.Policy, anchor=st.sampled_from([PERIOD_END, NEXT_START]), adjustment=st.sampled_from([KEEP, ALIGN])
    ),
)
def test_no_policy_dates_a_document_after_the_end_of_its_grace(grace: int, policy: issuing.Policy) -> None:
    billed_at = datetime(2026, 5, 1, 12, tzinfo=UTC)

    found = issuing.plan(billed_at=billed_at, timezone="UTC", grace_days=grace, term_days=0, policy=policy)

    assert billed_at.date() - timedelta(days=1) <= found.issuing_date <= found.finalize_after.date()


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="whenever"):
        issuing.Policy(anchor="whenever")
