"""Where late usage reaches: times of nothing, periods that carry units on, changed plans; and that no event falls
between what is billed, what is late and what nobody can bill.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from billing.domain.late_usage import AlreadyDecided, Decision
from billing.models import BilledPeriod, LateUsage, LateUsageCheck, RatedCharge, Subscription, UsageEvent
from billing.queries import past_usage, usage_not_billable
from billing.queries.usage_not_billable import NotBillable
from billing.services import late_usage, runs, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from catalog.models import BillableMetric, PlanVersion
from catalog.services import plans
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

_numbers = itertools.count(1)


def run(as_of: str) -> None:
    runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR)


def look(as_of: str) -> late_usage.Looked:
    return late_usage.run(as_of=instant(as_of))


def entries() -> list[tuple[int, Decimal, Decimal, Decimal]]:
    """The month of the billing day, what was settled, what all comes to, and what is open."""
    rows = LateUsage.objects.select_related("period").order_by("period__charges_from_at")
    return [
        (row.period.billing_date.month, row.settled_amount.amount, row.total_amount.amount, row.amount.amount)
        for row in rows
    ]


def idle(**customer: Any) -> Subscription:
    """A customer whose January of nothing is settled: the plan is free."""
    version = goods.make_plan("free", cents=0, charges=[goods.standard(goods.make_metric("requests"), "0.10")])
    subscription = made.make_subscription(
        parties.make_customer(parties.make_entity(), **customer), version, at=instant("2026-01-01")
    )
    run("2026-02-01T00:10")
    assert not Invoice.objects.exists()
    return subscription


def test_usage_that_comes_for_a_time_of_nothing_is_late() -> None:
    subscription = idle()
    period = BilledPeriod.objects.get()
    assert (period.invoice, period.charges_from_at, period.charges_to_at) == (
        None, instant("2026-01-01"), instant("2026-02-01"),
    )  # fmt: skip
    made.send("sub", "requests", "2026-01-10", "2026-01-11")
    assert look("2026-02-03").held == 1
    # 2 × 0.10 and nothing before
    assert entries() == [(2, Decimal(0), Decimal("0.2"), Decimal("0.2"))]
    run("2026-02-03")
    run("2026-03-01T00:10")
    assert not Invoice.objects.exists()  # nobody decided
    assert BilledPeriod.objects.count() == 2
    found = past_usage.of_customer(customer_id=subscription.customer_id, external_subscription_id="sub")
    assert not found.exists()


def test_an_empty_day_is_settled_after_the_grace_only() -> None:
    idle(invoice_grace_period=3)
    assert not BilledPeriod.objects.exists()
    made.send("sub", "requests", "2026-01-10")
    run("2026-02-03T00:10")
    assert BilledPeriod.objects.get().invoice is not None
    look("2026-02-03T01:00")
    assert entries() == []


def test_what_is_owed_makes_an_invoice_where_nothing_else_does() -> None:
    subscription = idle()
    made.send("sub", "requests", "2026-01-10")
    look("2026-02-03")
    row = LateUsage.objects.get()
    late_usage.decide(entry_id=row.pk, decision=Decision.BILL, reason="Ok.", actor=ACTOR, at=instant("2026-02-04"))
    run("2026-03-01T00:10")
    assert made.billed(subscription.customer) == [("2026-03-01", "finalized", "0.1")]
    run("2026-04-01T00:10")
    assert Invoice.objects.count() == 1


def test_many_subscriptions_of_nothing_cost_no_more_queries(django_assert_max_num_queries: Any) -> None:
    version = goods.make_plan("free", cents=0, charges=[goods.standard(goods.make_metric("requests"))])
    entity = parties.make_entity()
    for number in range(12):
        customer = parties.make_customer(entity, external_id=f"c{number}")
        made.make_subscription(customer, version, f"sub-{number}", at=instant("2026-01-01"))
    with django_assert_max_num_queries(60):
        run("2026-02-01T00:10")
    assert BilledPeriod.objects.filter(invoice=None).count() == 12


@pytest.mark.parametrize(
    ("aggregation", "first", "late", "january", "february"),
    [
        # 31.00 each. January: 5 × 31 + 2 × 10 days of 31 instead of 5 × 31. February carries 7 instead of 5.
        ("sum_agg", 5, 2, (155, 175, 20), (155, 217, 62)),
        ("weighted_sum_agg", 5, 2, (155, 175, 20), (155, 217, 62)),
        # One more for 10 days of 31, and for all of February.
        ("unique_count_agg", "anna", "bert", (31, 41, 10), (31, 62, 31)),
    ],
)
def test_a_late_event_changes_what_later_periods_carry(
    aggregation: str, first: object, late: object, january: tuple[int, ...], february: tuple[int, ...]
) -> None:
    metric = goods.make_metric("seats", aggregation, field_name="n", recurring=True)
    charge = goods.standard(metric, "31", prorated=aggregation != "weighted_sum_agg")
    version = goods.make_plan("seats", cents=0, charges=[charge])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, version, at=instant("2026-01-01"))
    made.send("sub", "seats", "2026-01-01", n=first)
    run("2026-02-01T00:10")
    run("2026-03-01T00:10")
    assert [amount for _, _, amount in made.billed(customer)] == [str(january[0]), str(february[0])]
    look("2026-03-02")
    assert entries() == []
    made.send("sub", "seats", "2026-01-22", n=late)
    look("2026-03-03")
    assert entries() == [(2, *january), (3, *february)]


def test_a_chain_of_plans_has_its_events_where_their_time_was_billed() -> None:
    """From 1 January at 1.00 each, from the 16th at noon at 2.00 each; both are billed."""
    metric = goods.make_metric("requests")
    basic = goods.make_plan("basic", cents=100, charges=[goods.standard(metric, "1")])
    goods.make_plan("pro", cents=200, charges=[goods.standard(metric, "2")])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, basic, at=instant("2026-01-01"))
    new = NewSubscription(external_customer_id=customer.external_id, plan_code="pro", external_id="sub")
    subscriptions.create(new=new, actor=ACTOR, at=instant("2026-01-16T12:00"))
    run("2026-02-01T00:10")
    look("2026-02-02")
    assert entries() == []
    made.send("sub", "requests", "2026-01-16T11:59:59", "2026-01-16T12:00")
    look("2026-02-03")
    rows = LateUsage.objects.order_by("period__charges_from_at")
    assert [(row.subscription.plan_version.plan.code, row.amount.amount, row.events_count) for row in rows] == [
        ("basic", 1, 1), ("pro", 2, 1),
    ]  # fmt: skip


def test_fixed_charges_and_the_fee_are_no_late_usage() -> None:
    metric = goods.make_metric("requests")
    version = goods.make_plan(
        "pro", cents=2800, charges=[goods.standard(metric, "1")], fixed_charges=[goods.fixed(goods.make_add_on("desk"))]
    )
    made.make_subscription(parties.make_customer(parties.make_entity()), version, at=instant("2026-01-01"))
    run("2026-02-01T00:10")
    made.send("sub", "requests", "2026-01-10")
    look("2026-02-03")
    assert entries() == [(2, Decimal(0), Decimal(1), Decimal(1))]


def test_a_look_that_was_interrupted_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Periods that were noted stay noted, and pages of one bring all of them."""
    idle()
    run("2026-03-01T00:10")
    made.send("sub", "requests", "2026-01-10", "2026-02-10")
    late_usage.look(at=instant("2026-03-02"))
    assert LateUsageCheck.objects.count() == 2
    monkeypatch.setattr(late_usage, "_PAGE", 1)
    assert look("2026-03-03") == late_usage.Looked(2, 2, {})
    assert not LateUsageCheck.objects.exists()


