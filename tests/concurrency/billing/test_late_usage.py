"""An event that is stored while its period is being issued is either billed or late usage, never neither."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing.domain.late_usage import AlreadyDecided, Decision
from billing.models import BilledPeriod, LateUsage, LateUsageCursor
from billing.queries import late_usage_marks
from billing.services import event_store, late_usage, runs
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.usage import RECEIVED_AT, clear, make_event

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = instant("2026-02-01T00:10")


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Customer:
    monkeypatch.setattr("config.kernel.jobs.enqueue", lambda *_, **__: None)
    clear()
    LateUsageCursor.objects.all().delete()
    plan = goods.make_plan("pro", cents=2800, charges=[goods.standard(goods.make_metric("requests"), "1")])
    found = parties.make_customer(parties.make_entity())
    made.make_subscription(found, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10")
    return found


def held_open(stored: threading.Event, commit: threading.Event) -> None:
    """Store an event of January and keep its transaction open until told."""
    try:
        with transaction.atomic():
            event = make_event("2026-01-20")
            event_store.write(events=[event], received_at=RECEIVED_AT, all_or_none=True)
            stored.set()
            assert commit.wait(30)
    finally:
        connection.close()


def billed_and_open(customer: Customer) -> Decimal:
    lines = InvoiceLine.objects.filter(invoice__customer=customer, kind="charge")
    billed = sum((line.amount.amount for line in lines), Decimal(0))
    return billed + sum((row.amount.amount for row in LateUsage.objects.filter(line__isnull=True)), Decimal(0))


@pytest.mark.parametrize("looks", ["before the commit", "only after it", "between rating and issuing"])
def test_an_event_that_is_committed_after_its_period_was_issued_is_late(customer: Customer, looks: str) -> None:
    stored, commit = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(held_open, stored, commit)
        try:
            assert stored.wait(30)
            if looks == "between rating and issuing":
                with transaction.atomic():
                    runs.run(as_of=AS_OF, trigger="test", actor=ACTOR)
                    # The event is committed, and looked at by another, while the invoice is not there yet.
                    commit.set()
                    writing.result(30)
                    threads.together([lambda: late_usage.run(as_of=AS_OF)])
                assert LateUsage.objects.count() == 0
            else:
                runs.run(as_of=AS_OF, trigger="test", actor=ACTOR)
                if looks == "before the commit":
                    late_usage.run(as_of=AS_OF)
                    assert LateUsage.objects.count() == 0
        finally:
            commit.set()
        writing.result(30)
    late_usage.run(as_of=AS_OF)
    assert [row.amount.amount for row in LateUsage.objects.all()] == [Decimal(1)]
    assert billed_and_open(customer) == 2
    assert BilledPeriod.objects.get().late_checked


def test_control_a_mark_that_ignores_open_transactions_loses_the_event(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newest() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            return int(cursor.fetchone()[0])

    monkeypatch.setattr(late_usage_marks, "horizon", newest)
    stored, commit = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(held_open, stored, commit)
        try:
            assert stored.wait(30)
            runs.run(as_of=AS_OF, trigger="test", actor=ACTOR)
            late_usage.run(as_of=AS_OF)
        finally:
            commit.set()
        writing.result(30)
    late_usage.run(as_of=AS_OF)
    assert LateUsage.objects.count() == 0
    assert billed_and_open(customer) == 1


def test_looks_and_decisions_at_once_make_one_entry_and_one_decision(customer: Customer) -> None:
    runs.run(as_of=AS_OF, trigger="test", actor=ACTOR)
    made.send("sub", "requests", "2026-01-20")
    threads.together([lambda: late_usage.run(as_of=AS_OF)] * 2)
    row = LateUsage.objects.get()

    def decide() -> LateUsage:
        return late_usage.decide(entry_id=row.pk, decision=Decision.CORRECT, reason="Now.", actor=ACTOR, at=AS_OF)

    results = threads.together([decide] * 3)
    assert sorted(isinstance(one, AlreadyDecided) for one in results) == [False, True, True]
    assert billed_and_open(customer) == 2
    assert InvoiceLine.objects.filter(late_usage__isnull=False).count() == 1
