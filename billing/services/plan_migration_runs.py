"""Moving the subscriptions of an approved migration. Owns the run: each subscription in its own transaction, so that a
run that is killed goes on where it was, and one that fails stops nobody else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db import OperationalError, transaction

from billing.domain import plan_migrations as rules
from billing.domain.plan_migrations import Verb
from billing.models import PlanMigration, PlanMigrationItem, Subscription
from billing.queries import plan_migrations as known
from billing.services import (
    fixed_agreements,
    plan_changes,
    plan_migration_previews,
    scheduled_changes,
    subscriptions,
    webhook_types,
)
from billing.services.plan_changes import Wanted
from catalog.models import PlanVersion
from catalog.services import private_versions
from config.kernel import actors, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.models import Customer

log = logging.getLogger(__name__)

CHUNK = 200
State = PlanMigration.State
ItemState = PlanMigrationItem.State


def run_due(*, as_of: datetime) -> int:
    """Run all migrations that are approved, and go on with those that were interrupted: a periodic job.

    Returns how many subscriptions were dealt with. May run any number of times, and twice at once.
    """
    waiting = PlanMigration.objects.filter(state__in=[State.APPROVED, State.RUNNING]).order_by("approved_at", "pk")
    return sum(run(migration_id=pk, as_of=as_of) for pk in list(waiting.values_list("pk", flat=True)))


def run(*, migration_id: int, as_of: datetime) -> int:
    """Move the subscriptions of a migration that wait, each in its own transaction; return how many were dealt with.

    One that changed since the preview is left out, one that fails is noted with the reason. Calling it again goes on
    with those that wait.
    """
    actor = actors.job("plan_migrations")
    if not _begin(migration_id, actor, as_of):
        return 0
    done = 0
    for item_id in _waiting(migration_id):
        try:
            _move(item_id=item_id, actor=actor, at=as_of)
        except OperationalError:
            # Two who waited for each other, or the database went away: it still waits for the next run.
            log.warning("item %s of a plan migration is left to the next run", item_id, exc_info=True)
            continue
        except Exception as error:  # noqa: BLE001 - one subscription's fault, of any kind, must not stop the others
            _fail(item_id, error)
        done += 1
    _finish(migration_id, actor, as_of)
    return done


@transaction.atomic
def _begin(migration_id: int, actor: Actor, at: datetime) -> bool:
    migration = db.lock_one(PlanMigration.objects.filter(pk=migration_id))
    if migration.state == State.RUNNING:
        return True
    if migration.state != State.APPROVED:
        return False
    migration.state = rules.next(state=migration.state, verb=Verb.START)
    migration.started_at = migration.updated_at = at
    migration.save(update_fields=["state", "started_at", "updated_at"])
    audit.record(actor=actor, at=at, verb="start", instance=migration, new={"state": str(migration.state)})
    return True


def _waiting(migration_id: int) -> Iterator[int]:
    after = 0
    rows = PlanMigrationItem.objects.filter(migration_id=migration_id, state=ItemState.WAITING).order_by("pk")
    while found := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:CHUNK]):
        yield from found
        after = found[-1]


@transaction.atomic
@tellings.gathered
def _move(*, item_id: int, actor: Actor, at: datetime) -> None:
    """Move one subscription, unless somebody else did or it changed. Raises what scheduling a change raises."""
    found = PlanMigrationItem.objects.select_related("subscription", "migration").get(pk=item_id)
    # Customer, plan, subscription: whoever publishes a version holds the plan and waits for its subscriptions.
    db.lock_one(Customer.objects.filter(pk=found.subscription.customer_id))
    private_versions.lock(plan_ids=[found.migration.plan_id])
    subscription = subscriptions.locked(found.subscription_id)
    item = db.lock_one(
        PlanMigrationItem.objects.select_related("migration__plan", "migration__to_version__plan").filter(pk=item_id)
    )
    if item.state != ItemState.WAITING:
        return
    migration = item.migration
    if known.seen([subscription])[subscription.pk] != item.seen:
        _settle(item, ItemState.SKIPPED, "changed", "It changed after the preview.")
        return
    refused = plan_migration_previews.refusal(migration=migration, subscription=subscription, at=at)
    if refused is not None:
        _settle(item, ItemState.SKIPPED, refused.code, refused.message)
        return
    version = migration.to_version
    if subscription.plan_version.base_id is not None:
        version = private_versions.rebase(version=subscription.plan_version, onto=version, at=at)
    item.moved_at = at
    if plan_migration_previews.is_in_place(migration=migration, subscription=subscription):
        _replace(subscription, version, migration, actor, at)
        _settle(item, ItemState.MOVED)
    else:
        _schedule(subscription, version, migration, actor, at)
        _settle(item, ItemState.SCHEDULED)


def _replace(
    subscription: Subscription, version: PlanVersion, migration: PlanMigration, actor: Actor, at: datetime
) -> None:
    """Bill it by another version from its next billing on; billed periods stay, drafts follow when computed anew."""
    before = subscription.plan_version
    subscription.plan_version, subscription.updated_at = version, at
    subscription.save(update_fields=["plan_version", "updated_at"])
    fixed_agreements.follow_versions(moved=[(subscription, before)], at=at)
    audit.record(
        actor=actor,
        at=at,
        verb="move_version",
        instance=subscription,
        old={"plan_version": before.number},
        new={"plan_version": version.number, "plan_migration": str(migration.uuid)},
        reason=migration.reason,
    )
    tellings.tell(webhook_types.UPDATED, subscription, at=at)
    scheduled_changes.follow_move(current=subscription, actor=actor, at=at)


def _schedule(
    subscription: Subscription, version: PlanVersion, migration: PlanMigration, actor: Actor, at: datetime
) -> None:
    day = plan_migration_previews.change_day(migration=migration, subscription=subscription, at=at)
    wanted = Wanted(version=version, is_version_chosen=True, name=subscription.name, reason=migration.reason)
    plan_changes.schedule(current=subscription, wanted=wanted, on=day, actor=actor, at=at)


def _settle(item: PlanMigrationItem, state: str, code: str = "", reason: str = "") -> None:
    item.state, item.reason_code, item.reason = state, code, reason
    item.save(update_fields=["state", "reason_code", "reason", "moved_at"])


@transaction.atomic
def _fail(item_id: int, error: Exception) -> None:
    log.error("item %s of a plan migration failed", item_id, exc_info=error)
    item = db.lock_one(PlanMigrationItem.objects.filter(pk=item_id))
    if item.state != ItemState.WAITING:
        return
    known_error = isinstance(error, errors.DomainError)
    code = error.code if isinstance(error, errors.DomainError) else "unexpected_error"
    _settle(item, ItemState.FAILED, code, str(error) if known_error else f"{type(error).__name__}: {error}")


@transaction.atomic
def _finish(migration_id: int, actor: Actor, at: datetime) -> None:
    migration = db.lock_one(PlanMigration.objects.filter(pk=migration_id))
    counts = known.counts(migration)
    if migration.state != State.RUNNING or counts[ItemState.WAITING]:
        return
    verb = Verb.FAIL if counts[ItemState.FAILED] else Verb.FINISH
    migration.state = rules.next(state=migration.state, verb=verb)
    migration.finished_at = migration.updated_at = at
    migration.save(update_fields=["state", "finished_at", "updated_at"])
    new = {"state": str(migration.state), **{str(state): number for state, number in counts.items()}}
    audit.record(actor=actor, at=at, verb="finish", instance=migration, new=new)
