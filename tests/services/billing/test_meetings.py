"""Pauses, chosen times and own terms where they meet: each other, minimum commitments, fixed charges, trials, versions,
and a customer who moves to another time zone.
"""

from __future__ import annotations

import functools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import chosen_times
from billing.domain.chosen_times import ChosenTime
from billing.domain.terms import InvalidTerms
from billing.models import LateUsage, Subscription
from billing.services import (
    change_previews,
    late_usage,
    own_terms,
    plan_changes,
    subscription_moves,
    subscription_plans,
    terminations,
)
from billing.services.change_previews import Played
from billing.services.plan_changes import Wanted
from catalog.domain.publications import Publication
from catalog.models import PlanVersion
from catalog.queries import plans as known_plans
from catalog.services import plans
from config.kernel import errors
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.pause_stories import PRORATED, WHOLE, fees, pause, resume
from tests.factories.plan_stories import amounts, begin, credited, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


def agree(subscription: Subscription, at: str, **terms: Any) -> Subscription:
    return own_terms.agree(subscription_id=subscription.pk, terms=terms, actor=ACTOR, at=instant(at))


def verb(subscription: Subscription, plan_code: str, when: ChosenTime | None, at: str) -> Any:
    return functools.partial(
        subscription_plans.change_plan,
        subscription_id=subscription.pk,
        plan_code=plan_code,
        seen=plan_changes.state_of(subscription),
        change_at=when,
        actor=ACTOR,
        at=instant(at),
    )


def preview(subscription: Subscription, plan_code: str, when: ChosenTime | None, at: str) -> Played:
    change = verb(subscription, plan_code, when, at)
    return change_previews.of_change(subscription=subscription, verb=change, at=instant(at))


def lines(played: Played) -> list[list[str]]:
    return [
        [f"{line.item_code} {line.amount.amount.normalize():f}" for line in invoice.lines.all()]
        for invoice in played.invoices
    ]


@pytest.mark.parametrize("pay_in_advance", [False, True])
@pytest.mark.parametrize("resumed", ["2026-01-10T13:00", "2026-01-20T13:00", "2026-02-10"])
@pytest.mark.parametrize("fee", [PRORATED, WHOLE])
def test_the_fee_reaches_a_minimum_as_high_whatever_a_pause_does(
    customer: Customer, fee: str, resumed: str, pay_in_advance: bool
) -> None:
    plan = goods.make_plan("gym", cents=3100, minimum_commitment={"amount_cents": 3100}, pay_in_advance=pay_in_advance)

    resume(pause(begin(customer, plan, "2026-01-01"), "2026-01-10T12:00", fee), resumed)
    run("2026-02-01T12:00")
    run("2026-03-01T12:00")

    # Committed are the days that the fee is paid of, by days or as a whole: nothing is missing to any of them.
    found = [Decimal(amount.removeprefix("gym ")) for amount in amounts(customer)]
    given = sum((Decimal(amount) for amount in credited(customer)), Decimal(0))
    january = {PRORATED: {"10T": 31, "20T": 22, "10": 10}, WHOLE: {"10T": 31, "20T": 31, "10": 31}}[fee][resumed[8:11]]
    february = Decimal("21.04") if (fee, resumed) == (PRORATED, "2026-02-10") else 31
    assert sum(found) - given == january + february + (31 if pay_in_advance else 0)


def test_fixed_charges_end_with_the_day_before_a_change_on_a_day(customer: Customer) -> None:
    by_days = goods.fixed(goods.make_add_on("seat"), 1, "365", prorated=True)
    minimum = {"amount_cents": 36500}
    yearly = goods.make_plan("year", cents=0, interval="yearly", fixed_charges=[by_days], minimum_commitment=minimum)
    begin(customer, yearly, "2026-01-01")
    begin(customer, goods.make_plan("big", cents=6200), "2026-01-10", change_at=chosen_times.on(date(2026, 3, 15)))

    run("2026-03-15")

    # 365.00 × 73 / 365 up to the 14th, and a minimum of as much
    assert amounts(customer) == ["seat 73"]


