"""Alerts and spend caps through periods and changes of plan: what fires, what is told once, what starts anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import AlertCheck, SpendCap, Subscription, TriggeredAlert, UsageAlert
from billing.queries import alerts as known
from billing.queries import reached_caps
from billing.services import alert_checks, spend_caps, terminations, usage_alerts
from catalog.models import BillableMetric, PlanVersion
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

MAY = instant("2026-05-01")


@pytest.fixture
def plan() -> PlanVersion:
    """1.00 for each gigabyte, 0.50 for each call."""
    gigabytes, calls = goods.make_metric("gigabytes", "sum_agg"), goods.make_metric("calls")
    return goods.make_plan("p", cents=3100, charges=[goods.standard(gigabytes, "1"), goods.standard(calls, "0.5")])


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity(taxes=[parties.make_tax()]), timezone="UTC")


@pytest.fixture
def subscription(customer: Customer, plan: PlanVersion) -> Subscription:
    return story.begin(customer, plan, "2026-05-01")


def alert(subscription: Subscription, *values: int, kind: str = "current_usage_amount", **more: Any) -> UsageAlert:
    step = more.pop("step", None)
    found: list[Any] = [{"value": Decimal(value)} for value in values]
    if step is not None:
        found.append({"value": Decimal(step), "recurring": True, "code": "step"})
    wanted: Any = {"alert_type": kind, "code": kind, "thresholds": found, **more}
    return usage_alerts.create(subscription=subscription, values=wanted, actor=ACTOR, at=MAY)


def use(moment: str, units: int) -> None:
    made.send("sub", "gigabytes", moment, gigabytes=str(units))


def call(*moments: str) -> None:
    made.send("sub", "calls", *moments)


def look(at: str) -> alert_checks.Checked:
    found = alert_checks.run(as_of=instant(at))
    assert found.failed == {}
    return found


def told() -> list[tuple[int, int, list[int]]]:
    """Previous and present value and the crossed ones of all firings."""
    rows = TriggeredAlert.objects.order_by("pk")
    return [
        (int(row.previous_value), int(row.current_value), [int(Decimal(one["value"])) for one in row.crossed])
        for row in rows
    ]


def cap(subscription: Subscription, cents: int, at: str = "2026-05-01") -> SpendCap:
    return spend_caps.agree(subscription=subscription, amount_cents=cents, actor=ACTOR, at=instant(at))


def test_a_month_and_the_next(subscription: Subscription) -> None:
    alert(subscription, 10_000, 20_000, step=5_000)
    use("2026-05-02T10:00", 99)
    assert look("2026-05-02T10:01").alerts == 0
    use("2026-05-03T10:00", 1)
    assert look("2026-05-03T10:01").alerts == 1
    use("2026-05-04T10:00", 155)
    look("2026-05-04T10:01")
    assert look("2026-05-04T10:02").alerts == 0
    # 99 -> 100 -> 255: 200.00, and one step of 50.00 beyond it.
    assert told() == [(9_900, 10_000, [10_000]), (10_000, 25_500, [20_000, 25_000])]
    # The first of June starts from nothing, though its usage is more than May's first look.
    use("2026-06-01T10:00", 120)
    look("2026-06-01T10:01")
    assert told()[2:] == [(0, 12_000, [10_000])]
    assert not Invoice.objects.exists()
    assert not AlertCheck.objects.exists()


def test_a_new_period_is_seen_without_an_event(subscription: Subscription) -> None:
    found = alert(subscription, 10_000)
    assert look("2026-05-03T10:01").subscriptions == 1
    assert look("2026-05-31T23:59").subscriptions == 0
    assert look("2026-06-01T00:01").subscriptions == 1
    found.refresh_from_db()
    assert (found.previous_value, found.period_from_at) == (0, instant("2026-06-01"))
    assert look("2026-06-01T00:02").subscriptions == 0


def test_what_was_used_before_it_was_made_is_told(subscription: Subscription) -> None:
    use("2026-05-02T10:00", 300)
    alert(subscription, 10_000)
    assert look("2026-05-02T10:01").alerts == 1
    assert told() == [(0, 30_000, [10_000])]


def test_usage_that_is_taken_back_arms_again(subscription: Subscription) -> None:
    alert(subscription, 10_000)
    use("2026-05-02T10:00", 120)
    look("2026-05-02T10:01")
    use("2026-05-02T11:00", -50)
    assert look("2026-05-02T11:01").alerts == 0
    use("2026-05-02T12:00", 40)
    look("2026-05-02T12:01")
    assert told() == [(0, 12_000, [10_000]), (7_000, 11_000, [10_000])]


def test_a_metric_s_amount_and_units(subscription: Subscription) -> None:
    alert(subscription, 100, kind="billable_metric_current_usage_amount", billable_metric_code="calls")
    alert(subscription, 3, kind="billable_metric_current_usage_units", billable_metric_code="calls")
    use("2026-05-02T09:00", 500)
    call("2026-05-02T10:00", "2026-05-02T10:01")
    look("2026-05-02T10:02")
    assert told() == [(0, 100, [100])]  # 2 × 0.50
    call("2026-05-03T10:00")
    look("2026-05-03T10:01")
    assert told()[1:] == [(2, 3, [3])]
    assert set(TriggeredAlert.objects.values_list("metric_code", flat=True)) == {"calls"}


def test_a_lifetime_goes_on_over_periods_and_plans(customer: Customer, subscription: Subscription) -> None:
    alert(subscription, 25_000, kind="lifetime_usage_amount")
    alert(subscription, 250, kind="billable_metric_lifetime_usage_units", billable_metric_code="gigabytes")
    use("2026-05-02T10:00", 200)
    look("2026-05-02T10:01")
    story.run("2026-06-01T00:10")
    use("2026-06-02T10:00", 40)
    look("2026-06-02T10:01")
    assert told() == []
    other = goods.make_plan(
        "dear", cents=9900, charges=[goods.standard(BillableMetric.objects.get(code="gigabytes"), "1")]
    )
    made.make_subscription(customer, other, at=instant("2026-06-10"))
    use("2026-06-11T10:00", 20)
    look("2026-06-11T10:01")
    # 200 + 40 + 20, in units and in cents.
    assert sorted(told()) == [(240, 260, [250]), (24_000, 26_000, [25_000])]


def test_a_change_of_plan_starts_the_period_anew(customer: Customer, subscription: Subscription) -> None:
    alert(subscription, 10_000)
    use("2026-05-02T10:00", 150)
    look("2026-05-02T10:01")
    other = goods.make_plan(
        "dear", cents=9900, charges=[goods.standard(BillableMetric.objects.get(code="gigabytes"), "2")]
    )
    made.make_subscription(customer, other, at=instant("2026-05-10"))
    use("2026-05-11T10:00", 60)
    look("2026-05-11T10:01")
    # 60 × 2.00 on the new plan.
    assert told() == [(0, 15_000, [10_000]), (0, 12_000, [10_000])]


def test_what_ended_is_told_of_no_more(subscription: Subscription) -> None:
    alert(subscription, 10_000)
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-05-02"))
    use("2026-05-01T10:00", 300)
    look("2026-05-02T10:01")
    assert told() == []
    assert not AlertCheck.objects.exists()


def test_one_that_fails_stops_no_other(
    customer: Customer, plan: PlanVersion, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made.make_subscription(customer, plan, "other", at=MAY)
    alert(subscription, 10_000)
    alert(other, 10_000)
    made.send("other", "gigabytes", "2026-05-02T10:00", gigabytes="200")
    read = alert_checks.alert_values.read

    def failing(*, subscription: Subscription, at: Any) -> Any:
        if subscription.external_id == "sub":
            raise ValueError("no price")
        return read(subscription=subscription, at=at)

    with monkeypatch.context() as patched:
        patched.setattr(alert_checks.alert_values, "read", failing)
        found = alert_checks.run(as_of=instant("2026-05-02T10:01"))
    assert (found.failed, found.alerts) == ({"sub": "no price"}, 1)
    assert list(AlertCheck.objects.values_list("subscription", "error")) == [(subscription.pk, "no price")]
    look("2026-05-02T10:02")
    assert not AlertCheck.objects.exists()


def test_deleted_and_made_again(subscription: Subscription) -> None:
    first = alert(subscription, 10_000)
    use("2026-05-02T10:00", 150)
    look("2026-05-02T10:01")
    usage_alerts.delete(subscription=subscription, code=first.code, actor=ACTOR, at=instant("2026-05-03"))
    use("2026-05-04T10:00", 150)
    assert look("2026-05-04T10:01").alerts == 0
    alert(subscription, 20_000)
    look("2026-05-04T10:03")
    assert told() == [(0, 15_000, [10_000]), (0, 30_000, [20_000])]
    with pytest.raises(IntegrityError, match="append"), transaction.atomic():
        TriggeredAlert.objects.update(number=5)


def test_a_cap_is_reached_and_the_next_period_is_free(subscription: Subscription) -> None:
    found = cap(subscription, 10_000)
    assert (found.spent_cents, found.reached_at) == (0, None)
    use("2026-05-02T10:00", 99)
    assert look("2026-05-02T10:01").caps == 0
    use("2026-05-03T10:00", 21)
    assert look("2026-05-03T10:01").caps == 1
    use("2026-05-04T10:00", 5)
    assert look("2026-05-04T10:01").caps == 0
    spend = known.spend(external_id="sub", at=instant("2026-05-05"))
    assert (spend.spent_cents, spend.remaining_cents, spend.currency) == (12_500, 0, "EUR")
    assert spend.reached_at == instant("2026-05-03T10:01")
    assert spend.to_at == instant("2026-06-01")
    assert reached_caps.among(external_ids=["sub", "other"], at=instant("2026-05-05")) == ["sub"]
    # June has begun, and nobody has looked yet.
    assert reached_caps.among(external_ids=["sub"], at=instant("2026-06-01")) == []
    spend = known.spend(external_id="sub", at=instant("2026-06-01"))
    assert (spend.spent_cents, spend.remaining_cents, spend.reached_at) == (0, 10_000, None)
    look("2026-06-01T00:01")
    found.refresh_from_db()
    assert (found.spent_cents, found.reached_at, found.period_from_at) == (0, None, instant("2026-06-01"))


def test_a_cap_is_seen_at_once_and_follows_its_amount(subscription: Subscription) -> None:
    use("2026-05-02T10:00", 100)
    at = "2026-05-02T11:00"
    assert cap(subscription, 10_000, at).reached_at == instant(at)
    assert cap(subscription, 10_001, at).reached_at is None
    assert cap(subscription, 5_000, at).spent_cents == 10_000
    assert SpendCap.objects.count() == 1


def test_usage_beyond_a_cap_is_billed(subscription: Subscription) -> None:
    cap(subscription, 1_000)
    use("2026-05-02T10:00", 100)
    look("2026-05-02T10:01")
    use("2026-05-03T10:00", 100)
    story.run("2026-06-01T00:10")
    # 31.00 + 200 × 1.00
    assert Invoice.objects.get().fees_amount.amount == 231


def test_too_many_reached_caps_are_looked_up_one_by_one(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reached_caps, "MOST", 0)
    use("2026-05-02T10:00", 100)
    cap(subscription, 100, "2026-05-02T11:00")
    for _ in range(2):
        assert reached_caps.among(external_ids=["other", "sub"], at=instant("2026-05-03")) == ["sub"]
    assert reached_caps.among(external_ids=["other"], at=instant("2026-05-03")) == []
