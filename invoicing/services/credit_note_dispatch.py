"""Getting credit notes out: rendered after they were issued and, where the seller wants it, e-mailed.

Owns asking for their e-mails and the wake-ups. What is to be done are rows, found by the sweeper when a message was
lost; sending them is `deliveries`'.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, prefetch_related_objects

from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import CreditNote, Delivery
from invoicing.queries import credit_notes as known
from invoicing.services import delivery_mail
from invoicing.services.deliveries import NoRecipient

log = logging.getLogger(__name__)

SETTING = "credit_note.created"
"""What a billing entity's e-mail settings hold where its credit notes are to be e-mailed."""


InvalidRecipients = delivery_mail.InvalidRecipients


class NotIssued(errors.NotAllowed):
    """Only an issued credit note is e-mailed."""


def request(*, notes: Sequence[CreditNote], actor: Actor, at: datetime) -> None:
    """Have documents of credit notes that are being issued made and, where wanted, e-mailed, once all is committed.

    A customer without an address is passed over, which the audit trail says. Needs the transaction that issues them.
    """
    prefetch_related_objects(notes, "billing_entity")
    wanted = [note for note in notes if SETTING in note.billing_entity.email_settings]
    prefetch_related_objects(wanted, "customer")
    created, told = [], []
    for note in wanted:
        recipients, bad = delivery_mail.addresses(note.customer.email)
        if recipients:
            created.append(
                Delivery(created_at=at, credit_note=note, number=1, recipients=recipients, next_attempt_at=at)
            )
            told.append(audit.Note(instance=note, verb="email", new={"recipients": recipients}))
        else:
            log.warning("credit note %s is not e-mailed: its customer has no usable address", note.pk)
            told.append(audit.Note(instance=note, verb="skip_email", reason=_nobody(bad)))
    if told:
        Delivery.objects.bulk_create(created)
        audit.record_many(actor=actor, at=at, notes=told)
    for delivery in created:
        jobs.enqueue("invoicing.tasks.send_delivery", delivery_id=delivery.pk)
    mailed = {delivery.credit_note_id for delivery in created}
    for note in notes:
        if note.pk not in mailed:
            jobs.enqueue("invoicing.tasks.render_credit_note", credit_note_id=note.pk)


@transaction.atomic
def send_again(
    *,
    credit_note_id: int,
    actor: Actor,
    at: datetime,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
) -> Delivery:
    """E-mail an issued credit note, the first time or another time; return the row, which is sent after the commit.

    Without ``to`` it goes to the customer's addresses as they are now. Not idempotent: each call is another e-mail.
    Raises CreditNoteNotFound, NotIssued (`is_draft`), NoRecipient (`no_email_address`) and InvalidRecipients.
    """
    note = db.lock(CreditNote.objects.filter(pk=credit_note_id).select_related("customer"))
    if not note:
        raise known.CreditNoteNotFound("credit_note_not_found", "There is no such credit note.")
    found = note[0]
    if found.status != CreditNote.Status.FINALIZED:
        raise NotIssued("is_draft", "A draft of a credit note has no document yet.")
    recipients, bad = delivery_mail.addresses(found.customer.email)
    if to:
        recipients = delivery_mail.checked(field="to", given=to)
    if not recipients:
        raise NoRecipient("no_email_address", _nobody(bad), {"email": ["value_is_mandatory"]})
    last = Delivery.objects.filter(credit_note=found).aggregate(last=Max("number", default=0))["last"]
    delivery = Delivery.objects.create(
        created_at=at,
        credit_note=found,
        number=last + 1,
        recipients=recipients,
        cc=delivery_mail.checked(field="cc", given=cc),
        bcc=delivery_mail.checked(field="bcc", given=bcc),
        next_attempt_at=at,
    )
    audit.record(actor=actor, at=at, verb="email", instance=found, new={"recipients": recipients})
    jobs.enqueue("invoicing.tasks.send_delivery", delivery_id=delivery.pk)
    return delivery


def _nobody(bad: Sequence[str]) -> str:
    return f"No usable e-mail address: {', '.join(bad)}." if bad else "The customer has no e-mail address."
