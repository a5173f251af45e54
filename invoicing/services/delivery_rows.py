"""Rows of e-mails that are sent on demand, of documents other than invoices. Owns whom they go to and their number;
sending them is `deliveries`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max

from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import Delivery, PaymentReceipt, PaymentRequest
from invoicing.services import delivery_mail

Told = PaymentReceipt | PaymentRequest


class NoRecipient(errors.Invalid):
    """There is no e-mail address that could be written to."""


def first(*, told: Told, address: str, actor: Actor, at: datetime) -> Delivery | None:
    """Have the first e-mail of something sent once the transaction is committed, to the addresses of a text.

    Where nobody can be written to, nothing is sent and the audit trail says so. Needs the transaction that made it.
    """
    recipients, bad = delivery_mail.addresses(address)
    if not recipients:
        audit.record(actor=actor, at=at, verb="skip_email", instance=told, reason=_nobody(bad))
        return None
    return _write(told, 1, recipients, (), (), actor, at)


def again(
    *,
    told: Told,
    address: str,
    actor: Actor,
    at: datetime,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
) -> Delivery:
    """Have another e-mail of something sent after the commit: to ``to``, else to the addresses of a text.

    Not idempotent: each call is another e-mail. Needs a transaction. Raises NoRecipient (`no_email_address`) and
    InvalidRecipients.
    """
    recipients, bad = delivery_mail.addresses(address)
    if to:
        recipients = delivery_mail.checked(field="to", given=to)
    if not recipients:
        raise NoRecipient("no_email_address", _nobody(bad), {"email": ["value_is_mandatory"]})
    copies = delivery_mail.checked(field="cc", given=cc)
    blind = delivery_mail.checked(field="bcc", given=bcc)
    db.lock_one(type(told)._default_manager.filter(pk=told.pk))  # the next number is this one's
    last = Delivery.objects.filter(**{_field(told): told}).aggregate(last=Max("number", default=0))["last"]
    return _write(told, last + 1, recipients, copies, blind, actor, at)


def _write(
    told: Told,
    number: int,
    recipients: Sequence[str],
    copies: Sequence[str],
    blind: Sequence[str],
    actor: Actor,
    at: datetime,
) -> Delivery:
    delivery = Delivery.objects.create(
        created_at=at,
        number=number,
        recipients=list(recipients),
        cc=list(copies),
        bcc=list(blind),
        next_attempt_at=at,
        **{_field(told): told},
    )
    audit.record(actor=actor, at=at, verb="email", instance=told, new={"recipients": list(recipients)})
    jobs.enqueue("invoicing.tasks.send_delivery", delivery_id=delivery.pk)
    return delivery


def _field(told: Told) -> str:
    return "payment_receipt" if isinstance(told, PaymentReceipt) else "payment_request"


def _nobody(bad: Sequence[str]) -> str:
    return f"No usable e-mail address: {', '.join(bad)}." if bad else "There is no e-mail address."
