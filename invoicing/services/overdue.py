"""Marking invoices that were not paid in time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel import actors, events
from config.platform.services import audit
from invoicing.domain.facts import PaymentOverdue
from invoicing.models import Invoice
from invoicing.queries import receivables
from invoicing.services import announcements

CHUNK = 500


def mark(*, as_of: datetime) -> int:
    """Mark every issued, unpaid invoice whose due date has passed in its own time zone; return how many.

    In chunks, each in its own transaction; rows that somebody else holds are left to the next round. May run any number
    of times: an invoice is marked, and subscribers hear PaymentOverdue, once.
    """
    marked = 0
    while count := _mark_chunk(as_of):
        marked += count
    return marked


@transaction.atomic
def _mark_chunk(as_of: datetime) -> int:
    late = receivables.became_overdue(as_of=as_of).order_by("pk")
    invoices = list(late.select_for_update(no_key=True, skip_locked=True, of=("self",))[:CHUNK])
    Invoice.objects.filter(pk__in=[invoice.pk for invoice in invoices]).update(payment_overdue=True, updated_at=as_of)
    audit.record_many(
        actor=actors.job("overdue"),
        at=as_of,
        notes=[
            audit.Note(instance=invoice, verb="mark_overdue", new={"payment_due_date": invoice.payment_due_date})
            for invoice in invoices
        ],
    )
    announcements.overdue(invoices=invoices, at=as_of)
    for invoice in invoices:
        events.publish(PaymentOverdue(invoice_id=invoice.pk))
    return len(invoices)
