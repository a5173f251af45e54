"""The installation's one row: its name, and that it exists."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import Installation
from config.platform.queries import installation
from config.platform.services import audit

_LIMIT_END = Decimal(10) ** 16


@transaction.atomic
def ensure(*, at: datetime) -> Installation:
    """Return the installation; make its row where there is none yet. May be called any time, by many at once."""
    if not Installation.objects.exists():
        Installation.objects.bulk_create([Installation(created_at=at)], ignore_conflicts=True)
    return installation.current()


@transaction.atomic
def set_late_usage_policy(*, policy: str, waive_below: Decimal | None, actor: Actor, at: datetime) -> Installation:
    """Decide what happens to late usage where nothing else was agreed. ``waive_below`` is in major units of whatever
    currency it is compared with, and stands with the policy that waives only. Raises Invalid.
    """
    if policy not in Installation.LateUsagePolicy.values:
        raise errors.Invalid("validation_errors", "", {"late_usage_policy": ["value_is_invalid"]})
    if policy != Installation.LateUsagePolicy.WAIVE:
        waive_below = None
    elif waive_below is None or not 0 < waive_below < _LIMIT_END:
        code = "value_is_mandatory" if waive_below is None else "value_is_out_of_range"
        raise errors.Invalid("validation_errors", "", {"late_usage_waive_below": [code]})
    row = db.lock_one(Installation.objects.filter(pk=ensure(at=at).pk))
    old = {"late_usage_policy": row.late_usage_policy, "late_usage_waive_below": row.late_usage_waive_below}
    new = {"late_usage_policy": policy, "late_usage_waive_below": waive_below}
    if old != new:
        row.late_usage_policy, row.late_usage_waive_below = policy, waive_below
        row.save(update_fields=["late_usage_policy", "late_usage_waive_below"])
        audit.record(actor=actor, at=at, verb="set late usage policy", instance=row, old=old, new=new)
    return row


@transaction.atomic
def set_billing_needs_sign_off(*, needed: bool, actor: Actor, at: datetime) -> Installation:
    """Decide whether billing runs need a second person. What was signed off already can be billed either way."""
    row = db.lock_one(Installation.objects.filter(pk=ensure(at=at).pk))
    if row.billing_needs_sign_off != needed:
        old, row.billing_needs_sign_off = row.billing_needs_sign_off, needed
        row.save(update_fields=["billing_needs_sign_off"])
        before, after = {"billing_needs_sign_off": old}, {"billing_needs_sign_off": needed}
        audit.record(actor=actor, at=at, verb="set billing needs sign-off", instance=row, old=before, new=after)
    return row


@transaction.atomic
def rename(*, name: str, actor: Actor, at: datetime) -> Installation:
    """Name the organisation. Raises Invalid for an empty or too long name."""
    if not name.strip() or len(name) > 255:
        code = "value_is_too_long" if name.strip() else "value_is_mandatory"
        raise errors.Invalid("validation_errors", "The name must have 1 to 255 characters.", {"name": [code]})
    row = db.lock_one(Installation.objects.filter(pk=ensure(at=at).pk))
    if row.name != name:
        old, row.name = row.name, name
        row.save(update_fields=["name"])
        audit.record(actor=actor, at=at, verb="rename", instance=row, old={"name": old}, new={"name": name})
    return row
