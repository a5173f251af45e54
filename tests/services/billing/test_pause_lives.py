"""The life around a pause: its day, trials, ends, voided drafts, what is refused, and what the database keeps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import Subscription
from billing.services import subscription_moves, subscription_plans, subscriptions
from billing.services.subscriptions import NewSubscription
from catalog.models import PlanVersion
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import voiding
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.pause_stories import WHOLE, chain, fees, pause, resume
from tests.factories.plan_stories import amounts, begin, credited, end, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def arrears() -> PlanVersion:
    return goods.make_plan("arrears", cents=3100)


@pytest.fixture
def advance() -> PlanVersion:
    return goods.make_plan("advance", cents=3100, pay_in_advance=True)


def test_it_resumes_on_its_day(customer: Customer, advance: PlanVersion) -> None:
    waiting = pause(begin(customer, advance, "2026-01-01"), "2026-01-10", resume_on=date(2026, 1, 20))

    assert subscription_moves.resume_paused(as_of=instant("2026-01-19T23:59")).done == 0
    assert subscription_moves.resume_paused(as_of=instant("2026-01-22")).done == 1
    assert subscription_moves.resume_paused(as_of=instant("2026-01-22")).done == 0

    waiting.refresh_from_db()
    assert (waiting.status, waiting.started_at) == ("active", instant("2026-01-20"))
    assert amounts(customer) == ["advance 31", "advance 12"]


def test_days_are_those_of_the_customer(entity: BillingEntity, arrears: PlanVersion) -> None:
    customer = parties.make_customer(entity, timezone="Asia/Tokyo")
    # 1 January in Tokyo.
    first = begin(customer, arrears, "2025-12-31T15:00")
    # 11 January in Tokyo, until the 20th.
    waiting = pause(first, "2026-01-10T15:30", resume_on=date(2026, 1, 20))

    assert fees(customer) == ["12-31 11/31"]
    assert subscription_moves.resume_paused(as_of=instant("2026-01-19T14:59")).done == 0
    assert subscription_moves.resume_paused(as_of=instant("2026-01-19T15:00")).done == 1
    waiting.refresh_from_db()
    assert waiting.fee_from == date(2026, 1, 20)


def test_a_trial_goes_on_in_a_pause(customer: Customer) -> None:
    plan = goods.make_plan("trial", cents=3100, pay_in_advance=True, trial_period=Decimal(12))
    first = begin(customer, plan, "2026-01-01")

    waiting = pause(first, "2026-01-05")
    assert (amounts(customer), credited(customer)) == ([], [])
    resumed = resume(waiting, "2026-01-08")

    assert resumed.trial_ends_at == instant("2026-01-13")
    assert amounts(customer) == []
    subscription_moves.end_trials(as_of=instant("2026-01-13T01:00"))
    assert fees(customer) == ["01-13 19/31"]


def test_a_trial_may_end_in_a_pause(customer: Customer) -> None:
    plan = goods.make_plan("trial", cents=3100, pay_in_advance=True, trial_period=Decimal(12))
    waiting = pause(begin(customer, plan, "2026-01-01"), "2026-01-05", WHOLE)

    resumed = resume(waiting, "2026-01-20")

    # Whole, but for the days of the trial.
    assert resumed.trial_ends_at is None
    assert fees(customer) == ["01-13 19/31"]


def test_what_is_paused_can_be_ended(customer: Customer, advance: PlanVersion) -> None:
    waiting = pause(begin(customer, advance, "2026-01-01"), "2026-01-10")

    ended = end(waiting, "2026-01-15")

    assert (ended.status, ended.canceled_at) == ("canceled", instant("2026-01-15"))
    assert chain() == [("terminated", "pause", ""), ("canceled", "", "")]
    assert (amounts(customer), credited(customer)) == (["advance 31"], ["21"])
    # The id is free again.
    begin(customer, advance, "2026-01-20")
    assert Subscription.objects.filter(status="active").count() == 1


def test_an_agreed_end_comes_in_a_pause(customer: Customer, arrears: PlanVersion) -> None:
    first = begin(customer, arrears, "2026-01-01", ending_at=instant("2026-01-20"))
    waiting = pause(first, "2026-01-10")

    with pytest.raises(errors.NotAllowed):
        resume(waiting, "2026-01-20")
    assert subscription_moves.terminate_ended(as_of=instant("2026-01-20")).done == 1

    waiting.refresh_from_db()
    assert waiting.status == "canceled"
    assert amounts(customer) == ["arrears 10"]


def test_a_voided_draft_of_a_pause_is_billed_the_same_again(entity: BillingEntity, arrears: PlanVersion) -> None:
    customer = parties.make_customer(entity, invoice_grace_period=5)
    first = begin(customer, arrears, "2026-01-01")
    pause(first, "2026-01-10T12:00", WHOLE)
    draft = Invoice.objects.get()
    assert draft.status == "draft"

    voiding.void_draft(invoice_id=draft.pk, reason="Wrong.", actor=ACTOR, at=instant("2026-01-11"))
    run("2026-01-12")

    assert amounts(customer) == ["arrears 31", "arrears 31"]
    assert Invoice.objects.exclude(status="voided").count() == 1
    assert fees(customer) == ["01-01 31/31", "01-01 31/31"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"fee": "half"}, "validation_errors"),
        ({"resume_on": date(2026, 1, 10)}, "invalid_date"),
        ({"resume_on": date(2026, 6, 1)}, "invalid_date"),
        ({"seen": "something else"}, "subscription_changed"),
    ],
)
def test_what_is_refused_at_a_pause(
    customer: Customer, arrears: PlanVersion, values: dict[str, Any], code: str
) -> None:
    first = begin(customer, arrears, "2026-01-01", ending_at=instant("2026-06-01"))

    with pytest.raises(errors.DomainError) as refusal:
        pause(first, "2026-01-10", **values)

    assert refusal.value.code == code
    assert chain() == [("active", "", "")]


def test_only_what_runs_is_paused(customer: Customer, arrears: PlanVersion) -> None:
    cheap = goods.make_plan("cheap", cents=100)
    first = begin(customer, arrears, "2026-01-01")
    begin(customer, cheap, "2026-01-05")
    with pytest.raises(errors.NotAllowed) as refusal:
        pause(first, "2026-01-10")
    assert refusal.value.code == "pending_change_exists"
    subscription_plans.cancel_change(subscription_id=first.pk, actor=ACTOR, at=instant("2026-01-10"))

    with pytest.raises(errors.NotAllowed):
        resume(first, "2026-01-10")
    waiting = pause(first, "2026-01-10")
    for again in (first, waiting):
        with pytest.raises(errors.NotAllowed):
            pause(again, "2026-01-11")
    with pytest.raises(errors.NotAllowed) as refusal:
        begin(customer, cheap, "2026-01-11")
    assert refusal.value.code == "subscription_paused"
    # The same plan again is the paused subscription.
    assert begin(customer, arrears, "2026-01-11").pk == waiting.pk


def test_one_that_starts_later_today_is_not_paused(customer: Customer, arrears: PlanVersion) -> None:
    first = begin(customer, arrears, "2026-01-01T08:00", subscription_at=instant("2026-01-01T20:00"))

    with pytest.raises(errors.NotAllowed) as refusal:
        pause(first, "2026-01-01T09:00")

    assert refusal.value.code == "subscription_not_started"


def test_it_is_written_down(customer: Customer, arrears: PlanVersion) -> None:
    waiting = pause(begin(customer, arrears, "2026-01-01"), "2026-01-10", reason="Season is over.")
    resume(waiting, "2026-01-20")

    verbs = AuditEntry.objects.filter(object_id=waiting.pk).order_by("pk").values_list("verb", "reason")
    assert next(iter(verbs)) == ("pause", "Season is over.")
    assert "resume" in {verb for verb, _ in verbs}


def test_a_preview_leaves_nothing(customer: Customer, advance: PlanVersion) -> None:
    first = begin(customer, advance, "2026-01-01")

    preview = subscription_plans.preview(subscription=first, verb=lambda: pause(first, "2026-01-10"))

    assert [note.sub_total_amount.amount for note in preview.credit_notes] == [21]
    assert chain() == [("active", "", "")]
    assert credited(customer) == []


def test_the_database_keeps_the_chain(customer: Customer, arrears: PlanVersion) -> None:
    waiting = pause(begin(customer, arrears, "2026-01-01"), "2026-01-10")
    for broken in ({"paused_at": None}, {"pause_fee": ""}, {"started_at": instant("2026-01-11")}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Subscription.objects.filter(pk=waiting.pk).update(**broken)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # It ran until the 10th.
    early = {"status": "active", "started_at": instant("2026-01-09"), "next_billing_date": date(2026, 2, 1)}
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscription.objects.filter(pk=waiting.pk).update(**early)


def test_a_subscription_cannot_begin_beside_a_paused_one(entity: BillingEntity, arrears: PlanVersion) -> None:
    pause(begin(parties.make_customer(entity), arrears, "2026-01-01"), "2026-01-10")
    other = parties.make_customer(entity, "other")
    new = NewSubscription(external_customer_id=other.external_id, plan_code="arrears", external_id="sub")

    with pytest.raises(errors.Invalid):
        subscriptions.create(new=new, actor=ACTOR, at=instant("2026-01-11"))


def test_a_deleted_customer_has_nothing_paused(customer: Customer, arrears: PlanVersion) -> None:
    pause(begin(customer, arrears, "2026-01-01"), "2026-01-10")

    assert subscription_moves.end_all_of_customer(customer_id=customer.pk, actor=ACTOR, at=instant("2026-01-11")) == 1

    assert chain() == [("terminated", "pause", ""), ("canceled", "", "")]
