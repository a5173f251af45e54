"""The documents of receipts: rendered once, when somebody wants one, and stored with their digest.

Owns rendering them. Reading and storing of files are `documents`'.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction

from config.kernel import db, jobs
from invoicing.domain import document_files
from invoicing.models import Document, PaymentReceipt
from invoicing.queries import payment_receipts as known
from invoicing.services import document_pages, document_pdf, documents, payment_announcements, receipt_views

_FOLDER = "receipts"


def render(*, receipt_id: int, at: datetime) -> Document:
    """Render the PDF of a receipt, store it and return its row; the one that exists where there is one.

    Safe to call any number of times and at the same time: there is one document per receipt, and its file never
    changes. Not for use inside a transaction, because it takes about a second. Raises PaymentReceiptNotFound.
    """
    existing = Document.objects.filter(payment_receipt_id=receipt_id, kind=Document.Kind.PDF).first()
    if existing is not None:
        return existing
    receipt = known.one(receipt_id)
    content = _pdf(receipt)
    with transaction.atomic():
        db.lock_one(PaymentReceipt.objects.filter(pk=receipt_id))
        document, is_new = Document.objects.get_or_create(
            payment_receipt_id=receipt_id,
            kind=Document.Kind.PDF,
            defaults={
                "created_at": at,
                "file": _path(receipt),
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
            },
        )
        if is_new:
            documents.store(document.file.name, content)
            payment_announcements.rendered(receipt=receipt, at=at)
    return document


def have_made(*, receipt: PaymentReceipt) -> bool:
    """Say whether the PDF of a receipt is there; where it is not, have it made in the background."""
    if Document.objects.filter(payment_receipt=receipt, kind=Document.Kind.PDF).exists():
        return True
    jobs.enqueue("invoicing.tasks.render_receipt", receipt_id=receipt.pk)
    return False


def preview_pdf(*, receipt_id: int) -> bytes:
    """Return the PDF of a receipt: the stored one, else what it will be. Stores nothing. Raises as `render`."""
    stored = Document.objects.filter(payment_receipt_id=receipt_id, kind=Document.Kind.PDF).first()
    return _pdf(known.one(receipt_id)) if stored is None else documents.content(document=stored)


def file_name(*, receipt: PaymentReceipt) -> str:
    """Return the name under which a receipt is handed to people: `ACME-RCPT-001.pdf`."""
    return f"{document_files.stem(receipt.number)}.pdf"


def _pdf(receipt: PaymentReceipt) -> bytes:
    return document_pdf.write(html=document_pages.receipt_html(view=receipt_views.of(receipt=receipt)))


def _path(receipt: PaymentReceipt) -> str:
    return document_files.path(
        year=receipt.created_at.year,
        entity_id=receipt.billing_entity_id,
        entity_code=receipt.billing_entity.code,
        number=receipt.number,
        suffix=Document.Kind.PDF.value,
        folder=_FOLDER,
    )
