"""The life of a subscription: beginning in future, today or the past, beginning again, changing, ending."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import terms
from billing.models import BilledPeriod, Subscription
from billing.services import runs, subscription_moves, subscription_updates, terminations
from catalog.models import PlanVersion
from config.kernel import errors
from config.platform.models import AuditEntry
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


@pytest.mark.parametrize(
    ("timezone", "subscription_at", "status", "next_billing"),
    [
        ("", None, "active", date(2026, 3, 1)),
        # Later today is today, also where today is another day than in UTC.
        ("", "2026-02-10T23:00", "active", date(2026, 3, 1)),
        ("Asia/Tokyo", "2026-02-10T15:30", "pending", None),
        ("America/New_York", "2026-02-11T03:00", "active", date(2026, 3, 1)),
        ("", "2026-02-11T00:00", "pending", None),
        ("", "2026-01-20T00:00", "active", date(2026, 3, 1)),
    ],
)
def test_the_start_decides_the_state(
    customer: Customer, plan: PlanVersion, timezone: str, subscription_at: str | None, status: str, next_billing: Any
) -> None:
    Customer.objects.update(timezone=timezone)
    start = instant(subscription_at) if subscription_at else None

    found = begin(customer, plan, "2026-02-10T12:00", subscription_at=start)

    found.refresh_from_db()
    assert found.status == status
    assert found.subscription_at == (start or instant("2026-02-10T12:00"))
    assert found.started_at == (found.subscription_at if status == "active" else None)
    assert found.next_billing_date == next_billing
    assert not Invoice.objects.exists()


def test_the_customer_takes_the_currency_of_its_first_plan(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-02-10")
    begin(customer, goods.make_plan("dollars", currency="USD"), "2026-02-10", external_id="other")

    customer.refresh_from_db()
    assert customer.currency == "EUR"
    assert AuditEntry.objects.get(object_type="customers.customer", verb="update").new == {"currency": "EUR"}
    assert Subscription.objects.get(external_id="other").plan_version.currency == "USD"


def test_the_same_again_is_the_same_subscription(customer: Customer, plan: PlanVersion) -> None:
    first = begin(customer, plan, "2026-02-10")

    again = begin(customer, plan, "2026-02-20", name="Another name")

    assert again.pk == first.pk
    assert again.name == ""
    assert Subscription.objects.count() == 1
    assert AuditEntry.objects.filter(object_type="billing.subscription").count() == 1


def test_a_waiting_subscription_takes_another_plan(customer: Customer, plan: PlanVersion) -> None:
    first = begin(customer, plan, "2026-02-10", subscription_at=instant("2026-03-05"))

    again = begin(customer, goods.make_plan("big"), "2026-02-20", name="Big")

    first.refresh_from_db()
    assert again.pk == first.pk
    assert (first.plan_version.plan.code, first.name, first.status) == ("big", "Big", "pending")


def test_an_external_id_belongs_to_one_customer(entity: BillingEntity, customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-02-10")
    other = parties.make_customer(entity, "c2")

    with pytest.raises(errors.Invalid) as refusal:
        begin(other, plan, "2026-02-10")

    assert refusal.value.details == {"external_id": ["value_already_exist"]}


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"ending_at": "2026-02-10T12:00"}, {"ending_at": ["invalid_date"]}),
        ({"ending_at": "2026-02-20", "subscription_at": "2026-02-20"}, {"ending_at": ["invalid_date"]}),
        ({"ending_at": "2026-02-01", "subscription_at": "2026-01-01"}, {"ending_at": ["invalid_date"]}),
        ({"external_id": " "}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": "x" * 256}, {"external_id": ["value_is_too_long"]}),
    ],
)
def test_terms_that_do_not_fit_are_refused(
    customer: Customer, plan: PlanVersion, values: dict[str, str], details: dict[str, list[str]]
) -> None:
    given = {key: instant(value) if key.endswith("_at") else value for key, value in values.items()}

    with pytest.raises(errors.Invalid) as refusal:
        begin(customer, plan, "2026-02-10T12:00", **given)

    assert refusal.value.details == details
    assert not Subscription.objects.exists()


def test_the_next_one_does_not_begin_before_the_last_one_ended(customer: Customer, plan: PlanVersion) -> None:
    end(begin(customer, plan, "2026-01-01"), "2026-02-10T12:00")

    again = begin(customer, plan, "2026-02-20", subscription_at=instant("2026-01-15"))

    assert again.started_at == instant("2026-02-10T12:00")


def test_backdated_periods_are_left_out_or_billed(customer: Customer, plan: PlanVersion) -> None:
    start = instant("2025-12-11")
    begin(customer, plan, "2026-02-10", external_id="skip", subscription_at=start)
    begin(customer, plan, "2026-02-10", external_id="bill", subscription_at=start, backdated_billing="bill")
    made.send("skip", "requests", "2025-12-20", "2026-01-20")
    made.send("bill", "requests", "2025-12-20", "2026-01-20")

    runs.run(as_of=instant("2026-02-10"), trigger="test", actor=ACTOR)

    # 28.00 × 21 / 31 + 0.10 for 11..31 December, and 28.00 + 0.10 for January
    assert made.billed(customer) == [("2026-01-01", "finalized", "19.07"), ("2026-02-01", "finalized", "28.1")]
    assert set(BilledPeriod.objects.values_list("subscription__external_id", flat=True)) == {"bill"}
    runs.run(as_of=instant("2026-03-01"), trigger="test", actor=ACTOR)
    assert Invoice.objects.get(billed_at=instant("2026-03-01")).fees_amount.amount == 56


def test_the_end_bills_what_was_used(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2025-02-08")
    made.send("sub", "requests", "2025-02-10", "2025-02-21T00:00")

    found = end(subscription, "2025-02-21")

    assert (found.status, found.terminated_at, found.next_billing_date) == ("terminated", instant("2025-02-21"), None)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.issuing_date) == ("finalized", date(2025, 2, 21))
    # 28.00 × 14 / 28: the 8th to the 21st; usage before the very instant of the end
    assert [line.amount.amount for line in invoice.lines.order_by("position")] == [14, Decimal("0.1")]
    assert BilledPeriod.objects.get().reason == "subscription_terminating"
    again = end(subscription, "2025-02-25")
    assert again.terminated_at == instant("2025-02-21")
    assert runs.run(as_of=instant("2025-03-01"), trigger="test", actor=ACTOR).invoices_count == 0
    assert Invoice.objects.count() == 1


def test_the_end_bills_open_billing_days_first(customer: Customer, plan: PlanVersion) -> None:
    end(begin(customer, plan, "2026-01-01"), "2026-03-10T12:00")

    # 28.00 × 10 / 31 = 9.03
    assert made.billed(customer) == [
        ("2026-02-01", "finalized", "28"),
        ("2026-03-01", "finalized", "28"),
        ("2026-03-10", "finalized", "9.03"),
    ]


def test_the_end_without_a_last_invoice(customer: Customer, plan: PlanVersion) -> None:
    found = end(begin(customer, plan, "2026-02-01"), "2026-02-10", on_termination_invoice="skip")

    assert (found.status, found.on_termination_invoice, found.next_billing_date) == ("terminated", "skip", None)
    assert not Invoice.objects.exists()
    assert runs.run(as_of=instant("2026-03-01"), trigger="test", actor=ACTOR).customers_total == 0


def test_the_end_of_a_waiting_one_cancels_it(customer: Customer, plan: PlanVersion) -> None:
    found = end(begin(customer, plan, "2026-02-01", subscription_at=instant("2026-03-05")), "2026-02-10")

    assert (found.status, found.canceled_at, found.started_at) == ("canceled", instant("2026-02-10"), None)
    assert not Invoice.objects.exists()
    assert subscription_moves.activate_pending(as_of=instant("2026-03-05")).done == 0


def test_waiting_ones_begin_on_their_local_day(customer: Customer, plan: PlanVersion) -> None:
    Customer.objects.update(timezone="Asia/Tokyo")
    begin(customer, plan, "2026-02-01", subscription_at=instant("2026-03-05T09:00"))

    assert subscription_moves.activate_pending(as_of=instant("2026-03-04T14:59")).done == 0
    assert subscription_moves.activate_pending(as_of=instant("2026-03-04T15:00")).done == 1

    found = Subscription.objects.get()
    assert (found.status, found.started_at) == ("active", instant("2026-03-05T09:00"))
    assert found.next_billing_date == date(2026, 4, 1)
    assert subscription_moves.activate_pending(as_of=instant("2026-03-04T15:00")).done == 0


def test_a_late_job_begins_them_in_time_all_the_same(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-02-01", subscription_at=instant("2026-03-17"))

    subscription_moves.activate_pending(as_of=instant("2026-05-02"))
    runs.run(as_of=instant("2026-05-02"), trigger="test", actor=ACTOR)

    # 28.00 × 15 / 31 = 13.548
    assert made.billed(customer) == [("2026-04-01", "finalized", "13.55"), ("2026-05-01", "finalized", "28")]


def test_an_agreed_end_comes_at_its_instant(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-02-01", ending_at=instant("2026-02-14T12:00"))
    made.send("sub", "requests", "2026-02-14T11:59", "2026-02-14T12:00")
    assert subscription_moves.terminate_ended(as_of=instant("2026-02-14T11:59")).done == 0

    assert subscription_moves.terminate_ended(as_of=instant("2026-02-17")).done == 1

    found = Subscription.objects.get()
    assert (found.status, found.terminated_at) == ("terminated", instant("2026-02-14T12:00"))
    # 28.00 × 14 / 28 + 0.10, dated to the end and not to the day of the job
    assert made.billed(customer) == [("2026-02-14", "finalized", "14.1")]
    assert Invoice.objects.get().issuing_date == date(2026, 2, 14)
    assert subscription_moves.terminate_ended(as_of=instant("2026-02-17")).done == 0


def test_one_that_cannot_end_holds_up_no_other(customer: Customer, plan: PlanVersion) -> None:
    bad = goods.make_plan("bad", charges=[goods.standard(goods.make_metric("bytes"))])
    bad.charges.update(properties={"amount": "nothing"})
    begin(customer, bad, "2026-02-01", external_id="stuck", ending_at=instant("2026-02-14"))
    begin(customer, plan, "2026-02-01", external_id="fine", ending_at=instant("2026-02-14"))

    done = subscription_moves.terminate_ended(as_of=instant("2026-02-14"))

    assert (done.done, list(done.failed)) == (1, ["stuck"])
    assert Subscription.objects.get(external_id="stuck").status == "active"
    assert Subscription.objects.get(external_id="fine").status == "terminated"


def test_a_billing_run_leaves_an_agreed_end_to_the_termination(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-02-05", billing_time="anniversary", ending_at=instant("2026-03-05T02:00"))

    assert runs.run(as_of=instant("2026-03-05T02:30"), trigger="test", actor=ACTOR).invoices_count == 0
    subscription_moves.terminate_ended(as_of=instant("2026-03-05T03:00"))

    # Exactly one month, though it ends two hours into the new one.
    assert made.billed(customer) == [("2026-03-05", "finalized", "28")]


@pytest.mark.parametrize("field", ["name", "ending_at", "on_termination_invoice"])
def test_terms_can_be_changed(customer: Customer, plan: PlanVersion, field: str) -> None:
    subscription = begin(customer, plan, "2026-02-01")
    value = {"name": "New", "ending_at": instant("2026-06-01"), "on_termination_invoice": "skip"}[field]

    subscription_updates.update(
        subscription_id=subscription.pk, changes={field: value}, actor=ACTOR, at=instant("2026-02-10")
    )

    subscription.refresh_from_db()
    assert getattr(subscription, field) == value
    assert AuditEntry.objects.filter(verb="change").count() == 1


def test_an_end_in_the_past_is_refused(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-02-01")

    with pytest.raises(terms.InvalidTerms):
        subscription_updates.update(
            subscription_id=subscription.pk,
            changes={"ending_at": instant("2026-02-09")},
            actor=ACTOR,
            at=instant("2026-02-10"),
        )

    subscription.refresh_from_db()
    assert subscription.ending_at is None


def test_the_start_moves_only_while_it_waits(customer: Customer, plan: PlanVersion) -> None:
    waiting = begin(customer, plan, "2026-02-01", subscription_at=instant("2026-03-05"))
    changes = {"subscription_at": instant("2026-02-08")}

    subscription_updates.update(subscription_id=waiting.pk, changes=changes, actor=ACTOR, at=instant("2026-02-10"))

    waiting.refresh_from_db()
    assert (waiting.status, waiting.started_at) == ("active", instant("2026-02-08"))
    with pytest.raises(terms.InvalidTerms) as refusal:
        subscription_updates.update(
            subscription_id=waiting.pk,
            changes={"subscription_at": instant("2026-04-01")},
            actor=ACTOR,
            at=instant("2026-02-11"),
        )
    assert refusal.value.details == {"subscription_at": ["modification_not_allowed"]}


def test_what_is_over_cannot_be_changed(customer: Customer, plan: PlanVersion) -> None:
    subscription = end(begin(customer, plan, "2026-02-01"), "2026-02-10")

    with pytest.raises(errors.NotAllowed):
        subscription_updates.update(
            subscription_id=subscription.pk, changes={"name": "New"}, actor=ACTOR, at=instant("2026-02-11")
        )


def test_all_of_a_customer_end_together(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-02-01", external_id="one")
    begin(customer, plan, "2026-02-01", external_id="two", subscription_at=instant("2026-05-01"))

    done = subscription_moves.end_all_of_customer(customer_id=customer.pk, actor=ACTOR, at=instant("2026-02-14T12:00"))

    assert done == 2
    assert set(Subscription.objects.values_list("external_id", "status")) == {
        ("one", "terminated"),
        ("two", "canceled"),
    }
    assert made.billed(customer) == [("2026-02-14", "finalized", "14")]
