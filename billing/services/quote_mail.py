"""E-mails of quotes: each is a row before it is sent, so that none is forgotten. Owns asking for them and the address
of the link; the words are `quote_messages`', sending is `quote_deliveries`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.urls import reverse

from billing.domain import quote_reminders
from billing.models import OrderForm, QuoteDelivery
from billing.services import quote_secrets
from config.kernel import actors, db, errors, jobs
from config.platform.services import audit
from invoicing.services import delivery_mail

FIELD = "to"


class NoRecipient(errors.Invalid):
    """There is no e-mail address that could be written to."""


def address(*, token: str) -> str:
    """Return the whole address of the page where the customer reads, accepts or declines."""
    return f"{settings.PUBLIC_URL}{reverse('quote-offer', kwargs={'token': token})}"


@transaction.atomic
def queue(*, order_form: OrderForm, token: str, to: Sequence[str], message: str, at: datetime) -> QuoteDelivery:
    """Have an order form sent with its link once the transaction is committed, and return the row of the e-mail.

    The document is rendered before it goes out where it is missing. Not idempotent: each call is another e-mail; those
    that were waiting bring a link that is over and are dropped. Who asked for it is the caller's to note. Raises
    NoRecipient (`no_email_address`) and InvalidRecipients for what is no address.
    """
    recipients = delivery_mail.checked(field=FIELD, given=to)
    if not recipients:
        raise NoRecipient("no_email_address", "There is no e-mail address.", {FIELD: ["value_is_mandatory"]})
    locked = db.lock_one(OrderForm.objects.filter(pk=order_form.pk))
    QuoteDelivery.objects.filter(order_form=locked, state=QuoteDelivery.State.PENDING).update(
        state=QuoteDelivery.State.DROPPED
    )
    return _write(locked, QuoteDelivery.Kind.OFFER, recipients, message, quote_secrets.seal(secret=token), at)


def remind(*, as_of: datetime, limit: int = 200) -> list[QuoteDelivery]:
    """Have customers reminded whose order form expires within three days and waits for an answer; once for each.

    A reminder goes to the addresses of the last e-mail and brings the same link. Calling it again changes nothing.
    """
    reminded = QuoteDelivery.objects.filter(order_form=OuterRef("pk"), kind=QuoteDelivery.Kind.REMINDER)
    waiting = (
        OrderForm.objects.filter(
            ~Exists(reminded),
            state=OrderForm.State.GENERATED,
            sent_at__isnull=False,
            expires_at__gt=as_of,
            expires_at__lte=as_of + quote_reminders.BEFORE,
        )
        .order_by("expires_at", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    return [row for pk in list(waiting) if (row := _reminder(pk, as_of)) is not None]


@transaction.atomic
def _reminder(order_form_id: int, at: datetime) -> QuoteDelivery | None:
    order_form = db.lock_one(OrderForm.objects.filter(pk=order_form_id))
    sent, expires = order_form.sent_at, order_form.expires_at
    if order_form.state != OrderForm.State.GENERATED or sent is None or expires is None:
        return None
    known = list(QuoteDelivery.objects.filter(order_form=order_form).order_by("-number"))
    if any(row.kind == QuoteDelivery.Kind.REMINDER for row in known):
        return None
    # An e-mail that did not go out may have brought a newer link, and then the customer has none that works.
    last = known[0] if known and known[0].state == QuoteDelivery.State.SENT else None
    if last is None or not quote_reminders.is_due(sent_at=sent, expires_at=expires, at=at):
        return None
    return _write(order_form, QuoteDelivery.Kind.REMINDER, last.recipients, "", last.sealed_token, at)


def _write(
    order_form: OrderForm, kind: QuoteDelivery.Kind, recipients: Sequence[str], message: str, sealed: str, at: datetime
) -> QuoteDelivery:
    last = QuoteDelivery.objects.filter(order_form=order_form).aggregate(last=Max("number", default=0))["last"]
    delivery = QuoteDelivery.objects.create(
        created_at=at,
        order_form=order_form,
        number=last + 1,
        kind=kind,
        recipients=list(recipients),
        message=message,
        sealed_token=sealed,
        next_attempt_at=at,
    )
    if kind == QuoteDelivery.Kind.REMINDER:
        new = {"recipients": list(recipients)}
        audit.record(actor=actors.job("quote_mail"), at=at, verb="remind", instance=order_form, new=new)
    jobs.enqueue("billing.tasks.send_quote_delivery", delivery_id=delivery.pk)
    return delivery
