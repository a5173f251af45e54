"""E-mails of documents: each is a row before it is sent, so that none is forgotten; whoever finds it due sends it.

Owns asking for an e-mail, sending it and trying again. The words are `delivery_mail`'s. A mail goes out after its row
was claimed and the claim committed; the outcome is written down afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Max, QuerySet

from config.kernel import db, errors
from config.kernel import rows as db_rows
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import delivery_retries
from invoicing.models import Delivery, Invoice
from invoicing.services import (
    credit_note_mail,
    delivery_mail,
    delivery_outcomes,
    document_annexes,
    document_views,
    documents,
    payment_request_mail,
    receipt_mail,
)

log = logging.getLogger(__name__)

SETTING = "invoice.finalized"
"""What a billing entity's e-mail settings hold where its invoices are to be e-mailed."""

UNREACHABLE = 5
"""So many failures in a row, and a sweep takes the mail server to be away."""


class NoRecipient(errors.Invalid):
    """The customer has no e-mail address that can be written to."""


class NotIssued(errors.NotAllowed):
    """Only a finalized invoice is e-mailed."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep did: ids of the deliveries that were sent, and of those where the attempt failed."""

    sent: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()


@transaction.atomic
def request(
    *,
    invoice_ids: Sequence[int],
    actor: Actor,
    at: datetime,
    force: bool = False,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
) -> list[Delivery]:
    """Note down one e-mail per invoice, due at once, and return the new rows; sending them is up to the caller.

    Recipients are the customer's addresses as they are now. Without `force` only invoices whose seller wants its
    invoices e-mailed and that have no delivery yet get one, so that asking twice changes nothing; a customer without an
    address is passed over, which the audit trail of the invoice says. With `force` ("send again") every invoice gets
    another one, to the addresses of ``to`` where there are any and with copies to ``cc`` and ``bcc``, which are good
    addresses; and what stands in the way is raised: NoRecipient (`no_email_address`), NotIssued
    (`invoice_not_finalized`), NotFound (`invoice_not_found`).
    """
    found = Invoice.objects.filter(pk__in=invoice_ids).select_related("billing_entity", "customer")
    invoices = db.lock(found)
    if force and len(invoices) < len(set(invoice_ids)):
        raise errors.NotFound("invoice_not_found", "There is no such invoice.")
    last_numbers = dict(
        Delivery.objects.filter(invoice__in=invoices).values_list("invoice").annotate(last=Max("number")).order_by()
    )
    created, notes = [], []
    for invoice in invoices:
        last = last_numbers.get(invoice.pk, 0)
        if not force and (last or not _is_wanted(invoice)):
            continue
        if invoice.status != Invoice.Status.FINALIZED:
            raise NotIssued("invoice_not_finalized", "Only a finalized invoice is e-mailed.")
        recipients, bad = (list(to), []) if to else delivery_mail.addresses(invoice.customer.email)
        if not recipients:
            notes.append(_passed_over(invoice, bad, force=force))
            continue
        created.append(
            Delivery(
                created_at=at,
                invoice=invoice,
                number=last + 1,
                recipients=recipients,
                cc=list(cc),
                bcc=list(bcc),
                next_attempt_at=at,
            )
        )
        notes.append(_noted(invoice, recipients, bad))
    db_rows.insert(created)
    audit.record_many(actor=actor, at=at, notes=notes)
    return created


def send(*, delivery_id: int, at: datetime) -> Delivery:
    """Send one e-mail if it is due at `at` and nobody else is at it; return its row as it is afterwards.

    Renders the document where it is missing. An attempt that fails is tried again after 1, 16 and 81 minutes,
    the fourth failure is final; the row keeps the error. Calling it for a mail that was sent changes nothing.

    At least once, not exactly once: a process that dies between the hand-over to the mail server and the note of it
    leaves the claim, and the mail is sent again when the claim has run out after an hour. It then carries the same
    Message-ID, by which receivers recognise the repeat. Not for use inside a transaction. Raises NotFound
    (`delivery_not_found`).
    """
    claimed = _claim(Delivery.objects.filter(pk=delivery_id), at)
    if claimed is not None:
        return _attempt(claimed, at)
    try:
        return Delivery.objects.get(pk=delivery_id)
    except Delivery.DoesNotExist as error:
        raise errors.NotFound("delivery_not_found", "There is no such delivery.") from error


