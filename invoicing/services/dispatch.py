"""Getting documents out: after an invoice is issued it is rendered and, where the seller wants it, e-mailed.

Owns the wake-ups only. What is to be done are rows, found by the sweeper when a message was lost; rendering and sending
are `documents` and `deliveries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel import errors, jobs
from config.kernel.actors import Actor
from invoicing.models import Delivery, Document, Invoice
from invoicing.queries import invoices as known_invoices
from invoicing.services import credit_note_documents, deliveries, delivery_mail, documents

_LIMIT = 500


class NoDocument(errors.NotAllowed):
    """The invoice is not issued, so it has no document."""


@dataclass(frozen=True)
class Swept:
    """What a round of the sweeper did."""

    rendered: object
    credit_notes: object
    sent: object


def request(*, invoice_ids: Sequence[int], actor: Actor, at: datetime) -> None:
    """Note down the e-mails of issued invoices, and have documents made and sent once the transaction is committed."""
    if not invoice_ids:
        return
    requested = deliveries.request(invoice_ids=invoice_ids, actor=actor, at=at)
    for delivery in requested:
        jobs.enqueue("invoicing.tasks.send_delivery", delivery_id=delivery.pk)
    mailed = {delivery.invoice_id for delivery in requested}
    for invoice_id in invoice_ids:
        if invoice_id not in mailed:
            jobs.enqueue("invoicing.tasks.render_document", invoice_id=invoice_id)


@transaction.atomic
def send_again(
    *,
    invoice_id: int,
    actor: Actor,
    at: datetime,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
) -> Delivery:
    """E-mail an issued invoice, the first time or another time; return the row, which is sent after the commit.

    Without ``to`` it goes to the customer's addresses as they are now. Not idempotent: each call is another e-mail.
    Raises NotFound (`invoice_not_found`), NotIssued (`invoice_not_finalized`), NoRecipient (`no_email_address`) and
    InvalidRecipients.
    """
    (delivery,) = deliveries.request(
        invoice_ids=[invoice_id],
        force=True,
        to=delivery_mail.checked(field="to", given=to),
        cc=delivery_mail.checked(field="cc", given=cc),
        bcc=delivery_mail.checked(field="bcc", given=bcc),
        actor=actor,
        at=at,
    )
    jobs.enqueue("invoicing.tasks.send_delivery", delivery_id=delivery.pk)
    return delivery


def sweep(*, as_of: datetime) -> Swept:
    """Render the documents and send the e-mails that nobody did. May run any number of times."""
    return Swept(
        rendered=documents.render_pending(as_of=as_of, limit=_LIMIT),
        credit_notes=credit_note_documents.render_pending(as_of=as_of, limit=_LIMIT),
        sent=deliveries.send_pending(as_of=as_of, limit=_LIMIT),
    )


def is_rendered(*, invoice_id: int) -> bool:
    """Say whether the PDF of an issued invoice is there; where it is not, have it made.

    May be called any number of times. Raises NotFound, and NoDocument (`is_draft`) for what is not issued.
    """
    invoice = Invoice.objects.filter(pk=invoice_id).first()
    if invoice is None:
        raise known_invoices.InvoiceNotFound("invoice_not_found", "There is no such invoice.")
    if invoice.number is None:
        raise NoDocument("is_draft", "A draft has no document yet.")
    rendered = Document.objects.filter(invoice=invoice, kind=Document.Kind.PDF)
    if not rendered.exists():
        jobs.enqueue("invoicing.tasks.render_document", invoice_id=invoice_id)
    return rendered.exists()
