"""Drafts: late events and new prices until the grace is over, and time that is given back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.domain import trace
from billing.models import BilledPeriod, RatedCharge, Subscription
from billing.services import runs, terminations
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel import errors
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import billing as made
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
    """A customer with three days of grace and a subscription since January."""
    found = parties.make_customer(parties.make_entity(), invoice_grace_period=3)
    made.make_subscription(found, plan, at=instant("2026-01-01"))
    return found


def run(as_of: str) -> None:
    runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR)


def test_late_events_are_billed_until_the_grace_is_over(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-10")
    run("2026-02-01T00:10")
    assert made.billed(customer) == [("2026-02-01", "draft", "28.1")]
    made.send("sub", "requests", "2026-01-20", "2026-02-02")

    assert invoices.finalize_due(as_of=instant("2026-02-03T23:59")).done == 0
    done = invoices.finalize_due(as_of=instant("2026-02-04"))

    assert (done.done, done.failed) == (1, {})
    # The event of February belongs to February.
    assert made.billed(customer) == [("2026-02-01", "finalized", "28.2")]
    assert Invoice.objects.get().issuing_date == date(2026, 2, 4)
    rated = list(RatedCharge.objects.order_by("pk"))
    assert [row.line for row in rated] == list(Invoice.objects.get().lines.order_by("position"))
    assert all(trace.verify(row.trace) for row in rated)
    made.send("sub", "requests", "2026-01-21")
    assert invoices.finalize_due(as_of=instant("2026-02-05")).done == 0
    assert made.billed(customer) == [("2026-02-01", "finalized", "28.2")]


def test_an_early_issue_takes_late_events_too(customer: Customer) -> None:
    run("2026-02-01T00:10")
    made.send("sub", "requests", "2026-01-20")

    invoices.finalize(invoice_id=Invoice.objects.get().pk, actor=ACTOR, at=instant("2026-02-02"))

    assert made.billed(customer) == [("2026-02-01", "finalized", "28.1")]


def test_a_refresh_shows_the_draft_as_it_is_now(customer: Customer) -> None:
    run("2026-02-01T00:10")
    made.send("sub", "requests", "2026-01-20")
    draft = Invoice.objects.get()

    for _ in range(2):
        refreshed = invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-02"))

    assert (refreshed.status, refreshed.fees_amount.amount) == ("draft", Decimal("28.1"))
    assert made.billed(customer) == [("2026-02-01", "draft", "28.1")]
    assert RatedCharge.objects.count() == 2
    assert BilledPeriod.objects.count() == 1


def test_a_new_price_reaches_drafts_and_coming_periods_but_no_issued_invoice(
    customer: Customer, plan: PlanVersion
) -> None:
    run("2026-02-01T00:10")
    invoices.finalize_due(as_of=instant("2026-02-04"))
    run("2026-03-01T00:10")

    plans.update(code="pro", values={"amount_cents": 5600}, actor=ACTOR, at=instant("2026-03-02"))
    invoices.finalize_due(as_of=instant("2026-03-04"))
    run("2026-04-01T00:10")

    assert Subscription.objects.get().plan_version.number == 2
    assert made.billed(customer) == [
        ("2026-02-01", "finalized", "28"),
        ("2026-03-01", "finalized", "56"),
        ("2026-04-01", "draft", "56"),
    ]


def test_a_draft_of_an_ended_subscription_is_computed_like_any_other(customer: Customer) -> None:
    subscription = Subscription.objects.get()
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-01-14"))
    made.send("sub", "requests", "2026-01-10", "2026-01-15")

    invoices.finalize_due(as_of=instant("2026-01-17"))

    # 28.00 × 14 / 31 = 12.645, and one event before the end
    assert made.billed(customer) == [("2026-01-14", "finalized", "12.75")]


def test_a_voided_draft_is_billed_anew(customer: Customer) -> None:
    run("2026-02-01T00:10")
    draft = Invoice.objects.get()
    made.send("sub", "requests", "2026-01-20")

    invoices.void_draft(invoice_id=draft.pk, reason="wrong", actor=ACTOR, at=instant("2026-02-02"))

    released = BilledPeriod.objects.get()
    assert released.released_at == instant("2026-02-02")
    assert RatedCharge.objects.get().released_at == instant("2026-02-02")
    assert Subscription.objects.get().next_billing_date == date(2026, 2, 1)
    run("2026-02-02T01:10")
    assert made.billed(customer) == [("2026-02-01", "voided", "28"), ("2026-02-01", "draft", "28.1")]
    assert BilledPeriod.objects.filter(released_at=None).count() == 1
    assert Subscription.objects.get().next_billing_date == date(2026, 3, 1)
    # Late in its grace, the second draft takes its date from its billing day.
    assert Invoice.objects.get(status="draft").issuing_date == date(2026, 2, 4)


def test_a_voided_draft_of_the_past_is_billed_alone(customer: Customer) -> None:
    run("2026-02-01T00:10")
    run("2026-03-01T00:10")
    first = Invoice.objects.order_by("pk")[0]

    invoices.void_draft(invoice_id=first.pk, reason="wrong", actor=ACTOR, at=instant("2026-03-02"))
    run("2026-03-02T01:10")

    assert made.billed(customer) == [
        ("2026-02-01", "voided", "28"),
        ("2026-03-01", "draft", "28"),
        ("2026-02-01", "finalized", "28"),
    ]


def test_a_voided_last_invoice_is_made_again(customer: Customer) -> None:
    subscription = Subscription.objects.get()
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-01-14"))
    invoices.void_draft(invoice_id=Invoice.objects.get().pk, reason="wrong", actor=ACTOR, at=instant("2026-01-15"))

    run("2026-01-15T01:10")

    assert made.billed(customer) == [("2026-01-14", "voided", "12.65"), ("2026-01-14", "draft", "12.65")]
    subscription.refresh_from_db()
    assert subscription.next_billing_date is None


def test_a_draft_that_cannot_be_computed_stays_a_draft(customer: Customer, plan: PlanVersion) -> None:
    run("2026-02-01T00:10")
    plan.charges.update(properties={"amount": "nothing"})

    done = invoices.finalize_due(as_of=instant("2026-02-04"))

    assert (done.done, list(done.failed)) == (0, [Invoice.objects.get().pk])
    assert made.billed(customer) == [("2026-02-01", "draft", "28")]
    with pytest.raises(errors.Invalid):
        invoices.refresh(invoice_id=Invoice.objects.get().pk, actor=ACTOR, at=instant("2026-02-04"))
