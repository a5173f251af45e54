"""Late usage: what comes for billed time is found, rated as its time was, and billed by a decision only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.domain import trace
from billing.domain.late_usage import AlreadyDecided, Decision
from billing.models import (
    BilledPeriod,
    BillingRunItem,
    LateUsage,
    LateUsageCheck,
    LateUsageCursor,
    RatedCharge,
    Subscription,
    UsageEvent,
)
from billing.queries import usage_not_billable
from billing.queries.usage_not_billable import NotBillable
from billing.services import event_corrections, late_usage, runs
from catalog.models import PlanVersion
from config.kernel import errors
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import books
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("pro", cents=2800, charges=[goods.standard(goods.make_metric("requests"), "0.10")])


@pytest.fixture
def customer(plan: PlanVersion) -> Customer:
    """A customer whose January of one event is billed: 28.00 + 0.10."""
    found = parties.make_customer(parties.make_entity())
    made.make_subscription(found, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10")
    run("2026-02-01T00:10")
    assert made.billed(found) == [("2026-02-01", "finalized", "28.1")]
    return found


def run(as_of: str) -> None:
    runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR)


def withdraw(event: UsageEvent) -> None:
    event_corrections.withdraw(
        external_subscription_id="sub",
        transaction_id=event.transaction_id,
        reason="A mistake.",
        actor=ACTOR,
        at=instant("2026-02-01"),
    )


def look(as_of: str = "2026-02-03") -> late_usage.Looked:
    return late_usage.run(as_of=instant(as_of))


def decide(decision: Decision, as_of: str = "2026-02-04", *, entry: LateUsage | None = None) -> LateUsage:
    row = entry or LateUsage.objects.get(state="held")
    return late_usage.decide(entry_id=row.pk, decision=decision, reason="As agreed.", actor=ACTOR, at=instant(as_of))


def agree(policy: str, below: str | None = None) -> None:
    late_usage.set_policy(
        subscription_id=Subscription.objects.get().pk,
        policy=policy,
        waive_below=None if below is None else Decimal(below),
        actor=ACTOR,
        at=instant("2026-02-02"),
    )


def inbox() -> list[tuple[str, str, int, str]]:
    return [
        (row.state, f"{row.amount.amount.normalize():f}", row.events_count, f"{row.total_units.normalize():f}")
        for row in LateUsage.objects.order_by("pk")
    ]


def test_nothing_late_makes_no_entry(customer: Customer) -> None:
    made.send("sub", "requests", "2026-02-01T08:00")
    assert look() == late_usage.Looked(1, 0, {})  # one transaction wrote everything here: the period was looked at
    assert inbox() == []


def test_many_late_events_are_one_entry_and_nothing_is_billed_without_a_decision(customer: Customer) -> None:
    made.send("sub", "requests", *[f"2026-01-{day:02}" for day in range(11, 31)])
    for _ in range(2):
        assert look().held == 1
    # 20 × 0.10 on top of what one event cost
    assert inbox() == [("held", "2", 20, "21")]
    row = LateUsage.objects.get()
    assert row.settled_units == 1
    assert (row.settled_amount.amount, row.total_amount.amount) == (Decimal("0.1"), Decimal("2.1"))
    assert row.first_received_at is not None
    assert trace.verify(row.trace)
    run("2026-03-01T00:10")
    assert made.billed(customer)[1:] == [("2026-03-01", "finalized", "28")]


def test_more_late_events_before_the_decision_join_the_entry(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-11")
    look()
    made.send("sub", "requests", "2026-01-12")
    look("2026-02-04")
    assert inbox() == [("held", "0.2", 2, "3")]


def test_a_decision_bills_with_the_next_invoice_as_a_line_of_its_own(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-11", "2026-01-12")
    look()
    decide(Decision.BILL)
    run("2026-03-01T00:10")

    assert made.billed(customer)[1:] == [("2026-03-01", "finalized", "28.2")]
    row = LateUsage.objects.get()
    assert row.line is not None
    assert row.line.label == "Requests – late usage"
    assert (row.line.from_at, row.line.to_at) == (instant("2026-01-01"), instant("2026-02-01"))
    rated = RatedCharge.objects.get(line=row.line)
    assert trace.recompute(rated.trace) == Decimal("0.20")
    assert trace.digest(rated.trace) == rated.trace_sha256
    look("2026-03-02")
    run("2026-04-01T00:10")
    assert len(inbox()) == 1
    assert made.billed(customer)[2:] == [("2026-04-01", "finalized", "28")]
    other = InvoiceLine.objects.filter(invoice=Invoice.objects.order_by("pk")[0]).order_by("pk")[0]
    again = RatedCharge(subscription_id=rated.subscription_id, item_key=rated.item_key, line=other, trace={})
    again.from_at, again.to_at = rated.from_at, rated.to_at
    with books.behind_its_back():
        RatedCharge.objects.filter(line=other).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


def test_what_comes_after_the_decision_is_an_entry_for_the_rest(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-11")
    look()
    decide(Decision.WAIVE)
    made.send("sub", "requests", "2026-01-12", "2026-01-13")
    look("2026-02-05")
    # 0.40 in all: 0.10 billed, 0.10 waived, 0.20 open
    assert inbox() == [("waived", "0.1", 1, "2"), ("held", "0.2", 2, "4")]


def test_an_entry_is_decided_once_and_with_a_reason(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-11")
    look()
    row = LateUsage.objects.get()
    with pytest.raises(errors.Invalid):
        late_usage.decide(entry_id=row.pk, decision=Decision.WAIVE, reason=" ", actor=ACTOR, at=instant("2026-02-04"))
    decide(Decision.WAIVE)
    with pytest.raises(AlreadyDecided):
        decide(Decision.BILL, entry=row)
    assert inbox() == [("waived", "0.1", 1, "2")]


def test_a_correction_of_what_is_owed_is_an_invoice_of_its_own(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-11")
    look()
    decide(Decision.CORRECT)
    row = LateUsage.objects.get()
    assert row.state == "corrected"
    assert row.line is not None
    assert (row.line.invoice.status, row.line.invoice.fees_amount.amount) == ("finalized", Decimal("0.1"))
    look("2026-02-05")
    assert len(inbox()) == 1


@pytest.mark.parametrize(
    ("policy", "below", "state"),
    [
        ("hold", None, "held"),
        ("bill", None, "to_bill"),
        ("correct", None, "corrected"),
        ("waive", "0.11", "waived"),
        ("waive", "0.10", "held"),  # not below
    ],
)
def test_the_policy_of_the_subscription_decides(customer: Customer, policy: str, below: str | None, state: str) -> None:
    agree(policy, below)
    made.send("sub", "requests", "2026-01-11")
    look()
    assert inbox() == [(state, "0.1", 1, "2")]


def test_a_policy_that_waives_needs_its_limit(customer: Customer) -> None:
    with pytest.raises(errors.Invalid):
        agree("waive")
    assert Subscription.objects.get().late_usage_policy == ""


def test_a_draft_that_is_computed_anew_keeps_its_late_usage_and_a_voided_one_gives_it_back(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-11")
    look()
    decide(Decision.BILL)
    Customer.objects.update(invoice_grace_period=3)
    run("2026-03-01T00:10")
    draft = Invoice.objects.get(status="draft")
    for day in ("02", "03"):
        invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant(f"2026-03-{day}"))
    assert made.billed(customer)[1:] == [("2026-03-01", "draft", "28.1")]

    invoices.void_draft(invoice_id=draft.pk, reason="Wrong.", actor=ACTOR, at=instant("2026-03-03T01:00"))
    assert LateUsage.objects.get().line is None
    run("2026-03-03T02:00")
    assert made.billed(customer)[2:] == [("2026-03-01", "draft", "28.1")]
    assert RatedCharge.objects.filter(trace__kind="late_usage", released_at__isnull=True).count() == 1


def test_a_minimum_takes_in_late_usage(plan: PlanVersion) -> None:
    metric = goods.make_metric("calls")
    version = goods.make_plan("least", cents=0, charges=[goods.standard(metric, "1", min_amount_cents=1000)])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, version, at=instant("2026-01-01"))
    made.send("sub", "calls", *[f"2026-01-{day:02}" for day in range(1, 5)])
    run("2026-02-01T00:10")
    made.send("sub", "calls", *[f"2026-01-{day:02}" for day in range(5, 13)])
    look()
    # 12 × 1 instead of 4 × 1, and no more 6 to the minimum: 2 more in all
    assert sorted((state, amount) for state, amount, _, _ in inbox()) == [("held", "-6"), ("held", "8")]
    agree("bill")
    made.send("sub", "calls", "2026-01-20")
    look("2026-02-05")
    run("2026-03-01T00:10")
    assert made.billed(customer) == [("2026-02-01", "finalized", "10"), ("2026-03-01", "finalized", "13")]


def test_a_late_event_of_a_recurring_metric_changes_every_period_after_it(plan: PlanVersion) -> None:
    metric = goods.make_metric("seats", "sum_agg", recurring=True)
    version = goods.make_plan("seats", cents=0, charges=[goods.standard(metric, "1")])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, version, at=instant("2026-01-01"))
    made.send("sub", "seats", "2026-01-02", seats=5)
    run("2026-02-01T00:10")
    run("2026-03-01T00:10")
    made.send("sub", "seats", "2026-01-20", seats=2)
    look("2026-03-02")
    assert inbox() == [("held", "2", 1, "7"), ("held", "2", 1, "7")]
    assert set(LateUsage.objects.values_list("period__billing_date__month", flat=True)) == {2, 3}


def test_a_period_that_cannot_be_rated_is_told_and_tried_again(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.send("sub", "requests", "2026-01-11")
    with monkeypatch.context() as patched:
        patched.setattr("billing.services.bills.rate", lambda **_: 1 / 0)
        looked = look()
    assert (looked.held, list(looked.failed)) == (0, [BilledPeriod.objects.get().pk])
    assert "division" in LateUsageCheck.objects.get().error
    assert look().held == 1
    assert not LateUsageCheck.objects.exists()


def test_a_correction_of_what_is_the_customers_is_a_credit_note(customer: Customer) -> None:
    made.send("sub", "requests", "2026-02-01T10:00")
    first = UsageEvent.objects.get(timestamp=instant("2026-01-10"))
    withdraw(first)
    agree("correct")
    look()
    row = LateUsage.objects.get()
    assert (row.state, row.amount.amount, row.line) == ("corrected", Decimal("-0.1"), None)
    note = CreditNote.objects.get(uuid=row.credit_note_id)
    assert (note.invoice, note.items.get().amount.amount) == (Invoice.objects.get(), Decimal("0.1"))
    look("2026-02-05")
    assert len(inbox()) == 1


def test_what_is_the_customers_waits_where_the_next_invoice_has_no_room_for_it(plan: PlanVersion) -> None:
    metric = goods.make_metric("calls", "sum_agg")
    version = goods.make_plan("usage", cents=0, charges=[goods.standard(metric, "1")])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, version, at=instant("2026-01-01"))
    made.send("sub", "calls", "2026-01-10", calls=10)
    run("2026-02-01T00:10")
    late = UsageEvent.objects.get()
    withdraw(late)
    agree("bill")
    look()
    made.send("sub", "calls", "2026-02-10", calls=6)
    run("2026-03-01T00:10")
    # 6 - 10: 6 of the 10 are taken off, 4 wait
    assert made.billed(customer)[1:] == [("2026-03-01", "finalized", "0")]
    assert sorted(row.amount.amount for row in LateUsage.objects.all()) == [-6, -4]
    look("2026-03-02")
    assert LateUsage.objects.count() == 2
    made.send("sub", "calls", "2026-03-10", calls=9)
    run("2026-04-01T00:10")
    assert made.billed(customer)[2:] == [("2026-04-01", "finalized", "5")]
    assert all(trace.recompute(row.trace) == row.amount.amount for row in LateUsage.objects.all())


def test_a_value_that_no_invoice_can_hold_is_named_and_can_be_set_aside(plan: PlanVersion) -> None:
    metric = goods.make_metric("calls", "sum_agg")
    version = goods.make_plan("usage", cents=100, charges=[goods.standard(metric, "1")])
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, version, at=instant("2026-01-01"))
    made.send("sub", "calls", "2026-01-10", calls=5)
    made.send("sub", "calls", "2026-01-11", calls="1" + "0" * 26)
    run("2026-02-01T00:10")
    huge = UsageEvent.objects.get(timestamp=instant("2026-01-11"))
    item = BillingRunItem.objects.get()
    assert item.error_code == "value_is_out_of_range"
    assert f"The largest events: {huge.transaction_id}, " in item.error
    assert usage_not_billable.count(since=instant("2026-01-01")).value == 1
    withdraw(huge)
    run("2026-02-01T01:10")
    assert made.billed(customer) == [("2026-02-01", "finalized", "6")]
    assert usage_not_billable.count(since=instant("2026-01-01")).total == 0


def test_events_without_metric_or_subscription_are_counted_and_billed_once_both_are_there() -> None:
    since = instant("2026-01-01")
    customer = parties.make_customer(parties.make_entity())
    made.send("sub", "requests", "2026-01-10", "2026-01-11")
    assert usage_not_billable.count(since=since) == NotBillable(metric=2)
    metric = goods.make_metric("requests")
    assert usage_not_billable.count(since=since) == NotBillable(subscription=2)
    plan = goods.make_plan("pro", cents=100, charges=[goods.standard(metric, "1")])
    made.make_subscription(
        customer, plan, at=instant("2026-01-20"), subscription_at=instant("2026-01-11"), backdated_billing="bill"
    )
    # One of the two was before the start.
    assert usage_not_billable.count(since=since) == NotBillable(subscription=1)
    run("2026-02-01T00:10")
    assert Invoice.objects.get().lines.get(kind="charge").units == 1


def test_after_a_restore_everything_is_looked_at_once_more(customer: Customer) -> None:
    look()
    LateUsageCursor.objects.update(position=2**62)
    BilledPeriod.objects.update(usage_horizon=2**62)
    made.send("sub", "requests", "2026-01-20")
    look("2026-02-04")
    assert inbox() == [("held", "0.1", 1, "2")]
