"""The e-mail that brings a credit note: its words and its attachment. Builds a message and sends nothing."""

from __future__ import annotations

from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import pgettext

from invoicing.domain.credit_note_view import CreditNoteView
from invoicing.domain.document_view import Fact
from invoicing.models import Delivery
from invoicing.services import credit_note_documents, credit_note_views, delivery_mail, documents


def message(*, delivery: Delivery, at: datetime) -> EmailMultiAlternatives:
    """Build the message of a delivery of a credit note; its document is rendered where it is missing."""
    credit_note_id = delivery.credit_note_id or 0
    document = credit_note_documents.render(credit_note_id=credit_note_id, at=at)
    note = credit_note_views.read(credit_note_id=credit_note_id)
    view = credit_note_views.of(note=note)
    with translation.override(view.language):
        facts = _facts(view)
    return delivery_mail.build(
        template="credit_note",
        language=view.language,
        subject_line=subject(view=view),
        context={"note": view, "facts": facts},
        seller_name=view.seller_name,
        recipients=delivery.recipients,
        copies=delivery.cc,
        blind_copies=delivery.bcc,
        reply_to=str(note.snapshot["seller"].get("email") or ""),
        message_id=delivery.message_id,
        attachments=[(credit_note_documents.file_name(note=note), documents.content(document=document))],
        at=at,
    )


def subject(*, view: CreditNoteView) -> str:
    """Return the subject in the credit note's language: number, seller and total."""
    with translation.override(view.language):
        words = pgettext("email", "Credit note {number} from {seller}: {amount}")
    text = words.format(number=view.number, seller=view.seller_name, amount=view.total)
    return delivery_mail.one_line(text)[: delivery_mail.LONGEST_SUBJECT]


def _facts(view: CreditNoteView) -> list[Fact]:
    return [
        Fact(pgettext("document", "Credit note number"), view.number),
        Fact(pgettext("document", "Date of issue"), view.issued_on),
        Fact(pgettext("document", "Invoice number"), view.invoice_number),
        *view.ways,
    ]
