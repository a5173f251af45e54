"""Migrations to another plan version: the preview, the second person, the run that may be killed, and its results."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from billing.domain.plan_migrations import InvalidTransition, SecondPersonNeeded
from billing.models import PlanMigration, PlanMigrationItem, Subscription
from billing.queries import plan_migrations as known
from billing.services import plan_changes, plan_migration_runs, plan_migrations, subscription_plans
from billing.services.plan_migrations import PreviewOutdated
from catalog.models import PlanVersion
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.models import AuditEntry
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.migration_stories import NOW, approved, draft, many, person, publish, states, versions
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


def test_what_was_previewed_is_what_is_billed(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    made.send("sub", "calls", "2026-01-05T10:00")
    publish()
    migration = approved(anna, ben)
    assert versions() == {"sub": 1}  # approving moves nobody by itself

    assert plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00")) == 1

    migration.refresh_from_db()
    assert (migration.state, versions()) == ("done", {"sub": 2})
    run("2026-02-01T01:00")
    assert amounts(customer) == ["starter 62", "calls 3"]
    assert migration.items.get().after_amount.amount == 65
    entry = AuditEntry.objects.get(verb="move_version")
    assert (entry.old, entry.new["plan_version"], entry.reason) == ({"plan_version": 1}, 2, "The price of 2026.")


def test_billed_periods_stay(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    run("2026-02-01T01:00")
    publish("2026-02-10")
    approved(anna, ben, "2026-02-20")
    plan_migration_runs.run_due(as_of=instant("2026-02-20T12:00"))
    run("2026-03-01T01:00")
    assert amounts(customer) == ["starter 31", "starter 62"]


def test_nobody_approves_their_own(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = draft(anna)
    plan_migrations.submit(migration_id=migration.pk, actor=ben, at=instant(NOW))

    for actor in (anna, ben, ACTOR):  # who made it, who submitted it, who is no person
        with pytest.raises(SecondPersonNeeded):
            plan_migrations.approve(migration_id=migration.pk, seen=None, actor=actor, at=instant(NOW))

    migration.refresh_from_db()
    assert (migration.state, migration.approved_by) == ("submitted", None)


@pytest.mark.parametrize("name", ["anna", "ben"])
def test_the_database_refuses_a_first_person(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor, name: str
) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = draft(anna)
    plan_migrations.submit(migration_id=migration.pk, actor=ben, at=instant(NOW))
    user = User.objects.get(username=name)

    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        PlanMigration.objects.filter(pk=migration.pk).update(
            state="approved", approved_by=user, approved_at=instant(NOW)
        )


def test_the_database_refuses_a_run_without_approval(customer: Customer, first: PlanVersion, anna: Actor) -> None:
    publish()
    migration = draft(anna)
    with pytest.raises(IntegrityError, match="plan_migration"), transaction.atomic():
        PlanMigration.objects.filter(pk=migration.pk).update(state="running")


def test_an_unapproved_one_moves_nobody(customer: Customer, first: PlanVersion, anna: Actor) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = draft(anna)
    plan_migrations.submit(migration_id=migration.pk, actor=anna, at=instant(NOW))
    assert plan_migration_runs.run_due(as_of=instant("2026-01-21")) == 0
    assert plan_migration_runs.run(migration_id=migration.pk, as_of=instant("2026-01-21")) == 0
    assert versions() == {"sub": 1}


def test_an_outdated_preview_is_told_and_computed_anew(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = draft(anna)
    made.make_subscription(customer, first, at=instant("2026-01-20T08:00"), external_id="other")
    Subscription.objects.filter(external_id="other").update(plan_version=first)

    with pytest.raises(PreviewOutdated, match="1 came"):
        plan_migrations.submit(migration_id=migration.pk, actor=anna, at=instant("2026-01-20T09:00"))

    plan_migrations.preview(migration_id=migration.pk, actor=anna, at=instant("2026-01-20T10:00"))
    plan_migrations.submit(migration_id=migration.pk, actor=anna, at=instant("2026-01-20T11:00"))
    assert states(migration) == {"sub": "waiting", "other": "waiting"}

    with pytest.raises(PreviewOutdated):  # approved by what was seen before
        plan_migrations.approve(migration_id=migration.pk, seen=instant(NOW), actor=ben, at=instant("2026-01-20T12:00"))


def test_one_that_changed_after_the_approval_is_left_out(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor
) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = approved(anna, ben)
    goods.make_plan("tiny", cents=100)
    current = Subscription.objects.get()
    subscription_plans.change_plan(
        subscription_id=current.pk,
        plan_code="tiny",
        seen=plan_changes.state_of(current),
        actor=ACTOR,
        at=instant("2026-01-20T09:00"),
    )

    plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))

    migration.refresh_from_db()
    item = migration.items.get()
    assert (item.state, item.reason_code, migration.state) == ("skipped", "changed", "done")
    assert Subscription.objects.get(pk=current.pk).plan_version.number == 1


class Killed(BaseException):
    """The process is killed."""


def test_a_killed_run_goes_on_where_it_was(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(customer, first, 5)
    publish()
    migration = approved(anna, ben)
    move, seen = plan_migration_runs._move, []

    def dies(**values: Any) -> None:
        if len(seen) == 2:
            raise Killed
        seen.append(values["item_id"])
        move(**values)

    with monkeypatch.context() as patched:
        patched.setattr(plan_migration_runs, "_move", dies)
        with pytest.raises(Killed):
            plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    migration.refresh_from_db()
    assert migration.state == "running"
    assert known.counts(migration) == {"moved": 2, "waiting": 3}

    assert plan_migration_runs.run_due(as_of=instant("2026-01-20T12:05")) == 3

    migration.refresh_from_db()
    assert (migration.state, known.counts(migration)) == ("done", {"moved": 5})
    assert set(versions().values()) == {2}
    assert AuditEntry.objects.filter(verb="move_version").count() == 5  # nobody was moved twice
    assert plan_migration_runs.run_due(as_of=instant("2026-01-20T12:10")) == 0


def test_failures_are_listed_and_tried_again(
    customer: Customer, first: PlanVersion, anna: Actor, ben: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriptions = many(customer, first, 3)
    publish()
    migration = approved(anna, ben)
    replace = plan_migration_runs._replace

    def refuses(subscription: Subscription, *values: Any) -> None:
        if subscription.pk == subscriptions[1].pk:
            raise errors.NotAllowed("not_today", "Not today.")
        replace(subscription, *values)

    with monkeypatch.context() as patched:
        patched.setattr(plan_migration_runs, "_replace", refuses)
        plan_migration_runs.run_due(as_of=instant("2026-01-20T12:00"))
    migration.refresh_from_db()
    assert (migration.state, states(migration)) == (
        "failed",
        {"sub-0": "moved", "sub-1": "failed", "sub-2": "moved"},
    )
    item = migration.items.get(state="failed")
    assert (item.reason_code, item.reason, item.moved_at) == ("not_today", "Not today.", None)

    plan_migrations.retry(migration_id=migration.pk, actor=anna, at=instant("2026-01-20T13:00"))
    plan_migration_runs.run_due(as_of=instant("2026-01-20T13:00"))

    migration.refresh_from_db()
    assert (migration.state, known.counts(migration)) == ("done", {"moved": 3})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"to_version": 1, "from_version": 1}, "from_version"),
        ({"timing": "soon"}, "timing"),
        ({"timing": "date"}, "change_date"),
        ({"change_date": date(2027, 1, 1)}, "change_date"),
    ],
)
def test_refuses_what_makes_no_sense(first: PlanVersion, anna: Actor, values: Any, field: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        draft(anna, **values)
    assert list(refusal.value.details) == [field]
    assert not PlanMigrationItem.objects.exists()


def test_what_was_begun_cannot_be_withdrawn(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    withdrawn = approved(anna, ben)
    plan_migrations.withdraw(migration_id=withdrawn.pk, actor=anna, at=instant(NOW))
    assert plan_migration_runs.run_due(as_of=instant("2026-01-21")) == 0
    done = approved(anna, ben)
    plan_migration_runs.run_due(as_of=instant("2026-01-21"))
    with pytest.raises(InvalidTransition):
        plan_migrations.withdraw(migration_id=done.pk, actor=anna, at=instant("2026-01-21"))
    assert versions() == {"sub": 2}


def test_moving_one_twice_moves_it_once(customer: Customer, first: PlanVersion, anna: Actor, ben: Actor) -> None:
    begin(customer, first, "2026-01-01")
    publish()
    migration = approved(anna, ben)
    item = migration.items.get()
    for _ in range(2):
        plan_migration_runs._move(item_id=item.pk, actor=ACTOR, at=instant(NOW))
    assert AuditEntry.objects.filter(verb="move_version").count() == 1


def test_nobody_to_move_is_no_migration(first: PlanVersion, anna: Actor) -> None:
    publish()
    migration = draft(anna)
    with pytest.raises(errors.Invalid, match="no subscription"):
        plan_migrations.submit(migration_id=migration.pk, actor=anna, at=instant(NOW))
