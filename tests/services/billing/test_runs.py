"""Billing runs: what is due is billed once, failures stay alone, and the number of queries does not grow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.domain import trace
from billing.models import BilledPeriod, BillingRun, BillingRunItem, RatedCharge, Subscription
from billing.services import runs
from catalog.models import Charge, PlanVersion
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


def run(as_of: str, **options: object) -> BillingRun:
    return runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR, **options)


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def plan() -> PlanVersion:
    requests = goods.make_metric("requests")
    return goods.make_plan("pro", cents=3100, charges=[goods.standard(requests, "0.10")])


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def test_a_month_is_billed(customer: Customer, plan: PlanVersion) -> None:
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-15T10:00"))
    made.send("sub", "requests", "2026-01-15T09:59", "2026-01-15T10:00", "2026-01-31T23:59", "2026-02-01T00:00")

    done = run("2026-02-01T00:10")

    assert (done.status, done.customers_total, done.customers_done, done.invoices_count) == ("succeeded", 1, 1, 1)
    assert done.finished_at is not None
    invoice = Invoice.objects.get()
    assert invoice.status == "finalized"
    assert invoice.issuing_date == date(2026, 2, 1)
    lines = list(invoice.lines.order_by("position"))
    # 31.00 × 17 / 31 = 17.00; usage from the very start: 2 × 0.10
    assert [(line.kind, line.units, line.amount.amount) for line in lines] == [
        ("subscription", 1, 17),
        ("charge", 2, Decimal("0.2")),
    ]
    assert lines[1].events_count == 2
    period = BilledPeriod.objects.get()
    assert (period.subscription, period.invoice, period.run) == (subscription, invoice, done)
    assert (period.from_at, period.to_at) == (instant("2026-01-15"), instant("2026-02-01"))
    assert period.charges_from_at == instant("2026-01-15T10:00")
    assert (period.days, period.of_days) == (17, 31)
    rated = list(RatedCharge.objects.order_by("pk"))
    assert [row.line for row in rated] == lines
    assert rated[0].charge is None
    assert rated[1].charge == Charge.objects.get()
    assert all(trace.verify(row.trace) and trace.digest(row.trace) == row.trace_sha256 for row in rated)
    item = BillingRunItem.objects.get()
    assert (item.run, item.customer, item.billing_date, item.invoice) == (done, customer, date(2026, 2, 1), invoice)
    subscription.refresh_from_db()
    assert subscription.next_billing_date == date(2026, 3, 1)


def test_running_again_bills_nothing(customer: Customer, plan: PlanVersion) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01T00:10")

    again = run("2026-02-01T01:10")

    assert (again.status, again.customers_total, again.invoices_count) == ("succeeded", 0, 0)
    assert Invoice.objects.count() == 1
    assert BilledPeriod.objects.count() == 1


def test_the_scheduled_run_leaves_no_empty_run_behind(customer: Customer, plan: PlanVersion) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))

    assert runs.run_scheduled(as_of=instant("2026-01-31T23:59")) is None
    assert not BillingRun.objects.exists()
    done = runs.run_scheduled(as_of=instant("2026-02-01T00:00"))
    assert done is not None
    assert done.invoices_count == 1


def test_three_silent_months_make_three_invoices(customer: Customer, plan: PlanVersion) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10", "2026-03-10", "2026-03-11")

    run("2026-04-02T12:00")

    assert made.billed(customer) == [
        ("2026-02-01", "finalized", "31.1"),
        ("2026-03-01", "finalized", "31"),
        ("2026-04-01", "finalized", "31.2"),
    ]
    assert [str(invoice.issuing_date) for invoice in Invoice.objects.order_by("pk")] == [
        "2026-02-01",
        "2026-03-01",
        "2026-04-01",
    ]
    numbers = list(Invoice.objects.order_by("pk").values_list("sequential_id", flat=True))
    assert numbers == sorted(numbers)


def test_without_catching_up_only_today_is_billed(customer: Customer, plan: PlanVersion, settings) -> None:
    settings.BILLING_CATCH_UP = False
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-01"))

    run("2026-04-02T12:00")

    assert not Invoice.objects.exists()
    subscription.refresh_from_db()
    assert subscription.next_billing_date == date(2026, 5, 1)
    run("2026-05-01T12:00")
    assert made.billed(customer) == [("2026-05-01", "finalized", "31")]


def test_subscriptions_of_a_day_share_an_invoice(customer: Customer, plan: PlanVersion) -> None:
    dollars = goods.make_plan("dollars", cents=500, currency="USD")
    made.make_subscription(customer, plan, "one", at=instant("2026-01-01"))
    made.make_subscription(customer, plan, "two", at=instant("2026-01-01"))
    made.make_subscription(customer, dollars, "three", at=instant("2026-01-01"))

    run("2026-02-01")

    found = {invoice.currency: invoice for invoice in Invoice.objects.all()}
    assert found.keys() == {"EUR", "USD"}
    assert [line.group_key for line in found["EUR"].lines.order_by("position")] == ["one", "two"]
    assert found["EUR"].fees_amount.amount == 62
    assert found["USD"].fees_amount.amount == 5


def test_nothing_to_bill_makes_no_invoice(customer: Customer) -> None:
    requests = goods.make_metric("requests")
    free = goods.make_plan("free", cents=0, charges=[goods.standard(requests)])
    subscription = made.make_subscription(customer, free, at=instant("2026-01-01"))

    run("2026-02-01")

    assert not Invoice.objects.exists()
    settled = BilledPeriod.objects.get()
    assert (settled.invoice, settled.charges_to_at) == (None, instant("2026-02-01"))
    subscription.refresh_from_db()
    assert subscription.next_billing_date == date(2026, 3, 1)


def test_an_empty_day_stays_open_until_the_grace_is_over(entity: BillingEntity) -> None:
    requests = goods.make_metric("requests")
    free = goods.make_plan("free", cents=0, charges=[goods.standard(requests, "1")])
    customer = parties.make_customer(entity, invoice_grace_period=3)
    made.make_subscription(customer, free, at=instant("2026-01-01"))
    run("2026-02-01")
    assert not Invoice.objects.exists()

    made.send("sub", "requests", "2026-01-20")
    run("2026-02-02")

    assert made.billed(customer) == [("2026-02-01", "draft", "1")]
    assert Subscription.objects.get().next_billing_date == date(2026, 3, 1)


def test_one_broken_customer_fails_alone(entity: BillingEntity, plan: PlanVersion) -> None:
    whole, broken, other = (parties.make_customer(entity, name) for name in ("a", "b", "c"))
    bad = goods.make_plan("bad", cents=100, charges=[goods.standard(goods.make_metric("bytes"))])
    Charge.objects.filter(plan_version=bad).update(properties={"amount": "not a price"})
    made.make_subscription(whole, plan, "one", at=instant("2026-01-01"))
    lost = made.make_subscription(broken, bad, "two", at=instant("2026-01-01"))
    made.make_subscription(other, plan, "three", at=instant("2026-01-01"))

    done = run("2026-02-01")

    assert (done.status, done.customers_done, done.invoices_count, done.failures_count) == ("failed", 3, 2, 1)
    failure = BillingRunItem.objects.get(invoice=None)
    assert failure.customer == broken
    assert failure.error_code
    assert failure.error
    assert made.billed(whole) == [("2026-02-01", "finalized", "31")]
    assert made.billed(other) == [("2026-02-01", "finalized", "31")]
    assert not Invoice.objects.filter(customer=broken).exists()
    lost.refresh_from_db()
    assert lost.next_billing_date == date(2026, 2, 1)
    # Mended, the next run bills what failed, and only that.
    Charge.objects.filter(plan_version=bad).update(properties={"amount": "1"})
    again = run("2026-02-03")
    assert (again.status, again.customers_total) == ("succeeded", 1)
    assert made.billed(broken) == [("2026-02-01", "finalized", "1")]


def test_an_interrupted_run_is_resumed_by_the_next(entity: BillingEntity, plan: PlanVersion, settings) -> None:
    settings.BILLING_RUN_CHUNK = 1
    customers = [parties.make_customer(entity, name) for name in ("a", "b", "c")]
    for customer in customers:
        made.make_subscription(customer, plan, customer.external_id, at=instant("2026-01-01"))

    def stop_after_two(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("2026-02-01", progress=stop_after_two)

    stopped = BillingRun.objects.get()
    assert (stopped.status, stopped.customers_done) == ("failed", 2)
    assert Invoice.objects.count() == 2
    resumed = run("2026-02-01T01:00")
    assert (resumed.status, resumed.customers_total, resumed.invoices_count) == ("succeeded", 1, 1)
    assert [len(made.billed(customer)) for customer in customers] == [1, 1, 1]


def test_a_run_whose_process_is_gone_is_marked_by_the_next(customer: Customer, plan: PlanVersion) -> None:
    gone = BillingRun.objects.create(as_of=instant("2026-01-31"), trigger="test")
    made.make_subscription(customer, plan, at=instant("2026-01-01"))

    assert run("2026-02-01").status == "succeeded"

    gone.refresh_from_db()
    assert (gone.status, gone.finished_at) == ("failed", instant("2026-02-01"))


def test_only_the_customers_asked_for_are_billed(entity: BillingEntity, plan: PlanVersion) -> None:
    wanted, other = (parties.make_customer(entity, name) for name in ("a", "b"))
    made.make_subscription(wanted, plan, "one", at=instant("2026-01-01"))
    made.make_subscription(other, plan, "two", at=instant("2026-01-01"))
    told: list[tuple[int, int]] = []

    run("2026-02-01", customer_ids=[wanted.pk], progress=lambda done, total: told.append((done, total)))

    assert len(made.billed(wanted)) == 1
    assert made.billed(other) == []
    assert told == [(0, 1), (1, 1)]


def test_the_number_of_queries_does_not_depend_on_the_number_of_customers(
    entity: BillingEntity, plan: PlanVersion
) -> None:
    for number in range(23):
        customer = parties.make_customer(entity, f"c{number}")
        made.make_subscription(customer, plan, f"s{number}", at=instant("2026-01-01"))
        made.send(f"s{number}", "requests", "2026-01-20")
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    run("2026-02-01", customer_ids=ids[:1])  # the first invoice of all opens the seller's accounts

    with CaptureQueriesContext(connection) as small:
        run("2026-02-01", customer_ids=ids[1:3])
    with CaptureQueriesContext(connection) as large:
        done = run("2026-02-01")

    assert done.invoices_count == 20
    assert len(large) == len(small)


def test_the_database_refuses_to_bill_a_period_twice(customer: Customer, plan: PlanVersion) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01")
    period = BilledPeriod.objects.get()
    period.pk, period._state.adding = None, True
    period.uuid = "5a0a4d4e-4d27-4b6c-9d1b-0d4fd0a1b1aa"
    period.from_at = instant("2026-01-31")
    period.to_at = instant("2026-02-10")

    with pytest.raises(IntegrityError, match="billing_period_once"), transaction.atomic():
        period.save(force_insert=True)


def test_the_database_refuses_to_rate_a_time_twice(customer: Customer, plan: PlanVersion) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01")
    rated = RatedCharge.objects.get()
    line = InvoiceLine.objects.get()
    line.pk, line.uuid, line.invoice, line._state.adding = None, "5a0a4d4e-4d27-4b6c-9d1b-0d4fd0a1b1ab", None, True
    line.payment_status = "pending"
    line.save(force_insert=True)
    rated.pk, rated.uuid, rated.line, rated._state.adding = None, "5a0a4d4e-4d27-4b6c-9d1b-0d4fd0a1b1ac", line, True

    with pytest.raises(IntegrityError, match="billing_rated_once"), transaction.atomic():
        rated.save(force_insert=True)


def test_a_day_that_was_set_back_by_hand_is_not_billed_again(customer: Customer, plan: PlanVersion) -> None:
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01")
    Subscription.objects.update(next_billing_date=date(2026, 2, 1))

    done = run("2026-02-02")

    assert (done.status, done.invoices_count) == ("succeeded", 0)
    assert Subscription.objects.get().next_billing_date == date(2026, 3, 1)


def test_looking_for_work_costs_the_same_however_many_have_none(entity: BillingEntity, plan: PlanVersion) -> None:
    """Where the day has come in the east, the west is looked at in vain every hour: page by page, not one by one."""
    for number in range(5):
        made.make_subscription(
            parties.make_customer(entity, f"c{number}"), plan, f"s{number}", at=instant("2026-01-01")
        )

    with CaptureQueriesContext(connection) as queries:
        found = runs.run_scheduled(as_of=instant("2026-01-31T23:00"))

    assert found is None
    assert len(queries) == 2
