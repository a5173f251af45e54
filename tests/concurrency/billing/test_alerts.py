"""Usage that crosses a threshold, looked at by several at once: one firing. And changes beside a look."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from billing.models import AlertCheck, SpendCap, Subscription, TriggeredAlert, UsageAlert
from billing.services import alert_checks, alert_marks, spend_caps, usage_alerts
from config.kernel import jobs
from tests.concurrency.threads import together
from tests.factories import billing, catalog
from tests.factories import invoicing as parties
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = billing.instant("2026-05-05T11:00")


@pytest.fixture(autouse=True)
def subscription(monkeypatch: pytest.MonkeyPatch) -> Subscription:
    """300.00 used and an alert at 200.00; messages go nowhere."""

    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)
    charge = catalog.standard(catalog.make_metric("gigabytes", "sum_agg"), "1")
    plan = catalog.make_plan("p", cents=0, charges=[charge])
    customer = parties.make_customer(parties.make_entity())
    found = billing.make_subscription(customer, plan, at=billing.instant("2026-05-01"))
    add(found, "first", "current_usage_amount")
    billing.send("sub", "gigabytes", "2026-05-05T10:00", gigabytes="300")
    return found


def add(subscription: Subscription, code: str, kind: str) -> UsageAlert:
    values: Any = {"alert_type": kind, "code": code, "thresholds": [{"value": Decimal(20_000)}]}
    return usage_alerts.create(subscription=subscription, values=values, actor=ACTOR, at=AT)


def run() -> Any:
    return alert_checks.run(as_of=AT)


def test_four_who_look_tell_it_once() -> None:
    outcomes = together([run] * 4)
    assert [outcome.failed for outcome in outcomes] == [{}] * 4
    assert sum(outcome.alerts for outcome in outcomes) == 1
    assert TriggeredAlert.objects.count() == 1
    assert not AlertCheck.objects.exists()
    assert run().alerts == 0


def test_control_without_the_lock_the_key_is_what_stops_the_second(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows what the lock is for: another one tells the same move while this one does."""
    inside: list[Any] = []
    see = alert_checks._see

    def slow(*given: Any) -> Any:
        if not inside:
            inside.append(True)
            inside.extend(together([lambda: alert_checks.evaluate(subscription=subscription, at=AT)]))
        return see(*given)

    monkeypatch.setattr(alert_checks.UsageAlert.objects.none().__class__, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr(alert_checks, "_see", slow)
    with pytest.raises(IntegrityError, match="billing_triggered_alert_once"):
        alert_checks.evaluate(subscription=subscription, at=AT)
    assert inside[1].alerts == 1
    assert TriggeredAlert.objects.count() == 1


def test_an_alert_that_is_made_beside_a_look_is_not_overlooked(subscription: Subscription) -> None:
    outcomes = together([run, lambda: add(subscription, "second", "lifetime_usage_amount")])
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    run()
    assert TriggeredAlert.objects.count() == 2


def test_a_cap_set_by_two_at_once_is_one(subscription: Subscription) -> None:
    def agree(cents: int) -> Any:
        return spend_caps.agree(subscription=subscription, amount_cents=cents, actor=ACTOR, at=AT)

    outcomes = together([lambda: agree(10_000), lambda: agree(20_000), run])
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    cap = SpendCap.objects.get()
    assert (cap.spent_cents, cap.reached_at) == (30_000, AT)


def test_who_holds_a_subscription_keeps_others_from_looking(subscription: Subscription) -> None:
    alert_marks.look(at=AT)
    found = AlertCheck.objects.get()
    inside: list[Any] = []

    def check() -> Any:
        inside.extend(together([lambda: alert_checks.check(check_id=found.pk, as_of=AT)]))
        return alert_checks.Told()

    evaluate = alert_checks.evaluate
    try:
        alert_checks.evaluate = lambda **_: check()  # type: ignore[assignment]
        alert_checks.check(check_id=found.pk, as_of=AT)
    finally:
        alert_checks.evaluate = evaluate
    assert inside == [None]
