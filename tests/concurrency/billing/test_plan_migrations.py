"""The run of a migration while somebody else agrees on own terms, changes a plan, bills, publishes or runs it too: none
waits in a circle, nobody is moved twice, and nothing that was agreed is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from billing.models import PlanMigration, Subscription
from billing.queries import plan_migrations as known
from billing.services import own_terms, plan_migration_runs, runs
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel import jobs
from config.platform.models import AuditEntry
from customers.models import Customer
from tests.concurrency import threads
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.migration_stories import approved, many, person, publish
from tests.factories.plan_stories import amounts
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = instant("2026-01-20T12:00")
COUNT = 6
LATER = instant("2026-01-20T12:05")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def first() -> PlanVersion:
    return goods.make_plan("starter", cents=3100, charges=[goods.standard(goods.make_metric("calls"), "2")])


def ready(customer: Customer, first: PlanVersion, at: str = "2026-01-20") -> PlanMigration:
    """Let subscriptions on the first version wait to be moved to the second one."""
    many(customer, first, COUNT)
    publish()
    return approved(person("anna"), person("ben"), at)


def together(*calls: Callable[[], Any]) -> None:
    """Run calls at the same moment; none fails."""
    failed = [one for one in threads.together(calls) if isinstance(one, Exception)]
    assert failed == []


def finish(migration: PlanMigration) -> None:
    """Let the next run take what was left to it."""
    plan_migration_runs.run(migration_id=migration.pk, as_of=LATER)
    migration.refresh_from_db()


def test_two_runs_move_everybody_once(customer: Customer, first: PlanVersion) -> None:
    migration = ready(customer, first)
    run = partial(plan_migration_runs.run, migration_id=migration.pk, as_of=AT)

    together(run, run)
    migration.refresh_from_db()

    assert (migration.state, known.counts(migration)) == ("done", {"moved": COUNT})
    assert AuditEntry.objects.filter(verb="move_version").count() == COUNT
    assert AuditEntry.objects.filter(verb="finish").count() == 1


def test_two_migrations_of_the_same_subscriptions(customer: Customer, first: PlanVersion) -> None:
    """Who is moved by one has changed for the other: it is left out there, and moved once."""
    one = ready(customer, first)
    two = approved(person("cora"), person("dora"))

    together(*(partial(plan_migration_runs.run, migration_id=found.pk, as_of=AT) for found in (one, two)))

    for found in (one, two):
        finish(found)
        assert found.state == "done"
    moved, skipped = (known.counts(one) + known.counts(two)).values()
    assert {moved, skipped} == {COUNT}
    assert AuditEntry.objects.filter(verb="move_version").count() == COUNT
    assert set(Subscription.objects.values_list("plan_version__number", flat=True)) == {2}


def test_own_terms_agreed_meanwhile_are_not_lost(customer: Customer, first: PlanVersion) -> None:
    """Agreed first, the subscription has changed and stays on the old version; agreed after, it is on the new one."""
    migration = ready(customer, first)
    subscriptions = list(Subscription.objects.order_by("-pk"))

    def agree() -> None:
        for row in subscriptions:
            own_terms.agree(subscription_id=row.pk, terms={"amount_cents": 1000}, actor=ACTOR, at=AT)

    together(agree, partial(plan_migration_runs.run, migration_id=migration.pk, as_of=AT))
    finish(migration)

    states = dict(migration.items.values_list("subscription_id", "state"))
    for row in Subscription.objects.select_related("plan_version__base"):
        assert row.plan_version.overrides == {"amount_cents": 1000}
        assert row.plan_version.base is not None
        assert row.plan_version.base.number == {"moved": 2, "skipped": 1}[states[row.pk]]


def test_a_billing_run_bills_each_period_once(customer: Customer, first: PlanVersion) -> None:
    """January is billed once for each, by the version that it had at that moment."""
    migration = ready(customer, first)
    at = instant("2026-02-01T01:00")

    together(
        partial(runs.run, as_of=at, trigger="test", actor=ACTOR),
        partial(plan_migration_runs.run, migration_id=migration.pk, as_of=at),
    )
    finish(migration)

    billed = amounts(customer)
    assert len(billed) == COUNT
    assert set(billed) <= {"starter 31", "starter 62"}
    assert (migration.state, known.counts(migration)) == ("done", {"moved": COUNT})


def test_a_version_that_all_adopt_and_a_run(customer: Customer, first: PlanVersion) -> None:
    """Whoever was moved follows the version after; who was not stays, and none is left between."""
    migration = ready(customer, first)

    def adopt() -> None:
        plans.update(code="starter", values={"amount_cents": 7000}, actor=ACTOR, at=AT)

    together(adopt, partial(plan_migration_runs.run, migration_id=migration.pk, as_of=AT))
    finish(migration)

    assert (migration.state, known.counts(migration)) == ("done", {"moved": COUNT})
    assert set(Subscription.objects.values_list("plan_version__number", flat=True)) <= {2, 3}
