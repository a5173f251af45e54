"""Whatever is done to a subscription's plan, each day of it is paid for once: random changes, both kinds of plans."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from billing.models import BilledPeriod, Subscription
from billing.services import runs, terminations
from catalog.models import PlanVersion
from config.kernel import dates
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

FIRST = date(2026, 1, 10)
HALF = Decimal("0.5")
_CODES = ("arrears-100", "arrears-200", "advance-100", "advance-200")
_CHANGES = some.lists(some.tuples(some.integers(0, 25), some.sampled_from(_CODES)), min_size=1, max_size=4)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("billing_time", ["calendar", "anniversary"])
@given(start=some.sampled_from(_CODES), changes=_CHANGES, rest=some.integers(1, 40), hour=some.integers(0, 23))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_day_is_paid_for_once(
    zone: str, billing_time: str, start: str, changes: list[tuple[int, str]], rest: int, hour: int
) -> None:
    with transaction.atomic():  # each story has the tables for itself
        customer = parties.make_customer(parties.make_entity(), timezone=zone)
        plans = {code: _plan(code) for code in _CODES}
        day = FIRST
        made.make_subscription(customer, plans[start], at=_at(day, hour), billing_time=billing_time)
        for gap, code in changes:
            day = _until(day, day + timedelta(days=gap), hour)
            made.make_subscription(customer, plans[code], at=_at(day, hour), billing_time=billing_time)
        day = _until(day, day + timedelta(days=rest), hour)
        living = Subscription.objects.get(status="active")
        ended = terminations.terminate(subscription_id=living.pk, actor=ACTOR, at=_at(day, hour))

        paid = _paid_days(customer)
        assert set(paid.values()) <= {1}, paid
        assert sorted(paid) == _days(_local(FIRST, hour, zone), _local(day, hour, zone))
        assert ended.terminated_at is not None
        _check_usage(customer)
        transaction.set_rollback(True)


def _plan(code: str) -> PlanVersion:
    kind, price = code.split("-")
    return goods.make_plan(code, cents=int(price) * 100_000, pay_in_advance=kind == "advance")


def _at(day: date, hour: int) -> Any:
    return instant(f"{day.isoformat()}T{hour:02}:00")


def _local(day: date, hour: int, zone: str) -> date:
    return day + timedelta(days=1) if zone == "Asia/Tokyo" and hour >= 15 else day


def _until(day: date, wanted: date, hour: int) -> date:
    """Let days pass, with a billing run on each at which one may be due."""
    while day < wanted:
        day += timedelta(days=1)
        if day.day in (1, 10, 11, 28) or day == wanted:
            runs.run(as_of=_at(day, hour), trigger="test", actor=ACTOR)
    return day


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _paid_days(customer: Customer) -> Counter[date]:
    """Count how often each local day was billed as plan fee and not given back."""
    paid: Counter[date] = Counter()
    for period in BilledPeriod.objects.filter(subscription__customer=customer, bills_fee=True):
        line = period.rated_charges.get(charge__isnull=True).line
        start = dates.local_date(period.from_at, dates.zone(period.timezone))
        price_of_a_day = Decimal(line.amount_details["plan_amount_cents"]) / 100 / period.of_days
        given_back = sum((item.amount.amount for item in line.credit_note_items.all()), Decimal(0))
        paid.update(_days(start, start + timedelta(days=period.days - 1 - int(given_back / price_of_a_day + HALF))))
    return paid


def _check_usage(customer: Customer) -> None:
    """Usage of the chain is billed without a gap and without an overlap."""
    rows = BilledPeriod.objects.filter(subscription__customer=customer).order_by("charges_from_at", "charges_to_at")
    spans = [(row.charges_from_at, row.charges_to_at) for row in rows if row.charges_from_at < row.charges_to_at]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
