"""Sends the e-mails of quotes that are due and tries again. Whoever finds one due sends it.

Owns claims and outcomes, with the guarantees of the e-mails of invoices: a mail goes out after its row was claimed and
the claim committed; the outcome is written down afterwards.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from billing.models import OrderForm, QuoteDelivery
from billing.services import quote_documents, quote_mail, quote_messages
from config.kernel import errors
from invoicing.domain import delivery_retries
from invoicing.services import delivery_mail, delivery_outcomes

log = logging.getLogger(__name__)

UNREACHABLE = 5
"""So many failures in a row, and a sweep takes the mail server to be away."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep did: ids of order forms that were rendered, and of e-mails that were sent or failed."""

    rendered: tuple[int, ...] = ()
    reminded: tuple[int, ...] = ()
    sent: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()


def run(*, as_of: datetime) -> Sweep:
    """Make the documents that are missing, remind of quotes about to expire, and send what waits.

    May run any number of times and at the same time; what is done is known by its rows.
    """
    rendered = quote_documents.render_pending(as_of=as_of)
    reminded = quote_mail.remind(as_of=as_of)
    swept = send_pending(as_of=as_of)
    return Sweep(
        rendered=rendered.rendered, reminded=tuple(row.pk for row in reminded), sent=swept.sent, failed=swept.failed
    )


def send(*, delivery_id: int, at: datetime) -> QuoteDelivery:
    """Send one e-mail if it is due at `at` and nobody else is at it; return its row as it is afterwards.

    Renders the document where it is missing. An attempt that fails is tried again after 1, 16 and 81 minutes, the
    fourth failure is final. An order form that was decided, voided or expired meanwhile needs no e-mail any more.

    At least once: a process that dies between the hand-over and the note of it leaves the claim, and the mail is sent
    again after an hour with the same Message-ID. Not for use inside a transaction. Raises NotFound
    (`delivery_not_found`).
    """
    claimed = _claim(QuoteDelivery.objects.filter(pk=delivery_id), at)
    if claimed is not None:
        return _attempt(claimed, at)
    try:
        return QuoteDelivery.objects.get(pk=delivery_id)
    except QuoteDelivery.DoesNotExist as error:
        raise errors.NotFound("delivery_not_found", "There is no such delivery.") from error


def send_pending(*, as_of: datetime, limit: int = 200) -> Sweep:
    """Send the e-mails that are due at `as_of`, the longest waiting first, `limit` at most.

    Several sweeps may run at the same time: each takes rows that no other holds. A sweep ends early when the mail
    server seems to be away.
    """
    sent: list[int] = []
    failed: list[int] = []
    in_a_row = 0
    while len(sent) + len(failed) < limit and in_a_row < UNREACHABLE:
        claimed = _claim(QuoteDelivery.objects.order_by("next_attempt_at", "pk"), as_of)
        if claimed is None:
            break
        state = _attempt(claimed, as_of).state
        if state == QuoteDelivery.State.SENT:
            sent.append(claimed.pk)
        elif state != QuoteDelivery.State.DROPPED:
            failed.append(claimed.pk)
        in_a_row = in_a_row + 1 if state in (QuoteDelivery.State.PENDING, QuoteDelivery.State.FAILED) else 0
    return Sweep(sent=tuple(sent), failed=tuple(failed))


@transaction.atomic
def _claim(rows: QuerySet[QuoteDelivery], at: datetime) -> QuoteDelivery | None:
    """Take the first row that is due and that nobody holds; the claim keeps others away until it runs out."""
    due = rows.filter(state=QuoteDelivery.State.PENDING, next_attempt_at__lte=at)
    delivery = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if delivery is None:
        return None
    if not _is_wanted(delivery, at):
        delivery.state = QuoteDelivery.State.DROPPED
        delivery.save(update_fields=["state"])
        return delivery
    if delivery.attempts >= delivery_retries.ATTEMPTS:
        # The last attempt's process died before it could say how it went: somebody has to look.
        delivery.state = QuoteDelivery.State.FAILED
        delivery.error = delivery.error or "The last attempt ended without an answer; it may have been sent."
        delivery.save(update_fields=["state", "error"])
        return delivery
    delivery.attempts += 1
    delivery.next_attempt_at = delivery_retries.leased_until(at=at)
    delivery.message_id = delivery.message_id or delivery_mail.message_id(unique=delivery.uuid.hex)
    delivery.save(update_fields=["attempts", "next_attempt_at", "message_id"])
    return delivery


def _is_wanted(delivery: QuoteDelivery, at: datetime) -> bool:
    order_form = OrderForm.objects.get(pk=delivery.order_form_id)
    is_over = order_form.expires_at is not None and order_form.expires_at <= at
    return order_form.state == OrderForm.State.GENERATED and not is_over


def _attempt(delivery: QuoteDelivery, at: datetime) -> QuoteDelivery:
    if delivery.state != QuoteDelivery.State.PENDING:
        return delivery
    try:
        message = quote_messages.message(delivery=delivery, at=at)
        message.send()
    except Exception as error:  # noqa: BLE001 - noted, see below
        # Whatever went wrong is written down on the row: a mail must neither be lost nor keep others waiting.
        # What mail servers answer names the recipients, which is nothing for a log.
        log.warning("quote delivery %s, attempt %s failed: %s", delivery.pk, delivery.attempts, type(error).__name__)
        return delivery_outcomes.failed(claimed=delivery, problem=f"{type(error).__name__}: {error}", at=at)
    return delivery_outcomes.succeeded(claimed=delivery, subject=str(message.subject), at=at)