def test_time_that_is_passed_over_is_told() -> None:
    """Taken over on 20 March: January and February were billed elsewhere; it ends without an invoice."""
    metric = goods.make_metric("requests")
    version = goods.make_plan("pro", cents=100, charges=[goods.standard(metric, "1")])
    customer = parties.make_customer(parties.make_entity())
    subscription = made.make_subscription(
        customer, version, at=instant("2026-03-20"), subscription_at=instant("2026-01-01"),
        on_termination_invoice="skip",
    )  # fmt: skip
    made.send("sub", "requests", "2026-02-28", "2026-03-01", "2026-04-10", "2026-04-20")
    since = instant("2026-01-01")
    assert usage_not_billable.count(since=since).time == 1
    run("2026-04-01T00:10")
    assert made.billed(customer) == [("2026-04-01", "finalized", "2")]
    assert usage_not_billable.count(since=since).time == 1
    terminations.terminate(
        subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-04-15"), on_termination_invoice=None
    )
    found = usage_not_billable.count(since=since)
    assert (found.time, found.subscription, found.total) == (2, 1, 3)


def marks() -> list[tuple[bool, bool]]:
    """Whether a charge counts an event, and whether its time was billed before the price came, oldest first."""
    rows = usage_not_billable.with_price(UsageEvent.objects.order_by("timestamp"))
    return list(rows.values_list("has_charge", "is_unpriced"))


