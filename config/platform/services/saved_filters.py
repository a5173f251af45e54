"""Saving filters of lists, sharing them with a role, and choosing the one a list opens with. Own rows only."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import SavedFilter, StandardFilter
from config.platform.queries import saved_filters as known
from config.platform.services import audit

LOCK = "platform.savedfilter"
MOST = 50
"""More filters of one list than this nobody finds again."""


@transaction.atomic
def save(*, list_of: str, name: str, query: str, is_standard: bool, actor: Actor, at: datetime) -> SavedFilter:
    """Save a list's query string under a name of the person's own; the same name again replaces it.

    Raises Forbidden for whoever is no person, and Invalid (`value_is_mandatory`, `value_is_too_long`,
    `value_is_invalid`, `too_many`).
    """
    person_id = _person(actor)
    name, query = " ".join(name.split()), known.normal(query)
    _require(name=name, query=query)
    db.advisory_lock(LOCK)
    own = SavedFilter.objects.filter(person_id=person_id, list_of=list_of)
    row = own.filter(name=name).first()
    if row is None:
        if own.count() >= MOST:
            raise errors.Invalid("too_many", f"{MOST} filters of this list are saved already.", {"name": ["too_many"]})
        row = SavedFilter.objects.create(
            person_id=person_id, list_of=list_of, name=name, query=query, role=None, created_at=at
        )
        audit.record(actor=actor, at=at, verb="save filter", instance=row, new={"list": list_of, "query": query})
    elif row.query != query:
        old, row.query = row.query, query
        row.save(update_fields=["query"])
        audit.record(actor=actor, at=at, verb="save filter", instance=row, old={"query": old}, new={"query": query})
    if is_standard:
        _make_standard(row, person_id, at)
    return row


@transaction.atomic
def share(*, saved_id: int, role: Group | None, actor: Actor, at: datetime) -> SavedFilter:
    """Show an own filter to everybody of a role, or to nobody else. Setting what is set changes nothing.

    Whoever opened the list with it and does not see it any more opens the plain list again. Raises NotFound for what
    is not the person's own.
    """
    db.advisory_lock(LOCK)
    row = _own(saved_id, actor)
    if row.role_id == (None if role is None else role.pk):
        return row
    old, row.role = "" if row.role is None else row.role.name, role
    row.save(update_fields=["role"])
    others = StandardFilter.objects.filter(saved=row).exclude(person_id=row.person_id)
    if role is not None:
        others = others.exclude(person__groups=role)
    others.delete()
    audit.record(
        actor=actor,
        at=at,
        verb="share filter",
        instance=row,
        old={"role": old},
        new={"role": "" if role is None else role.name},
    )
    return row


@transaction.atomic
def delete(*, saved_id: int, actor: Actor, at: datetime) -> SavedFilter:
    """Delete an own filter; whoever opened the list with it opens the plain list again.

    Raises NotFound for what is not the person's own.
    """
    db.advisory_lock(LOCK)
    row = _own(saved_id, actor)
    audit.record(actor=actor, at=at, verb="delete filter", instance=row, old={"list": row.list_of, "query": row.query})
    StandardFilter.objects.filter(saved=row).delete()
    SavedFilter.objects.filter(pk=row.pk).delete()
    return row


@transaction.atomic
def open_with(*, saved_id: int, actor: Actor, at: datetime) -> SavedFilter:
    """Open the list with a filter from now on; own ones and those shared with the person. Only the person's own list.

    Raises NotFound for what the person does not see.
    """
    person_id = _person(actor)
    db.advisory_lock(LOCK)
    row = known.seen_by(person_id).filter(pk=saved_id).first()
    if row is None:
        raise _missing()
    _make_standard(row, person_id, at)
    return row


@transaction.atomic
def open_plain(*, list_of: str, actor: Actor) -> bool:
    """Open a list without any filter again; say whether it had one."""
    deleted, _ = StandardFilter.objects.filter(person_id=_person(actor), list_of=list_of).delete()
    return bool(deleted)


def _make_standard(row: SavedFilter, person_id: int, at: datetime) -> None:
    StandardFilter.objects.update_or_create(
        person_id=person_id,
        list_of=row.list_of,
        defaults={"saved": row},
        create_defaults={"saved": row, "created_at": at},
    )


def _own(saved_id: int, actor: Actor) -> SavedFilter:
    row = SavedFilter.objects.filter(pk=saved_id, person_id=_person(actor)).select_related("role").first()
    if row is None:
        raise _missing()
    return row


def _missing() -> errors.NotFound:
    return errors.NotFound("saved_filter_not_found", "There is no such filter of yours.")


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise errors.Forbidden("people_only", "Filters are saved by people.")
    return actor.user_id


def _require(*, name: str, query: str) -> None:
    if not name:
        raise errors.Invalid("validation_errors", "", {"name": ["value_is_mandatory"]})
    if len(name) > SavedFilter._meta.get_field("name").max_length:
        raise errors.Invalid("validation_errors", "", {"name": ["value_is_too_long"]})
    if "\x00" in name + query or "%00" in query:
        raise errors.Invalid("validation_errors", "", {"name": ["value_is_invalid"]})
    if not query:
        raise errors.Invalid("nothing_to_save", "The list shows everything: filter, search or sort it first.")
    if len(query) > SavedFilter._meta.get_field("query").max_length:
        raise errors.Invalid("filter_too_long", "This filter is too long to be saved.")
