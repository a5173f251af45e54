"""Steps of stories about migrations to another plan version: two people, a dearer version, drafts and approvals."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from billing.models import PlanMigration, Subscription
from billing.services import plan_migrations
from billing.services.plan_migrations import NewMigration
from catalog.domain import publications
from catalog.models import Plan, PlanVersion
from catalog.services import plans
from config.kernel.actors import Actor
from customers.models import Customer
from tests.factories import billing as made
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

NOW = "2026-01-20"


def person(name: str) -> Actor:
    """Make somebody who can sign in."""
    user = User.objects.create_user(name)
    return Actor(kind="user", label=name, user_id=user.pk)


def publish(at: str = "2026-01-10", *, cents: int = 6200, price: str = "3") -> PlanVersion:
    """Publish a dearer version that nobody is moved to."""
    calls = {"code": "calls", "properties": {"amount": price}, "charge_model": "standard"}
    charge = Plan.objects.get(code="starter").versions.get(number=1).charges.get()
    values: Any = {"amount_cents": cents, "charges": [calls | {"id": charge.key}]}
    return plans.update(code="starter", values=values, actor=ACTOR, at=instant(at), publication=publications.KEPT)


def draft(actor: Actor, at: str = NOW, **values: Any) -> PlanMigration:
    """Make the draft of a migration."""
    new = NewMigration(plan_code="starter", reason="The price of 2026.", **values)
    return plan_migrations.make(new=new, actor=actor, at=instant(at))


def approved(anna: Actor, ben: Actor, at: str = NOW, **values: Any) -> PlanMigration:
    """Make a migration, submitted by one and approved by the other."""
    migration = draft(anna, at, **values)
    plan_migrations.submit(migration_id=migration.pk, actor=anna, at=instant(at))
    return plan_migrations.approve(migration_id=migration.pk, seen=None, actor=ben, at=instant(at))


def states(migration: PlanMigration) -> dict[str, str]:
    """Return what became of each subscription."""
    return dict(migration.items.order_by("pk").values_list("subscription__external_id", "state"))


def versions() -> dict[str, int]:
    """Return the version that each subscription has."""
    return dict(Subscription.objects.order_by("pk").values_list("external_id", "plan_version__number"))


def many(customer: Customer, version: PlanVersion, count: int) -> list[Subscription]:
    """Begin so many subscriptions."""
    return [
        made.make_subscription(customer, version, at=instant("2026-01-01"), external_id=f"sub-{number}")
        for number in range(count)
    ]
