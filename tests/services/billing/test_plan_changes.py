"""Changes of plan: an upgrade at once, a downgrade at the end of the period, what is billed and credited of both."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.domain import plan_changes as rules
from billing.models import BilledPeriod, Subscription
from billing.services import plan_changes, subscription_moves, subscription_plans
from catalog.models import PlanVersion
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote, Invoice, InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
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
def small() -> PlanVersion:
    return goods.make_plan("small", cents=3100)


@pytest.fixture
def big() -> PlanVersion:
    return goods.make_plan("big", cents=6200)


def chain() -> list[tuple[str, str, datetime | None, datetime | None]]:
    rows = Subscription.objects.order_by("pk")
    return [(row.plan_version.plan.code, row.status, row.started_at, row.terminated_at) for row in rows]


def test_an_upgrade_bills_both_plans_together(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, small, "2026-01-01", name="Main", ending_at=instant("2027-01-01"))

    found = begin(customer, big, "2026-01-16T10:00:00.700")

    moment = instant("2026-01-16T10:00")
    assert chain() == [
        ("small", "terminated", instant("2026-01-01"), moment),
        ("big", "active", moment, None),
    ]
    assert (found.previous_id, found.subscription_at, found.ending_at) == (
        first.pk,
        first.subscription_at,
        instant("2027-01-01"),
    )
    # 31.00 × 15 / 31: up to the day before
    assert made.billed(customer) == [("2026-01-16", "finalized", "15")]
    run("2026-02-01")
    # 62.00 × 16 / 31: from the day of the change on
    assert made.billed(customer)[1:] == [("2026-02-01", "finalized", "32")]
    assert not CreditNote.objects.exists()


def test_an_upgrade_in_advance_credits_the_day_of_the_change(customer: Customer) -> None:
    begin(customer, goods.make_plan("small", cents=3100, pay_in_advance=True), "2026-01-01")

    begin(customer, goods.make_plan("big", cents=6200, pay_in_advance=True), "2026-01-16T10:00")

    # 31.00, then 62.00 × 16 / 31; of the first one 16 days come back
    assert amounts(customer) == ["small 31", "big 32"]
    assert credited(customer) == ["16"]
    note = CreditNote.objects.get()
    assert (note.reason, note.invoice) == ("order_change", Invoice.objects.order_by("pk")[0])
    assert Invoice.objects.order_by("pk")[1].total_amount.amount == 16
    assert run("2026-01-16T12:00").invoices_count == 0


def test_the_same_price_is_an_upgrade_and_a_repeat_changes_nothing(customer: Customer, small: PlanVersion) -> None:
    begin(customer, small, "2026-01-01")
    other = goods.make_plan("other", cents=3100)

    found = begin(customer, other, "2026-01-16")
    again = begin(customer, other, "2026-01-16T00:01")

    assert (again.pk, found.status) == (found.pk, "active")
    assert Subscription.objects.count() == 2
    assert Invoice.objects.count() == 1


def test_two_upgrades_on_a_day_bill_each_day_once(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, small, "2026-01-01")
    begin(customer, big, "2026-01-16T10:00")
    begin(customer, goods.make_plan("huge", cents=9300), "2026-01-16T15:00")
    run("2026-02-01")

    # 15 days of the first, none of the second, 16 of the third
    assert amounts(customer) == ["small 15", "huge 48"]
    assert [row.ended_by for row in Subscription.objects.order_by("pk")] == ["upgrade", "upgrade", ""]


def test_a_downgrade_waits_for_the_period_to_end(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")

    answer = begin(customer, small, "2026-01-16T10:00")

    assert answer.pk == first.pk
    assert chain()[1] == ("small", "pending", None, None)
    assert (first.change_day, not Invoice.objects.exists()) == (date(2026, 2, 1), True)
    assert subscription_moves.activate_pending(as_of=instant("2026-01-20")).done == 0
    run("2026-02-01T00:10")
    assert chain() == [
        ("big", "terminated", instant("2026-01-01"), instant("2026-02-01")),
        ("small", "active", instant("2026-02-01"), None),
    ]
    assert amounts(customer) == ["big 62"]
    run("2026-03-01")
    assert amounts(customer) == ["big 62", "small 31"]


def test_a_downgrade_in_advance_is_on_the_invoice_of_the_old_plan(customer: Customer) -> None:
    metric = goods.make_metric("requests")
    charges = [goods.standard(metric, "0.10")]
    begin(customer, goods.make_plan("big", cents=6200, pay_in_advance=True, charges=charges), "2026-01-01")
    begin(customer, goods.make_plan("small", cents=3100, pay_in_advance=True, charges=charges), "2026-01-16")
    made.send("sub", "requests", "2026-01-20", "2026-02-01T00:05")

    # Late by two days: the change takes effect on its day all the same.
    run("2026-02-03")

    assert amounts(customer) == ["big 62", "requests 0.1", "small 31"]
    assert [invoice.lines.count() for invoice in Invoice.objects.order_by("pk")] == [1, 2]
    assert Subscription.objects.get(status="active").started_at == instant("2026-02-01")
    assert not CreditNote.objects.exists()
    run("2026-03-01")
    # The event of the first of February is the new plan's.
    assert amounts(customer)[3:] == ["small 31", "requests 0.1"]


def test_usage_goes_on_where_the_old_plan_stops(customer: Customer) -> None:
    seats = goods.make_metric("seats", "sum_agg", recurring=True)
    requests = goods.make_metric("requests")

    def plan(code: str, cents: int, price: str) -> PlanVersion:
        return goods.make_plan(
            code, cents=cents, charges=[goods.standard(seats, price), goods.standard(requests, "0.10")]
        )

    begin(customer, plan("small", 0, "1"), "2026-01-01")
    made.send("sub", "seats", "2026-01-05", seats="10")
    made.send("sub", "requests", "2026-01-16T09:59", "2026-01-16T10:00")
    begin(customer, plan("big", 100, "2"), "2026-01-16T10:00")

    # Seats that cost the same however long they are there are billed once, by the new plan.
    assert amounts(customer) == ["requests 0.1"]
    run("2026-02-01")
    # 1.00 × 16 / 31
    assert amounts(customer)[1:] == ["big 0.52", "seats 20", "requests 0.1"]


def test_a_minimum_is_for_the_days_of_the_old_plan(customer: Customer, big: PlanVersion) -> None:
    charge = goods.standard(goods.make_metric("requests"), "0.10", min_amount_cents=3100)
    begin(customer, goods.make_plan("small", cents=3100, charges=[charge]), "2026-01-01")

    begin(customer, big, "2026-01-16T10:00")

    # 31.00 × 15 / 31 twice: the fee, and what usage lacks to its minimum
    assert [line.amount.amount for line in InvoiceLine.objects.order_by("pk")] == [15, 0, 15]


def test_an_old_plan_is_billed_even_if_its_end_is_not(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, small, "2026-01-01", on_termination_invoice="skip")

    found = begin(customer, big, "2026-01-16")

    assert amounts(customer) == ["small 15"]
    assert found.on_termination_invoice == "skip"


def test_a_preview_leaves_no_trace(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, small, "2026-01-01")
    entries = AuditEntry.objects.count()

    found = subscription_plans.preview(
        subscription=first,
        verb=lambda: subscription_plans.change_plan(
            subscription_id=first.pk,
            plan_code="big",
            seen=plan_changes.state_of(first),
            actor=ACTOR,
            at=instant("2026-01-16"),
        ),
    )

    assert [invoice.fees_amount.amount for invoice in found.invoices] == [Decimal(15)]
    assert [line.item_code for line in found.invoices[0].lines.all()] == ["small"]
    assert [(row[0], row[1]) for row in chain()] == [("small", "active")]
    assert (Invoice.objects.count(), BilledPeriod.objects.count(), AuditEntry.objects.count()) == (0, 0, entries)


def test_a_change_that_was_decided_by_something_else_is_refused(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    first = begin(customer, big, "2026-01-01")
    seen = plan_changes.state_of(first)
    begin(customer, small, "2026-01-10")

    with pytest.raises(rules.PlanChangeConflict) as refusal:
        subscription_plans.change_plan(
            subscription_id=first.pk, plan_code="big", seen=seen, actor=ACTOR, at=instant("2026-01-11")
        )

    assert refusal.value.code == "subscription_changed"
    assert Subscription.objects.filter(status="pending").count() == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"started_at": instant("2026-01-17")},
        {"external_id": "other"},
    ],
)
def test_the_database_refuses_a_gap(
    customer: Customer, small: PlanVersion, big: PlanVersion, broken: dict[str, Any]
) -> None:
    begin(customer, small, "2026-01-01")
    found = begin(customer, big, "2026-01-16")

    Subscription.objects.filter(pk=found.pk).update(**broken)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS billing_subscription_follows IMMEDIATE")


def test_a_subscription_has_one_follower(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")
    waiting = Subscription.objects.get(status="pending")
    waiting.pk, waiting.uuid, waiting._state.adding = None, first.uuid, True

    with pytest.raises(IntegrityError), transaction.atomic():
        waiting.save(force_insert=True)
    assert Subscription.objects.filter(previous=first).count() == 1
