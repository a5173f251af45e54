"""Saying who looks after a work queue."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group, User
from django.db import transaction

from config.kernel import db, errors, queues
from config.kernel.actors import Actor
from config.platform.models import QueueOwner
from config.platform.services import audit

LOCK = "platform.queueowner"


@transaction.atomic
def assign(*, code: str, person: User | None, role: Group | None, actor: Actor, at: datetime) -> QueueOwner | None:
    """Make a person, or everybody of a role, the owner of a queue; neither takes the owner away and returns None.

    Doing it twice changes nothing. Raises Invalid for an unknown queue, a person who cannot sign in, and for both at
    once.
    """
    if queues.named(code) is None:
        raise errors.Invalid("validation_errors", "", {"code": ["value_is_invalid"]})
    if person is not None and role is not None:
        raise errors.Invalid("two_owners", "A queue has one owner: a person or a role.", {"role": ["two_owners"]})
    if person is not None and not (person.is_active and person.is_staff):
        raise errors.Invalid("no_access", f"{person} cannot sign in here.", {"person": ["no_access"]})
    db.advisory_lock(LOCK)
    row = QueueOwner.objects.filter(code=code).select_related("person", "role").first()
    old = "" if row is None else str(row)
    if person is None and role is None:
        if row is not None:
            audit.record(actor=actor, at=at, verb="release queue", instance=row, old={"queue": code, "owner": old})
            row.delete()
        return None
    if row is None:
        row = QueueOwner.objects.create(code=code, person=person, role=role, created_at=at, updated_at=at)
    elif (row.person, row.role) == (person, role):
        return row
    else:
        row.person, row.role, row.updated_at = person, role, at
        row.save(update_fields=["person", "role", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="assign queue",
        instance=row,
        old={"owner": old},
        new={"queue": code, "owner": str(row)},
    )
    return row
