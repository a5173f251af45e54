"""Previews of changes and ends at chosen times: what they tell is what happens then, and nothing of them stays."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from billing.domain import chosen_times
from billing.domain.chosen_times import ChosenTime
from billing.models import BilledPeriod, Subscription
from billing.services import (
    change_previews,
    plan_changes,
    subscription_moves,
    subscription_plans,
    terminations,
)
from billing.services.change_previews import Played
from catalog.models import PlanVersion
from config.platform.models import AuditEntry, NumberSequence
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote, Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import begin, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

Lines = list[list[str]]


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


def given_numbers() -> list[tuple[str, int]]:
    return list(NumberSequence.objects.order_by("pk").values_list("scope", "last_value"))


def preview_change(subscription: Subscription, plan_code: str, when: ChosenTime | None, *, at: str) -> Played:
    verb = functools.partial(
        subscription_plans.change_plan,
        subscription_id=subscription.pk,
        plan_code=plan_code,
        seen=plan_changes.state_of(subscription),
        change_at=when,
        actor=ACTOR,
        at=instant(at),
    )
    return change_previews.of_change(subscription=subscription, verb=verb, at=instant(at))


def preview_end(subscription: Subscription, when: ChosenTime, *, at: str, **options: Any) -> Played:
    verb = functools.partial(
        terminations.schedule, subscription_id=subscription.pk, when=when, actor=ACTOR, at=instant(at), **options
    )
    return change_previews.of_end(subscription=subscription, verb=verb, at=instant(at))


def lines(invoices: Sequence[Invoice]) -> Lines:
    return [[f"{line.item_code} {line.amount.amount.normalize():f}" for line in row.lines.all()] for row in invoices]


def totals(invoices: Sequence[Invoice]) -> list[str]:
    return [f"{row.total_amount.amount.normalize():f} {row.issuing_date}" for row in invoices]


def notes(found: Sequence[CreditNote]) -> list[tuple[str, str, str]]:
    return [(row.reason, f"{row.total_amount.amount}", f"{row.credit_amount.amount}") for row in found]


def counts() -> tuple[int, ...]:
    models = (Subscription, Invoice, CreditNote, BilledPeriod, AuditEntry)
    return tuple(model.objects.count() for model in models)


@pytest.mark.parametrize(
    ("first", "second", "when", "days"),
    [
        # The start of the local day is 04:00 or 05:00 UTC, so a run at noon is on it.
        ("small", "big", None, ["2026-01-16", "2026-02-01"]),
        ("big", "small", chosen_times.NOW, ["2026-01-16", "2026-02-01"]),
        ("small", "big", chosen_times.PERIOD_END, ["2026-02-01", "2026-03-01"]),
        ("big", "small", chosen_times.on(date(2026, 1, 20)), ["2026-01-20", "2026-02-01"]),
        ("small", "big", chosen_times.on(date(2026, 3, 16)), ["2026-03-16", "2026-04-01"]),
        ("small-advance", "big-advance", None, ["2026-01-16", "2026-02-01"]),
        ("big-advance", "small-advance", chosen_times.NOW, ["2026-01-16", "2026-02-01"]),
        ("big-advance", "small-advance", None, ["2026-02-01", "2026-03-01"]),
        ("big-advance", "small", chosen_times.on(date(2026, 2, 15)), ["2026-02-15", "2026-03-01"]),
    ],
)
def test_a_change_makes_what_its_preview_told(
    customer: Customer, plans: None, first: str, second: str, when: ChosenTime | None, days: list[str]
) -> None:
    before = made.make_subscription(customer, version(first), at=instant("2026-01-01T12:00"))
    made.send("sub", "requests", "2026-01-02T12:00", "2026-01-03T12:00")
    stayed, numbers = counts(), given_numbers()

    told = preview_change(before, second, when, at="2026-01-16T12:00")

    assert (counts(), given_numbers()) == (stayed, numbers)
    assert before.followers.count() == 0
    subscription_plans.change_plan(
        subscription_id=before.pk,
        plan_code=second,
        seen=plan_changes.state_of(before),
        change_at=when,
        actor=ACTOR,
        at=instant("2026-01-16T12:00"),
    )
    for month in ("2026-02-01T12:00", "2026-03-01T12:00"):
        if month[:10] < days[0]:
            run(month)
    if days[0] != "2026-01-16":
        run(f"{days[0]}T12:00")
    at_change = Invoice.objects.filter(billed_periods__billing_date=days[0]).distinct().order_by("pk")
    assert (told.takes_effect_on.isoformat(), told.subscription.plan_version.plan.code) == (days[0], second)
    assert lines(told.invoices) == lines(at_change)
    assert told.invoices or told.credit_notes
    assert totals(told.invoices) == totals(at_change)
    assert notes(told.credit_notes) == notes(CreditNote.objects.all())
    run(f"{days[1]}T12:00")
    after = Invoice.objects.filter(billed_periods__billing_date=days[1]).distinct().order_by("pk")
    assert told.billed_next_on == date.fromisoformat(days[1])
    assert (lines(told.next_invoices), totals(told.next_invoices)) == (lines(after), totals(after))


@pytest.mark.parametrize(
    ("plan", "when", "day", "billed", "credited"),
    [
        # 31.00 × 16 / 31, the 16th included; the two events
        ("small", chosen_times.NOW, "2026-01-16", [["small 16", "requests 0.2"]], []),
        ("small", chosen_times.on(date(2026, 1, 20)), "2026-01-20", [["small 20", "requests 0.2"]], []),
        ("small", chosen_times.PERIOD_END, "2026-02-01", [["small 31", "requests 0.2"]], []),
        # In advance: 31.00 × 11 / 31 for the days after the 20th come back, nothing of a period that is used up.
        ("small-advance", chosen_times.on(date(2026, 1, 20)), "2026-01-20", [["requests 0.2"]], ["11"]),
        ("small-advance", chosen_times.PERIOD_END, "2026-02-01", [["requests 0.2"]], []),
        # Two months later: 31.00 × 10 / 31
        ("small", chosen_times.on(date(2026, 3, 10)), "2026-03-10", [["small 10"]], []),
    ],
)
def test_an_end_makes_what_its_preview_told(
    customer: Customer,
    plans: None,
    plan: str,
    when: ChosenTime,
    day: str,
    billed: Lines,
    credited: list[str],
) -> None:
    subscription = made.make_subscription(customer, version(plan), at=instant("2026-01-01T12:00"))
    made.send("sub", "requests", "2026-01-02T12:00", "2026-01-03T12:00")
    stayed = counts()

    told = preview_end(subscription, when, at="2026-01-16T12:00")

    assert counts() == stayed
    assert told.takes_effect_on.isoformat() == day
    assert [f"{note.sub_total_amount.amount.normalize():f}" for note in told.credit_notes] == credited
    assert [[line for line in one if not line.endswith(" 0")] for one in lines(told.invoices)] == billed
    terminations.schedule(subscription_id=subscription.pk, when=when, actor=ACTOR, at=instant("2026-01-16T12:00"))
    for clock in ("2026-01-16T12:01", "2026-01-21T12:00", "2026-02-01T12:00", "2026-03-01T12:00", "2026-03-11T12:00"):
        run(clock)
        subscription_moves.terminate_ended(as_of=instant(clock))
    done = Invoice.objects.filter(billed_periods__reason="subscription_terminating")
    assert lines(done) == lines(told.invoices)
    assert notes(CreditNote.objects.all()) == notes(told.credit_notes)


def test_an_end_after_a_change_of_plan_ends_what_follows(customer: Customer, plans: None) -> None:
    subscription = made.make_subscription(customer, version("big"), at=instant("2026-01-01T12:00"))
    begin(customer, version("small"), "2026-01-10T12:00", change_at=chosen_times.on(date(2026, 1, 20)))

    told = preview_end(subscription, chosen_times.on(date(2026, 1, 25)), at="2026-01-16T12:00")

    # 62.00 × 19 / 31 was billed on the 20th; 31.00 × 6 / 31 for the 20th to the 25th
    assert (told.subscription.plan_version.plan.code, told.subscription.status) == ("small", "terminated")
    assert [one[0] for one in lines(told.invoices)] == ["small 6"]


def test_a_change_of_the_same_plan_tells_the_next_invoice_alone(customer: Customer, plans: None) -> None:
    subscription = made.make_subscription(customer, version("small"), at=instant("2026-01-01T12:00"))

    told = preview_change(subscription, "small", None, at="2026-01-16T12:00")

    assert (told.invoices, told.credit_notes) == ((), ())
    assert [one[0] for one in lines(told.next_invoices)] == ["small 31"]
