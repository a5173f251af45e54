"""What invoices cover."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import boundaries, due_dates
from billing.domain.boundaries import Stretch, Terms
from billing.domain.periods import Schedule
from config.kernel import dates
from tests.domain.billing import schedules
from tests.domain.billing.schedules import at

MONTHLY = Terms(schedules.of("monthly", "calendar", date(2024, 1, 10)))
STARTED = at("2024-01-10T12:00:00Z")


def span(stretch: Stretch | None) -> tuple[datetime, datetime] | None:
    return None if stretch is None else (stretch.start, stretch.end)


def found(**changed: Any) -> boundaries.Boundaries:
    given_ = {"terms": MONTHLY, "started_at": STARTED, "billing_at": at("2024-03-01T00:05:00Z")}
    return boundaries.boundaries(**{**given_, **changed})


def test_in_arrears_the_period_before_the_billing_day_is_due() -> None:
    covered = found()
    february = (at("2024-02-01T00:00:00Z"), at("2024-03-01T00:00:00Z"))
    assert span(covered.subscription) == span(covered.charges) == span(covered.fixed_charges) == february
    assert covered.subscription.shown_end == at("2024-02-29T23:59:59Z")
    assert covered.fee_due


def test_the_first_fee_starts_with_the_day_and_usage_at_the_instant() -> None:
    covered = found(billing_at=at("2024-02-01T00:05:00Z"))
    assert span(covered.subscription) == (at("2024-01-10T00:00:00Z"), at("2024-02-01T00:00:00Z"))
    assert span(covered.charges) == (STARTED, at("2024-02-01T00:00:00Z"))


def test_in_advance_the_coming_fee_and_the_elapsed_usage_are_due() -> None:
    covered = found(terms=Terms(MONTHLY.schedule, pay_in_advance=True))
    assert span(covered.subscription) == (at("2024-03-01T00:00:00Z"), at("2024-04-01T00:00:00Z"))
    assert span(covered.charges) == (at("2024-02-01T00:00:00Z"), at("2024-03-01T00:00:00Z"))


def test_the_last_invoice_covers_the_running_period_up_to_the_termination() -> None:
    end = at("2024-03-09T15:30:00Z")
    covered = found(billing_at=end, terminated_at=end)
    assert span(covered.subscription) == span(covered.charges) == (at("2024-03-01T00:00:00Z"), end)
    assert covered.charges is not None
    assert covered.charges.shown_end == end


def test_a_termination_that_is_still_to_come_changes_nothing() -> None:
    assert found(terminated_at=at("2024-03-05T00:00:00Z")) == found()


def test_a_downgrade_on_the_billing_day_leaves_the_period_before_whole() -> None:
    end = at("2024-03-01T00:05:00Z")
    assert span(found(terminated_at=end, downgraded=True).subscription) == span(found().subscription)


def test_current_usage_is_the_running_period_also_in_advance() -> None:
    for in_advance in (False, True):
        covered = found(terms=Terms(MONTHLY.schedule, pay_in_advance=in_advance), current_usage=True)
        assert span(covered.charges) == (at("2024-03-01T00:00:00Z"), at("2024-04-01T00:00:00Z"))


def test_a_subscription_that_has_not_started_covers_nothing() -> None:
    covered = found(started_at=at("2024-05-01T00:00:00Z"))
    assert covered.subscription.period is None
    assert covered.charges is not None
    assert covered.charges.period is None


@pytest.mark.parametrize(
    ("billing_at", "charges", "fixed", "fee_due"),
    [
        # 1 January: the whole year's fee and fixed charges, December's usage.
        ("2025-01-01T01:00:00Z", ("2024-12-01", "2025-01-01"), ("2024-01-10", "2025-01-01"), True),
        # 1 March: February's usage and nothing else.
        ("2024-03-01T01:00:00Z", ("2024-02-01", "2024-03-01"), None, False),
    ],
)
def test_a_yearly_plan_that_bills_usage_monthly(
    billing_at: str, charges: tuple[str, str], fixed: tuple[str, str] | None, fee_due: bool
) -> None:
    terms = Terms(schedules.of("yearly", "calendar", date(2024, 1, 10)), charges_monthly=True)
    covered = found(terms=terms, started_at=at("2024-01-10T00:00:00Z"), billing_at=at(billing_at))
    assert terms.bills_monthly
    assert covered.fee_due is fee_due
    assert span(covered.charges) == tuple(at(f"{day}T00:00:00Z") for day in charges)
    assert span(covered.fixed_charges) == (None if fixed is None else tuple(at(f"{day}T00:00:00Z") for day in fixed))


def test_quarters_are_not_split() -> None:
    terms = Terms(schedules.of("quarterly", "calendar", date(2024, 1, 10)), charges_monthly=True)
    covered = found(terms=terms, billing_at=at("2024-04-01T00:00:00Z"))
    assert not terms.bills_monthly
    assert span(covered.charges) == (STARTED, at("2024-04-01T00:00:00Z"))


def test_usage_goes_on_where_it_ended_when_the_time_zone_changed() -> None:
    # Billed in UTC until 1 March, then moved to Tokyo, where March starts nine hours earlier.
    tokyo = Terms(schedules.of("monthly", "calendar", date(2024, 1, 10), "Asia/Tokyo"))
    until = at("2024-03-01T00:00:00Z")
    covered = found(terms=tokyo, billing_at=at("2024-04-01T00:00:00Z"), charges_billed_until=until)
    assert span(covered.charges) == (until, at("2024-03-31T15:00:00Z"))
    far = found(terms=tokyo, billing_at=at("2024-04-01T00:00:00Z"), charges_billed_until=at("2024-02-01T00:00:00Z"))
    assert span(far.charges) == (at("2024-02-29T15:00:00Z"), at("2024-03-31T15:00:00Z"))


@given(
    schedule=schedules.SCHEDULES,
    seconds=st.integers(0, 86_399),
    days=st.integers(1, 800),
    monthly=st.booleans(),
)
def test_the_invoices_of_a_subscription_tile_its_usage(
    schedule: Schedule, seconds: int, days: int, monthly: bool
) -> None:
    zone = schedule.timezone
    started_at = dates.start_of_day(schedule.anchor, zone) + timedelta(seconds=min(seconds, 80_000))
    terms = Terms(schedule, charges_monthly=monthly)
    end = dates.start_of_day(schedule.anchor + timedelta(days=days), zone)
    billing_days = due_dates.due_billing_dates(
        terms.billing_schedule,
        first=dates.local_date(started_at, zone),
        last_billed=None,
        today=dates.local_date(end, zone),
        catch_up=True,
    )
    stretches = [
        boundaries.boundaries(terms=terms, started_at=started_at, billing_at=dates.start_of_day(day, zone)).charges
        for day in billing_days
    ]
    stretches.append(
        boundaries.boundaries(terms=terms, started_at=started_at, billing_at=end, terminated_at=end).charges
    )
    covered = [stretch.period for stretch in stretches if stretch is not None and stretch.period is not None]
    edges = [started_at, *(period.end for period in covered)]
    assert [period.start for period in covered] == edges[:-1]
    assert edges[-1] in (end, started_at)
