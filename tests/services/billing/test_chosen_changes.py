"""Changes of plan at a time that somebody chose: now, at the end of the period, or on a day inside it."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from billing.domain import chosen_times
from billing.domain.chosen_times import ChosenTime
from billing.domain.terms import InvalidTerms
from billing.models import BilledPeriod, Subscription
from billing.services import (
    plan_changes,
    scheduled_changes,
    subscription_moves,
    subscription_plans,
    subscription_updates,
    subscriptions,
)
from billing.services.plan_changes import Wanted
from catalog.models import PlanVersion
from config.kernel import money
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote, Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, begin, credited, end, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

NOW, PERIOD_END = chosen_times.NOW, chosen_times.PERIOD_END


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def small() -> PlanVersion:
    return goods.make_plan("small", cents=3100)


@pytest.fixture
def big() -> PlanVersion:
    return goods.make_plan("big", cents=6200)


def on(text: str) -> ChosenTime:
    return chosen_times.on(date.fromisoformat(text))


def another(version: PlanVersion, *, cents: int) -> PlanVersion:
    """Make another version of a plan, at another price, that is not on sale."""
    row = PlanVersion.objects.select_related("plan").get(pk=version.pk)
    row.pk, row.uuid, row._state.adding = None, uuid4(), True
    row.number, row.is_current, row.amount = version.number + 1, False, money.from_minor(cents, version.currency)
    row.save(force_insert=True)
    return row


def chain() -> list[tuple[str, str, str]]:
    rows = Subscription.objects.order_by("pk")
    return [(row.plan_version.plan.code, row.status, row.ended_by) for row in rows]


def test_a_cheaper_plan_begins_now(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, big, "2026-01-01")

    found = begin(customer, small, "2026-01-16T10:00", change_at=NOW)

    assert (found.plan_version, found.status, found.change_timing) == (small, "active", "now")
    assert chain() == [("big", "terminated", "upgrade"), ("small", "active", "")]
    run("2026-02-01")
    # 62.00 × 15 / 31, then 31.00 × 16 / 31
    assert amounts(customer) == ["big 30", "small 16"]


def test_a_cheaper_plan_now_gives_back_what_was_paid_in_advance(customer: Customer) -> None:
    begin(customer, goods.make_plan("big", cents=6200, pay_in_advance=True), "2026-01-01")

    begin(customer, goods.make_plan("small", cents=3100, pay_in_advance=True), "2026-01-16T10:00", change_at=NOW)

    # 62.00 in advance; 32.00 of it come back and pay the 16.00, the rest is for later invoices.
    assert (amounts(customer), credited(customer)) == (["big 62", "small 16"], ["32"])
    assert Invoice.objects.order_by("-pk")[0].total_amount.amount == 0
    assert CreditNote.objects.get().balance_amount.amount == 16


def test_a_dearer_plan_waits_for_the_end_of_the_period(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    first = begin(customer, small, "2026-01-01")

    answer = begin(customer, big, "2026-01-16", change_at=PERIOD_END)

    assert (answer.pk, answer.change_day, Invoice.objects.count()) == (first.pk, date(2026, 2, 1), 0)
    # Nobody who chose a time is moved because of prices.
    assert list(scheduled_changes.overtaken()) == []
    assert subscription_moves.settle_plan_changes(as_of=instant("2026-01-20")).done == 0
    run("2026-02-01T00:10")
    assert chain() == [("small", "terminated", "downgrade"), ("big", "active", "")]
    run("2026-03-01")
    assert amounts(customer) == ["small 31", "big 62"]


@pytest.mark.parametrize("late", ["2026-01-16T00:05", "2026-01-19", "2026-02-01T12:00"])
def test_a_day_inside_the_period_cuts_it_there_however_late(
    customer: Customer, small: PlanVersion, big: PlanVersion, late: str
) -> None:
    begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10", change_at=on("2026-01-16"))
    assert run("2026-01-15T23:55").invoices_count == 0

    run(late)
    run("2026-02-01T12:00")

    # 62.00 × 15 / 31 for the days up to the 15th, 31.00 × 16 / 31 from the 16th on
    assert sorted(amounts(customer)) == ["big 30", "small 16"]
    rows = Subscription.objects.order_by("pk")
    assert [(row.started_at, row.terminated_at) for row in rows] == [
        (instant("2026-01-01"), instant("2026-01-16")),
        (instant("2026-01-16"), None),
    ]
    assert made.billed(customer)[0] == ("2026-01-16", "finalized", "30")


@pytest.mark.parametrize("late", ["2026-01-16T00:05", "2026-01-25"])
def test_a_day_inside_a_period_paid_in_advance(customer: Customer, late: str) -> None:
    requests = goods.make_metric("requests")
    charges = [goods.standard(requests, "0.10")]
    begin(customer, goods.make_plan("small", cents=3100, pay_in_advance=True, charges=charges), "2026-01-01")
    big = goods.make_plan("big", cents=6200, pay_in_advance=True, charges=charges)
    begin(customer, big, "2026-01-10", change_at=on("2026-01-16"))
    made.send("sub", "requests", "2026-01-15T23:59:59", "2026-01-16")

    run(late)

    # 16 days of 31 come back and pay the rest of the month on the new plan: 62.00 × 16 / 31; usage is cut there.
    assert (amounts(customer), credited(customer)) == (["small 31", "requests 0.1", "big 32"], ["16"])
    assert CreditNote.objects.get().reason == "order_change"
    last = Invoice.objects.order_by("-pk")[0]
    assert (last.total_amount.amount * 10, last.lines.count()) == (161, 2)
    assert run(late).invoices_count == 0
    run("2026-02-01")
    assert amounts(customer)[3:] == ["big 62", "requests 0.1"]
    assert CreditNote.objects.count() == 1


def test_the_first_day_of_a_period_is_its_end(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, small, "2026-01-01")
    begin(customer, big, "2026-01-16", change_at=on("2026-03-01"))

    run("2026-02-01")
    run("2026-03-01")

    assert amounts(customer) == ["small 31", "small 31"]
    assert chain()[0] == ("small", "terminated", "downgrade")


@pytest.mark.parametrize("timezone", ["America/Los_Angeles", "Asia/Tokyo", "Europe/Berlin"])
def test_a_day_is_the_customers(entity: BillingEntity, small: PlanVersion, big: PlanVersion, timezone: str) -> None:
    customer = parties.make_customer(entity, timezone=timezone)
    begin(customer, big, "2026-03-01T12:00")
    begin(customer, small, "2026-03-10T12:00", change_at=on("2026-03-30"))
    run("2026-03-31T00:00")
    run("2026-04-02")

    # 62.00 × 29 / 31 up to the 29th (of 1 to 29 March), 31.00 × 2 / 31; the clocks of some go forward in between.
    assert amounts(customer) == ["big 58", "small 2"]
    covered = BilledPeriod.objects.order_by("from_at")
    assert covered[0].to_at == covered[1].from_at


def test_months_inside_a_year_are_cut_with_it(customer: Customer) -> None:
    charges = [goods.standard(goods.make_metric("requests"), "0.10")]
    yearly = goods.make_plan("year", cents=36500, interval="yearly", bill_charges_monthly=True, charges=charges)
    begin(customer, yearly, "2026-01-01")
    begin(customer, goods.make_plan("big", cents=6200), "2026-01-10", change_at=on("2026-03-01"))
    made.send("sub", "requests", "2026-01-20", "2026-02-20")

    run("2026-02-01")
    run("2026-03-01")

    # February's usage, and 365.00 × 59 / 365 of the year
    assert sorted(amounts(customer)) == ["requests 0.1", "requests 0.1", "year 59"]


def test_a_choice_takes_the_place_of_another(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-02")
    begin(customer, small, "2026-01-03", change_at=on("2026-01-20"))
    begin(customer, small, "2026-01-04", change_at=on("2026-01-20"))

    assert (first.change_day, Subscription.objects.count()) == (date(2026, 1, 20), 3)
    found = begin(customer, small, "2026-01-05", change_at=NOW)

    assert found.plan_version == small
    assert chain() == [
        ("big", "terminated", "upgrade"),
        ("small", "canceled", ""),
        ("small", "canceled", ""),
        ("small", "active", ""),
    ]
    # The plan that it has: a repeat changes nothing, whatever is chosen.
    assert begin(customer, small, "2026-01-06", change_at=on("2026-01-20")).pk == found.pk
    assert plan_changes.pending(found) is None


@pytest.mark.parametrize("chosen", [on("2026-01-16"), on("2026-01-10"), on("2026-02-10"), on("2026-03-01"), PERIOD_END])
def test_a_day_that_cannot_be_meant_is_refused(
    customer: Customer, small: PlanVersion, big: PlanVersion, chosen: ChosenTime
) -> None:
    begin(customer, big, "2026-01-01", ending_at=instant("2026-02-01"))

    with pytest.raises(InvalidTerms) as refusal:
        begin(customer, small, "2026-01-16", change_at=chosen)

    assert refusal.value.details == {"change_at": ["invalid_date"]}
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("chosen", [PERIOD_END, on("2026-01-20"), on("2026-02-15")])
def test_any_scheduled_change_can_be_called_off(
    customer: Customer, small: PlanVersion, big: PlanVersion, chosen: ChosenTime
) -> None:
    first = begin(customer, small, "2026-01-01")
    begin(customer, big, "2026-01-10", change_at=chosen)

    subscription_plans.cancel_change(subscription_id=first.pk, actor=ACTOR, at=instant("2026-01-12"))
    run("2026-02-01")
    run("2026-03-01")

    assert amounts(customer) == ["small 31", "small 31"]
    assert [row[:2] for row in chain()] == [("small", "active"), ("big", "canceled")]


def test_a_new_price_moves_nobody_who_chose_a_time(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10", change_at=PERIOD_END)
    PlanVersion.objects.filter(pk=small.pk).update(amount=9300)

    assert scheduled_changes.reconsider(version_id=big.pk) == 0
    assert list(scheduled_changes.overtaken()) == []
    assert subscription_plans.settle(subscription_id=first.pk, actor=ACTOR, at=instant("2026-01-12")).pk == first.pk
    assert plan_changes.pending(first) is not None


def test_the_end_of_the_subscription_cancels_a_chosen_change(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10", change_at=on("2026-01-20"))

    end(first, "2026-01-16")
    run("2026-02-01")

    assert [row[:2] for row in chain()] == [("big", "terminated"), ("small", "canceled")]
    assert amounts(customer) == ["big 32"]


@pytest.mark.parametrize(
    ("ending_at", "changes", "billed"),
    [
        ("2026-01-25T12:00", {}, ["big 38", "small 6"]),  # 19 days, then the 20th to the 25th
        ("2026-01-18T12:00", {}, ["big 36"]),  # never comes: 18 days
        ("2026-01-18T12:00", {"ending_at": None}, ["big 38", "small 12"]),
    ],
)
def test_an_agreed_end_before_or_after_the_change(
    customer: Customer,
    small: PlanVersion,
    big: PlanVersion,
    ending_at: str,
    changes: dict[str, None],
    billed: list[str],
) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10", change_at=on("2026-01-20"))
    for change in ({"ending_at": instant(ending_at)}, changes):
        subscription_updates.update(subscription_id=first.pk, changes=change, actor=ACTOR, at=instant("2026-01-12"))

    for day in ("2026-01-18T13:00", "2026-01-20T01:00", "2026-01-26", "2026-02-01"):
        run(day)
        subscription_moves.terminate_ended(as_of=instant(day))

    assert amounts(customer) == billed


def test_a_version_can_be_asked_for(customer: Customer, small: PlanVersion) -> None:
    first = begin(customer, small, "2026-01-01")
    later = another(small, cents=6200)
    current = subscriptions.locked(first.pk)
    wanted = Wanted(version=later, is_version_chosen=True, reason="The second phase.")

    # The same plan is no change, unless its version is asked for.
    plain = Wanted(version=later)
    assert plan_changes.is_agreed(current, wanted=plain, at=instant("2026-01-05"))
    assert not plan_changes.is_agreed(current, wanted=wanted, at=instant("2026-01-05"))
    waiting = plan_changes.schedule(
        current=current, wanted=wanted, on=date(2026, 1, 16), actor=ACTOR, at=instant("2026-01-05")
    )
    again = plan_changes.schedule(
        current=current, wanted=wanted, on=date(2026, 1, 16), actor=ACTOR, at=instant("2026-01-06")
    )

    assert (waiting.pk, waiting.change_timing) == (again.pk, "date")
    assert AuditEntry.objects.filter(verb="schedule_change").get().reason == "The second phase."
    run("2026-01-16")
    run("2026-02-01")
    assert amounts(customer) == ["small 15", "small 32"]


@pytest.mark.parametrize(("day", "field"), [("2026-01-01", "change_at"), ("2026-03-01", "change_at")])
def test_a_version_cannot_be_scheduled_for_any_day(
    customer: Customer, small: PlanVersion, day: str, field: str
) -> None:
    first = begin(customer, small, "2026-01-01", ending_at=instant("2026-03-01"))
    wanted = Wanted(version=another(small, cents=6200), is_version_chosen=True)

    with pytest.raises(InvalidTerms) as refusal:
        plan_changes.schedule(
            current=subscriptions.locked(first.pk),
            wanted=wanted,
            on=date.fromisoformat(day),
            actor=ACTOR,
            at=instant("2026-01-05"),
        )

    assert refusal.value.details == {field: ["invalid_date"]}


def test_the_version_that_it_has_cannot_be_scheduled(customer: Customer, small: PlanVersion) -> None:
    first = begin(customer, small, "2026-01-01")

    with pytest.raises(InvalidTerms) as refusal:
        plan_changes.schedule(
            current=subscriptions.locked(first.pk),
            wanted=Wanted(version=small, is_version_chosen=True),
            on=date(2026, 2, 1),
            actor=ACTOR,
            at=instant("2026-01-05"),
        )

    assert refusal.value.details == {"plan_version": ["value_already_exist"]}
