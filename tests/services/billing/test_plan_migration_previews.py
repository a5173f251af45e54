"""Whom a migration to another plan version touches, what it does to their next invoices, and what is billed then."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Subscription
from billing.queries import plan_migrations as known
from billing.services import own_terms, plan_migration_runs
from catalog.domain import publications
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel import errors
from config.kernel.actors import Actor
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.migration_stories import approved, draft, many, person, publish, states, versions
from tests.factories.plan_stories import amounts, begin, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def first() -> PlanVersion:
    return goods.make_plan("starter", cents=3100, charges=[goods.standard(goods.make_metric("calls"), "2")])


@pytest.fixture
def anna() -> Actor:
    return person("anna")


@pytest.fixture
def ben() -> Actor:
    return person("ben")


def test_at_the_end_of_the_period(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = approved(anna, ben, timing="period_end")
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    migration.refresh_from_db()
    assert (migration.state, states(migration)) == ("done", {"sub": "scheduled"})
    assert Subscription.objects.get(status="pending").change_date == date(2026, 2, 1)

    run("2026-02-01T01:00")
    run("2026-03-01T01:00")

    assert amounts(customer) == ["starter 31", "starter 62"]  # January by the old version, February by the new one


def test_on_a_date(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    with pytest.raises(errors.Invalid) as refusal:
        draft(anna, timing="date", change_date=date(2026, 1, 20))
    assert refusal.value.details == {"change_date": ["value_is_out_of_range"]}
    approved(anna, ben, timing="date", change_date=date(2026, 3, 1))
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    for day in ("2026-02-01T01:00", "2026-03-01T01:00", "2026-04-01T01:00"):
        run(day)
    assert amounts(customer) == ["starter 31", "starter 31", "starter 62"]


def test_one_that_has_not_begun_begins_on_the_new_version(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    made.make_subscription(
        customer, first, at=instant("2026-01-01"), external_id="later", subscription_at=instant("2026-06-01")
    )
    publish()
    migration = approved(anna, ben, timing="period_end")
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    assert (states(migration), versions()) == ({"later": "moved"}, {"later": 2})
    assert migration.items.get().difference_amount is None


def test_own_terms_are_carried_over(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    """62.00 of the new version and the own price of 5 a call, in the preview and on the invoice."""
    subscription = begin(customer, first, "2026-01-01")
    terms: Any = {"charges": [{"code": "calls", "properties": {"amount": "5"}}]}
    own_terms.agree(subscription_id=subscription.pk, terms=terms, actor=ACTOR, at=instant("2026-01-02"))
    made.send("sub", "calls", "2026-01-05T10:00")
    publish()
    before = PlanVersion.objects.count()

    migration = approved(anna, ben)

    item = migration.items.get()
    assert (item.before_amount.amount, item.after_amount.amount) == (36, 67)
    assert PlanVersion.objects.count() == before  # the preview left no version behind
    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    version = Subscription.objects.get().plan_version
    assert (version.base.number, version.amount.amount) == (PlanVersion.objects.get(is_current=True).number, 62)
    run("2026-02-01T01:00")
    assert amounts(customer) == ["starter 62", "calls 5"]


def test_one_that_waits_for_another_plan_is_left_out_of_a_later_move(
    customer: Customer, first: PlanVersion, anna: Actor
) -> None:
    begin(customer, first, "2026-01-01")
    begin(customer, goods.make_plan("tiny", cents=100), "2026-01-05")  # a downgrade: it waits
    publish()
    for timing, state, code in (("period_end", "skipped", "change_waits"), ("now", "waiting", "")):
        item = draft(anna, timing=timing).items.get()
        assert (item.state, item.reason_code, item.difference_amount is None) == (state, code, state == "skipped")


def test_time_that_was_agreed_is_not_cut_in_another_way(customer: Customer, first: PlanVersion, anna: Actor) -> None:
    """A version with another interval takes over at the end of a period only."""
    values: Any = {"interval": "yearly", "amount_cents": 30000}
    plans.update(code="starter", values=values, actor=ACTOR, at=instant("2026-01-02"), publication=publications.KEPT)
    made.make_subscription(customer, first, at=instant("2026-01-03"))
    Subscription.objects.update(plan_version=first)
    assert draft(anna).items.get().reason_code == "other_interval"
    later = draft(anna, timing="period_end").items.get()
    assert later.state == "waiting"


def test_the_preview_prices_the_running_period_both_ways(customer: Customer, first: PlanVersion, anna: Actor) -> None:
    begin(customer, first, "2026-01-01")
    made.send("sub", "calls", "2026-01-05T10:00", "2026-01-06T10:00")
    publish()

    migration = draft(anna)

    (item,) = migration.items.all()
    assert item.before_amount.amount == 35  # 31.00 + 2 x 2.00
    assert item.after_amount.amount == 68  # 62.00 + 2 x 3.00
    assert item.difference_amount.amount == 33
    assert migration.state == "draft"
    assert versions() == {"sub": 1}  # nobody was moved
    assert amounts(customer) == []  # and nothing billed


def test_totals_and_buckets(customer: Customer, first: PlanVersion, anna: Actor) -> None:
    many(customer, first, 3)
    publish(cents=3410, price="2")
    migration = draft(anna)
    found = known.totals(migration)
    assert (found.before.amount, found.after.amount) == (93, Decimal("102.3"))  # 3 x 31.00, 3 x 34.10
    assert found.difference.amount == Decimal("9.3")
    assert (found.priced, found.less, found.more) == (3, 0, 3)
    assert list(known.buckets(migration)) == [0, 0, 0, 0, 3, 0, 0]  # 10 % more each
    assert len(known.largest(migration, limit=2)) == 2
