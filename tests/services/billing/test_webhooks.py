"""What webhook endpoints are told of subscriptions and contracts: each fact once, whoever brought it about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from billing.api import webhook_payloads
from billing.domain import chosen_times
from billing.domain.activation import Rule
from billing.models import Subscription
from billing.services import (
    activations,
    contract_amendments,
    contract_renewals,
    ending_notices,
    entitlements,
    fixed_changes,
    own_terms,
    plan_migration_runs,
    runs,
    subscription_moves,
    subscription_plans,
    subscription_updates,
    terminations,
)
from billing.services.contract_amendments import Change
from catalog.models import PlanVersion
from catalog.services import plans
from config.platform.models import WebhookEvent
from customers.models import Customer
from customers.services import customers as customer_services
from invoicing.models import Invoice
from invoicing.services import payments
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import contracts as papers
from tests.factories import customers as parties
from tests.factories import features, fixed, migration_stories, pause_stories
from tests.factories import plan_stories as story
from tests.factories.billing import instant
from tests.factories.listening import Told
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

JAN, FEB = "2026-01-01", "2026-02-01"
ENDED, BEGUN = ("subscription.terminated", "terminated"), ("subscription.started", "active")
UPDATED = ("subscription.updated", "active")


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(timezone="UTC")


@pytest.fixture
def small() -> PlanVersion:
    return goods.make_plan("small", cents=3100)


@pytest.fixture
def big() -> PlanVersion:
    return goods.make_plan("big", cents=6200)


@pytest.fixture
def told(customer: Customer) -> Told:
    return Told("subscription.", "contract.")


def news(told: Told) -> list[tuple[str, ...]]:
    return told.news("status")


def test_from_start_to_end(told: Told, customer: Customer, small: PlanVersion) -> None:
    made_one = story.begin(customer, small, JAN)
    assert news(told) == [BEGUN]
    story.begin(customer, small, "2026-01-02")  # asked for again: nothing happened
    assert news(told) == []
    story.run(FEB)
    assert news(told) == []  # billing it is no news of it
    story.end(made_one, "2026-02-10")
    assert news(told) == [ENDED]
    story.end(made_one, "2026-02-11")
    assert news(told) == []


def test_the_payload_is_a_get_with_its_customer(told: Told, customer: Customer, small: PlanVersion) -> None:
    features.make_feature()
    features.give("small", seats={"max": 5})
    story.begin(customer, small, JAN)
    content = told.last()
    assert content.pop("customer")["external_id"] == "acme"
    assert content["plan"]["code"] == "small"
    assert content["entitlements"][0]["code"] == "seats"
    assert {"usage_thresholds", "applicable_usage_thresholds", "activation_rules"} <= content.keys()


def test_a_start_that_waits_is_told_when_it_comes(told: Told, customer: Customer, small: PlanVersion) -> None:
    waiting = story.begin(customer, small, JAN, subscription_at=instant(FEB))
    assert news(told) == []
    change(waiting, "2026-01-05", name="Main")
    assert news(told) == [("subscription.updated", "pending")]
    subscription_moves.activate_pending(as_of=instant("2026-01-31"))
    assert news(told) == []
    for _ in range(2):
        subscription_moves.activate_pending(as_of=instant(FEB))
    assert news(told) == [BEGUN]


def test_a_start_that_is_moved_to_today_is_told_once(told: Told, customer: Customer, small: PlanVersion) -> None:
    waiting = story.begin(customer, small, JAN, subscription_at=instant(FEB))
    change(waiting, "2026-01-05", subscription_at=instant("2026-01-05"))
    assert news(told) == [BEGUN]


def test_one_that_never_starts_is_canceled(told: Told, customer: Customer, small: PlanVersion) -> None:
    story.end(story.begin(customer, small, JAN, subscription_at=instant(FEB)), "2026-01-05")
    assert news(told) == [("subscription.canceled", "canceled")]


def change(subscription: Subscription, at: str, **changes: Any) -> None:
    subscription_updates.update(subscription_id=subscription.pk, changes=changes, actor=ACTOR, at=instant(at))


def test_what_is_agreed_anew_is_told_once(told: Told, customer: Customer) -> None:
    seats, terms = fixed.make_add_on(), {"amount_cents": 2000}
    goods.make_plan("small", cents=3100, fixed_charges=[fixed.standard(seats)])
    features.make_feature()
    version = PlanVersion.objects.get()
    one = story.begin(customer, version, JAN)
    told.news()
    at = instant("2026-01-05")
    who: Any = {"subscription_id": one.pk, "actor": ACTOR, "at": at}
    end = chosen_times.read("period_end", field="terminate_at")
    units: Any = {"code": "seat", "units": Decimal(12), "immediately": False}
    steps: list[tuple[Callable[[], object], int]] = [
        (lambda: change(one, "2026-01-05", name="Main", purchase_order_number="7"), 1),
        (lambda: change(one, "2026-01-05", name="Main"), 0),
        # Terms, name and thresholds of one request are one change.
        (
            lambda: subscription_updates.update(
                **who, changes={"name": "M"}, own_terms={"amount_cents": 2500}, thresholds=[{"amount_cents": 90_000}]
            ),
            1,
        ),
        (lambda: subscription_updates.update(**who, changes={}, thresholds=[{"amount_cents": 90_000}]), 0),
        (lambda: own_terms.agree(**who, terms=terms), 1),  # type: ignore[arg-type]
        (lambda: own_terms.agree(**who, terms=terms), 0),  # type: ignore[arg-type]
        (lambda: own_terms.end(**who, terms=None), 1),
        (lambda: fixed_changes.change(**who, **units), 1),
        (lambda: fixed_changes.change(**who, **units), 0),
        (lambda: features.agree(seats={"max": 9}), 1),
        (lambda: features.agree(seats={"max": 9}), 0),
        (
            lambda: entitlements.remove_feature(
                external_id="sub", status="active", feature_code="seats", actor=ACTOR, at=at
            ),
            1,
        ),
        (lambda: terminations.schedule(**who, when=end), 1),
        (lambda: terminations.call_off(**who), 1),
    ]
    for number, (step, count) in enumerate(steps):
        step()
        assert news(told) == [UPDATED] * count, number


def test_a_dearer_plan_ends_one_and_starts_the_other(
    told: Told, customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    story.begin(customer, small, JAN)
    told.news()
    story.begin(customer, big, "2026-01-16", usage_thresholds=[{"amount_cents": 500}], name="Main")
    assert told.news("status", "plan_code", "name") == [
        ("subscription.terminated", "terminated", "small", None),
        ("subscription.started", "active", "big", "Main"),
    ]


def test_a_cheaper_plan_waits_and_then_takes_over(
    told: Told, customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    current = story.begin(customer, big, JAN)
    told.news()
    story.begin(customer, small, "2026-01-10")
    # To the outside the one that runs got a next plan: the one that waits is none yet.
    assert told.news("status", "plan_code", "next_plan_code") == [("subscription.updated", "active", "big", "small")]
    subscription_plans.cancel_change(subscription_id=current.pk, actor=ACTOR, at=instant("2026-01-11"))
    assert told.news("status", "next_plan_code") == [("subscription.updated", "active", None)]
    story.begin(customer, small, "2026-01-12")
    told.news()
    for _ in range(2):
        story.run(FEB)
    assert told.news("status", "plan_code") == [
        ("subscription.terminated", "terminated", "big"),
        ("subscription.started", "active", "small"),
    ]


def test_an_end_takes_a_change_that_waits_with_it(
    told: Told, customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    current = story.begin(customer, big, JAN)
    story.begin(customer, small, "2026-01-10")
    told.news()
    story.end(current, "2026-01-20")
    assert told.news("status", "plan_code") == [("subscription.terminated", "terminated", "big")]


def test_a_new_price_is_told_of_the_plan_alone(
    told: Told, customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    story.begin(customer, big, JAN)
    story.begin(customer, small, "2026-01-10")
    told.news()
    plans.update(code="big", values={"amount_cents": 6000}, actor=ACTOR, at=instant("2026-01-11"))
    assert news(told) == []
    # Now it is the cheaper one: nobody is moved to a dearer plan unasked, and the change is off.
    plans.update(code="big", values={"amount_cents": 3000}, actor=ACTOR, at=instant("2026-01-12"))
    assert told.news("status", "plan_code", "next_plan_code") == [("subscription.updated", "active", "big", None)]


def test_a_pause_and_what_ends_it(told: Told, customer: Customer, small: PlanVersion) -> None:
    waiting = pause_stories.pause(story.begin(customer, small, JAN), "2026-01-10")
    assert news(told) == [BEGUN, ("subscription.paused", "paused")]
    pause_stories.resume(waiting, "2026-01-20")
    assert news(told) == [("subscription.resumed", "active")]
    again = pause_stories.pause(Subscription.objects.get(status="active"), "2026-01-22", resume_on=date(2026, 2, 1))
    told.news()
    subscription_moves.resume_paused(as_of=instant(FEB))
    assert news(told) == [("subscription.resumed", "active")]
    again.refresh_from_db()
    story.end(pause_stories.pause(again, "2026-02-10"), "2026-02-11")
    assert news(told) == [("subscription.paused", "paused"), ("subscription.canceled", "canceled")]


@pytest.mark.parametrize("outcome", ["paid", "declined", "late"])
def test_a_first_payment_that_is_waited_for(told: Told, customer: Customer, outcome: str) -> None:
    version = goods.make_plan("p", cents=3000, pay_in_advance=True)
    waiting = story.begin(customer, version, JAN, activation_rules=[Rule(timeout_hours=48)])
    assert news(told) == [("subscription.incomplete", "incomplete")]
    later = instant("2026-01-02")
    if outcome == "paid":
        invoice = Invoice.objects.get()
        amount = Money(invoice.total_amount.amount, "EUR")
        payments.record(invoice_id=invoice.pk, amount=amount, reference="t", paid_at=later, actor=ACTOR, at=later)
    elif outcome == "declined":
        activations.decline(subscription_id=waiting.pk, reason="no", actor=ACTOR, at=later)
    subscription_moves.expire_unpaid(as_of=instant("2026-01-04"))
    assert news(told) == [BEGUN if outcome == "paid" else ("subscription.canceled", "canceled")]


def test_the_days_before_an_end_and_the_end(told: Told, customer: Customer, small: PlanVersion) -> None:
    story.begin(customer, small, JAN, ending_at=instant("2026-03-31"))
    told.news()
    for day in ("2026-02-13", "2026-02-14", "2026-02-15", "2026-03-16", "2026-03-17"):
        ending_notices.run(as_of=instant(day))
    assert news(told) == [("subscription.termination_alert", "active")] * 2  # 45 and 15 days before
    for _ in range(2):
        subscription_moves.terminate_ended(as_of=instant("2026-03-31"))
    assert news(told) == [ENDED]


def test_the_end_of_a_trial(told: Told, customer: Customer) -> None:
    story.begin(customer, goods.make_plan("p", cents=3000, trial_period=Decimal(10)), JAN)
    told.news()
    for day in ("2026-01-10", "2026-01-11", "2026-01-12"):
        subscription_moves.end_trials(as_of=instant(day))
    assert told.news("trial_ended_at") == [("subscription.trial_ended", "2026-01-11T00:00:00Z")]


def test_a_deleted_customer_takes_all_along(told: Told, customer: Customer, small: PlanVersion) -> None:
    for external_id in ("a", "b"):
        made.make_subscription(customer, small, external_id, at=instant(JAN))
    made.make_subscription(customer, small, "c", at=instant(JAN), subscription_at=instant(FEB))
    told.news()
    told.kinds = ("subscription.", "customer.")
    customer_services.delete(external_id="acme", actor=ACTOR, at=instant("2026-01-20"))
    assert told.news("external_id") == [
        ("subscription.terminated", "a"),
        ("subscription.terminated", "b"),
        ("subscription.canceled", "c"),
        ("customer.deleted", "acme"),
    ]


def test_a_migration_in_place_is_told_of_each(told: Told, customer: Customer) -> None:
    goods.make_plan("starter", cents=3100, charges=[goods.standard(goods.make_metric("calls"), "2")])
    story.begin(customer, PlanVersion.objects.get(), "2026-01-05")
    migration_stories.publish()
    anna, ben = migration_stories.person("anna"), migration_stories.person("ben")
    migration = migration_stories.approved(anna, ben)
    told.news()
    for _ in range(2):
        plan_migration_runs.run(migration_id=migration.pk, as_of=instant("2026-01-21"))
    assert news(told) == [UPDATED]


def test_the_life_of_a_contract(told: Told, customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    phases = papers.phase("small"), papers.phase("big", "2026-03-01")
    contract = papers.draft(customer, *phases, renewal="automatic", renewal_months=12, notice_days=30)
    assert told.news() == []
    papers.activate(contract)
    assert told.news() == [("subscription.started",), ("contract.activated",)]
    papers.pass_days(FEB)
    assert told.news() == []
    papers.pass_days("2026-03-01")
    assert told.news() == [("subscription.terminated",), ("subscription.started",)]
    contract_renewals.give_notice(contract_id=contract.pk, given_by="Acme", actor=ACTOR, at=instant("2026-03-02"))
    assert told.news() == [("subscription.updated",), ("contract.amended",)]
    contract_renewals.withdraw_notice(contract_id=contract.pk, actor=ACTOR, at=instant("2026-03-03"))
    assert told.news() == [("subscription.updated",), ("contract.amended",)]
    contract_amendments.extend_term(
        contract_id=contract.pk,
        ends_on=date(2027, 1, 31),
        change=Change(effective_on=date(2026, 3, 4)),
        actor=ACTOR,
        at=instant("2026-03-04"),
    )
    assert ("contract.amended",) in told.news()


def test_what_is_only_tried_is_not_told(told: Told, customer: Customer, small: PlanVersion, big: PlanVersion) -> None:
    current = story.begin(customer, small, JAN)
    told.news()

    def verb() -> Subscription:
        return story.begin(customer, big, "2026-01-16")

    subscription_plans.preview(subscription=current, verb=verb)
    with transaction.atomic():
        verb()
        transaction.set_rollback(True)
    assert news(told) == []


def test_without_an_endpoint_a_billing_run_asks_no_more_for_many(
    customer: Customer, small: PlanVersion, big: PlanVersion
) -> None:
    asked = []
    for number in range(2):
        for position in range(number * 3 + 1):
            external_id = f"{number}-{position}"
            made.make_subscription(customer, big, external_id, at=instant(f"2026-0{number + 1}-02"))
            made.make_subscription(customer, small, external_id, at=instant(f"2026-0{number + 1}-10"))
        with CaptureQueriesContext(connection) as found:
            runs.run(as_of=instant(f"2026-0{number + 2}-01"), trigger="test", actor=ACTOR)
        asked.append(sum("platform_webhook" in one["sql"] for one in found))
    assert asked[0] == asked[1]
    assert Subscription.objects.filter(status="active", plan_version__plan__code="small").count() == 5
    assert not WebhookEvent.objects.exists()


def test_many_are_rendered_in_a_fixed_number_of_queries(customer: Customer, small: PlanVersion) -> None:
    rows = [made.make_subscription(customer, small, f"s{number}", at=instant(JAN)) for number in range(4)]
    asked = []
    for some in (rows[:1], rows):
        with CaptureQueriesContext(connection) as found:
            contents = webhook_payloads.subscriptions(some)
        assert [one["lago_id"] for one in contents] == [str(one.uuid) for one in some]
        asked.append(len(found))
    assert asked[0] == asked[1]
