"""Migrations to another plan version beside what else happens to a subscription: waiting changes, pauses, agreed ends,
first payments that are waited for, and fixed charges.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.activation import Rule
from billing.models import Subscription
from billing.services import pauses, plan_migration_runs, subscription_plans
from catalog.domain import publications
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel.actors import Actor
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import payments
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.migration_stories import approved, draft, person, publish, states, versions
from tests.factories.plan_stories import amounts, begin, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def first() -> PlanVersion:
    return goods.make_plan("starter", cents=3100, charges=[goods.standard(goods.make_metric("calls"), "2")])


@pytest.fixture
def anna() -> Actor:
    return person("anna")


@pytest.fixture
def ben() -> Actor:
    return person("ben")


def test_a_waiting_change_to_what_costs_more_by_now_is_called_off(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    """31.00 was to become 20.00 with February; the new version costs 10.00: nobody is moved to 20.00 unasked."""
    current = begin(customer, first, "2026-01-01")
    begin(customer, goods.make_plan("tiny", cents=2000), "2026-01-05")
    publish(cents=1000)
    approved(anna, ben)

    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    subscription_plans.settle(subscription_id=current.pk, actor=ACTOR, at=instant("2026-01-20T12:01"))

    current.refresh_from_db()
    assert (current.status, current.plan_version.number) == ("active", 2)
    assert [row.status for row in Subscription.objects.exclude(pk=current.pk)] == ["canceled"]


def test_a_waiting_change_to_the_same_version_is_called_off(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    approved(anna, ben, timing="date", change_date=date(2026, 3, 15))
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))

    approved(anna, ben, "2026-01-21")
    plan_migration_runs.run_due(as_of=instant("2026-01-21T12:00"))

    assert sorted(Subscription.objects.values_list("status", "plan_version__number")) == [
        ("active", 2),
        ("canceled", 2),
    ]


def test_a_date_is_not_anticipated_for_what_does_not_run_yet(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    """The new price is announced for June: who begins in March, or resumes before, pays the old one till then."""
    made.make_subscription(
        customer, first, at=instant("2026-01-01"), external_id="march", subscription_at=instant("2026-03-01")
    )
    made.make_subscription(
        customer, first, at=instant("2026-01-01"), external_id="july", subscription_at=instant("2026-07-01")
    )
    paused = made.make_subscription(customer, first, at=instant("2026-01-01"), external_id="paused")
    pauses.pause(subscription_id=paused.pk, fee="prorated", actor=ACTOR, at=instant("2026-01-12"))
    publish("2026-01-15")

    migration = approved(anna, ben, timing="date", change_date=date(2026, 6, 1))
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))

    assert states(migration) == {"march": "skipped", "july": "moved", "paused": "skipped"}
    reasons = dict(migration.items.values_list("subscription__external_id", "reason_code"))
    assert reasons == {"march": "begins_before", "july": "", "paused": "paused"}


def test_a_paused_one_runs_on_by_the_new_version(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    """12 of 31 days by the old version: 12.00. From 13 February on 16 of 28 days of 62.00: 35.43."""
    current = begin(customer, first, "2026-01-01")
    waiting = pauses.pause(subscription_id=current.pk, fee="prorated", actor=ACTOR, at=instant("2026-01-12T10:00"))
    publish("2026-01-15")
    approved(anna, ben)
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    pauses.resume(subscription_id=waiting.pk, actor=ACTOR, at=instant("2026-02-13T10:00"))
    run("2026-03-01T01:00")
    assert amounts(customer) == ["starter 12", "starter 35.43"]


@pytest.mark.parametrize(("timing", "day"), [("date", date(2026, 3, 1)), ("period_end", None)])
def test_one_that_ends_before_is_left_out(
    customer: Customer, first: PlanVersion, anna: Actor, timing: str, day: date | None
) -> None:
    begin(customer, first, "2026-01-01", ending_at=instant("2026-01-28"))
    publish()
    item = draft(anna, timing=timing, change_date=day).items.get()
    assert (item.state, item.reason_code) == ("skipped", "ends_before")


def test_next_invoices_of_another_interval_are_not_compared(
    customer: Customer, first: PlanVersion, anna: Actor
) -> None:
    begin(customer, first, "2026-01-01")
    values: Any = {"interval": "yearly", "amount_cents": 30000}
    Subscription.objects.update(plan_version=goods.make_plan("other"))
    plans.update(code="starter", values=values, actor=ACTOR, at=instant("2026-01-02"), publication=publications.KEPT)
    Subscription.objects.update(plan_version=first)
    item = draft(anna, timing="period_end").items.get()
    assert (item.state, item.before_amount, item.after_amount) == ("waiting", None, None)


@pytest.mark.parametrize("in_advance", [True, False])
def test_units_of_fixed_charges_are_previewed_as_they_are_billed(
    customer: Customer, anna: Actor, ben: Actor, *, in_advance: bool
) -> None:
    """Seats go from 5 to 8, support is new. In advance both are due with February; in arrears January's units are."""
    seats, support = goods.make_add_on("seats"), goods.make_add_on("support")
    row = goods.fixed(seats, 5, "10", pay_in_advance=in_advance)
    plan = goods.make_plan("starter", cents=3100, fixed_charges=[row])
    begin(customer, plan, "2026-01-01")
    key = plan.fixed_charges.get().key
    values: Any = {
        "fixed_charges": [
            row | {"id": key, "units": Decimal(8)},
            goods.fixed(support, 2, "7", pay_in_advance=in_advance),
        ]
    }
    plans.update(code="starter", values=values, actor=ACTOR, at=instant("2026-01-10"), publication=publications.KEPT)
    before = amounts(customer)

    migration = approved(anna, ben)
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    run("2026-02-01T01:00")

    billed = [line for line in amounts(customer)[len(before) :] if not line.endswith(" 0")]
    expected = ["starter 31", "seats 80", "support 14"] if in_advance else ["starter 31", "seats 50"]
    assert billed == expected
    item = migration.items.get()
    assert item.after_amount.amount == (125 if in_advance else 81)
    assert item.before_amount.amount == 81


