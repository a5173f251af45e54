"""The e-mail that brings a receipt: its words and its attachment. Builds a message and sends nothing."""

from __future__ import annotations

from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import pgettext

from invoicing.domain.receipt_view import ReceiptView
from invoicing.models import Delivery
from invoicing.queries import payment_receipts as known
from invoicing.services import delivery_mail, documents, receipt_documents, receipt_views


def message(*, delivery: Delivery, at: datetime) -> EmailMultiAlternatives:
    """Build the message of a delivery of a receipt; its document is rendered where it is missing."""
    receipt_id = delivery.payment_receipt_id or 0
    document = receipt_documents.render(receipt_id=receipt_id, at=at)
    receipt = known.one(receipt_id)
    view = receipt_views.of(receipt=receipt)
    return delivery_mail.build(
        template="receipt",
        language=view.language,
        subject_line=subject(view=view),
        context={"receipt": view},
        seller_name=view.seller_name,
        recipients=delivery.recipients,
        copies=delivery.cc,
        blind_copies=delivery.bcc,
        reply_to=str(receipt.snapshot["seller"].get("email") or ""),
        message_id=delivery.message_id,
        attachments=[(receipt_documents.file_name(receipt=receipt), documents.content(document=document))],
        at=at,
    )


def subject(*, view: ReceiptView) -> str:
    """Return the subject in the receipt's language: number, seller and amount."""
    with translation.override(view.language):
        words = pgettext("email", "Receipt {number} from {seller}: {amount}")
    text = words.format(number=view.number, seller=view.seller_name, amount=view.total)
    return delivery_mail.one_line(text)[: delivery_mail.LONGEST_SUBJECT]
