"""The ends of a subscription's time: what an earlier one billed, agreed ends that passed or were put off, no time."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Subscription
from billing.services import runs, subscription_updates, terminations
from catalog.models import PlanVersion
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
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


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("pro", cents=2800, charges=[goods.standard(goods.make_metric("requests"), "0.10")])


def begin(customer: Customer, plan: PlanVersion, at: str, **values: Any) -> Subscription:
    return made.make_subscription(customer, plan, at=instant(at), **values)


def end(subscription: Subscription, at: str, **options: Any) -> Subscription:
    return terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant(at), **options)


def test_the_next_one_does_not_bill_again_what_one_without_a_last_invoice_billed(
    entity: BillingEntity, customer: Customer, plan: PlanVersion
) -> None:
    first = begin(customer, plan, "2026-01-01")
    made.send("sub", "requests", "2026-01-20", "2026-02-05")
    runs.run(as_of=instant("2026-02-01"), trigger="test", actor=ACTOR)
    end(first, "2026-02-10", on_termination_invoice="skip")

    # Of another customer, because both read the same events.
    other = parties.make_customer(entity, "c2")
    again = begin(other, plan, "2026-02-20", subscription_at=instant("2026-01-01"), backdated_billing="bill")
    runs.run(as_of=instant("2026-03-01"), trigger="test", actor=ACTOR)

    assert again.started_at == instant("2026-02-01")
    assert made.billed(customer) == [("2026-02-01", "finalized", "28.1")]
    assert made.billed(other) == [("2026-03-01", "finalized", "28.1")]


def test_an_agreed_end_that_has_passed_is_the_end_for_everybody(customer: Customer, plan: PlanVersion) -> None:
    found = end(begin(customer, plan, "2026-02-01", ending_at=instant("2026-02-14T12:00")), "2026-02-17")

    assert found.terminated_at == instant("2026-02-14T12:00")
    assert made.billed(customer) == [("2026-02-14", "finalized", "14")]


def test_an_end_that_was_put_off_is_none(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-02-01", ending_at=instant("2026-03-14"))

    found = terminations.end_as_agreed(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-02-14"))

    assert (found.status, found.terminated_at) == ("active", None)
    assert not Invoice.objects.exists()


def test_one_that_ends_before_it_begins_later_that_day_costs_nothing(customer: Customer, plan: PlanVersion) -> None:
    later = begin(customer, plan, "2026-02-10T09:00", subscription_at=instant("2026-02-10T18:00"))

    found = end(later, "2026-02-10T12:00")

    assert (found.status, found.terminated_at) == ("terminated", instant("2026-02-10T18:00"))
    assert not Invoice.objects.exists()


def test_the_start_may_be_sent_back_as_it_was_shown(customer: Customer, plan: PlanVersion) -> None:
    shown = instant("2026-02-01T10:00:00.123456")
    running = made.make_subscription(customer, plan, at=shown, subscription_at=shown)
    changes = {"subscription_at": instant("2026-02-01T10:00:00"), "name": "New"}

    subscription_updates.update(subscription_id=running.pk, changes=changes, actor=ACTOR, at=instant("2026-02-11"))

    running.refresh_from_db()
    assert (running.name, running.subscription_at) == ("New", instant("2026-02-01T10:00:00.123456"))


def test_without_a_last_invoice_a_period_that_is_complete_is_billed(customer: Customer, plan: PlanVersion) -> None:
    # It ends ten minutes into the billing day, before the run of that day.
    end(begin(customer, plan, "2026-01-01"), "2026-02-01T00:10", on_termination_invoice="skip")

    assert made.billed(customer) == [("2026-02-01", "finalized", "28")]
    assert runs.run(as_of=instant("2026-02-01T00:20"), trigger="test", actor=ACTOR).customers_total == 0