@pytest.mark.parametrize("cents", [0, 500])
def test_events_whose_time_was_billed_before_their_price_came_are_told(cents: int) -> None:
    since = instant("2026-01-01")
    goods.make_plan("pro", cents=cents)
    customer = parties.make_customer(parties.make_entity())
    subscription = made.make_subscription(customer, PlanVersion.objects.get(), at=since)
    made.send("sub", "calls", "2026-01-10", "2026-01-11", "2026-02-10")
    run("2026-02-01T00:10")
    assert usage_not_billable.count(since=since) == NotBillable(metric=3)
    metric = goods.make_metric("calls")
    assert usage_not_billable.count(since=since).total == 0  # a metric without a charge bills nothing
    assert marks() == [(False, False)] * 3
    plans.add_charge(code="pro", values=goods.standard(metric, "1"), actor=ACTOR, at=instant("2026-02-03"))
    assert look("2026-02-04") == late_usage.Looked(0, 0, {})
    assert usage_not_billable.count(since=since) == NotBillable(price=2)
    assert marks() == [(True, True), (True, True), (True, False)]
    made.send("sub", "calls", "2026-01-12")
    assert look("2026-02-05").held == 0
    assert usage_not_billable.count(since=since) == NotBillable(price=3)
    run("2026-03-01T00:10")
    # February has its price: one event.
    lines = RatedCharge.objects.filter(subscription=subscription, charge__isnull=False)
    assert [row.line.amount.amount for row in lines.select_related("line")] == [1]
    assert usage_not_billable.count(since=since) == NotBillable(price=3)
    assert marks() == [(True, True)] * 3 + [(True, False)]


def test_a_draft_takes_the_price_that_came() -> None:
    since = instant("2026-01-01")
    goods.make_plan("pro", cents=500)
    customer = parties.make_customer(parties.make_entity(), invoice_grace_period=3)
    made.make_subscription(customer, PlanVersion.objects.get(), at=since)
    made.send("sub", "calls", "2026-01-10")
    run("2026-02-01T00:10")
    values = goods.standard(goods.make_metric("calls"), "1")
    plans.add_charge(code="pro", values=values, actor=ACTOR, at=instant("2026-02-02"))
    assert usage_not_billable.count(since=since).total == 0
    assert marks() == [(True, False)]
    invoices.finalize(invoice_id=Invoice.objects.get().pk, actor=ACTOR, at=instant("2026-02-05"))
    assert made.billed(customer) == [("2026-02-01", "finalized", "6")]
    assert usage_not_billable.count(since=since).total == 0


def test_a_recurring_metric_counts_what_came_before_its_price() -> None:
    since = instant("2026-01-01")
    goods.make_plan("pro", cents=500)
    made.make_subscription(parties.make_customer(parties.make_entity()), PlanVersion.objects.get(), at=since)
    made.send("sub", "seats", "2026-01-10", n=2)
    run("2026-02-01T00:10")
    values = goods.standard(goods.make_metric("seats", "sum_agg", field_name="n", recurring=True), "1")
    plans.add_charge(code="pro", values=values, actor=ACTOR, at=instant("2026-02-02"))
    assert usage_not_billable.count(since=since).total == 0
    assert marks() == [(True, False)]
    run("2026-03-01T00:10")
    assert RatedCharge.objects.get(charge__isnull=False).line.units == 2


_MOMENTS = some.integers(0, 24 * 150).map(lambda hours: instant("2025-12-10") + timedelta(hours=hours))
_EVENTS = some.lists(some.tuples(some.sampled_from(["known", "known", "known", "unknown"]), _MOMENTS), max_size=6)


@given(
    before=_EVENTS,
    after=_EVENTS,
    made_at=some.sampled_from(["2026-01-01", "2026-01-20", "2026-03-03T10:00"]),
    starts_at=some.sampled_from(["2026-01-01", "2026-01-11T08:00"]),
    backdated=some.sampled_from(["skip", "bill"]),
    cents=some.sampled_from([0, 500]),
    ends=some.sampled_from([None, ("2026-03-10T12:00", "skip"), ("2026-03-10T12:00", "generate")]),
)
@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_event_falls_between_what_is_billed_late_or_not_billable(
    before: list[Any], after: list[Any], made_at: str, starts_at: str, backdated: str, cents: int, ends: Any
) -> None:
    with transaction.atomic():  # each story has the tables for itself
        name = f"sub-{next(_numbers)}"
        code = goods.make_metric(f"m-{name}").event_code
        metric = BillableMetric.objects.get(event_code=code)
        version = goods.make_plan(f"p-{name}", cents=cents, charges=[goods.standard(metric, "1")])
        customer = parties.make_customer(parties.make_entity(code=name), external_id=name)
        _send(name, code, before)
        subscription = made.make_subscription(
            customer, version, name, at=max(instant(made_at), instant(starts_at)), subscription_at=instant(starts_at),
            backdated_billing=backdated,
        )  # fmt: skip
        for day in ("2026-02-01T00:10", "2026-03-05T00:10"):
            if instant(day) > instant(made_at):
                run(day)
        if ends:
            terminations.terminate(
                subscription_id=subscription.pk, actor=ACTOR, at=instant(ends[0]), on_termination_invoice=ends[1]
            )
        _send(name, code, after)
        run("2026-04-01T00:10")
        look("2026-04-02")
        _check(name, customer, subscription)
        transaction.set_rollback(True)


