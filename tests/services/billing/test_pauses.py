"""Pauses: what is billed at the pause and after the resume, by days or by whole periods."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import BilledPeriod, RatedCharge
from billing.queries import usage_not_billable
from billing.queries.usage_not_billable import NotBillable
from billing.services import fixed_changes
from catalog.models import PlanVersion
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.pause_stories import WHOLE, chain, fees, pause, resume
from tests.factories.plan_stories import amounts, begin, credited, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def arrears() -> PlanVersion:
    return goods.make_plan("arrears", cents=3100)


@pytest.fixture
def advance() -> PlanVersion:
    return goods.make_plan("advance", cents=3100, pay_in_advance=True)


def test_days_of_service_are_paid_in_arrears(customer: Customer, arrears: PlanVersion) -> None:
    first = begin(customer, arrears, "2026-01-01", name="Main", ending_at=instant("2027-01-01"))

    waiting = pause(first, "2026-01-10T12:00")

    assert chain() == [("terminated", "pause", ""), ("paused", "", "")]
    assert (waiting.name, waiting.subscription_at, waiting.ending_at) == (
        "Main",
        first.subscription_at,
        first.ending_at,
    )
    # 31.00 × 10 / 31, the day of the pause included
    assert amounts(customer) == ["arrears 10"]
    period = BilledPeriod.objects.get()
    assert (period.reason, period.charges_to_at) == ("subscription_terminating", instant("2026-01-10T12:00"))
    assert run("2026-02-01").invoices_count == 0

    resume(waiting, "2026-02-19T08:00:00.500")
    run("2026-03-01")

    # 31.00 × 10 / 28: 19 to 28 February
    assert amounts(customer) == ["arrears 10", "arrears 11.07"]
    assert fees(customer) == ["01-01 10/31", "02-19 10/28"]
    waiting.refresh_from_db()
    assert (waiting.started_at, waiting.status) == (instant("2026-02-19T08:00"), "active")
    assert CreditNote.objects.count() == 0


def test_a_day_of_a_pause_and_a_resume_is_paid_once(customer: Customer, arrears: PlanVersion) -> None:
    waiting = pause(begin(customer, arrears, "2026-01-01"), "2026-01-10T12:00")

    again = pause(resume(waiting, "2026-01-10T13:00"), "2026-01-10T14:00")
    resume(again, "2026-01-10T15:00")
    run("2026-02-01")

    # 10 days before the pauses and 21 after them; nothing in between.
    assert fees(customer) == ["01-01 10/31", "01-11 21/31"]
    assert amounts(customer) == ["arrears 10", "arrears 21"]


def test_unused_days_in_advance_are_credited(customer: Customer, advance: PlanVersion) -> None:
    first = begin(customer, advance, "2026-01-01")

    waiting = pause(first, "2026-01-10T12:00")
    assert (amounts(customer), credited(customer)) == (["advance 31"], ["21"])

    resume(waiting, "2026-01-20T12:00")
    # 20 to 31 January at once
    assert amounts(customer) == ["advance 31", "advance 12"]
    run("2026-02-01")
    assert amounts(customer) == ["advance 31", "advance 12", "advance 31"]
    first.refresh_from_db()
    assert first.on_termination_credit_note == "credit"


def test_in_advance_the_day_of_a_pause_and_a_resume_is_paid_once(customer: Customer, advance: PlanVersion) -> None:
    waiting = pause(begin(customer, advance, "2026-01-01"), "2026-01-10T12:00")

    resume(waiting, "2026-01-10T13:00")

    assert (amounts(customer), credited(customer)) == (["advance 31", "advance 21"], ["21"])


@pytest.mark.parametrize(
    ("resumed", "billed"),
    [
        # In the same period: nothing until the next one.
        ("2026-01-20", ["01-01 31/31", "02-01 28/28", "03-01 31/31"]),
        # In the next one, all of it; none for a period that it slept through.
        ("2026-02-20", ["01-01 31/31", "02-01 28/28", "03-01 31/31"]),
        ("2026-03-20", ["01-01 31/31", "03-01 31/31"]),
    ],
)
@pytest.mark.parametrize("plan", ["arrears", "advance"])
def test_whole_periods_are_paid_once(
    customer: Customer, request: pytest.FixtureRequest, plan: str, resumed: str, billed: list[str]
) -> None:
    waiting = pause(begin(customer, request.getfixturevalue(plan), "2026-01-01"), "2026-01-10T12:00", WHOLE)
    assert fees(customer) == billed[:1]

    for day in ("2026-02-01", "2026-03-01", "2026-04-01"):
        if waiting.status == "paused" and resumed < day:
            waiting = resume(waiting, f"{resumed}T09:00")
        run(day)

    found = fees(customer)
    assert found[: len(billed)] == billed
    assert credited(customer) == []


def test_the_first_day_of_a_period_belongs_to_it(customer: Customer, arrears: PlanVersion) -> None:
    waiting = pause(begin(customer, arrears, "2026-01-01"), "2026-02-01T12:00")

    # Whether the run was before or not: January, and a day of February. 31.00 / 28 = 1.107…
    assert fees(customer) == ["01-01 31/31", "02-01 1/28"]
    resume(waiting, "2026-02-01T18:00")
    run("2026-03-01")
    assert fees(customer) == ["01-01 31/31", "02-01 1/28", "02-02 27/28"]


def test_in_advance_the_first_day_of_a_period_is_billed_and_credited(customer: Customer, advance: PlanVersion) -> None:
    pause(begin(customer, advance, "2026-01-01"), "2026-02-01T12:00")

    assert fees(customer) == ["01-01 31/31", "02-01 28/28"]
    assert credited(customer) == ["29.89"]  # 31.00 × 27 / 28


def test_usage_counts_outside_of_the_pause(customer: Customer) -> None:
    plan = goods.make_plan("metered", cents=0, charges=[goods.standard(goods.make_metric(), "1")])
    first = begin(customer, plan, "2026-01-01")
    made.send("sub", "requests", "2026-01-05", "2026-01-10T11:59")
    waiting = pause(first, "2026-01-10T12:00")
    made.send("sub", "requests", "2026-01-10T12:00", "2026-01-15", "2026-01-20T11:59")
    # So far nobody knows that it resumes: all three lie in the pause.
    assert usage_not_billable.count(since=instant("2025-12-01")) == NotBillable(paused=3)

    resume(waiting, "2026-01-20T12:00:00.9")
    made.send("sub", "requests", "2026-01-20T12:00", "2026-01-31T23:59")
    run("2026-02-01")

    assert amounts(customer) == ["requests 2", "requests 2"]
    assert usage_not_billable.count(since=instant("2025-12-01")) == NotBillable(paused=3)
    spans = RatedCharge.objects.filter(charge__isnull=False).order_by("from_at").values_list("from_at", "to_at")
    assert list(spans) == [
        (instant("2026-01-01"), instant("2026-01-10T12:00")),
        (instant("2026-01-20T12:00"), instant("2026-02-01")),
    ]


def test_units_that_are_there_are_billed_once_in_a_period(customer: Customer) -> None:
    seats = goods.make_metric("seats", "sum_agg", recurring=True)
    plan = goods.make_plan("seats", cents=0, charges=[goods.standard(seats, "31")])
    first = begin(customer, plan, "2026-01-01")
    made.send("sub", "seats", "2026-01-02", seats=2)

    resume(pause(first, "2026-01-10T12:00"), "2026-01-20")
    run("2026-02-01")
    run("2026-03-01")

    assert amounts(customer) == ["seats 62", "seats 62"]


def test_units_by_days_leave_the_pause_out(customer: Customer) -> None:
    seats = goods.make_metric("seats", "sum_agg", recurring=True)
    plan = goods.make_plan("seats", cents=0, charges=[goods.standard(seats, "31", prorated=True)])
    first = begin(customer, plan, "2026-01-01")
    made.send("sub", "seats", "2026-01-01", seats=1)

    waiting = pause(first, "2026-01-10T12:00")
    again = pause(resume(waiting, "2026-01-10T13:00"), "2026-01-12T12:00")
    resume(again, "2026-01-31T10:00")
    run("2026-02-01")

    # 1 to 10, 11 and 12, 31 January: a day that was paid before the pause is not paid again.
    assert amounts(customer) == ["seats 10", "seats 2", "seats 1"]


def test_fixed_charges_leave_the_pause_out(customer: Customer) -> None:
    plan = goods.make_plan(
        "seats",
        cents=0,
        fixed_charges=[
            goods.fixed(goods.make_add_on("days"), 1, "31", prorated=True),
            goods.fixed(goods.make_add_on("once"), 1, "5"),
            goods.fixed(goods.make_add_on("ahead"), 1, "7", pay_in_advance=True),
        ],
    )
    first = begin(customer, plan, "2026-01-01")

    waiting = pause(first, "2026-01-10T12:00")
    resume(waiting, "2026-01-10T18:00")
    run("2026-02-01")

    found = [amount for amount in amounts(customer) if not amount.endswith(" 0")]
    # By days 10 and 21; once a period what is not; what is paid in advance is paid for the period.
    assert sorted(found) == sorted(["ahead 7", "days 10", "once 5", "days 21", "ahead 7"])


def test_own_units_of_fixed_charges_are_kept(customer: Customer) -> None:
    plan = goods.make_plan(
        "seats", cents=0, fixed_charges=[goods.fixed(goods.make_add_on("ahead"), 1, "7", pay_in_advance=True)]
    )
    first = begin(customer, plan, "2026-01-01")
    fixed_changes.change(
        subscription_id=first.pk,
        code="ahead",
        units=Decimal(3),
        immediately=True,
        actor=ACTOR,
        at=instant("2026-01-02"),
    )

    resumed = resume(pause(first, "2026-01-10T12:00"), "2026-01-20")
    fixed_changes.change(
        subscription_id=resumed.pk,
        code="ahead",
        units=Decimal(4),
        immediately=True,
        actor=ACTOR,
        at=instant("2026-01-21"),
    )
    run("2026-02-01")

    # One, two more, then one more: what was paid before the pause is not paid again. Then four.
    assert amounts(customer) == ["ahead 7", "ahead 14", "ahead 7", "ahead 28"]
