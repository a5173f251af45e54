"""Noting who looked at personal data, while the installation says so. Owns the switch and the rows.

A row is a log line, as that of a request is: it changes nothing that anybody looks at. What counts as personal data is
said by whoever notes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel import db
from config.kernel.actors import Actor
from config.platform.models import Installation, PersonalDataView
from config.platform.services import audit, installation


@dataclass(frozen=True)
class Look:
    """What was looked at: one object, or a list, with the words it was searched by."""

    page: str
    object_type: str
    path: str
    object_id: int | None = None
    object_label: str = ""
    term: str = ""


@transaction.atomic
def switch(*, is_on: bool, reason: str, actor: Actor, at: datetime) -> Installation:
    """Switch the log on or off. What was noted stays. Setting what is set changes nothing."""
    row = db.lock_one(Installation.objects.filter(pk=installation.ensure(at=at).pk))
    if row.records_personal_views == is_on:
        return row
    row.records_personal_views = is_on
    row.save(update_fields=["records_personal_views"])
    audit.record(
        actor=actor,
        at=at,
        verb="set personal views",
        instance=row,
        old={"records_personal_views": not is_on},
        new={"records_personal_views": is_on},
        reason=reason,
    )
    return row


def note(*, look: Look, actor: Actor, at: datetime) -> PersonalDataView | None:
    """Write that a person looked at something; nothing while it is switched off, and nothing of others than people."""
    if actor.user_id is None or not is_on():
        return None
    return PersonalDataView.objects.create(
        at=at,
        created_at=at,
        user_id=actor.user_id,
        user_label=actor.label[:255],
        page=look.page,
        object_type=look.object_type,
        object_id=look.object_id,
        object_label=look.object_label[:255],
        path=_told(look.path)[:512],
        term=_told(look.term)[:255],
        address=actor.address[:64],
        client=actor.client[:512],
    )


def _told(text: str) -> str:
    """Return what came with a request as the database takes it."""
    return text.replace("\x00", "")


def is_on() -> bool:
    """Say whether the log is kept. One small query."""
    return Installation.objects.filter(records_personal_views=True).exists()
