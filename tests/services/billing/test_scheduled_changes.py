"""Changes of plan that wait: called off, replaced, overtaken by an end, and what new prices do to them."""

from __future__ import annotations

from datetime import datetime

import pytest

from billing.domain import terms
from billing.models import Subscription
from billing.services import subscription_moves, subscription_plans, subscription_updates, subscriptions
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel import errors
from customers.models import BillingEntity, Customer
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, begin, end, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


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


def chain() -> list[tuple[str, str, datetime | None, datetime | None]]:
    rows = Subscription.objects.order_by("pk")
    return [(row.plan_version.plan.code, row.status, row.started_at, row.terminated_at) for row in rows]


def test_another_change_takes_the_place_of_one_that_waits(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    begin(customer, big, "2026-01-01")
    tiny = goods.make_plan("tiny", cents=100)
    begin(customer, small, "2026-01-10")
    begin(customer, small, "2026-01-11")
    begin(customer, tiny, "2026-01-12")
    begin(customer, big, "2026-01-13")  # the plan it has: nothing happens, and what waits goes on waiting

    assert [(row[0], row[1]) for row in chain()] == [("big", "active"), ("small", "canceled"), ("tiny", "pending")]
    begin(customer, goods.make_plan("huge", cents=9300), "2026-01-16")
    assert [(row[0], row[1]) for row in chain()] == [
        ("big", "terminated"),
        ("small", "canceled"),
        ("tiny", "canceled"),
        ("huge", "active"),
    ]
    run("2026-02-01")
    assert amounts(customer) == ["big 30", "huge 48"]


def test_a_change_that_waits_can_be_called_off(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")

    subscription_plans.cancel_change(subscription_id=first.pk, actor=ACTOR, at=instant("2026-01-11"), reason="No")
    run("2026-02-01")

    assert [(row[0], row[1]) for row in chain()] == [("big", "active"), ("small", "canceled")]
    assert amounts(customer) == ["big 62"]
    with pytest.raises(errors.NotAllowed):
        subscription_plans.cancel_change(subscription_id=first.pk, actor=ACTOR, at=instant("2026-02-02"))


def test_the_end_cancels_what_waits(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")

    end(first, "2026-01-16")
    run("2026-02-01")

    assert [(row[0], row[1]) for row in chain()] == [("big", "terminated"), ("small", "canceled")]
    assert amounts(customer) == ["big 32"]


def test_an_end_on_the_day_of_the_change_ends_the_new_plan(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")

    found = end(first, "2026-02-01T00:05")

    assert found.plan_version == small
    assert [(row[0], row[1]) for row in chain()] == [("big", "terminated"), ("small", "terminated")]
    # January of the one, a day of February of the other: 31.00 / 28 = 1.107
    assert amounts(customer) == ["big 62", "small 1.11"]


def test_an_agreed_end_before_the_change_wins(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, big, "2026-01-01", ending_at=instant("2026-01-20"))
    begin(customer, small, "2026-01-10")

    run("2026-02-01")
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))

    assert [(row[0], row[1]) for row in chain()] == [("big", "terminated"), ("small", "canceled")]


def test_an_agreed_end_goes_on_to_the_new_plan(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    first = begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")
    changes = {"ending_at": instant("2026-02-14T12:00"), "on_termination_invoice": "skip"}
    subscription_updates.update(subscription_id=first.pk, changes=changes, actor=ACTOR, at=instant("2026-01-11"))

    # The run comes late, and so does the job that ends what is over.
    subscription_moves.terminate_ended(as_of=instant("2026-02-20"))

    last = Subscription.objects.get(plan_version=small)
    assert (last.status, last.terminated_at, last.on_termination_invoice) == (
        "terminated",
        instant("2026-02-14T12:00"),
        "skip",
    )
    assert amounts(customer) == ["big 62"]


def test_a_waiting_change_has_no_start_of_its_own(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")
    waiting = Subscription.objects.get(status="pending")

    with pytest.raises(terms.InvalidTerms):
        subscription_updates.update(
            subscription_id=waiting.pk,
            changes={"subscription_at": instant("2026-01-05")},
            actor=ACTOR,
            at=instant("2026-01-11"),
        )
    subscription_updates.update(
        subscription_id=waiting.pk, changes={"name": "New"}, actor=ACTOR, at=instant("2026-01-11")
    )
    subscriptions.activate(subscription_id=waiting.pk, actor=ACTOR, at=instant("2026-01-11"))

    waiting.refresh_from_db()
    assert (waiting.status, waiting.name) == ("pending", "New")


def test_a_plan_that_became_dearer_is_not_moved_to(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")

    plans.update(code="big", values={"amount_cents": 3000}, actor=ACTOR, at=instant("2026-01-12"))

    assert [(row[0], row[1]) for row in chain()] == [("big", "active"), ("small", "canceled")]
    assert Subscription.objects.get(status="canceled").canceled_at == instant("2026-01-12")


def test_a_plan_that_is_no_cheaper_any_more_begins_at_once(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")
    plans.update(code="small", values={"amount_cents": 9300}, actor=ACTOR, at=instant("2026-01-16"))

    done = subscription_moves.settle_plan_changes(as_of=instant("2026-01-16T12:00"))

    assert (done.done, done.failed) == (1, {})
    assert [(row[0], row[1]) for row in chain()] == [("big", "terminated"), ("small", "active")]
    # 62.00 × 15 / 31
    assert amounts(customer) == ["big 30"]
    assert subscription_moves.settle_plan_changes(as_of=instant("2026-01-16T12:00")).done == 0
    run("2026-02-01")
    # 93.00 × 16 / 31
    assert amounts(customer)[1:] == ["small 48"]


def test_other_new_prices_leave_a_change_alone(customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    begin(customer, big, "2026-01-01")
    begin(customer, small, "2026-01-10")

    plans.update(code="big", values={"amount_cents": 5000}, actor=ACTOR, at=instant("2026-01-12"))
    plans.update(code="small", values={"amount_cents": 4000}, actor=ACTOR, at=instant("2026-01-12"))
    subscription_moves.settle_plan_changes(as_of=instant("2026-01-13"))

    assert [(row[0], row[1]) for row in chain()] == [("big", "active"), ("small", "pending")]
