"""Progressive billing through a period: invoices at thresholds, and what the period's own invoice takes off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.domain import trace
from billing.domain.late_usage import Decision
from billing.models import (
    AppliedUsageThreshold,
    BilledPeriod,
    LateUsage,
    RatedCharge,
    Subscription,
    ThresholdCheck,
)
from billing.queries import contracts, lifetime_usage, past_usage
from billing.services import late_usage, progressive_billing, runs, usage_thresholds
from billing.services import lifetime_usage as told
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, LedgerPosting, ProgressiveCredit
from invoicing.services import credit_notes, invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

THRESHOLDS = [{"amount_cents": 20_000}, {"amount_cents": 50_000}]


@pytest.fixture
def plan() -> PlanVersion:
    """31.00 a month, 1.00 for each gigabyte, thresholds at 200.00 and 500.00."""
    metric = goods.make_metric("gigabytes", "sum_agg")
    return goods.make_plan("p", cents=3100, charges=[goods.standard(metric, "1")], usage_thresholds=THRESHOLDS)


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity(taxes=[parties.make_tax()]))


@pytest.fixture
def subscription(customer: Customer, plan: PlanVersion) -> Subscription:
    return story.begin(customer, plan, "2026-05-01")


def use(moment: str, units: int | str) -> None:
    made.send("sub", "gigabytes", moment, gigabytes=str(units))


def look(at: str) -> progressive_billing.Looked:
    return progressive_billing.run(as_of=instant(at))


def use_and_look(day: str, units: int | str) -> int:
    use(f"{day}T10:00", units)
    found = look(f"{day}T11:00")
    assert found.failed == {}
    return found.invoices


def figures(invoice: Invoice) -> tuple[str, ...]:
    """Lines, what was billed before, tax, total."""
    amounts = (
        invoice.fees_amount,
        invoice.progressive_billing_credit_amount,
        invoice.taxes_amount,
        invoice.total_amount,
    )
    return tuple(f"{one.amount:.2f}" for one in amounts)


def all_figures(kind: str | None = None) -> list[tuple[str, ...]]:
    rows = Invoice.objects.order_by("pk") if kind is None else Invoice.objects.filter(kind=kind).order_by("pk")
    return [figures(one) for one in rows]


def revenue() -> Decimal:
    return -sum(row.amount.amount for row in LedgerPosting.objects.filter(account__role="revenue"))


def test_a_month(customer: Customer, subscription: Subscription) -> None:
    assert use_and_look("2026-05-04", 199) == 0
    assert use_and_look("2026-05-05", 1) == 1
    assert use_and_look("2026-05-10", 299) == 0
    assert use_and_look("2026-05-11", 101) == 1
    use("2026-05-20T10:00", 50)
    story.run("2026-06-01T00:10")
    # 19 % tax; 200 + 38; 600 - 200 = 400 + 76; 31 + 650 - 600 = 81 + 15.39
    assert all_figures() == [
        ("200.00", "0.00", "38.00", "238.00"),
        ("600.00", "200.00", "76.00", "476.00"),
        ("681.00", "600.00", "15.39", "96.39"),
    ]
    kinds = ["progressive_billing", "progressive_billing", "subscription"]
    assert list(Invoice.objects.order_by("pk").values_list("kind", flat=True)) == kinds
    assert set(Invoice.objects.values_list("status", flat=True)) == {"finalized"}
    # The usage is earned once: 650 + 31.
    assert revenue() == 681
    assert not CreditNote.objects.exists()


def test_what_is_kept_of_it(customer: Customer, subscription: Subscription) -> None:
    use_and_look("2026-05-05", 620)
    invoice = Invoice.objects.get()
    passed = list(AppliedUsageThreshold.objects.order_by("pk"))
    assert [(one.amount_cents, one.invoiced_cents, one.lifetime_cents, one.usage_cents) for one in passed] == [
        (20_000, 0, 62_000, 62_000),
        (50_000, 0, 62_000, 62_000),
    ]
    assert {one.invoice for one in passed} == {invoice}
    period = BilledPeriod.objects.get()
    assert (period.reason, period.bills_fee) == ("progressive_billing", False)
    assert (period.charges_from_at, period.charges_to_at) == (instant("2026-05-01"), instant("2026-06-01"))
    rated = RatedCharge.objects.get()
    assert rated.is_progressive
    assert trace.verify(rated.trace)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AppliedUsageThreshold.objects.update(lifetime_cents=1)


def test_looking_again_changes_nothing(customer: Customer, subscription: Subscription) -> None:
    use_and_look("2026-05-05", 300)
    for _ in range(2):
        assert look("2026-05-05T12:00").invoices == 0
        assert (
            progressive_billing.bill(customer_id=customer.pk, external_id="sub", as_of=instant("2026-05-05T12:00"))
            is None
        )
    assert not ThresholdCheck.objects.exists()
    assert (Invoice.objects.count(), AppliedUsageThreshold.objects.count()) == (1, 1)


def test_a_progressive_invoice_covers_no_time(customer: Customer, subscription: Subscription) -> None:
    use_and_look("2026-05-05", 300)
    assert contracts.charges_billed_until(subscription) is None
    (contract,) = contracts.of_subscriptions(subscription_ids=[subscription.pk])
    assert contracts.billed(contracts=[contract]) == {}
    assert not past_usage.of_customer(customer_id=customer.pk, external_subscription_id="sub").exists()
    lifetime = lifetime_usage.read(subscription=subscription, at=instant("2026-05-05T12:00"))
    assert (lifetime.invoiced.amount, lifetime.current.amount) == (0, 300)
    # Usage that comes after it is not late.
    use("2026-05-04T10:00", 1)
    assert late_usage.run(as_of=instant("2026-05-06")).periods == 0


def test_a_draft_that_is_computed_anew_takes_off_the_same(customer: Customer, plan: PlanVersion) -> None:
    Customer.objects.update(invoice_grace_period=3)
    customer.refresh_from_db()
    story.begin(customer, plan, "2026-05-01")
    use_and_look("2026-05-05", 300)
    # Issued at once, whatever the grace.
    assert Invoice.objects.get().status == "finalized"
    story.run("2026-06-01T00:10")
    draft = Invoice.objects.get(kind="subscription")
    expected = ("331.00", "300.00", "5.89", "36.89")
    assert (draft.status, figures(draft)) == ("draft", expected)
    for hour in (1, 2):
        invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant(f"2026-06-01T0{hour}:00"))
        draft.refresh_from_db()
        assert figures(draft) == expected
    use("2026-05-30T10:00", 40)
    assert invoices.finalize_due(as_of=instant("2026-06-04T00:10")).failed == {}
    draft.refresh_from_db()
    # 31 + 340 - 300 = 71, tax 13.49
    assert figures(draft) == ("371.00", "300.00", "13.49", "84.49")
    assert ProgressiveCredit.objects.count() == 1


def test_a_voided_draft_leaves_the_credit_to_the_next(customer: Customer, plan: PlanVersion) -> None:
    Customer.objects.update(invoice_grace_period=3)
    customer.refresh_from_db()
    story.begin(customer, plan, "2026-05-01")
    use_and_look("2026-05-05", 300)
    story.run("2026-06-01T00:10")
    draft = Invoice.objects.get(kind="subscription")
    invoices.void_draft(invoice_id=draft.pk, reason="test", actor=ACTOR, at=instant("2026-06-01T01:00"))
    # While nothing bills the period, what was billed of it still counts: no threshold is passed again.
    assert use_and_look("2026-06-01", 1) == 0
    story.run("2026-06-01T12:00")
    newest = Invoice.objects.filter(kind="subscription").latest("pk")
    assert figures(newest) == ("331.00", "300.00", "5.89", "36.89")


def test_usage_that_is_taken_back_is_given_back(customer: Customer, subscription: Subscription) -> None:
    use_and_look("2026-05-05", 300)
    use("2026-05-06T10:00", -100)
    assert look("2026-05-06T11:00").invoices == 0
    story.run("2026-06-01T00:10")
    note = CreditNote.objects.get()
    # 100 and 19 of tax, of the progressive invoice; it pays the fee of 31 and its tax of 5.89.
    assert (note.invoice.kind, note.sub_total_amount.amount, note.total_amount.amount) == (
        "progressive_billing",
        100,
        119,
    )
    assert note.balance_amount.amount == Decimal("82.11")
    final = Invoice.objects.get(kind="subscription")
    assert figures(final) == ("231.00", "200.00", "5.89", "0.00")
    assert final.credit_notes_amount.amount == Decimal("36.89")
    assert revenue() == 231


def test_more_than_the_last_one_billed_is_given_back_of_those_before(
    customer: Customer, subscription: Subscription
) -> None:
    use_and_look("2026-05-05", 450)
    use_and_look("2026-05-06", 100)
    use("2026-05-07T10:00", -400)
    story.run("2026-06-01T00:10")
    # 550 were billed, 150 is left: 100 of the second invoice, 300 of the first.
    notes = CreditNote.objects.order_by("pk")
    assert [(one.invoice.fees_amount.amount, one.sub_total_amount.amount) for one in notes] == [(550, 100), (450, 300)]
    assert figures(Invoice.objects.get(kind="subscription"))[:2] == ("181.00", "150.00")
    assert revenue() == 181


def test_all_usage_that_is_taken_back(customer: Customer) -> None:
    metric = goods.make_metric("gigabytes", "sum_agg")
    free = goods.make_plan("free", cents=0, charges=[goods.standard(metric, "1")], usage_thresholds=THRESHOLDS)
    story.begin(customer, free, "2026-05-01")
    use_and_look("2026-05-05", 300)
    use("2026-05-06T10:00", -300)
    story.run("2026-06-01T00:10")
    assert CreditNote.objects.get().total_amount.amount == 357
    assert revenue() == 0


def test_what_a_person_gave_back_is_not_taken_off(customer: Customer, subscription: Subscription) -> None:
    from_person: Any = {"reason": "other", "actor": ACTOR, "at": instant("2026-05-06")}
    use_and_look("2026-05-05", 300)
    invoice = Invoice.objects.get()
    amounts = {invoice.lines.get().pk: parties.line("50").amount}
    credit_notes.create(invoice_id=invoice.pk, amounts=amounts, **from_person)
    story.run("2026-06-01T00:10")
    # 300 were billed and 50 given back: 250 are taken off.
    assert figures(Invoice.objects.get(kind="subscription"))[:2] == ("331.00", "250.00")


def test_the_end_of_a_subscription_takes_it_off(customer: Customer, subscription: Subscription) -> None:
    use_and_look("2026-05-05", 300)
    use("2026-05-10T10:00", 5)
    story.end(subscription, "2026-05-16T00:00")
    # 16 of 31 days: 16.00; 305 of usage.
    assert figures(Invoice.objects.get(kind="subscription"))[:2] == ("321.00", "300.00")
    assert not CreditNote.objects.exists()


def test_an_upgrade_takes_it_off_and_the_new_plan_begins_anew(
    customer: Customer, plan: PlanVersion, subscription: Subscription
) -> None:
    use_and_look("2026-05-05", 300)
    metric = plan.charges.get().metric
    goods.make_plan("big", cents=6200, charges=[goods.standard(metric, "1")], usage_thresholds=THRESHOLDS)
    better = PlanVersion.objects.get(plan__code="big")
    story.begin(customer, better, "2026-05-16")
    # 15 days of 31: 15.00
    assert figures(Invoice.objects.get(kind="subscription"))[:2] == ("315.00", "300.00")
    # Lifetime usage goes on: 300 billed, 500 passed with 200 more, of which the new subscription bills its own.
    assert use_and_look("2026-05-20", 199) == 0
    assert use_and_look("2026-05-21", 1) == 1
    assert figures(Invoice.objects.latest("pk"))[:2] == ("200.00", "0.00")
    story.run("2026-06-01T00:10")
    # 16 days of 62: 32.00
    assert figures(Invoice.objects.latest("pk"))[:2] == ("232.00", "200.00")
    assert revenue() == 15 + 300 + 200 + 32


def test_lines_of_other_taxes_and_filters(customer: Customer) -> None:
    """Each line takes off what was billed of it, so the taxes of each are right."""
    low = goods.make_tax("low", "0.07")
    first, second = goods.make_metric("gigabytes", "sum_agg"), goods.make_metric("calls")
    taxed = goods.standard(second, "10", tax_codes=[low.code])
    plan = goods.make_plan("two", cents=0, charges=[goods.standard(first, "1"), taxed], usage_thresholds=THRESHOLDS)
    story.begin(customer, plan, "2026-05-01")
    made.send("sub", "calls", "2026-05-04T10:00")
    use_and_look("2026-05-05", 300)
    made.send("sub", "calls", "2026-05-06T10:00", "2026-05-07T10:00")
    story.run("2026-06-01T00:10")
    # 300 at 19 % and 10 at 7 %; then 20 more at 7 %: 1.40.
    assert all_figures() == [("310.00", "0.00", "57.70", "367.70"), ("330.00", "310.00", "1.40", "21.40")]
    shares = Invoice.objects.latest("pk").lines.order_by("position").values_list("progressive_credit_amount", flat=True)
    assert list(shares) == [300, 10]


def test_usage_in_advance_counts_and_is_not_billed_again(customer: Customer) -> None:
    metric = goods.make_metric("gigabytes", "sum_agg")
    plan = goods.make_plan(
        "adv", cents=0, charges=[goods.standard(metric, "1", pay_in_advance=True)], usage_thresholds=THRESHOLDS
    )
    story.begin(customer, plan, "2026-05-01")
    assert use_and_look("2026-05-05", 300) == 0
    passed = AppliedUsageThreshold.objects.get()
    assert (passed.amount_cents, passed.lifetime_cents, passed.invoice) == (20_000, 30_000, None)
    assert use_and_look("2026-05-06", 1) == 0
    assert AppliedUsageThreshold.objects.count() == 1
    assert not Invoice.objects.filter(kind="progressive_billing").exists()


def test_a_minimum_of_a_charge_is_the_whole_period_s(customer: Customer) -> None:
    metric = goods.make_metric("gigabytes", "sum_agg")
    charge = goods.standard(metric, "1", min_amount_cents=40_000)
    plan = goods.make_plan("min", cents=0, charges=[charge], usage_thresholds=THRESHOLDS)
    story.begin(customer, plan, "2026-05-01")
    use_and_look("2026-05-05", 300)
    story.run("2026-06-01T00:10")
    assert [row[:2] for row in all_figures()] == [("300.00", "0.00"), ("400.00", "300.00")]


def test_what_was_used_earlier_elsewhere_counts(customer: Customer, subscription: Subscription) -> None:
    told.set_historical(external_id="sub", amount_cents=19_000, actor=ACTOR, at=instant("2026-05-02"))
    assert use_and_look("2026-05-05", 9) == 0
    assert use_and_look("2026-05-06", 1) == 1
    assert AppliedUsageThreshold.objects.get().lifetime_cents == 20_000
    assert figures(Invoice.objects.get())[0] == "10.00"


def test_thresholds_of_its_own_go_before_the_plan_s(customer: Customer, subscription: Subscription) -> None:
    def agree(values: Any, at: str) -> None:
        usage_thresholds.agree(subscription=subscription, values=values, actor=ACTOR, at=instant(at))

    agree([{"amount_cents": 500, "recurring": True}], "2026-05-02")
    assert use_and_look("2026-05-05", 5) == 1
    assert use_and_look("2026-05-06", 4) == 0
    assert use_and_look("2026-05-07", 1) == 1
    # Without them the plan's go again, and what is there is looked at.
    use("2026-05-08T09:00", 190)
    agree([], "2026-05-08T10:00")
    assert look("2026-05-08T11:00").invoices == 1
    assert [row[0] for row in all_figures()] == ["5.00", "10.00", "200.00"]


def test_it_can_be_turned_off(customer: Customer, plan: PlanVersion) -> None:
    found = story.begin(customer, plan, "2026-05-01", progressive_billing_disabled=True)
    assert use_and_look("2026-05-05", 900) == 0
    assert not ThresholdCheck.objects.exists()
    assert progressive_billing.bill(customer_id=customer.pk, external_id="sub", as_of=instant("2026-05-06")) is None
    found.refresh_from_db()
    assert not AppliedUsageThreshold.objects.exists()


def test_a_subscription_that_cannot_be_rated_stops_no_other(customer: Customer, plan: PlanVersion) -> None:
    other = parties.make_customer(customer.billing_entity, "other")
    made.make_subscription(other, plan, "broken", at=instant("2026-05-01"))
    story.begin(customer, plan, "2026-05-01")
    made.send("broken", "gigabytes", "2026-05-05T10:00", gigabytes="1" + "0" * 30)
    use("2026-05-05T10:00", 300)
    found = look("2026-05-05T11:00")
    assert (found.invoices, set(found.failed)) == (1, {"broken"})
    assert ThresholdCheck.objects.get().error
    assert Invoice.objects.get().customer == customer


def test_a_new_subscription_does_not_inherit(customer: Customer, plan: PlanVersion) -> None:
    first = story.begin(customer, plan, "2026-05-01", usage_thresholds=[{"amount_cents": 100}])
    story.end(first, "2026-05-02T00:00")
    story.begin(customer, plan, "2026-05-03")
    assert use_and_look("2026-05-05", 150) == 0
    assert runs.run(as_of=instant("2026-05-06"), trigger="test", actor=ACTOR) is not None


def test_late_usage_is_corrected_where_it_was_billed(customer: Customer, subscription: Subscription) -> None:
    use_and_look("2026-05-05", 300)
    use("2026-05-20T10:00", 20)
    story.run("2026-06-01T00:10")
    use("2026-05-21T10:00", -100)
    assert late_usage.run(as_of=instant("2026-06-02")).held == 1
    entry = LateUsage.objects.get()
    late_usage.decide(
        entry_id=entry.pk, decision=Decision.CORRECT, reason="test", actor=ACTOR, at=instant("2026-06-02T10:00")
    )
    # 20 of the invoice of the period, 80 of the progressive one.
    notes = CreditNote.objects.order_by("pk")
    assert [(one.invoice.kind, one.sub_total_amount.amount) for one in notes] == [
        ("subscription", 20),
        ("progressive_billing", 80),
    ]
    assert revenue() == 31 + 220
