"""The installation's one row: its name, and that it exists."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import Installation
from config.platform.queries import installation
from config.platform.services import audit


@transaction.atomic
def ensure(*, at: datetime) -> Installation:
    """Return the installation; make its row where there is none yet. May be called any time, by many at once."""
    if not Installation.objects.exists():
        Installation.objects.bulk_create([Installation(created_at=at)], ignore_conflicts=True)
    return installation.current()


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