def send_pending(*, as_of: datetime, limit: int = 200) -> Sweep:
    """Send the e-mails that are due at `as_of`, the longest waiting first, `limit` at most.

    Several sweeps may run at the same time: each takes rows that no other holds. A sweep ends early when the mail
    server seems to be away, so that the attempts of all waiting mails are not used up at once.
    """
    sent: list[int] = []
    failed: list[int] = []
    in_a_row = 0
    while len(sent) + len(failed) < limit and in_a_row < UNREACHABLE:
        claimed = _claim(Delivery.objects.order_by("next_attempt_at", "pk"), as_of)
        if claimed is None:
            break
        delivery = _attempt(claimed, as_of)
        is_sent = delivery.state == Delivery.State.SENT
        (sent if is_sent else failed).append(delivery.pk)
        in_a_row = 0 if is_sent else in_a_row + 1
    return Sweep(sent=tuple(sent), failed=tuple(failed))


def _is_wanted(invoice: Invoice) -> bool:
    return invoice.status == Invoice.Status.FINALIZED and SETTING in invoice.billing_entity.email_settings


def _passed_over(invoice: Invoice, bad: Sequence[str], *, force: bool) -> audit.Note:
    reason = f"No usable e-mail address: {', '.join(bad)}." if bad else "The customer has no e-mail address."
    if force:
        raise NoRecipient("no_email_address", reason, {"email": ["value_is_mandatory"]})
    log.warning("invoice %s is not e-mailed: its customer has no usable address", invoice.pk)
    return audit.Note(instance=invoice, verb="skip_email", reason=reason)


def _noted(invoice: Invoice, recipients: Sequence[str], bad: Sequence[str]) -> audit.Note:
    reason = f"Left out, not an e-mail address: {', '.join(bad)}." if bad else ""
    return audit.Note(instance=invoice, verb="email", new={"recipients": list(recipients)}, reason=reason)


@transaction.atomic
def _claim(rows: QuerySet[Delivery], at: datetime) -> Delivery | None:
    """Take the first row that is due and that nobody holds; the claim keeps others away until it runs out."""
    due = rows.filter(state=Delivery.State.PENDING, next_attempt_at__lte=at)
    delivery = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if delivery is None:
        return None
    if delivery.attempts >= delivery_retries.ATTEMPTS:
        # The last attempt's process died before it could say how it went: somebody has to look.
        delivery.state = Delivery.State.FAILED
        delivery.error = delivery.error or "The last attempt ended without an answer; it may have been sent."
        delivery.save(update_fields=["state", "error"])
        return delivery
    delivery.attempts += 1
    delivery.next_attempt_at = delivery_retries.leased_until(at=at)
    delivery.message_id = delivery.message_id or delivery_mail.message_id(unique=delivery.uuid.hex)
    delivery.save(update_fields=["attempts", "next_attempt_at", "message_id"])
    return delivery


def _attempt(delivery: Delivery, at: datetime) -> Delivery:
    if delivery.state != Delivery.State.PENDING:
        return delivery
    try:
        subject = _hand_over(delivery, at)
    except Exception as error:  # noqa: BLE001 - noted, see below
        # Whatever went wrong is written down on the row: a mail must neither be lost nor keep others waiting.
        # What mail servers answer names the recipients, which is nothing for a log.
        log.warning("delivery %s, attempt %s failed: %s", delivery.pk, delivery.attempts, type(error).__name__)
        return delivery_outcomes.failed(claimed=delivery, problem=f"{type(error).__name__}: {error}", at=at)
    return delivery_outcomes.succeeded(claimed=delivery, subject=subject, at=at)


def _hand_over(delivery: Delivery, at: datetime) -> str:
    if delivery.invoice_id is not None:
        message = _invoice_mail(delivery, delivery.invoice_id, at)
    elif delivery.payment_receipt_id is not None:
        message = receipt_mail.message(delivery=delivery, at=at)
    elif delivery.payment_request_id is not None:
        message = payment_request_mail.message(delivery=delivery, at=at)
    else:
        message = credit_note_mail.message(delivery=delivery, at=at)
    message.send()
    return str(message.subject)


def _invoice_mail(delivery: Delivery, invoice_id: int, at: datetime) -> EmailMultiAlternatives:
    document = documents.render(invoice_id=invoice_id, at=at)
    annex = documents.annex(invoice_id=invoice_id)
    invoice = document_views.read(invoice_id=invoice_id)
    return delivery_mail.message(
        view=document_views.of(invoice=invoice),
        recipients=delivery.recipients,
        copies=delivery.cc,
        blind_copies=delivery.bcc,
        reply_to=str(invoice.snapshot["seller"].get("email") or ""),
        message_id=delivery.message_id,
        attachment=(documents.file_name(invoice=invoice), documents.content(document=document)),
        annex=None
        if annex is None
        else (document_annexes.file_name(invoice=invoice), documents.content(document=annex)),
        at=at,
    )
