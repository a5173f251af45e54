"""Migrations of subscriptions to another version of their plan: asked for, shown, submitted, approved by a second
person, withdrawn, tried again. Owns the migration's own row; moving the subscriptions is `plan_migration_runs`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from billing.domain import plan_migrations as rules
from billing.domain.plan_migrations import Verb
from billing.models import PlanMigration, PlanMigrationItem
from billing.queries import plan_migrations as known
from billing.services import plan_migration_previews
from catalog.models import Plan
from catalog.queries import plans, versions
from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit

State = PlanMigration.State
Timing = PlanMigration.Timing
MAX_REASON = 1000
_BATCH = 500
_EASTERNMOST = timedelta(hours=14)


class PreviewOutdated(errors.Conflict):
    """What was shown is not what would happen any more."""


@dataclass(frozen=True)
class NewMigration:
    """What is asked for. Without ``from_version`` it is from all others, without ``to_version`` to the one on sale."""

    plan_code: str
    reason: str
    from_version: int | None = None
    to_version: int | None = None
    timing: str = Timing.NOW
    change_date: date | None = None


@transaction.atomic
def make(*, new: NewMigration, actor: Actor, at: datetime) -> PlanMigration:
    """Make the draft of a migration, with its preview. Nobody is moved.

    Raises NotFound (`plan_not_found`, `plan_version_not_found`), Invalid with codes per field.
    """
    current = plans.by_code(code=new.plan_code)
    plan = current.plan
    to_version = current if new.to_version is None else versions.by_number(plan, number=new.to_version)
    from_version = None if new.from_version is None else versions.by_number(plan, number=new.from_version)
    if versions.standing(to_version) not in (versions.Standing.CURRENT, versions.Standing.PAST):
        raise _invalid("to_version", "value_is_invalid", "Subscriptions move to a version that is or was sold.")
    if from_version is not None and from_version.pk == to_version.pk:
        raise _invalid("from_version", "value_is_invalid", "A migration leads to another version.")
    if new.timing not in set(Timing):
        raise _invalid("timing", "value_is_invalid", "The timing is now, period_end or date.")
    if (new.timing == Timing.DATE) != (new.change_date is not None):
        code = "value_is_mandatory" if new.change_date is None else "value_must_be_blank"
        raise _invalid("change_date", code, "A date goes with the timing date.")
    _check_date(new.change_date, at)
    if not new.reason.strip():
        raise _invalid("reason", "value_is_mandatory", "Say why.")
    if len(new.reason.strip()) > MAX_REASON:
        raise _invalid("reason", "value_is_too_long", "Say why, in at most a thousand characters.")
    migration = PlanMigration(
        created_at=at,
        updated_at=at,
        plan=plan,
        from_version=from_version,
        to_version=to_version,
        timing=new.timing,
        change_date=new.change_date,
        reason=new.reason.strip(),
        made_by_id=actor.user_id,
        made_by_label=actor.label,
    )
    migration.save(force_insert=True)
    facts = {"to_version": to_version.number, "timing": new.timing, "change_date": new.change_date}
    if from_version is not None:
        facts["from_version"] = from_version.number
    audit.record(actor=actor, at=at, verb="create", instance=migration, new=facts, reason=migration.reason)
    _compute(migration, at)
    return migration


@transaction.atomic
def preview(*, migration_id: int, actor: Actor, at: datetime) -> PlanMigration:
    """Compute anew what a draft, or what waits for approval, does to each subscription. May be called any number of
    times. Raises InvalidTransition afterwards.
    """
    migration = _locked(migration_id)
    rules.next(state=migration.state, verb=Verb.PREVIEW)
    _compute(migration, at)
    audit.record(actor=actor, at=at, verb="preview", instance=migration, new={"previewed_at": at})
    return migration


@transaction.atomic
def submit(*, migration_id: int, actor: Actor, at: datetime) -> PlanMigration:
    """Ask a second person to approve a draft.

    Raises InvalidTransition, Invalid (`no_subscriptions`) where it would move nobody, PreviewOutdated where
    subscriptions changed since the preview, SecondPersonNeeded where no person asks.
    """
    migration = _locked(migration_id)
    old = migration.state
    migration.state = rules.next(state=old, verb=Verb.SUBMIT)
    if actor.user_id is None:
        raise rules.SecondPersonNeeded("person_needed", "A person has to submit it.")
    _require_fresh(migration)
    if not migration.items.filter(state=PlanMigrationItem.State.WAITING).exists():
        raise errors.Invalid("no_subscriptions", "There is no subscription to move.")
    migration.submitted_by_id, migration.submitted_at = actor.user_id, at
    _save(migration, "submitted_by", "submitted_at", at=at)
    _told(migration, "submit", old, actor, at)
    return migration


@transaction.atomic
def approve(*, migration_id: int, seen: datetime | None, actor: Actor, at: datetime, reason: str = "") -> PlanMigration:
    """Approve a migration that somebody else made and submitted; a job moves the subscriptions then.

    ``seen`` is when the preview was computed that the person saw. Raises InvalidTransition, SecondPersonNeeded,
    PreviewOutdated where another preview was computed or subscriptions changed since, Invalid (`change_date`) for a
    date that has come.
    """
    migration = _locked(migration_id)
    old = migration.state
    migration.state = rules.next(state=old, verb=Verb.APPROVE)
    rules.check_second_person(approver=actor.user_id, others=(migration.made_by_id, migration.submitted_by_id))
    if seen is not None and seen != migration.previewed_at:
        raise PreviewOutdated("preview_outdated", "The preview was computed anew meanwhile. Look at it again.")
    _require_fresh(migration)
    _check_date(migration.change_date, at)
    migration.approved_by_id, migration.approved_at = actor.user_id, at
    _save(migration, "approved_by", "approved_at", at=at)
    _told(migration, "approve", old, actor, at, reason)
    jobs.enqueue("billing.tasks.run_plan_migrations")
    return migration


@transaction.atomic
def withdraw(*, migration_id: int, actor: Actor, at: datetime, reason: str = "") -> PlanMigration:
    """Take back a migration that has not begun. Raises InvalidTransition."""
    migration = _locked(migration_id)
    old = migration.state
    migration.state = rules.next(state=old, verb=Verb.WITHDRAW)
    _save(migration, at=at)
    _told(migration, "withdraw", old, actor, at, reason)
    return migration


@transaction.atomic
def retry(*, migration_id: int, actor: Actor, at: datetime) -> PlanMigration:
    """Try those that failed again. Raises InvalidTransition where none failed."""
    migration = _locked(migration_id)
    old = migration.state
    migration.state = rules.next(state=old, verb=Verb.RETRY)
    failed = migration.items.filter(state=PlanMigrationItem.State.FAILED)
    failed.update(state=PlanMigrationItem.State.WAITING, reason_code="", reason="")
    migration.finished_at = None
    _save(migration, "finished_at", at=at)
    _told(migration, "retry", old, actor, at)
    jobs.enqueue("billing.tasks.run_plan_migrations")
    return migration


def _locked(migration_id: int) -> PlanMigration:
    rows = PlanMigration.objects.select_related("plan", "to_version__plan", "from_version")
    try:
        return db.lock_one(rows.filter(pk=migration_id))
    except PlanMigration.DoesNotExist as error:
        raise errors.NotFound("plan_migration_not_found", "There is no such migration.") from error


def _compute(migration: PlanMigration, at: datetime) -> None:
    # Under the lock of the plan no version comes in between, and nobody buys one.
    db.lock_one(Plan.objects.filter(pk=migration.plan_id))
    PlanMigrationItem.objects.filter(migration=migration).delete()
    found = plan_migration_previews.items(migration=migration, at=at)
    PlanMigrationItem.objects.bulk_create(found, batch_size=_BATCH)
    migration.previewed_at = at
    _save(migration, "previewed_at", at=at)


def _require_fresh(migration: PlanMigration) -> None:
    stale = known.staleness(migration)
    if stale:
        raise PreviewOutdated(
            "preview_outdated",
            f"Since the preview {stale.changed} subscriptions changed, {stale.new} came and {stale.gone} went. "
            "Compute it anew.",
        )


def _check_date(day: date | None, at: datetime) -> None:
    # Local to each customer: the day must not have begun anywhere on earth.
    if day is not None and day <= (at + _EASTERNMOST).date():
        raise _invalid("change_date", "value_is_out_of_range", "The date has to lie in the future everywhere on earth.")


def _save(migration: PlanMigration, *fields: str, at: datetime) -> None:
    migration.updated_at = at
    migration.save(update_fields=["state", "updated_at", *fields])


def _told(migration: PlanMigration, verb: str, old: str, actor: Actor, at: datetime, reason: str = "") -> None:
    before, after = {"state": str(old)}, {"state": str(migration.state)}
    audit.record(actor=actor, at=at, verb=verb, instance=migration, old=before, new=after, reason=reason)


def _invalid(field: str, code: str, message: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", message, {field: [code]})
