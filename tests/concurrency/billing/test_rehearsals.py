"""Usage that arrives while a signed-off run bills: what is billed is what was agreed to, and nothing else. The control
shows what a run without the gate bills.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import Any

import pytest

from billing.domain import rehearsal_states
from billing.models import BillingRunItem, Rehearsal, RehearsedInvoice, Subscription
from billing.services import (
    billing_days,
    rehearsal_billing,
    rehearsal_computing,
    rehearsal_presence,
    rehearsals,
    runs,
)
from config.kernel import jobs
from config.platform.services import audit
from customers.models import Customer
from invoicing.models import Invoice
from tests.concurrency import crashes, threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import migration_stories as people
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
def customers() -> list[Customer]:
    """Three customers with usage in January, due on 1 February."""
    plan = goods.make_plan("pro", cents=3100, charges=[goods.standard(goods.make_metric("requests"), "1")])
    entity = parties.make_entity()
    found = [parties.make_customer(entity, f"c{number}") for number in range(3)]
    for customer in found:
        made.make_subscription(customer, plan, customer.external_id, at=instant("2026-01-01"))
        made.send(customer.external_id, "requests", "2026-01-05")
    return found


@pytest.fixture
def signed(customers: list[Customer]) -> Rehearsal:
    row = rehearsals.request(as_of=AS_OF, actor=people.person("anna"), at=AS_OF)
    rehearsal_computing.compute(rehearsal_id=row.pk, at=AS_OF)
    return rehearsals.sign_off(rehearsal_id=row.pk, acknowledged=0, actor=people.person("ben"), at=AS_OF)


@pytest.fixture
def _arriving(signed: Rehearsal, customers: list[Customer], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let usage of c0 arrive just before it is drafted, and usage of c1 just after, by others."""
    bill, sent = billing_days.bill_customers, set[str]()
    settings.BILLING_RUN_CHUNK = 1

    def arrive(external_id: str, customer_ids: list[int]) -> None:
        is_at_hand = any(customer.pk in customer_ids for customer in customers if customer.external_id == external_id)
        if is_at_hand and external_id not in sent:
            sent.add(external_id)
            (answer,) = threads.together([lambda: made.send(external_id, "requests", "2026-01-20")])
            assert answer is None

    def between(**options: Any) -> billing_days.Outcome:
        arrive("c0", options["customer_ids"])
        outcome = bill(**options)
        arrive("c1", options["customer_ids"])
        return outcome

    monkeypatch.setattr(billing_days, "bill_customers", between)


def billed() -> dict[str, str]:
    return {row.customer.external_id: f"{row.fees_amount.amount.normalize():f}" for row in Invoice.objects.all()}


@pytest.mark.usefixtures("_arriving")
def test_what_is_billed_is_what_was_agreed_to(signed: Rehearsal, customers: list[Customer]) -> None:
    done = rehearsal_billing.bill(rehearsal_id=signed.pk, actor=ACTOR, at=AS_OF)

    # 31.00 + 1.00; that of c1 came too late to be on the invoice, and waits in the inbox of late usage.
    assert billed() == {"c1": "32", "c2": "32"}
    assert (done.invoices_count, done.failures_count) == (2, 1)
    refused = BillingRunItem.objects.get(run=done, invoice__isnull=True)
    assert refused.customer == customers[0]
    assert "usage of requests (was 1 in 1 events, is 2 in 2 events)" in refused.error
    agreed = {row.customer_id: row.total_amount for row in RehearsedInvoice.objects.all()}
    assert all(row.total_amount == agreed[row.customer_id] for row in Invoice.objects.all())


