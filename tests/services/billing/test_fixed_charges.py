"""Fixed charges in the database: starts, renewals, other numbers of units, drafts, upgrades, and what is not billed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from billing.domain import trace, verification
from billing.models import BilledPeriod, FixedChargeUnits, RatedCharge, Subscription
from billing.queries import fixed_units
from billing.services import fixed_agreements, fixed_changes, runs, subscription_moves, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from catalog.models import FixedCharge, PlanVersion
from catalog.services import plans
from config.kernel import errors, jobs
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.queries import ledger
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import fixed
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

D = Decimal


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def make_plan(code: str = "pro", *, cents: int = 0, **terms: Any) -> PlanVersion:
    """Make a plan with ten seats at ten euros, in advance unless told otherwise."""
    plan_terms = {name: terms.pop(name) for name in ("interval", "bill_fixed_charges_monthly") if name in terms}
    charge = fixed.standard(fixed.make_add_on(f"{code}_seat"), code="seats", **{"pay_in_advance": True, **terms})
    return goods.make_plan(code, cents=cents, fixed_charges=[charge], **plan_terms)


def run(at: str) -> None:
    runs.run(as_of=instant(at), trigger="test", actor=ACTOR)


def change(subscription: Subscription, units: str, at: str, *, immediately: bool = True) -> FixedCharge:
    return fixed_changes.change(
        subscription_id=subscription.pk,
        code="seats",
        units=D(units),
        immediately=immediately,
        actor=ACTOR,
        at=instant(at),
    )


def republish(units: str, at: str, *, immediately: bool, code: str = "pro") -> None:
    values: Any = {"fixed_charges": [{"code": "seats", "units": D(units), "apply_units_immediately": immediately}]}
    plans.update(code=code, values=values, actor=ACTOR, at=instant(at))


def all_verify() -> bool:
    return all(
        verification.verify(trace=row.trace, sha256=row.trace_sha256, amount=row.line.amount.amount).is_right
        for row in RatedCharge.objects.select_related("line")
    )


def test_in_advance_the_start_and_each_renewal_bill_the_period_that_begins(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-01-15T10:00"))
    run("2026-02-01T00:10")
    run("2026-02-01T00:10")

    assert fixed.billed(customer) == [("2026-01-15", "10", "100"), ("2026-02-01", "10", "100")]
    start, february = BilledPeriod.objects.order_by("pk")
    assert (start.reason, start.bills_fee) == ("subscription_starting", False)
    assert (start.fixed_advance_from_at, start.fixed_advance_to_at) == (
        instant("2026-01-15T10:00"),
        instant("2026-02-01"),
    )
    assert start.fixed_charges_from_at is None
    assert february.fixed_charges_from_at is None
    # Written once, with the plan's number, from the start on.
    row = FixedChargeUnits.objects.get()
    assert (row.units, row.effective_at, row.is_override) == (10, subscription.started_at, False)
    assert all_verify()
    assert ledger.out_of_balance() == {}


def test_in_arrears_the_start_bills_nothing_and_the_end_what_was_there(customer: Customer) -> None:
    plan = make_plan(cents=3100, pay_in_advance=False, prorated=True)
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-19T12:12"))
    assert Invoice.objects.count() == 0
    run("2026-02-01T00:10")
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-02-07T09:00"))

    # 10 × 13 / 31 = 4.193548 × 10; 10 × 7 / 28 = 2.5 × 10
    assert fixed.billed(customer) == [("2026-01-19", "10", "41.94"), ("2026-02-01", "10", "25")]
    assert all_verify()


def test_in_advance_the_end_bills_and_gives_back_nothing(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(cents=3100), at=instant("2026-01-01"))
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-01-10"))
    run("2026-02-01T00:10")

    assert fixed.billed(customer) == [("2026-01-01", "10", "100")]


def test_a_trial_does_not_put_off_fixed_charges(customer: Customer) -> None:
    charge = fixed.standard(fixed.make_add_on(), code="seats", pay_in_advance=True)
    plan = goods.make_plan("pro", cents=3100, pay_in_advance=True, trial_period=D(9), fixed_charges=[charge])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    subscription_moves.end_trials(as_of=instant("2026-01-10"))

    # The seats of January at the start; 22 days of the fee after the trial, and the seats not again.
    assert made.billed(customer) == [("2026-01-01", "finalized", "100"), ("2026-01-10", "finalized", "22")]


def test_one_that_waits_bills_its_start_when_it_comes(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, timezone="America/Bogota")
    plan = make_plan()
    made.make_subscription(customer, plan, at=instant("2026-01-10"), subscription_at=instant("2026-01-15T10:00"))
    assert FixedChargeUnits.objects.count() == Invoice.objects.count() == 0

    subscription_moves.activate_pending(as_of=instant("2026-01-15T10:00"))

    assert fixed.billed(customer) == [("2026-01-15", "10", "100")]


def test_more_units_now_are_billed_at_once_and_fewer_are_told(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    change(subscription, "5", "2026-03-06")
    change(subscription, "15", "2026-03-11")
    change(subscription, "15", "2026-03-12")  # it has them already
    run("2026-04-01T00:10")

    # Nothing is given back, and the ten that are paid are not paid again.
    assert fixed.billed(customer) == [
        ("2026-03-01", "10", "100"),
        ("2026-03-06", "0", "0"),
        ("2026-03-11", "5", "50"),
        ("2026-04-01", "15", "150"),
    ]
    assert Invoice.objects.filter(status="finalized").count() == 4
    assert (
        list(BilledPeriod.objects.order_by("pk").values_list("reason", "bills_fee"))[1:3]
        == [("in_advance_charge", False)] * 2
    )
    assert all_verify()
    assert ledger.out_of_balance() == {}
    assert AuditEntry.objects.filter(verb="change_units").count() == 2


def test_a_prorated_increase_is_for_the_days_left(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(prorated=True), at=instant("2026-03-01"))
    change(subscription, "15", "2026-03-11T23:00")

    # 5 × 21 / 31 = 3.387097 × 10: the day of the change counts
    assert fixed.billed(customer)[1] == ("2026-03-11", "5", "33.87")


def test_days_left_are_local_ones(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, timezone="Asia/Tokyo")
    subscription = made.make_subscription(customer, make_plan(prorated=True), at=instant("2026-02-28T15:00"))
    change(subscription, "15", "2026-03-11T23:00")

    assert fixed.billed(customer)[1][2] == "32.26"  # it is the 12th: 5 × 20 / 31 = 3.225806 × 10


def test_units_from_the_next_period_on(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    change(subscription, "25", "2026-03-06", immediately=False)
    assert Invoice.objects.count() == 1
    run("2026-04-01T00:10")

    assert fixed.billed(customer)[-1] == ("2026-04-01", "25", "250")


def test_units_in_arrears_count_by_their_days_or_as_they_are_at_the_end(entity: BillingEntity) -> None:
    first, second = parties.make_customer(entity, "c1"), parties.make_customer(entity, "c2")
    whole, prorated = make_plan("whole", pay_in_advance=False), make_plan("days", pay_in_advance=False, prorated=True)
    for customer, plan in ((first, whole), (second, prorated)):
        subscription = made.make_subscription(customer, plan, customer.external_id, at=instant("2026-03-01"))
        change(subscription, "20", "2026-03-11")
    assert Invoice.objects.count() == 0
    run("2026-04-01T00:10")

    assert fixed.billed(first) == [("2026-03-01", "20", "200")]
    # 10 × 10 / 31 = 3.225806, 20 × 21 / 31 = 13.548387: 16.774193 × 10
    assert fixed.billed(second) == [("2026-03-01", "20", "167.74")]


def test_the_plans_number_goes_for_whoever_has_none_of_their_own(entity: BillingEntity) -> None:
    first, second = parties.make_customer(entity, "c1"), parties.make_customer(entity, "c2")
    plan = make_plan()
    made.make_subscription(first, plan, "one", at=instant("2026-03-01"))
    own = made.make_subscription(second, plan, "two", at=instant("2026-03-01"))
    change(own, "12", "2026-03-02")

    republish("15", "2026-03-06", immediately=True)
    fixed_changes.bill_waiting(as_of=instant("2026-03-06"))
    fixed_changes.bill_waiting(as_of=instant("2026-03-07"))  # nothing is left
    republish("20", "2026-03-11", immediately=False)
    fixed_changes.bill_waiting(as_of=instant("2026-03-11"))
    run("2026-04-01T00:10")

    assert [row[1:] for row in fixed.billed(first)] == [("10", "100"), ("5", "50"), ("20", "200")]
    assert [row[1:] for row in fixed.billed(second)] == [("10", "100"), ("2", "20"), ("12", "120")]


def test_a_change_of_the_plan_asks_for_its_billing_once(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    asked: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda path, **_: asked.append(path))
    republish("15", "2026-03-06", immediately=True)
    republish("15", "2026-03-07", immediately=True)

    assert asked.count("billing.tasks.bill_fixed_charges") == 1
    assert [row.units for row in fixed_units.unbilled()] == [15]


def test_two_changes_of_the_plan_that_wait_are_billed_one_after_the_other(customer: Customer) -> None:
    made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    republish("15", "2026-03-06", immediately=True)
    republish("12", "2026-03-06", immediately=True)
    republish("30", "2026-03-06", immediately=True)
    fixed_changes.bill_waiting(as_of=instant("2026-03-09"))

    # 15 − 10, then none, then 30 − 15: on one invoice, as they were written at one moment
    assert [row[1:] for row in fixed.billed(customer)] == [("10", "100"), ("5", "50"), ("0", "0"), ("15", "150")]
    assert Invoice.objects.count() == 2


def test_a_fixed_charge_that_the_plan_gets_later_counts_from_the_next_period_on(customer: Customer) -> None:
    plan = goods.make_plan("pro", cents=3100)
    made.make_subscription(customer, plan, at=instant("2026-03-01"))
    charge = fixed.standard(fixed.make_add_on(), "4", prorated=True)
    plans.update(code="pro", values={"fixed_charges": [charge]}, actor=ACTOR, at=instant("2026-03-10"))
    run("2026-04-01T00:10")
    run("2026-05-01T00:10")

    assert fixed.billed(customer) == [("2026-04-01", "4", "40")]


def test_open_billing_days_are_billed_before_a_change(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    change(subscription, "15", "2026-04-03")

    assert [row[1:] for row in fixed.billed(customer)] == [("10", "100"), ("10", "100"), ("5", "50")]


def test_a_draft_bills_what_the_period_opened_with(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, invoice_grace_period=20)
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    change(subscription, "15", "2026-03-06")
    draft = Invoice.objects.get(status=Invoice.Status.DRAFT)
    invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-03-07"))
    # What is added is issued at once, whatever the grace.
    assert sorted(Invoice.objects.values_list("status", "fees_amount")) == [("draft", D(100)), ("finalized", D(50))]

    invoices.void_draft(invoice_id=draft.pk, reason="wrong", actor=ACTOR, at=instant("2026-03-08"))
    run("2026-03-09")
    run("2026-03-09")

    unbilled_drafts = Invoice.objects.filter(status=Invoice.Status.DRAFT)
    assert [row.fees_amount.amount for row in unbilled_drafts] == [100]


def test_a_draft_in_arrears_follows_what_was_agreed_in_its_period(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, invoice_grace_period=20)
    subscription = made.make_subscription(customer, make_plan(pay_in_advance=False), at=instant("2026-03-01"))
    run("2026-04-01T00:10")
    draft = Invoice.objects.get()
    change(subscription, "50", "2026-04-02")  # April's
    invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-04-03"))

    assert fixed.billed(customer) == [("2026-03-01", "10", "100")]


def test_a_subscription_may_agree_on_units_at_its_start(customer: Customer) -> None:
    plan = make_plan()
    key = str(plan.fixed_charges.get().key)
    subscription = made.make_subscription(customer, plan, at=instant("2026-03-01"), fixed_units={key: D(3)})

    assert fixed.billed(customer) == [("2026-03-01", "3", "30")]
    assert fixed_units.numbers(subscription=subscription, at=instant("2026-03-02")) == {key: 3}
    republish("15", "2026-03-06", immediately=True)
    assert not fixed_units.unbilled().exists()
    with pytest.raises(errors.NotFound, match="no fixed charge"):
        made.make_subscription(customer, plan, "other", at=instant("2026-03-01"), fixed_units={"x": D(3)})


@pytest.mark.parametrize(("paid_prorated", "expected"), [(True, "30.16"), (False, "100")])
def test_an_upgrade_takes_off_what_was_paid_for_the_same_add_on(
    customer: Customer, paid_prorated: bool, expected: str
) -> None:
    add_on = fixed.make_add_on()
    terms = {"pay_in_advance": True, "prorated": paid_prorated, "code": "seats"}
    small = goods.make_plan("small", cents=100, fixed_charges=[fixed.standard(add_on, "5", "3", **terms)])
    goods.make_plan("large", cents=10000, fixed_charges=[fixed.standard(add_on, "10", "10", **terms)])
    made.make_subscription(customer, small, at=instant("2026-08-01"))
    new = NewSubscription(external_customer_id=customer.external_id, plan_code="large", external_id="sub")
    subscriptions.create(new=new, actor=ACTOR, at=instant("2026-08-21T12:00"))

    # 10 × 11 / 31 = 3.548387 × 10 − round(15 × 11 / 31)
    assert fixed.billed(customer)[-1] == ("2026-08-21", "10", expected)
    assert all_verify()


def test_monthly_fixed_charges_of_a_year(customer: Customer) -> None:
    plan = make_plan(cents=120000, interval="yearly", bill_fixed_charges_monthly=True)
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    for month in ("2026-02-01", "2026-03-01"):
        run(f"{month}T00:10")

    assert made.billed(customer) == [
        ("2026-01-01", "finalized", "100"),
        ("2026-02-01", "finalized", "100"),
        ("2026-03-01", "finalized", "100"),
    ]


@pytest.mark.parametrize("units", ["-1", "1000000000000000", "0.0000000000000001"])
def test_units_that_cannot_be_agreed_on(customer: Customer, units: str) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    with pytest.raises(fixed_agreements.InvalidUnits):
        change(subscription, units, "2026-03-06")
    assert FixedChargeUnits.objects.count() == 1


def test_what_is_over_agrees_on_nothing(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-03-05"))
    with pytest.raises(errors.NotAllowed):
        change(subscription, "15", "2026-03-06")


def test_the_database_refuses_to_bill_a_time_or_a_number_twice(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-03-01"))
    change(subscription, "15", "2026-03-06")
    base, increase = RatedCharge.objects.order_by("pk")
    assert (base.item_key, base.fixed_units) == (increase.item_key, None)
    for row in (base, increase):
        line = row.line
        line.pk, line.invoice, line.payment_status = None, None, "pending"
        line.uuid, row.uuid = uuid4(), uuid4()
        line.save(force_insert=True)
        row.pk, row.line = None, line
        with pytest.raises(IntegrityError, match="rated_once"), transaction.atomic():
            row.save(force_insert=True)
    number = FixedChargeUnits.objects.first()
    assert number is not None
    number.units = D(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        number.save()


def test_a_preview_is_what_is_billed_and_writes_nothing(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(prorated=True), at=instant("2026-03-01"))
    terms: Any = {"subscription_id": subscription.pk, "code": "seats", "units": D(15), "at": instant("2026-03-11")}
    before = (Invoice.objects.count(), FixedChargeUnits.objects.count())
    item = fixed_changes.preview(**terms)

    assert item is not None
    assert (Invoice.objects.count(), FixedChargeUnits.objects.count()) == before
    change(subscription, "15", "2026-03-11")
    line = RatedCharge.objects.order_by("-pk")[0]
    assert (line.line.amount, line.trace_sha256) == (item.amount, trace.digest(item.trace))
