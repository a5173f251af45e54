"""The page of a document: its view put into the HTML template, in the view's language.

Owns no figure and no decision.
"""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils import translation

from invoicing.domain.credit_note_view import CreditNoteView
from invoicing.domain.document_view import InvoiceView
from invoicing.domain.receipt_view import ReceiptView
from invoicing.services import document_pdf

TEMPLATE = "documents/invoice.html"
CREDIT_NOTE = "documents/credit_note.html"
RECEIPT = "documents/receipt.html"


def html(*, view: InvoiceView, for_screen: bool = False) -> str:
    """Return the page. For a screen it carries its style sheet; for print the style sheet comes with the printer."""
    with translation.override(view.language):
        return render_to_string(
            TEMPLATE, {"invoice": view, "style_sheet": document_pdf.style_sheet() if for_screen else ""}
        )


def credit_note_html(*, view: CreditNoteView, for_screen: bool = False) -> str:
    """Return the page of a credit note; see `html`."""
    with translation.override(view.language):
        return render_to_string(
            CREDIT_NOTE, {"note": view, "style_sheet": document_pdf.style_sheet() if for_screen else ""}
        )


def receipt_html(*, view: ReceiptView) -> str:
    """Return the page of a receipt, for print."""
    with translation.override(view.language):
        return render_to_string(RECEIPT, {"receipt": view, "style_sheet": ""})
