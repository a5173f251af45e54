"""Simulations of usage that is paid in advance, against what its events were billed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.simulation import Frame
from billing.queries.simulation_contracts import Subject
from billing.services import billing_days, simulations
from billing.services.simulations import Wanted
from catalog.models import Charge
from invoicing.models import InvoiceLine
from tests.factories import advance, catalog, customers, usage
from tests.factories import billing as made
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

SPRING = Frame(date(2026, 2, 1), date(2026, 5, 1))
GRADUATED = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 5, "per_unit_amount": "2", "flat_amount": "7"},
        {"from_value": 5, "to_value": None, "per_unit_amount": "1.5", "flat_amount": "3"},
    ]
}
PACKAGE = {"amount": "5", "package_size": 4, "free_units": 2}
PERCENTAGE = {"rate": "10", "fixed_amount": "0.5", "free_units_per_events": 2}


def play() -> dict[date, Decimal]:
    """Return what the months of the subscription come to in a simulation, those of nothing left out."""
    [found] = simulations.play(wanted=Wanted(frame=SPRING, subject=Subject(subscription="sub")))
    return {month: total for month, total in found.own.by_month.items() if total}


def billed() -> dict[date, Decimal]:
    """Return the sums of all lines by the month that their time starts in."""
    found: dict[date, Decimal] = {}
    for line in InvoiceLine.objects.filter(from_at__lt=instant("2026-05-01")):
        if line.amount.amount:
            month = line.from_at.date().replace(day=1)
            found[month] = found.get(month, Decimal(0)) + line.amount.amount
    return found


def begin(metric: Any, *, invoiceable: bool, cents: int = 0, at: str = "2026-02-01", **terms: Any) -> Any:
    """Begin a subscription whose one charge is paid in advance."""
    charge = catalog.standard(metric, "3", **terms)
    version = catalog.make_plan(cents=cents, charges=[charge], at=instant("2026-01-01"))
    Charge.objects.filter(plan_version=version).update(pay_in_advance=True, invoiceable=invoiceable)
    customer = customers.make_customer()
    made.make_subscription(customer, version, at=instant(at))
    return customer


def live(customer: Any, events: Sequence[tuple[float, dict[str, Any]]]) -> None:
    """Let time pass up to May: events come and are billed at once, and months are billed as they end."""
    start = instant("2026-02-01")
    month_ends = [instant("2026-03-01"), instant("2026-04-01"), instant("2026-05-01")]
    for number, (hour, properties) in enumerate(events):
        at = start + timedelta(hours=hour)
        while month_ends and month_ends[0] <= at:
            renew(customer, month_ends.pop(0))
        moment = at.replace(tzinfo=None).isoformat()
        usage.store(usage.make_event(moment, code="seats", transaction_id=f"t{number}", properties=properties))
        advance.bill(at + timedelta(minutes=1))
    for end in month_ends:
        renew(customer, end)


def renew(customer: Any, at: Any) -> None:
    billing_days.bill_customers(customer_ids=[customer.pk], as_of=at + timedelta(minutes=5), catch_up=True, actor=ACTOR)


@pytest.mark.parametrize("invoiceable", [True, False])
def test_seats_that_stay_come_to_what_was_billed(invoiceable: bool) -> None:
    metric = catalog.make_metric("seats", "sum_agg", recurring=True)
    customer = begin(metric, invoiceable=invoiceable, cents=1000)
    live(customer, [(24, {"seats": 4}), (48, {"seats": -3}), (72, {"seats": 2}), (24 * 30, {"seats": 6})])
    # February: 10 and the 4 that there were at most × 3. March: 3 renewed, 6 more. April: 9 renewed.
    expected = {date(2026, 2, 1): Decimal(22), date(2026, 3, 1): Decimal(37), date(2026, 4, 1): Decimal(37)}
    assert billed() == expected
    assert play() == expected


def test_days_left_come_to_what_was_billed() -> None:
    metric = catalog.make_metric("seats", "unique_count_agg", recurring=True)
    customer = begin(metric, invoiceable=False, prorated=True, at="2026-02-10")
    add, remove = {"operation_type": "add"}, {"operation_type": "remove"}
    live(
        customer,
        [
            (24 * 14, {"seats": "ann", **add}),
            (24 * 14 + 1, {"seats": "ann", **add}),
            (24 * 20, {"seats": "ann", **remove}),
            (24 * 21, {"seats": "bob", **add}),
            (24 * 28 + 240, {"seats": "cat", **add}),
        ],
    )
    # February: ann 14 / 28 × 3; bob takes her place. March: bob in full, cat 21 / 31 × 3. April: two in full.
    expected = {date(2026, 2, 1): Decimal("1.50"), date(2026, 3, 1): Decimal("5.03"), date(2026, 4, 1): Decimal(6)}
    assert billed() == expected
    assert play() == expected


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(["count_agg", "sum_agg", "unique_count_agg"]),
    price=st.sampled_from(
        [("standard", {"amount": "3"}), ("graduated", GRADUATED), ("package", PACKAGE), ("percentage", PERCENTAGE)]
    ),
    is_grouped=st.booleans(),
    invoiceable=st.booleans(),
    events=st.lists(
        st.tuples(st.integers(1, 24 * 85), st.integers(-3, 6), st.sampled_from("abc"), st.sampled_from(["eu", "us"])),
        max_size=9,
        unique_by=lambda one: one[0],
    ),
)
def test_metered_usage_comes_to_what_was_billed(
    kind: str, price: tuple[str, dict[str, Any]], is_grouped: bool, invoiceable: bool, events: list[Any]
) -> None:
    """All models, with units that are taken back: the months come to the sum of the events' fees."""
    model, properties = price
    with transaction.atomic():
        metric = catalog.make_metric("seats", kind)
        grouped = {"pricing_group_keys": ["region"]} if is_grouped else {}
        terms = {"charge_model": model, "properties": {**properties, **grouped}}
        customer = begin(metric, invoiceable=invoiceable, **terms)
        live(customer, [(hour, _properties(kind, *rest)) for hour, *rest in sorted(events)])
        assert play() == billed()
        transaction.set_rollback(True)


def _properties(kind: str, number: int, letter: str, region: str) -> dict[str, Any]:
    if kind == "unique_count_agg":
        return {"seats": letter, "region": region, "operation_type": "remove" if number < 0 else "add"}
    return {"seats": number, "region": region}
