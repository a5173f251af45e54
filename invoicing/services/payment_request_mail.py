"""The e-mail of a payment request: its words, the account to pay to, and the invoices attached. Builds a message and
sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import pgettext
from moneyed import Money

from config.kernel import money
from invoicing.domain import document_language
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact
from invoicing.domain.payment_request_view import AskedInvoice, PaymentRequestView
from invoicing.models import Delivery, Invoice, PaymentRequest
from invoicing.queries import payment_requests as known
from invoicing.services import delivery_mail, document_letterhead, document_words, documents, snapshots

ATTACHED = 20
"""So many invoices go with it; of more, the customer has them from when they were issued."""


def message(*, delivery: Delivery, at: datetime) -> EmailMultiAlternatives:
    """Build the message of a delivery of a payment request; documents of its invoices are rendered where missing."""
    request = known.search().get(pk=delivery.payment_request_id)
    left = _left(request)
    view = of(request=request, left=left)
    attachments = []
    for invoice, _ in left if len(left) <= ATTACHED else ():
        document = documents.render(invoice_id=invoice.pk, at=at)
        attachments.append((documents.file_name(invoice=invoice), documents.content(document=document)))
    return delivery_mail.build(
        template="payment_request",
        language=view.language,
        subject_line=subject(view=view),
        context={"asked": view},
        seller_name=view.seller_name,
        recipients=delivery.recipients,
        copies=delivery.cc,
        blind_copies=delivery.bcc,
        reply_to=request.billing_entity.email,
        message_id=delivery.message_id,
        attachments=attachments,
        at=at,
    )


def of(*, request: PaymentRequest, left: Sequence[tuple[Invoice, Money]]) -> PaymentRequestView:
    """Return what the e-mail says of the invoices that are ``left`` and what is asked for of each, in the language of
    the first; parties as they are now.
    """
    both = snapshots.parties(customer=request.customer, entity=request.billing_entity)
    seller = both["seller"]
    language = document_language.choose(locale=left[0][0].locale, seller_country=str(seller.get("country") or ""))
    formats = Formats(language.conventions)
    with translation.override(language.code):
        head = document_letterhead.of(seller=seller, buyer=both["buyer"], formats=formats)
        bank = document_words.bank_details(seller)
        numbers = ", ".join(invoice.number or "" for invoice, _ in left)
        named = (*bank, Fact(pgettext("document", "Payment reference"), numbers)) if bank else ()
    return PaymentRequestView(
        language=language.code,
        accent=head.accent,
        seller=head.seller,
        seller_name=head.seller_name,
        total=formats.money(sum((amount for _, amount in left), money.zero(request.currency))),
        invoices=tuple(
            AskedInvoice(
                number=invoice.number or "",
                due_on=formats.day(invoice.payment_due_date),
                amount=formats.money(amount),
            )
            for invoice, amount in left
        ),
        payment=named,
        legal=head.legal,
    )


def _left(request: PaymentRequest) -> list[tuple[Invoice, Money]]:
    """Return the invoices of which something is asked for still, and what; all as they were where nothing is."""
    parts = list(request.parts.all())
    unpaid = [part.invoice for part in parts if part.invoice.payment_status != Invoice.PaymentStatus.SUCCEEDED]
    asked = {one.id: one.asked for one in known.open_of(request, unpaid) if one.asked.amount > 0}
    left = [(part.invoice, asked[part.invoice_id]) for part in parts if part.invoice_id in asked]
    return left or [(part.invoice, part.amount) for part in parts]


def subject(*, view: PaymentRequestView) -> str:
    """Return the subject: seller and amount."""
    with translation.override(view.language):
        words = pgettext("email", "Overdue invoices of {seller}: {amount}")
    text = words.format(seller=view.seller_name, amount=view.total)
    return delivery_mail.one_line(text)[: delivery_mail.LONGEST_SUBJECT]
