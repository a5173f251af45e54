"""The e-mail that brings an order form: its words, its link and its attachment. Builds a message and sends nothing."""

from __future__ import annotations

from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import pgettext

from billing.domain.quote_document import QuoteDocument
from billing.models import QuoteDelivery
from billing.services import quote_document_view, quote_documents, quote_mail, quote_secrets
from customers.domain import accents
from invoicing.domain.document_view import Fact
from invoicing.services import delivery_mail


def message(*, delivery: QuoteDelivery, at: datetime) -> EmailMultiAlternatives:
    """Build the message of a delivery; its document is rendered where it is missing.

    It comes from the installation's own address under the names of the person who owns the quote and of the seller;
    answers go to that person, else to the seller. Raises SecretLost, and what rendering raises.
    """
    order_form = quote_documents.render(order_form_id=delivery.order_form_id, at=at)
    document = quote_document_view.of(version=order_form.version)
    is_reminder = delivery.kind == QuoteDelivery.Kind.REMINDER
    owner = order_form.version.quote.owner
    name = owner.get_full_name() if owner is not None else ""
    attached = (quote_documents.file_name(order_form=order_form), quote_documents.content(order_form=order_form))
    return delivery_mail.build(
        template="quote",
        language=document.language,
        subject_line=subject(document=document, is_reminder=is_reminder),
        context={
            "quote": document,
            "facts": _facts(document),
            "address": quote_mail.address(token=quote_secrets.opened(sealed=delivery.sealed_token)),
            "message": [line for line in delivery.message.splitlines() if line.strip()],
            "is_reminder": is_reminder,
            "sender": name,
            "on_accent": accents.text_on(document.accent),
        },
        seller_name=f"{name}, {document.seller_name}" if name else document.seller_name,
        recipients=delivery.recipients,
        copies=(),
        blind_copies=(),
        reply_to=(owner.email if owner is not None else "") or document.seller_email,
        message_id=delivery.message_id,
        attachments=[attached],
        at=at,
    )


def subject(*, document: QuoteDocument, is_reminder: bool) -> str:
    """Return the subject in the quote's language: number, seller and what it is about."""
    with translation.override(document.language):
        if is_reminder:
            words = pgettext("quote", "Reminder: quote {number} from {seller} is valid until {date}")
        else:
            words = pgettext("quote", "Quote {number} from {seller}: {name}")
    text = words.format(
        number=document.number, seller=document.seller_name, name=document.name, date=document.valid_until
    )
    return delivery_mail.one_line(text)[: delivery_mail.LONGEST_SUBJECT]


def _facts(document: QuoteDocument) -> list[Fact]:
    with translation.override(document.language):
        facts = [
            Fact(pgettext("quote", "Quote"), document.number),
            *(Fact(total.label, total.value) for total in document.totals if total.is_main),
            Fact(pgettext("quote", "Valid until"), document.valid_until),
        ]
    return [fact for fact in facts if fact.value]
