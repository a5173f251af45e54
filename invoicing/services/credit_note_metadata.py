"""Notes of engineers on credit notes, by key. They are no part of the document and may change after it was issued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import CreditNote
from invoicing.queries import credit_notes as known

MOST = 50
_LONGEST_KEY = 40
_LONGEST_VALUE = 255


class InvalidMetadata(errors.Invalid):
    """Too many notes, or one whose key or value cannot be kept."""


class MetadataNotFound(errors.NotFound):
    """No note has this key."""


@transaction.atomic
def replace(*, credit_note_id: int, metadata: Mapping[str, Any], actor: Actor, at: datetime) -> CreditNote:
    """Make these the notes of a credit note, in place of all others. Idempotent. Raises InvalidMetadata."""
    return _set(known.locked(credit_note_id), dict(metadata), actor, at)


@transaction.atomic
def merge(*, credit_note_id: int, metadata: Mapping[str, Any], actor: Actor, at: datetime) -> CreditNote:
    """Set notes of a credit note and leave the others. Idempotent. Raises InvalidMetadata."""
    note = known.locked(credit_note_id)
    return _set(note, {**note.metadata, **metadata}, actor, at)


@transaction.atomic
def remove(*, credit_note_id: int, key: str, actor: Actor, at: datetime) -> CreditNote:
    """Remove one note of a credit note. Raises MetadataNotFound where there is none of this key."""
    note = known.locked(credit_note_id)
    if key not in note.metadata:
        raise MetadataNotFound("metadata_not_found", f"There is no note {key}.")
    return _set(note, {name: value for name, value in note.metadata.items() if name != key}, actor, at)


def _set(note: CreditNote, metadata: dict[str, Any], actor: Actor, at: datetime) -> CreditNote:
    _check(metadata)
    if metadata == note.metadata:
        return note
    before = note.metadata
    note.metadata = metadata
    note.updated_at = at
    note.save(update_fields=["metadata", "updated_at"])
    audit.record(actor=actor, at=at, verb="set_metadata", instance=note, old=before, new=metadata)
    return note


def _check(metadata: Mapping[str, Any]) -> None:
    if len(metadata) > MOST:
        raise InvalidMetadata("validation_errors", "Too many notes.", {"metadata": ["invalid_count"]})
    if any(not key or len(key) > _LONGEST_KEY for key in metadata):
        raise InvalidMetadata("validation_errors", "A key is empty or too long.", {"metadata": ["invalid_key_length"]})
    if any(isinstance(value, str) and len(value) > _LONGEST_VALUE for value in metadata.values()):
        raise InvalidMetadata("validation_errors", "A value is too long.", {"metadata": ["invalid_value_length"]})
