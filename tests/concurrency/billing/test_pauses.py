"""Pauses at the same moment as another pause or as a billing run: one wins, and no time is billed twice. The control
shows what stands behind the lock.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from billing.domain.states import InvalidTransition
from billing.models import BilledPeriod, Subscription
from billing.services import pauses, plan_changes, runs
from config.kernel import db, jobs
from invoicing.models import Invoice
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = instant("2026-02-01T12:00")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def pause() -> Any:
    """A pause of a subscription on a billing day that is still open."""
    customer = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("gym", cents=3100, charges=[goods.standard(goods.make_metric())])
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-01"))
    return partial(pauses.pause, subscription_id=subscription.pk, fee="prorated", actor=ACTOR, at=AT)


def test_two_pauses_make_one(pause: Any) -> None:
    results = threads.together([pause, pause])

    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [InvalidTransition]
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["paused", "terminated"]
    # January, and a day of February.
    assert BilledPeriod.objects.filter(bills_fee=True).count() == 2


def test_control_without_the_lock_the_database_refuses(pause: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_decided = threading.Barrier(2)
    settle = plan_changes.settle

    def settle_together(**given: Any) -> Subscription:
        both_have_decided.wait(threads.WAIT_SECONDS)
        return settle(**given)

    monkeypatch.setattr(plan_changes, "settle", settle_together)
    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())

    results = threads.together([pause, pause])

    assert [type(result) for result in results if isinstance(result, Exception)] == [IntegrityError]
    assert Subscription.objects.filter(status="paused").count() == 1


def test_a_pause_beside_a_billing_run_bills_each_time_once(pause: Any) -> None:
    def run() -> Any:
        return runs.run(as_of=AT, trigger="test", actor=ACTOR)

    results = threads.together([pause, run])
    run()

    assert not [result for result in results if isinstance(result, Exception)]
    fees = BilledPeriod.objects.filter(bills_fee=True, released_at=None).order_by("from_at")
    assert list(fees.values_list("days", flat=True)) == [31, 1]
    spans = BilledPeriod.objects.order_by("charges_from_at").values_list("charges_from_at", "charges_to_at")
    assert list(spans) == [(instant("2026-01-01"), instant("2026-02-01")), (instant("2026-02-01"), AT)]
    assert Invoice.objects.count() <= 2