@pytest.mark.usefixtures("_arriving")
def test_control_a_run_without_the_gate_bills_what_nobody_saw(
    signed: Rehearsal, customers: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.run(as_of=AS_OF, trigger="test", actor=ACTOR, bill=billing_days.bill_customers)

    assert billed() == {"c0": "33", "c1": "32", "c2": "32"}


def test_two_who_bill_the_same_rehearsal_bill_it_once(signed: Rehearsal, customers: list[Customer]) -> None:
    def bill() -> object:
        return rehearsal_billing.bill(rehearsal_id=signed.pk, actor=ACTOR, at=AS_OF)

    results = threads.together([bill, bill, bill])

    assert sum(not isinstance(one, Exception) for one in results) == 1
    assert billed() == {"c0": "32", "c1": "32", "c2": "32"}
    assert not BillingRunItem.objects.exclude(error_code="").exists()


def test_two_who_sign_off_at_once_leave_one(customers: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    anna = people.person("anna")
    rows = [rehearsals.request(as_of=AS_OF, actor=anna, at=AS_OF) for _ in range(2)]
    for row in rows:
        rehearsal_computing.compute(rehearsal_id=row.pk, at=AS_OF)
    record, met = audit.record, threading.Barrier(2)

    def together(**values: Any) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(0.5)
        return record(**values)

    monkeypatch.setattr(audit, "record", together)
    calls = [
        functools.partial(rehearsals.sign_off, rehearsal_id=row.pk, acknowledged=0, actor=people.person(name), at=AS_OF)
        for row, name in zip(rows, ("ben", "eva"), strict=True)
    ]
    refused = [one for one in threads.together(calls) if isinstance(one, Exception)]

    assert [getattr(one, "code", one) for one in refused] == ["already_signed_off"]
    assert sorted(Rehearsal.objects.values_list("state", flat=True)) == ["ready", "signed_off"]


def test_what_is_being_billed_is_not_superseded(signed: Rehearsal, settings: Any) -> None:
    settings.BILLING_RUN_CHUNK = 1
    later = rehearsals.request(as_of=AS_OF, actor=ACTOR, at=AS_OF)
    rehearsal_computing.compute(rehearsal_id=later.pk, at=AS_OF)
    eva, told = people.person("eva"), list[object]()

    def meanwhile(done: int, total: int) -> None:
        if done == 1:
            values: Any = {"acknowledged": 0, "supersedes": True, "actor": eva, "at": AS_OF}
            told.extend(threads.together([lambda: rehearsals.sign_off(rehearsal_id=later.pk, **values)]))

    run = rehearsal_billing.bill(rehearsal_id=signed.pk, actor=ACTOR, at=AS_OF, progress=meanwhile)

    assert [type(one) for one in told] == [rehearsal_states.InvalidRehearsalState]
    assert (run.status, run.invoices_count) == ("succeeded", 3)
    assert list(Rehearsal.objects.order_by("pk").values_list("state", flat=True)) == ["billed", "ready"]


@pytest.mark.usefixtures("customers")
def test_a_worker_that_dies_at_any_commit_leaves_what_another_one_finishes(settings: Any) -> None:
    settings.BILLING_RUN_CHUNK = 2
    anna = people.person("anna")
    asked: list[Rehearsal] = []

    def compute() -> None:
        rehearsal_computing.compute(rehearsal_id=asked[-1].pk, at=AS_OF)

    asked.append(rehearsals.request(as_of=AS_OF, actor=anna, at=AS_OF))
    for _ in crashes.every_commit(compute, mode="worker"):
        rehearsal_computing.run(as_of=AS_OF)
        row = rehearsals.request(as_of=AS_OF, actor=anna, at=AS_OF)
        done, asked = asked[-1], [*asked, row]
        done.refresh_from_db()
        assert (done.state, done.customers_done, done.invoices_count) == ("ready", 3, 3)
        assert RehearsedInvoice.objects.filter(rehearsal=done).count() == 3
    assert len(asked) > 4


def test_two_who_compute_the_same_rehearsal_compute_it_once(customers: list[Customer]) -> None:
    row = rehearsals.request(as_of=AS_OF, actor=ACTOR, at=AS_OF)

    def compute() -> object:
        return rehearsal_computing.run(as_of=AS_OF)

    assert sorted(threads.together([compute, compute])) in ([0, 1], [1, 1])
    row.refresh_from_db()
    assert (row.state, row.invoices_count, RehearsedInvoice.objects.count()) == ("ready", 3, 3)
    assert rehearsal_presence.appear(rehearsal_id=row.pk)
    rehearsal_presence.leave(rehearsal_id=row.pk)


def test_a_rehearsal_keeps_no_event_waiting(customers: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    row = rehearsals.request(as_of=AS_OF, actor=ACTOR, at=AS_OF)
    bill, told = billing_days.bill_customers, list[object]()

    def meanwhile(**options: Any) -> billing_days.Outcome:
        outcome = bill(**options)
        if options["actor"].label == "rehearsal" and not told:
            told.extend(threads.together([lambda: made.send("c0", "requests", "2026-02-01")]))
        return outcome

    monkeypatch.setattr(billing_days, "bill_customers", meanwhile)
    rehearsal_computing.compute(rehearsal_id=row.pk, at=AS_OF)

    assert told == [None]
    row.refresh_from_db()
    assert (row.state, row.invoices_count) == ("ready", 3)
    assert set(Subscription.objects.values_list("next_billing_date", flat=True)) == {AS_OF.date()}
