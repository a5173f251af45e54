"""Usage in advance while what it is billed by changes: the plan, the time zone, the unit of the price."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.domain import verification
from billing.models import RatedCharge
from billing.queries import current_usage
from billing.services import runs
from customers.models import Customer
from tests.factories import advance, billing, catalog, customers, usage

pytestmark = pytest.mark.django_db


def send(moment: str, code: str = "seats", **properties: object) -> None:
    usage.store(usage.make_event(moment, code=code, properties=properties))


@pytest.fixture
def downgraded() -> Customer:
    """From June on requests cost 1 instead of 10; nobody has run the billing of 1 June yet."""
    metric = catalog.make_metric("requests")
    big = advance.make_plan(metric, "10", code="big", cents=5000)
    small = advance.make_plan(metric, "1", code="small", cents=1000)
    customer = customers.make_customer()
    billing.make_subscription(customer, big, at=billing.instant("2026-05-01"))
    billing.make_subscription(customer, small, at=billing.instant("2026-05-10"))
    return customer


def test_a_cheaper_plan_bills_the_events_of_its_day_before_the_run_too(downgraded: Customer) -> None:
    send("2026-05-31T23:59:59", "requests")
    send("2026-06-01T00:10:00", "requests")

    assert advance.bill("2026-06-01T00:10:30") == 2
    assert advance.fees() == [("1", "10", True), ("1", "1", True)]

    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    assert advance.bill("2026-06-01T02:00") == 0
    assert len(advance.fees()) == 2
    # May by the old plan, once
    assert billing.billed(downgraded) == [("2026-06-01", "finalized", "50")]


def test_a_cheaper_plan_waits_for_its_day(downgraded: Customer) -> None:
    send("2026-05-31T22:00:00", "requests")
    assert advance.bill("2026-05-31T23:00") == 1
    assert advance.fees() == [("1", "10", True)]
    assert billing.billed(downgraded) == []


@pytest.mark.parametrize("timezone", ["Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_a_new_time_zone_begins_no_new_level(timezone: str) -> None:
    advance.make_subscription(advance.make_plan(catalog.make_metric("seats", "unique_count_agg")))
    send("2026-06-04T10:00:00", seats="anna")
    advance.bill("2026-06-04T13:00")

    Customer.objects.update(timezone=timezone)
    send("2026-06-06T10:00:00", seats="anna")
    send("2026-06-06T11:00:00", seats="ben")
    advance.bill("2026-06-06T13:00")

    assert advance.fees() == [("1", "3", True), ("0", "0", True), ("1", "3", True)]
    running = current_usage.read(
        external_customer_id="acme", external_subscription_id="sub", at=billing.instant("2026-06-06T14:00")
    )
    assert [(charge.units, charge.amount.amount) for charge in running.charges] == [(2, 6)]


def test_a_short_first_period_has_a_level_of_its_own() -> None:
    advance.make_subscription(
        advance.make_plan(catalog.make_metric("seats", "unique_count_agg")), at="2026-05-31T10:00"
    )
    for moment in ("2026-05-31T11:00:00", "2026-06-01T11:00:00"):
        send(moment, seats="anna")
    advance.bill("2026-06-01T13:00")
    # 14 hours later, and another period: anna is new again
    assert advance.fees() == [("1", "3", True), ("1", "3", True)]


def test_events_are_priced_in_a_pricing_unit_and_then_in_money() -> None:
    catalog.make_pricing_unit()
    unit = {"code": "credits", "conversion_rate": Decimal("0.5")}
    advance.make_subscription(
        advance.make_plan(catalog.make_metric("seats", "sum_agg"), "0.335", applied_pricing_unit=unit)
    )
    send("2026-05-04T10:00:00", seats=1)
    send("2026-05-04T10:00:01", seats=2)
    advance.bill("2026-05-04T13:00")

    # 0.335 credits are 0.34, × 0.5 = 0.17; then 2 × 0.335 = 0.67, × 0.5 = 0.335, which is 0.34
    assert advance.fees() == [("1", "0.17", True), ("2", "0.34", True)]
    for row in RatedCharge.objects.select_related("line"):
        found = verification.verify(trace=row.trace, sha256=row.trace_sha256, amount=row.line.amount.amount)
        assert found.is_right, found.problem