@pytest.mark.parametrize(
    ("fee", "paused", "zone", "billed"),
    [
        # The last hour of January, which is February in Tokyo: January is paid, February is not.
        (WHOLE, "2026-01-31T23:30", "Asia/Tokyo", ["01-01 31/31", "01-31 28/28"]),
        # The first hour of February, which is January in New York: February is paid, once.
        (WHOLE, "2026-02-01T00:30", "America/New_York", ["01-01 31/31", "02-01 28/28"]),
        (PRORATED, "2026-02-01T00:30", "America/New_York", ["01-01 31/31", "02-01 1/28", "02-10 19/28"]),
    ],
)
def test_days_that_are_paid_stay_paid_in_another_time_zone(
    customer: Customer, fee: str, paused: str, zone: str, billed: list[str]
) -> None:
    first = begin(customer, goods.make_plan("gym", cents=3100), "2026-01-01")
    if paused.startswith("2026-02"):
        run("2026-02-01T00:01")
    waiting = pause(first, paused, fee)

    Customer.objects.update(timezone=zone)
    resume(waiting, "2026-02-10T12:00")
    run("2026-03-01T12:00")

    assert fees(customer) == billed


def test_late_usage_of_both_sides_of_a_pause_is_theirs(customer: Customer) -> None:
    plan = goods.make_plan("metered", cents=0, charges=[goods.standard(goods.make_metric(), "1")])
    first = begin(customer, plan, "2026-01-01")
    resumed = resume(pause(first, "2026-01-10T12:00"), "2026-01-20T12:00")
    run("2026-02-01")

    made.send("sub", "requests", "2026-01-08", "2026-01-09", "2026-01-16", "2026-01-21")
    late_usage.run(as_of=instant("2026-02-03"))

    found = LateUsage.objects.values_list("subscription_id", "amount")
    # What came in the pause is nobody's.
    assert sorted(found) == [(first.pk, Decimal(2)), (resumed.pk, Decimal(1))]


def test_a_trial_is_not_agreed_on_in_a_pause(customer: Customer) -> None:
    waiting = pause(begin(customer, goods.make_plan("gym", cents=3100), "2026-01-01"), "2026-01-10T12:00")

    with pytest.raises(errors.Invalid) as refused:
        agree(waiting, "2026-01-12", trial_period=Decimal(60))

    assert refused.value.details == {"plan_overrides.trial_period": ["modification_not_allowed"]}


def test_units_and_prices_agreed_on_in_a_pause_count_after_it(customer: Customer) -> None:
    plan = goods.make_plan("gym", cents=0, fixed_charges=[goods.fixed(goods.make_add_on("seat"), 1, "7")])
    waiting = pause(begin(customer, plan, "2026-01-01"), "2026-01-10T12:00")

    agree(waiting, "2026-01-12", amount_cents=2800, fixed_charges=[{"code": "seat", "units": Decimal(3)}])
    resume(waiting, "2026-02-15T12:00")
    run("2026-03-01")

    # 28.00 × 14 / 28, and 3 × 7.00
    assert amounts(customer) == ["seat 7", "gym 14", "seat 21"]


def test_own_terms_outlive_a_move_to_another_version_that_waits(customer: Customer) -> None:
    begin(customer, goods.make_plan("gym", cents=3100), "2026-01-01")
    plans.update(
        code="gym",
        values={"amount_cents": 6200},
        actor=ACTOR,
        at=instant("2026-01-02"),
        publication=Publication(moves_existing=False),
    )
    second = known_plans.by_code(code="gym")
    current = Subscription.objects.select_related("plan_version__plan", "customer__billing_entity").get()
    wanted = Wanted(version=second, is_version_chosen=True)
    plan_changes.schedule(current=current, wanted=wanted, on=date(2026, 2, 1), actor=ACTOR, at=instant("2026-01-03"))

    agree(current, "2026-01-05", name="Gym for Acme", amount_cents=1000)
    run("2026-02-01")
    run("2026-03-01")

    assert amounts(customer) == ["gym 10", "gym 10"]
    last = Subscription.objects.get(status="active").plan_version
    assert (last.base_id, last.overrides) == (second.pk, {"name": "Gym for Acme", "amount_cents": 1000})


