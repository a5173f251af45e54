"""Notes of engineers on invoices. They are no part of the document and may change after it was issued."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import Invoice, InvoiceMetadata
from invoicing.queries import invoices as known_invoices

MOST = 5


class InvalidMetadata(errors.Invalid):
    """Too many notes, two of one key, or an id of another invoice's note."""


class UnableToAnnotate(errors.NotAllowed):
    """A draft takes no notes: it may still be computed anew or voided."""


@dataclass(frozen=True)
class Note:
    """One note; ``uuid`` names one that exists."""

    key: str
    value: str
    uuid: uuid.UUID | None = None


@transaction.atomic
def replace(*, invoice_id: int, notes: Sequence[Note], actor: Actor, at: datetime) -> Invoice:
    """Make these the notes of an invoice: named ones are changed, others added, missing ones removed. Idempotent by id.

    Raises NotFound, UnableToAnnotate for a draft, InvalidMetadata.
    """
    invoice = known_invoices.locked(invoice_id)
    if invoice.status == Invoice.Status.DRAFT:
        raise UnableToAnnotate("metadata_on_draft_invoice", "A draft takes no metadata.")
    known = {row.uuid: row for row in invoice.metadata.all()}
    before = {row.key: row.value for row in known.values()}
    _check(notes, known)
    # Keys may swap places between notes, which the unique key forbids halfway: kept rows are written anew.
    invoice.metadata.all().delete()
    InvoiceMetadata.objects.bulk_create(
        _row(invoice, note, known[note.uuid] if note.uuid else None, at) for note in notes
    )
    invoice.updated_at = at
    invoice.save(update_fields=["updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="set_metadata",
        instance=invoice,
        old=before,
        new={note.key: note.value for note in notes},
    )
    return invoice


def _check(notes: Sequence[Note], known: dict[uuid.UUID, InvoiceMetadata]) -> None:
    if len(notes) > MOST:
        raise InvalidMetadata("invalid_count", f"At most {MOST} notes.", {"metadata": ["invalid_count"]})
    if len({note.key for note in notes}) != len(notes):
        raise InvalidMetadata("value_already_exist", "A key comes twice.", {"metadata": ["value_already_exist"]})
    if any(note.uuid and note.uuid not in known for note in notes):
        raise InvalidMetadata("value_is_invalid", "A note is not of this invoice.", {"metadata": ["value_is_invalid"]})
    named = [note.uuid for note in notes if note.uuid]
    if len(set(named)) != len(named):
        raise InvalidMetadata("value_is_duplicated", "A note comes twice.", {"metadata": ["value_is_duplicated"]})


def _row(invoice: Invoice, note: Note, old: InvoiceMetadata | None, at: datetime) -> InvoiceMetadata:
    if old is None:
        return InvoiceMetadata(created_at=at, invoice=invoice, key=note.key, value=note.value)
    return InvoiceMetadata(
        pk=old.pk, uuid=old.uuid, created_at=old.created_at, invoice=invoice, key=note.key, value=note.value
    )
