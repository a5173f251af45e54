"""Forecasts of the next invoices: what they tell is what is then billed, and nothing of them stays."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.domain import chosen_times
from billing.models import BilledPeriod, Subscription
from billing.services import forecasts, plan_changes, runs, subscription_moves, subscription_plans, terminations
from billing.services.forecasts import Forecast, UsageState
from catalog.models import PlanVersion
from config.platform.models import AuditEntry, NumberSequence
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote, Invoice
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import contracts as stories
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.pause_stories import pause
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

NOW = "2026-01-16T12:00"


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity, timezone="America/New_York")


@pytest.fixture
def plans() -> None:
    charges = [goods.standard(goods.make_metric("requests"), "0.10")]
    for code, cents in (("small", 3100), ("big", 6200)):
        goods.make_plan(code, cents=cents, charges=charges)
        goods.make_plan(f"{code}-advance", cents=cents, pay_in_advance=True, charges=charges)


def version(code: str) -> PlanVersion:
    return PlanVersion.objects.select_related("plan").get(plan__code=code)


def begin(customer: Customer, code: str, **values: Any) -> Subscription:
    found = made.make_subscription(customer, version(code), at=instant("2026-01-01T12:00"), **values)
    made.send("sub", "requests", "2026-01-02T12:00", "2026-01-03T12:00")
    return found


def change(subscription: Subscription, code: str, on: date) -> None:
    subscription_plans.change_plan(
        subscription_id=subscription.pk,
        plan_code=code,
        seen=plan_changes.state_of(subscription),
        change_at=chosen_times.on(on),
        actor=ACTOR,
        at=instant(NOW),
    )


def counts() -> tuple[int, ...]:
    models = (Subscription, Invoice, CreditNote, BilledPeriod, AuditEntry)
    return tuple(model.objects.count() for model in models)


def numbers() -> list[tuple[str, int]]:
    return list(NumberSequence.objects.order_by("pk").values_list("scope", "last_value"))


def forecast(subscription: Subscription, *, at: str = NOW, **options: Any) -> Forecast:
    """Forecast, and make sure that nothing of it stays."""
    before = counts(), numbers()
    found = forecasts.of(subscription=subscription, at=instant(at), **options)
    assert (counts(), numbers()) == before
    return found


def pass_days(*days: str) -> None:
    """Let days come, with the jobs of each."""
    for day in days:
        at = instant(f"{day}T12:00")
        invoices.finalize_due(as_of=at)
        subscription_moves.activate_pending(as_of=at)
        subscription_moves.resume_paused(as_of=at)
        subscription_moves.terminate_ended(as_of=at)
        subscription_moves.end_trials(as_of=at)
        assert runs.run(as_of=at, trigger="test", actor=ACTOR).failures_count == 0


Told = list[tuple[str, list[str], str]]


def told(found: Forecast) -> Told:
    return [_told(day.day, day.invoices) for day in found.days]


def billed(*days: str) -> Told:
    made_then = [Invoice.objects.filter(billed_periods__billing_date=day).distinct().order_by("pk") for day in days]
    return [_told(date.fromisoformat(day), list(rows)) for day, rows in zip(days, made_then, strict=True)]


def _told(day: date, rows: Sequence[Invoice]) -> tuple[str, list[str], str]:
    lines = [f"{line.item_code} {line.amount.amount.normalize():f}" for row in rows for line in row.lines.all()]
    return day.isoformat(), lines, " ".join(f"{row.total_amount.amount.normalize():f}" for row in rows)


MONTHS = ("2026-02-01", "2026-03-01", "2026-04-01")


@pytest.mark.parametrize("code", ["small", "small-advance"])
def test_what_is_told_is_billed(customer: Customer, plans: None, code: str) -> None:
    found = forecast(begin(customer, code))

    assert [day.day.isoformat() for day in found.days] == list(MONTHS)
    assert [day.usage_state(at=found.at) for day in found.days] == [
        UsageState.SO_FAR,
        UsageState.TO_COME,
        UsageState.TO_COME,
    ]
    pass_days(*MONTHS)
    assert told(found) == billed(*MONTHS)
    # 2 requests × 0.10 in January; none are known of later months.
    usage = [line.amount.amount for line in found.days[0].lines if line.item_code == "requests"]
    assert usage == [Decimal("0.2")]


def test_a_change_inside_a_period_is_billed_on_its_day(customer: Customer, plans: None) -> None:
    begun = begin(customer, "big")
    change(begun, "small", date(2026, 2, 15))

    found = forecast(begun)

    days = ("2026-02-01", "2026-02-15", "2026-03-01")
    pass_days(*days)
    assert told(found) == billed(*days)
    # 62.00 × 14 / 28 until 14 February, 31.00 × 14 / 28 from then on
    assert [found.days[1].lines[0].amount.amount, found.days[2].lines[0].amount.amount] == [31, 15.5]


@pytest.mark.parametrize("code", ["small", "small-advance"])
@pytest.mark.parametrize("fee", ["prorated", "whole"])
def test_a_pause_bills_nothing_until_it_resumes(customer: Customer, plans: None, code: str, fee: str) -> None:
    waiting = pause(begin(customer, code), NOW, fee=fee, resume_on=date(2026, 3, 10))

    found = forecast(waiting)

    assert all(day.day >= date(2026, 3, 10) for day in found.days)
    days = ("2026-03-10", "2026-04-01", "2026-05-01", "2026-06-01")
    pass_days(*days)
    shown = [row for row in billed(*days) if row[1]]
    assert [row for row in told(found) if row[1]] == shown[: len([row for row in told(found) if row[1]])]
    assert len(found.days) == 3


def test_a_pause_without_a_day_waits(customer: Customer, plans: None) -> None:
    found = forecast(pause(begin(customer, "small"), NOW))
    assert (found.days, found.waits_for, found.ends_on) == ((), "resume", None)


@pytest.mark.parametrize("code", ["small", "small-advance"])
def test_an_agreed_end_is_the_last_that_is_billed(customer: Customer, plans: None, code: str) -> None:
    begun = begin(customer, code)
    terminations.schedule(
        subscription_id=begun.pk, when=chosen_times.on(date(2026, 2, 10)), actor=ACTOR, at=instant(NOW)
    )

    found = forecast(begun)

    assert found.ends_on is not None
    assert len(found.days) == 2
    days = [day.day.isoformat() for day in found.days]
    pass_days("2026-02-01", "2026-02-10", "2026-02-11")
    assert told(found) == billed(*days)
    given = [f"{note.total_amount.amount}" for day in found.days for note in day.credit_notes]
    assert given == [f"{note.total_amount.amount}" for note in CreditNote.objects.order_by("pk")]
    assert bool(given) == (code == "small-advance")


def test_a_trial_ends_before_its_fee(customer: Customer) -> None:
    goods.make_plan("trial", cents=3100, pay_in_advance=True, trial_period=Decimal(30))
    begun = made.make_subscription(customer, version("trial"), at=instant("2026-01-01T12:00"))

    found = forecast(begun)

    days = [day.day.isoformat() for day in found.days]
    pass_days("2026-01-31", "2026-02-01", "2026-03-01", "2026-04-01")
    assert told(found) == billed(*days)
    assert days[0] == "2026-01-31"


def test_a_start_to_come_is_billed_from_its_day(customer: Customer, plans: None) -> None:
    later = begin(customer, "small-advance", subscription_at=instant("2026-02-11T12:00"))

    found = forecast(later)

    days = ("2026-02-11", "2026-03-01", "2026-04-01")
    pass_days(*days)
    assert told(found) == billed(*days)


def test_phases_of_a_contract_follow_each_other(customer: Customer, plans: None) -> None:
    ramp = (
        stories.phase("small", amount_cents=1000),
        stories.phase("small", "2026-02-01", amount_cents=2000),
        stories.phase("small", "2026-03-01", amount_cents=3000),
    )
    stories.activate(stories.draft(customer, *ramp), at="2026-01-01T12:00")
    begun = Subscription.objects.get(external_id="sub", status="active")

    found = forecast(begun)

    assert [day.lines[0].amount.amount for day in found.days] == [10, 20, 30]


def test_a_minimum_commitment_is_topped_up(customer: Customer) -> None:
    goods.make_plan("least", cents=1000, minimum_commitment={"amount_cents": 5000})
    begun = made.make_subscription(customer, version("least"), at=instant("2026-01-01T12:00"))

    found = forecast(begun)

    pass_days(*MONTHS)
    assert told(found) == billed(*MONTHS)
    assert {line.kind for day in found.days for line in day.lines} == {"subscription", "commitment"}


def test_a_grace_period_puts_nothing_off(entity: BillingEntity, plans: None) -> None:
    slow = parties.make_customer(entity, external_id="slow", invoice_grace_period=10)
    begun = begin(slow, "small")

    found = forecast(begun)

    pass_days("2026-02-01", "2026-02-12", "2026-03-01", "2026-03-12", "2026-04-01")
    assert told(found) == billed(*MONTHS)


def test_what_is_due_already_comes_first(customer: Customer, plans: None) -> None:
    begun = begin(customer, "small")

    found = forecast(begun, at="2026-03-05T12:00", periods_count=2)

    assert [day.day.isoformat() for day in found.days] == ["2026-02-01", "2026-03-01"]
    assert found.days[0].usage_state(at=found.at) is UsageState.COUNTED


def test_other_subscriptions_share_the_invoice(customer: Customer, plans: None, monkeypatch: Any) -> None:
    begun = begin(customer, "small")
    made.make_subscription(customer, version("big"), "other", at=instant("2026-01-01T12:00"))

    shared = forecast(begun)
    monkeypatch.setattr(forecasts, "MOST_SUBSCRIPTIONS", 1)
    alone = forecast(begun)

    assert ([day.others_count for day in shared.days], shared.is_alone) == ([1, 1, 1], False)
    assert ([day.others_count for day in alone.days], alone.is_alone) == ([0, 0, 0], True)
    lines = [[[line.amount for line in day.lines] for day in one.days] for one in (shared, alone)]
    assert lines[0] == lines[1]
    pass_days(*MONTHS)
    assert told(shared) == billed(*MONTHS)


def test_an_ended_subscription_has_no_next_invoice(customer: Customer, plans: None) -> None:
    begun = begin(customer, "small")
    terminations.terminate(subscription_id=begun.pk, actor=ACTOR, at=instant(NOW))
    found = forecast(begun)
    assert (found.days, found.waits_for, str(found.ends_on)) == ((), "", "2026-01-16")


@pytest.mark.django_db(transaction=True)
def test_a_customer_that_is_being_billed_is_left_alone(customer: Customer, plans: None) -> None:
    begun = begin(customer, "small")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Customer.objects.filter(pk=customer.pk).select_for_update(no_key=True))
            held.set()
            done.wait(10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(10)
        with pytest.raises(forecasts.Busy):
            forecasts.of(subscription=begun, at=instant(NOW))
    finally:
        done.set()
        thread.join()