def test_the_end_of_own_terms_before_a_move_that_waits_ends_them_after_it_too(customer: Customer) -> None:
    first = begin(customer, goods.make_plan("gym", cents=3100), "2026-01-01", own_terms={"amount_cents": 1000})
    plans.update(
        code="gym",
        values={"amount_cents": 6200},
        actor=ACTOR,
        at=instant("2026-01-02"),
        publication=Publication(moves_existing=False),
    )
    second = known_plans.by_code(code="gym")
    current = Subscription.objects.select_related("plan_version__plan", "customer__billing_entity").get()
    wanted = Wanted(version=second, is_version_chosen=True)
    plan_changes.schedule(current=current, wanted=wanted, on=date(2026, 2, 1), actor=ACTOR, at=instant("2026-01-03"))

    own_terms.end(subscription_id=first.pk, terms=None, actor=ACTOR, at=instant("2026-01-05"))
    run("2026-02-01")
    run("2026-03-01")

    assert amounts(customer) == ["gym 31", "gym 62"]


def test_the_end_of_own_terms_brings_the_plans_units_from_the_next_period_on(customer: Customer) -> None:
    plan = goods.make_plan("gym", cents=0, fixed_charges=[goods.fixed(goods.make_add_on("seat"), 1, "7")])
    first = begin(customer, plan, "2026-01-01")
    agree(first, "2026-01-05", name="Gym for Acme")
    more = {"id": plan.fixed_charges.get().key, "units": Decimal(4)}
    plans.update(code="gym", values={"fixed_charges": [more]}, actor=ACTOR, at=instant("2026-01-06"))

    own_terms.end(subscription_id=first.pk, terms=None, actor=ACTOR, at=instant("2026-01-10"))
    run("2026-02-01")
    run("2026-03-01")

    # 1 × 7.00, then 4 × 7.00
    assert amounts(customer) == ["seat 7", "seat 28"]


def test_a_preview_lets_a_trial_end_on_its_day(customer: Customer) -> None:
    plan = goods.make_plan("gym", cents=3100, pay_in_advance=True, trial_period=Decimal(10))
    goods.make_plan("big", cents=6200, pay_in_advance=True)
    first = begin(customer, plan, "2026-01-01")
    when = chosen_times.on(date(2026, 1, 20))

    told = preview(first, "big", when, "2026-01-05")

    verb(first, "big", when, "2026-01-05")()
    subscription_moves.end_trials(as_of=instant("2026-01-11"))
    assert amounts(customer) == ["gym 21"]
    run("2026-01-20")
    # 62.00 × 12 / 31; the trial's fee of 31.00 × 21 / 31 was billed before, 12 days of it are credited.
    assert amounts(customer) == ["gym 21", "big 24"]
    assert lines(told) == [["big 24"]]
    assert [note.sub_total_amount.amount for note in told.credit_notes] == [12]
    assert credited(customer) == ["12"]


def test_a_preview_of_a_change_that_never_comes_tells_the_end(customer: Customer) -> None:
    goods.make_plan("small", cents=1000)
    first = begin(customer, goods.make_plan("gym", cents=3100), "2026-01-01", ending_at=instant("2026-01-20T12:00"))

    told = preview(first, "small", None, "2026-01-05")

    assert (told.subscription.plan_version.plan.code, told.subscription.status) == ("gym", "terminated")
    assert (told.takes_effect_at, lines(told), told.next_invoices) == (
        instant("2026-01-20T12:00"),
        [["gym 20"]],
        (),
    )


def test_days_that_no_calendar_can_reach_are_refused(customer: Customer) -> None:
    goods.make_plan("big", cents=6200)
    first = begin(customer, goods.make_plan("gym", cents=3100), "2026-01-01")
    never = date(9999, 12, 31)

    with pytest.raises(InvalidTerms):
        terminations.schedule(
            subscription_id=first.pk, when=chosen_times.on(never), actor=ACTOR, at=instant("2026-01-05")
        )
    with pytest.raises(InvalidTerms):
        begin(customer, PlanVersion.objects.get(plan__code="big"), "2026-01-05", change_at=chosen_times.on(never))
    with pytest.raises(errors.Invalid):
        pause(first, "2026-01-05", resume_on=never)
    with pytest.raises(errors.Invalid) as refused:
        preview(first, "big", chosen_times.on(date(2036, 2, 1)), "2026-01-05")
    assert refused.value.code == "too_far_away"
