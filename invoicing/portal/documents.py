"""Invoices and credit notes in the portal: lists, and their PDFs. Only what was issued, and only the customer's own."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse

from config.kernel import dates
from config.platform.portal import paging
from invoicing.models import Document
from invoicing.portal import rows
from invoicing.portal.base import MoneyPage
from invoicing.queries import customer_documents
from invoicing.services import documents


class Invoices(MoneyPage):
    """All invoices."""

    section = "invoices"
    template = "portal/invoices.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them, newest first."""
        formats = self.formats
        today = dates.local_date(self.at, dates.zone(self.customer.applicable_timezone))
        found = paging.listing(
            request,
            customer_documents.issued_invoices(customer_id=self.customer.pk),
            lambda row: rows.invoice(row, self, formats, today=today),
        )
        return self.page(request, {"listing": found})


class CreditNotes(MoneyPage):
    """All credit notes."""

    section = "credit-notes"
    template = "portal/credit_notes.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them, newest first."""
        formats = self.formats
        found = paging.listing(
            request,
            customer_documents.issued_credit_notes(customer_id=self.customer.pk),
            lambda row: rows.credit_note(row, self, formats),
        )
        return self.page(request, {"listing": found})


class InvoicePdf(MoneyPage):
    """The PDF of an invoice."""

    section = "invoices"

    def get(self, request: HttpRequest, public_id: UUID) -> FileResponse:
        """Send the file."""
        return _file(customer_documents.invoice_pdf(customer_id=self.customer.pk, public_id=public_id))


class CreditNotePdf(MoneyPage):
    """The PDF of a credit note."""

    section = "credit-notes"

    def get(self, request: HttpRequest, public_id: UUID) -> FileResponse:
        """Send the file."""
        return _file(customer_documents.credit_note_pdf(customer_id=self.customer.pk, public_id=public_id))


def _file(document: Document) -> FileResponse:
    return FileResponse(
        io.BytesIO(documents.content(document=document)),
        as_attachment=True,
        filename=PurePosixPath(document.file.name).name,
        content_type=documents.CONTENT_TYPES[Document.Kind(document.kind)],
    )
