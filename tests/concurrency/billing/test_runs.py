"""Runs and terminations at the same time bill everything once. The control shows the race without the lock, and what
stands behind the lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from billing.models import BilledPeriod, BillingRun, BillingRunItem, Subscription
from billing.queries import contracts
from billing.services import billing_days, runs, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel import db, jobs
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.queries import ledger
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = instant("2026-02-01T00:10")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("pro", cents=3100)


@pytest.fixture
def customers(plan: PlanVersion) -> list[Customer]:
    """Six customers with a subscription each, due on 1 February."""
    entity = parties.make_entity()
    found = [parties.make_customer(entity, f"c{number}") for number in range(6)]
    for customer in found:
        made.make_subscription(customer, plan, customer.external_id, at=instant("2026-01-01"))
    return found


def run() -> BillingRun:
    return runs.run(as_of=AS_OF, trigger="test", actor=ACTOR)


def test_two_runs_at_once_bill_once(customers: list[Customer], settings: Any) -> None:
    settings.BILLING_RUN_CHUNK = 2

    results = threads.together([run, run, run])

    assert [result.status for result in results] == ["succeeded"] * 3
    assert sum(result.invoices_count for result in results) == 6
    assert [len(made.billed(customer)) for customer in customers] == [1] * 6
    assert BilledPeriod.objects.count() == BillingRunItem.objects.count() == 6
    assert not BillingRunItem.objects.exclude(error_code="").exists()
    assert ledger.out_of_balance() == {}


def test_control_without_the_lock_the_database_refuses(
    customers: list[Customer], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both runs read before either writes. The one that comes second is refused, customer by customer."""
    both_have_read = threading.Barrier(2)
    read = contracts.billed
    first_reads: set[int] = set()

    def read_together(**given: Any) -> Any:
        found = read(**given)
        if threading.get_ident() not in first_reads:
            first_reads.add(threading.get_ident())
            both_have_read.wait(threads.WAIT_SECONDS)
        return found

    def hold_nothing(*, customer_ids: Collection[int], wait: bool) -> tuple[list[int], list[int]]:
        return list(customer_ids), []

    monkeypatch.setattr(contracts, "billed", read_together)
    monkeypatch.setattr(billing_days, "hold", hold_nothing)

    results = threads.together([run, run])

    assert all(isinstance(result, BillingRun) for result in results), results
    # The second run's chunk was refused as a whole; one by one there was nothing left to bill.
    assert sorted(result.invoices_count for result in results) == [0, 6]
    assert Invoice.objects.count() == BilledPeriod.objects.count() == 6
    assert sorted(Invoice.objects.values_list("sequential_id", flat=True)) == [1] * 6


def test_a_customer_that_somebody_holds_is_billed_after_the_others(customers: list[Customer]) -> None:
    held, others_are_done = threading.Event(), threading.Event()
    order: list[int] = []

    def hold() -> None:
        with transaction.atomic():
            db.lock_one(Customer.objects.filter(pk=customers[0].pk))
            held.set()
            others_are_done.wait(threads.WAIT_SECONDS)

    def bill() -> BillingRun:
        held.wait(threads.WAIT_SECONDS)

        def progress(done: int, total: int) -> None:
            order.append(done)
            if done == 5:
                others_are_done.set()

        return runs.run(as_of=AS_OF, trigger="test", actor=ACTOR, progress=progress)

    _, done = threads.together([hold, bill])

    assert (done.status, done.invoices_count, done.customers_done) == ("succeeded", 6, 6)
    assert order == [0, 5, 6]
    assert len(made.billed(customers[0])) == 1


def test_a_run_that_is_alive_is_left_alone(customers: list[Customer]) -> None:
    half_way, go_on = threading.Event(), threading.Event()

    def slow(done: int, total: int) -> None:
        if done == 0:
            half_way.set()
            go_on.wait(threads.WAIT_SECONDS)

    def first() -> BillingRun:
        return runs.run(as_of=AS_OF, trigger="slow", actor=ACTOR, progress=slow)

    def second() -> str:
        half_way.wait(threads.WAIT_SECONDS)
        runs.run(as_of=AS_OF, trigger="test", actor=ACTOR)
        status = BillingRun.objects.get(trigger="slow").status
        go_on.set()
        return status

    done, seen = threads.together([first, second])

    assert seen == "running"
    assert (done.status, done.invoices_count) == ("succeeded", 0)


def test_a_run_and_a_termination_bill_each_time_once(customers: list[Customer]) -> None:
    subscription = Subscription.objects.get(customer=customers[0])
    end = partial(terminations.terminate, subscription_id=subscription.pk, actor=ACTOR, at=AS_OF)

    results = threads.together([run, end, end])

    assert all(not isinstance(result, Exception) for result in results), results
    periods = BilledPeriod.objects.filter(subscription=subscription).order_by("from_at")
    assert periods[0].from_at == instant("2026-01-01")
    # January as a whole on one invoice, whoever came first; the ten minutes of February at most once beside it.
    assert periods.filter(days=31).count() == 1
    assert periods.count() <= 2
    subscription.refresh_from_db()
    assert (subscription.status, subscription.next_billing_date) == ("terminated", None)


def test_one_external_id_begins_once(plan: PlanVersion) -> None:
    customer = parties.make_customer(parties.make_entity())
    new = NewSubscription(external_customer_id=customer.external_id, plan_code="pro", external_id="sub")

    results = threads.together([partial(subscriptions.create, new=new, actor=ACTOR, at=AS_OF)] * 4)

    assert len({result.pk for result in results}) == 1
    assert Subscription.objects.count() == 1


def test_one_external_id_belongs_to_one_customer_also_in_a_race(plan: PlanVersion) -> None:
    entity = parties.make_entity()
    calls = []
    for number in range(4):
        customer = parties.make_customer(entity, f"c{number}")
        new = NewSubscription(external_customer_id=customer.external_id, plan_code="pro", external_id="sub")
        calls.append(partial(subscriptions.create, new=new, actor=ACTOR, at=AS_OF))

    results = threads.together(calls)

    refused = [result for result in results if isinstance(result, Exception)]
    assert [error.details for error in refused] == [{"external_id": ["value_already_exist"]}] * 3
    assert Subscription.objects.count() == 1


def test_a_subscription_made_while_its_plan_is_republished_is_billed_by_the_new_prices(plan: PlanVersion) -> None:
    customer = parties.make_customer(parties.make_entity())
    new = NewSubscription(external_customer_id=customer.external_id, plan_code="pro", external_id="sub")
    published = threading.Event()

    def publish() -> None:
        with transaction.atomic():
            plans.update(code="pro", values={"amount_cents": 6200}, actor=ACTOR, at=AS_OF)
            published.set()
            time.sleep(0.3)  # long enough for the other to read what is on sale before this is committed

    def create() -> Subscription:
        published.wait(threads.WAIT_SECONDS)
        return subscriptions.create(new=new, actor=ACTOR, at=AS_OF)

    _, made_meanwhile = threads.together([publish, create])

    assert made_meanwhile.plan_version.number == 2
    assert Subscription.objects.get().plan_version.amount.amount == 62


def test_plans_are_republished_while_their_subscriptions_are_billed(customers: list[Customer], settings: Any) -> None:
    def publish() -> None:
        for cents in range(3101, 3107):
            plans.update(code="pro", values={"amount_cents": cents}, actor=ACTOR, at=AS_OF)

    results = threads.together([publish, run, publish, run])

    assert not [result for result in results if isinstance(result, Exception)]
    assert [len(made.billed(customer)) for customer in customers] == [1] * 6
