"""Writing the audit trail. Services call this inside their own transaction, so a trail without a change cannot be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from config.kernel import rows
from config.kernel.actors import Actor
from config.platform.models import AuditEntry

_clock: ContextVar[Callable[[], datetime] | None] = ContextVar("clock", default=None)


@contextlib.contextmanager
def timed(clock: Callable[[], datetime]) -> Iterator[None]:
    """Write entries with the time that ``clock`` tells, whatever clock the services run at: what is done as of an
    earlier moment was done later.
    """
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)


@dataclass(frozen=True)
class Note:
    """One verb on one object: ``old`` and ``new`` hold the changed values only."""

    instance: models.Model
    verb: str
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def record(
    *,
    actor: Actor,
    at: datetime,
    verb: str,
    instance: models.Model,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write one entry. ``verb`` is an imperative such as "finalize"; values are plain, dates or decimals."""
    record_many(
        actor=actor, at=at, notes=[Note(instance=instance, verb=verb, old=old or {}, new=new or {}, reason=reason)]
    )


def record_many(*, actor: Actor, at: datetime, notes: Sequence[Note]) -> None:
    """Write the entries of many objects with one statement."""
    clock = _clock.get()
    told = at if clock is None else clock()
    rows.insert([_entry(actor, told, note) for note in notes])


def _entry(actor: Actor, at: datetime, note: Note) -> AuditEntry:
    return AuditEntry(
        at=at,
        created_at=at,
        actor_kind=actor.kind,
        actor_label=actor.label,
        user_id=actor.user_id,
        verb=note.verb,
        object_type=note.instance._meta.label_lower,
        object_id=note.instance.pk,
        object_label=str(note.instance)[:255],
        reason=note.reason,
        old=plain(note.old),
        new=plain(note.new),
        address=actor.address[:64],
        client=actor.client[:512],
    )


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON has them: dates, instants and decimals as text."""
    encoder = DjangoJSONEncoder()
    return {key: _value(encoder, value) for key, value in values.items()}


def _value(encoder: DjangoJSONEncoder, value: Any) -> Any:
    if value is None or isinstance(value, str | int | bool | list | dict):
        return value
    try:
        return encoder.default(value)
    except TypeError:
        return str(value)