def test_one_that_waits_for_its_first_payment(customer: Customer, anna: Actor, ben: Actor) -> None:
    """Its open invoice stays as it is. At once it is moved; what waits for the end of a period finds none."""
    plan = goods.make_plan("starter", cents=3100, pay_in_advance=True)
    made.make_subscription(customer, plan, at=instant("2026-01-01"), activation_rules=[Rule(timeout_hours=None)])
    values: Any = {"amount_cents": 6200}
    plans.update(code="starter", values=values, actor=ACTOR, at=instant("2026-01-10"), publication=publications.KEPT)
    later = draft(anna, timing="period_end").items.get()
    assert (later.state, later.reason_code) == ("skipped", "waits_for_payment")

    migration = approved(anna, ben)
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    assert (states(migration), versions()) == ({"sub": "moved"}, {"sub": 2})
    invoice = Invoice.objects.get()
    paid = instant("2026-01-21")
    payments.record(
        invoice_id=invoice.pk, amount=invoice.total_amount, reference="1", paid_at=paid, actor=ACTOR, at=paid
    )
    run("2026-02-01T01:00")
    assert amounts(customer) == ["starter 31", "starter 62"]


def test_one_that_waits_for_its_first_payment_follows_an_update_of_its_plan(customer: Customer) -> None:
    plan = goods.make_plan("starter", cents=3100, pay_in_advance=True)
    made.make_subscription(customer, plan, at=instant("2026-01-01"), activation_rules=[Rule(timeout_hours=None)])
    plans.update(code="starter", values={"amount_cents": 6200}, actor=ACTOR, at=instant("2026-01-10"))
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.fees_amount.amount) == ("open", 31)
    paid = instant("2026-01-21")
    payments.record(
        invoice_id=invoice.pk, amount=invoice.total_amount, reference="1", paid_at=paid, actor=ACTOR, at=paid
    )
    run("2026-02-01T01:00")
    assert amounts(customer) == ["starter 31", "starter 62"]
