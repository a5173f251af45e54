"""Two people change the same subscription at once, each by what they saw: one does, the other is told.

The controls show the race without the lock, and without what was seen.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from billing.domain import chosen_times
from billing.domain.plan_changes import PlanChangeConflict
from billing.models import Subscription
from billing.services import plan_changes, subscription_plans, subscription_updates, terminations
from config.kernel import db, jobs
from config.platform.models import AuditEntry
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = instant("2026-01-16")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def subscription() -> Subscription:
    customer = parties.make_customer(parties.make_entity())
    small = goods.make_plan("small", cents=3100, pay_in_advance=True)
    goods.make_plan("big", cents=6200, pay_in_advance=True)
    return made.make_subscription(customer, small, at=instant("2026-01-01"))


def verbs(subscription: Subscription, seen: str | None) -> dict[str, Any]:
    given: dict[str, Any] = {"subscription_id": subscription.pk, "seen": seen, "actor": ACTOR, "at": AT}
    return {
        "change": partial(subscription_plans.change_plan, plan_code="big", change_at=chosen_times.PERIOD_END, **given),
        "end": partial(terminations.schedule, when=chosen_times.PERIOD_END, **given),
        "terminate": partial(terminations.terminate, **given),
        "number": partial(subscription_updates.update, changes={"purchase_order_number": "PO-1"}, **given),
    }


@pytest.mark.parametrize(
    "pair",
    [("change", "terminate"), ("change", "end"), ("end", "number"), ("terminate", "number"), ("change", "change")],
)
def test_one_is_done_and_the_other_is_told(subscription: Subscription, pair: tuple[str, str]) -> None:
    calls = verbs(subscription, plan_changes.state_of(subscription))

    results = threads.together([calls[name] for name in pair])

    refused = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in refused] == [PlanChangeConflict]
    assert refused[0].code == "subscription_changed"
    # Only what the winner does is written down.
    done = AuditEntry.objects.filter(object_type="billing.subscription", created_at=AT)
    winner = pair[1 if results[0] is refused[0] else 0]
    told = {"change": "schedule_change", "end": "schedule_termination", "terminate": "terminate", "number": "change"}
    others = {told[name] for name in told if told[name] != told[winner]}
    assert done.filter(verb=told[winner]).count() == 1
    assert not done.filter(verb__in=others).exists()


def test_control_without_what_was_seen_both_are_done(subscription: Subscription) -> None:
    calls = verbs(subscription, None)

    results = threads.together([calls["end"], calls["number"]])

    assert not [result for result in results if isinstance(result, Exception)]
    row = Subscription.objects.get()
    assert (row.ending_at, row.purchase_order_number) == (instant("2026-02-01"), "PO-1")


def test_control_without_the_lock_both_believe_what_they_saw(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_looked = threading.Barrier(2)
    look = plan_changes.demand_unchanged

    def look_together(current: Subscription, *, seen: str | None) -> None:
        look(current, seen=seen)
        both_have_looked.wait(threads.WAIT_SECONDS)

    monkeypatch.setattr(plan_changes, "demand_unchanged", look_together)
    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())
    calls = verbs(subscription, plan_changes.state_of(subscription))

    results = threads.together([calls["end"], calls["number"]])

    # Nobody is told: the second one decided by what was no more.
    assert not [result for result in results if isinstance(result, Exception)]
    assert AuditEntry.objects.filter(verb__in=["schedule_termination", "change"], created_at=AT).count() == 2
    assert Subscription.objects.get().status == Subscription.Status.ACTIVE
