"""Two people change the plan of one subscription at once: one does, the other is told. The control shows what stands
behind the lock.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from billing.domain.plan_changes import PlanChangeConflict
from billing.models import BilledPeriod, Subscription
from billing.services import plan_turns, subscriptions
from config.kernel import db, jobs
from customers.models import Customer
from invoicing.models import CreditNote, Invoice
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def changes() -> list[Any]:
    """Two changes of a subscription in advance, to different plans that both cost more."""
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(
        customer, goods.make_plan("small", cents=3100, pay_in_advance=True), at=instant("2026-01-01")
    )
    wanted = [
        goods.make_plan(code, cents=cents, pay_in_advance=True) for code, cents in (("big", 6200), ("huge", 9300))
    ]
    return [partial(made.make_subscription, customer, plan, at=instant("2026-01-16")) for plan in wanted]


def test_one_changes_the_plan_and_the_other_is_told(changes: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_read = threading.Barrier(2)
    lock = subscriptions._locked_customer

    def lock_together(found: Customer) -> Customer:
        both_have_read.wait(threads.WAIT_SECONDS)
        return lock(found)

    monkeypatch.setattr(subscriptions, "_locked_customer", lock_together)

    results = threads.together(changes)

    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [PlanChangeConflict]
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["active", "terminated"]
    # The first month, and the rest of it on the plan that was there first; the same days come back once.
    assert Invoice.objects.count() == BilledPeriod.objects.filter(bills_fee=True).count() == 2
    assert CreditNote.objects.get().sub_total_amount.amount == 16


def test_control_without_the_lock_the_database_refuses(changes: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_decided = threading.Barrier(2)
    replace = plan_turns.replace

    def replace_together(**given: Any) -> None:
        both_have_decided.wait(threads.WAIT_SECONDS)
        replace(**given)

    monkeypatch.setattr(plan_turns, "replace", replace_together)
    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())

    results = threads.together(changes)

    assert [type(result) for result in results if isinstance(result, Exception)] == [IntegrityError]
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["active", "terminated"]
    assert CreditNote.objects.count() == 1
