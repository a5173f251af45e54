"""The documents of invoices: rendered once from what was frozen, stored with their digest, and handed out.

Owns rendering and storing of PDFs. Rendering takes about a second and happens outside of any transaction; only the
storing locks the invoice, so that two renderers of the same invoice leave one document.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from config.kernel import db, errors
from invoicing.domain import document_files
from invoicing.models import Document, Invoice
from invoicing.services import announcements, document_annexes, document_pages, document_pdf, document_views

log = logging.getLogger(__name__)

SUFFIXES = {Document.Kind.PDF: "pdf", Document.Kind.ANNEX_CSV: "csv"}
"""How the names of files end, by the kind of document."""

CONTENT_TYPES = {Document.Kind.PDF: "application/pdf", Document.Kind.ANNEX_CSV: "text/csv; charset=utf-8"}
"""What kind of content a file is, by the kind of document."""


class NotIssued(errors.NotAllowed):
    """Only a finalized invoice has a document."""


class DamagedDocument(errors.Conflict):
    """The stored file is not the one that was rendered."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep did: ids of those whose document it made, and of those where that failed."""

    rendered: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()


def render(*, invoice_id: int, at: datetime) -> Document:
    """Render the PDF of a finalized invoice, store it and return its row; the one that exists where there is one.

    Where the PDF leaves details to an annex, that is stored with it. Both are made of the invoice's frozen rows and
    snapshot. Safe to call any number of times and at the same time:
    there is one document per invoice, and its file never changes. Not for use inside a transaction, because it takes
    about a second. Raises NotFound (`invoice_not_found`) and NotIssued (`invoice_not_finalized`).
    """
    existing = Document.objects.filter(invoice_id=invoice_id, kind=Document.Kind.PDF).first()
    if existing is not None:
        return existing
    invoice = document_views.read(invoice_id=invoice_id)
    if invoice.status != Invoice.Status.FINALIZED:
        raise NotIssued("invoice_not_finalized", "Only a finalized invoice has a document.")
    content, annex = _pdf(invoice), document_annexes.content(invoice=invoice)
    with transaction.atomic():
        db.lock_one(Invoice.objects.filter(pk=invoice_id))
        document, is_new = _kept(invoice, Document.Kind.PDF, content, at)
        # A document that was made by another renderer has its annex, or needs none.
        if is_new and annex is not None:
            _kept(invoice, Document.Kind.ANNEX_CSV, annex, at)
        if is_new:
            announcements.rendered(document=invoice, at=at)
    return document


def annex(*, invoice_id: int) -> Document | None:
    """Return the stored annex of an invoice, nothing where its document shows every line itself."""
    return Document.objects.filter(invoice_id=invoice_id, kind=Document.Kind.ANNEX_CSV).first()


def render_pending(*, as_of: datetime, limit: int = 200) -> Sweep:
    """Render what documents are missing of invoices finalized until `as_of`, the oldest first, `limit` at most.

    An invoice that cannot be rendered is logged and left for the next sweep; it does not keep the others waiting.
    """
    waiting = (
        Invoice.objects.filter(status=Invoice.Status.FINALIZED, finalized_at__lte=as_of)
        .exclude(documents__kind=Document.Kind.PDF)
        .order_by("finalized_at", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    return each(list(waiting), what="invoice", render=lambda pk: render(invoice_id=pk, at=as_of))


def each(ids: Sequence[int], *, what: str, render: Callable[[int], object]) -> Sweep:
    """Render the documents of these ids; one that fails is logged and does not keep the others waiting."""
    rendered, failed = [], []
    for pk in ids:
        try:
            render(pk)
        except Exception:
            log.exception("the document of %s %s cannot be rendered", what, pk)
            failed.append(pk)
        else:
            rendered.append(pk)
    return Sweep(rendered=tuple(rendered), failed=tuple(failed))


def content(*, document: Document) -> bytes:
    """Return the bytes of a stored document. Raises DamagedDocument when they do not have the digest of its row."""
    try:
        with default_storage.open(document.file.name) as file:
            stored = bytes(file.read())
    except FileNotFoundError as error:
        raise DamagedDocument("document_missing", f"The file {document.file.name} is gone.") from error
    if hashlib.sha256(stored).hexdigest() != document.sha256:
        raise DamagedDocument("document_damaged", f"The file {document.file.name} was changed.")
    return stored


def file_name(*, invoice: Invoice) -> str:
    """Return the name under which an invoice is handed to people: `ACME-202605-001.pdf`."""
    return f"{document_files.stem(invoice.number or f'draft-{invoice.pk}')}.pdf"


def preview_html(*, invoice_id: int) -> str:
    """Return the page of an invoice for a screen, a draft labelled as such. Stores nothing. Raises NotFound."""
    view = document_views.of(invoice=document_views.read(invoice_id=invoice_id))
    return document_pages.html(view=view, for_screen=True)


def preview_pdf(*, invoice_id: int) -> bytes:
    """Return the PDF of an invoice as it is now, a draft labelled as such. Stores nothing. Raises NotFound."""
    return _pdf(document_views.read(invoice_id=invoice_id))


def _pdf(invoice: Invoice) -> bytes:
    return document_pdf.write(html=document_pages.html(view=document_views.of(invoice=invoice)))


def _kept(invoice: Invoice, kind: Document.Kind, data: bytes, at: datetime) -> tuple[Document, bool]:
    document, is_new = Document.objects.get_or_create(
        invoice_id=invoice.pk,
        kind=kind,
        defaults={
            "created_at": at,
            "file": _path(invoice, kind),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
        },
    )
    if is_new:
        store(document.file.name, data)
    return document, is_new


def _path(invoice: Invoice, kind: Document.Kind) -> str:
    return document_files.path(
        year=invoice.issuing_date.year,
        entity_id=invoice.billing_entity_id,
        entity_code=invoice.billing_entity.code,
        number=invoice.number or "",
        suffix=SUFFIXES[kind],
    )


def store(path: str, data: bytes) -> None:
    """Put the bytes of a new document where its row says. Needs the transaction that writes the row."""
    # No row names this path yet, so a file there is what a transaction that failed left behind.
    if default_storage.exists(path):
        default_storage.delete(path)
    default_storage.save(path, ContentFile(data))
