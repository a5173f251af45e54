"""Fees in advance in the database: drafts, voided ones, grace, and what refuses to bill a time twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from billing.models import BilledPeriod, RatedCharge, Subscription
from billing.services import runs, subscription_moves, terminations, trials
from catalog.models import PlanVersion
from catalog.services import plans
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def make_plan(**values: Any) -> PlanVersion:
    terms = {"cents": 3100, "pay_in_advance": True, **values}
    return goods.make_plan("pro", charges=[goods.standard(goods.make_metric("requests"), "0.10")], **terms)


def run(at: str) -> None:
    runs.run(as_of=instant(at), trigger="test", actor=ACTOR)


def test_a_flat_first_tier_is_not_billed_with_the_start(customer: Customer) -> None:
    metric = goods.make_metric("seats")
    tiers = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}]
    charge = {"billable_metric_id": metric.uuid, "charge_model": "graduated", "properties": {"graduated_ranges": tiers}}
    plan = goods.make_plan("pro", cents=3100, pay_in_advance=True, charges=[charge])

    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01T00:10")

    # The flat amount belongs to January, and to nothing before it.
    assert made.billed(customer) == [("2026-01-01", "finalized", "31"), ("2026-02-01", "finalized", "36")]


def test_a_draft_of_the_start_that_is_voided_is_billed_anew(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, invoice_grace_period=3)
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-01-10"))
    draft = Invoice.objects.get()
    assert draft.status == Invoice.Status.DRAFT

    invoices.void_draft(invoice_id=draft.pk, reason="wrong", actor=ACTOR, at=instant("2026-01-11"))
    subscription.refresh_from_db()
    assert subscription.next_billing_date == date(2026, 1, 10)
    run("2026-01-12")
    run("2026-01-12")

    again = Invoice.objects.exclude(pk=draft.pk).get()
    period = again.billed_periods.get()
    assert (period.reason, period.days, period.of_days) == ("subscription_starting", 22, 31)  # 10..31 January
    subscription.refresh_from_db()
    assert subscription.next_billing_date == date(2026, 2, 1)


def test_a_draft_follows_the_price_of_a_new_version(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, invoice_grace_period=3)
    made.make_subscription(customer, make_plan(), at=instant("2026-01-01"))

    plans.update(code="pro", values={"amount_cents": 6200}, actor=ACTOR, at=instant("2026-01-02"))
    invoices.finalize_due(as_of=instant("2026-01-04T00:10"))

    assert made.billed(customer) == [("2026-01-01", "finalized", "62")]
    [rated] = RatedCharge.objects.all()
    assert rated.charge is None


def test_the_database_refuses_a_usage_twice_and_lets_fees_stand_beside_it(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-01-01"))
    run("2026-02-01T00:10")
    february = BilledPeriod.objects.get(subscription=subscription, billing_date=date(2026, 2, 1))
    assert (february.from_at, february.charges_to_at) == (instant("2026-02-01"), instant("2026-02-01"))

    february.pk, february.uuid, february.bills_fee = None, uuid4(), False
    with pytest.raises(IntegrityError, match="billing_usage_once"), transaction.atomic():
        february.save(force_insert=True)
    february.charges_from_at, february.charges_to_at = instant("2026-02-01"), instant("2026-03-01")
    february.save(force_insert=True)
    assert BilledPeriod.objects.filter(subscription=subscription).count() == 3


def test_the_end_of_a_trial_is_billed_once(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(trial_period=Decimal(10)), at=instant("2026-03-05T12:00"))
    assert subscription.trial_ends_at == instant("2026-03-15T12:00")
    assert not trials.end(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-03-15T11:59"))
    assert Invoice.objects.count() == 0

    moved = subscription_moves.end_trials(as_of=instant("2026-03-15T12:35"))
    again = subscription_moves.end_trials(as_of=instant("2026-03-15T13:35"))

    assert (moved.done, again.done, moved.failed) == (1, 0, {})
    assert made.billed(customer) == [("2026-03-15", "finalized", "17")]  # 31.00 × 17 / 31
    subscription.refresh_from_db()
    assert subscription.trial_ended_at == instant("2026-03-15T12:00")
    assert subscription.next_billing_date == date(2026, 4, 1)
    assert AuditEntry.objects.filter(verb="end_trial").count() == 1


def test_in_arrears_a_trial_ends_without_an_invoice_and_its_days_are_free(customer: Customer) -> None:
    plan = make_plan(pay_in_advance=False, trial_period=Decimal(10))
    made.make_subscription(customer, plan, at=instant("2026-03-01"))

    subscription_moves.end_trials(as_of=instant("2026-03-11T00:35"))
    assert Invoice.objects.count() == 0
    run("2026-04-01T00:10")

    assert made.billed(customer) == [("2026-04-01", "finalized", "21")]  # 31.00 × 21 / 31 for 11..31 March


def test_a_trial_that_was_over_before_is_not_billed_for(customer: Customer) -> None:
    plan = make_plan(trial_period=Decimal(10))
    subscription = made.make_subscription(
        customer, plan, at=instant("2026-03-20"), subscription_at=instant("2026-03-01")
    )

    subscription_moves.end_trials(as_of=instant("2026-03-20T00:35"))
    run("2026-04-01T00:10")

    assert subscription.trial_ended_at == instant("2026-03-11")
    assert made.billed(customer) == [("2026-04-01", "finalized", "31")]


def test_one_that_ends_in_its_trial_is_not_billed_for_it(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(trial_period=Decimal(10)), at=instant("2026-03-05"))
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-03-08"))

    assert subscription_moves.end_trials(as_of=instant("2026-03-15T00:35")).done == 0
    assert made.billed(customer) == [("2026-03-08", "finalized", "0")]


def test_an_agreed_end_makes_no_last_invoice_where_none_is_wanted(customer: Customer) -> None:
    subscription = made.make_subscription(
        customer, make_plan(), at=instant("2026-01-01"), ending_at=instant("2026-01-20"), on_termination_invoice="skip"
    )

    subscription_moves.terminate_ended(as_of=instant("2026-01-20T00:05"))

    subscription.refresh_from_db()
    assert subscription.status == Subscription.Status.TERMINATED
    assert made.billed(customer) == [("2026-01-01", "finalized", "31")]


def test_living_subscriptions_stay_on_a_version_that_is_billed_in_another_way(customer: Customer) -> None:
    plan = make_plan()
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-01"))
    later = PlanVersion.objects.create(
        plan=plan.plan,
        number=2,
        is_current=False,
        interval="monthly",
        amount=plan.amount,
        created_at=instant("2026-01-02"),
    )

    assert subscription_moves.adopt_version(version_id=later.pk) == 0
    subscription.refresh_from_db()
    assert subscription.plan_version_id == plan.pk
