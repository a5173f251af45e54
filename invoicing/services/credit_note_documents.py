"""The documents of credit notes: rendered once from what was frozen, and stored with their digest.

Owns rendering them and finding those that are missing. Reading and storing of files are `documents`'.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction

from config.kernel import db, errors, jobs
from invoicing.domain import document_files
from invoicing.models import CreditNote, Document
from invoicing.services import announcements, credit_note_views, document_pages, document_pdf, documents
from invoicing.services.documents import Sweep

_FOLDER = "credit-notes"


class NotIssued(errors.NotAllowed):
    """A draft of a credit note has no document."""


def render(*, credit_note_id: int, at: datetime) -> Document:
    """Render the PDF of an issued credit note, store it and return its row; the one that exists where there is one.

    Safe to call any number of times and at the same time: there is one document per credit note, and its file never
    changes. Not for use inside a transaction, because it takes about a second. Raises CreditNoteNotFound and NotIssued
    (`is_draft`).
    """
    existing = Document.objects.filter(credit_note_id=credit_note_id, kind=Document.Kind.PDF).first()
    if existing is not None:
        return existing
    note = credit_note_views.read(credit_note_id=credit_note_id)
    _demand_issued(note)
    content = _pdf(note)
    with transaction.atomic():
        db.lock_one(CreditNote.objects.filter(pk=credit_note_id))
        document, is_new = Document.objects.get_or_create(
            credit_note_id=credit_note_id,
            kind=Document.Kind.PDF,
            defaults={
                "created_at": at,
                "file": _path(note),
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
            },
        )
        if is_new:
            documents.store(document.file.name, content)
            announcements.rendered(document=note, at=at)
    return document


def render_pending(*, as_of: datetime, limit: int = 200) -> Sweep:
    """Render what documents are missing of credit notes issued until `as_of`, the oldest first, `limit` at most.

    One that cannot be rendered is logged and left for the next sweep; it does not keep the others waiting.
    """
    waiting = (
        CreditNote.objects.filter(status=CreditNote.Status.FINALIZED, finalized_at__lte=as_of)
        .exclude(documents__kind=Document.Kind.PDF)
        .order_by("finalized_at", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    return documents.each(list(waiting), what="credit note", render=lambda pk: render(credit_note_id=pk, at=as_of))


def is_rendered(*, note: CreditNote) -> bool:
    """Say whether the PDF of an issued credit note is there; where it is not, have it made. Raises NotIssued."""
    _demand_issued(note)
    if Document.objects.filter(credit_note=note, kind=Document.Kind.PDF).exists():
        return True
    jobs.enqueue("invoicing.tasks.render_credit_note", credit_note_id=note.pk)
    return False


def file_name(*, note: CreditNote) -> str:
    """Return the name under which a credit note is handed to people: `ACME-001-007-CN001.pdf`."""
    return f"{document_files.stem(note.number or f'draft-credit-note-{note.pk}')}.pdf"


def preview_pdf(*, credit_note_id: int) -> bytes:
    """Return the PDF of a credit note as it is now, a draft labelled as such. Stores nothing."""
    return _pdf(credit_note_views.read(credit_note_id=credit_note_id))


def _demand_issued(note: CreditNote) -> None:
    if note.status != CreditNote.Status.FINALIZED:
        raise NotIssued("is_draft", "A draft of a credit note has no document yet.")


def _pdf(note: CreditNote) -> bytes:
    return document_pdf.write(html=document_pages.credit_note_html(view=credit_note_views.of(note=note)))


def _path(note: CreditNote) -> str:
    return document_files.path(
        year=note.issuing_date.year,
        entity_id=note.billing_entity_id,
        entity_code=note.billing_entity.code,
        number=note.number or "",
        suffix=Document.Kind.PDF.value,
        folder=_FOLDER,
    )