def _send(name: str, code: str, events: list[Any]) -> None:
    for kind, moment in events:
        made.send(name, code if kind == "known" else f"no-{code}", moment.replace(tzinfo=None).isoformat())


def _check(name: str, customer: Customer, subscription: Subscription) -> None:
    subscription.refresh_from_db()
    running = Q(terminated_at__isnull=True) | Q(terminated_at__gt=OuterRef("timestamp"))
    rows = usage_not_billable.in_passed_time(UsageEvent.objects.filter(external_subscription_id=name)).annotate(
        has_metric=Exists(BillableMetric.objects.filter(event_code=OuterRef("code"))),
        has_subscription=Exists(
            Subscription.objects.filter(running, external_id=name, started_at__lte=OuterRef("timestamp"))
        ),
    )
    told = {"metric": 0, "subscription": 0, "time": 0}
    covered = 0
    times = list(BilledPeriod.objects.filter(subscription=subscription, released_at=None))
    for event in rows:
        is_billed = any(time.charges_from_at <= event.timestamp < time.charges_to_at for time in times)
        is_coming = (
            subscription.next_billing_date is not None
            and event.timestamp >= max(
                [subscription.started_at, subscription.usage_from_at or subscription.started_at]
                + [time.charges_to_at for time in times]
            )
        )  # fmt: skip
        reason = (
            "metric" if not event.has_metric
            else "subscription" if not event.has_subscription
            else "time" if event.is_passed
            else None
        )  # fmt: skip
        if reason is None:
            assert is_billed or is_coming, event.timestamp
            covered += is_billed
        else:
            told[reason] += 1
            assert not (event.has_metric and (is_billed or is_coming)), (reason, event.timestamp)
    found = usage_not_billable.count(since=instant("2025-12-01"))
    assert {"metric": found.metric, "subscription": found.subscription, "time": found.time} == told
    # 1.00 each: what was billed and what is in the inbox are all events of billed time
    lines = RatedCharge.objects.filter(subscription=subscription, charge__isnull=False).select_related("line")
    held = LateUsage.objects.filter(subscription=subscription, state="held")
    assert sum(row.line.amount.amount for row in lines) + sum(row.amount.amount for row in held) == covered


def test_what_waits_for_an_invoice_that_does_not_come_is_decided_another_way() -> None:
    subscription = idle()
    made.send("sub", "requests", "2026-01-10", "2026-01-11")
    look("2026-02-03")
    row = LateUsage.objects.get()
    late_usage.decide(entry_id=row.pk, decision=Decision.BILL, reason="Ok.", actor=ACTOR, at=instant("2026-02-04"))
    terminations.terminate(
        subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-02-05"), on_termination_invoice="skip"
    )
    at = instant("2026-02-06")
    with pytest.raises(AlreadyDecided):
        late_usage.decide(entry_id=row.pk, decision=Decision.BILL, reason="Again.", actor=ACTOR, at=at)
    made_now = late_usage.decide(entry_id=row.pk, decision=Decision.CORRECT, reason="It ended.", actor=ACTOR, at=at)
    assert (made_now.state, Invoice.objects.get().fees_amount.amount) == ("corrected", Decimal("0.2"))
    with pytest.raises(AlreadyDecided):
        late_usage.decide(entry_id=row.pk, decision=Decision.WAIVE, reason="Again.", actor=ACTOR, at=at)
    made.send("sub", "requests", "2026-01-12")
    look("2026-02-07")
    rest = LateUsage.objects.get(state="held")
    with pytest.raises(late_usage.NoNextInvoice):
        late_usage.decide(entry_id=rest.pk, decision=Decision.BILL, reason="Ok.", actor=ACTOR, at=at)
    rest.refresh_from_db()
    assert rest.state == "held"
