"""Taking invoices back. A draft can be voided; what is issued is corrected by another document."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel import events
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import states
from invoicing.domain.facts import InvoiceVoided
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices
from invoicing.services import credit_note_writing


@transaction.atomic
def void_draft(*, invoice_id: int, reason: str, actor: Actor, at: datetime) -> Invoice:
    """Void a draft. It never gets a number, so the numbers of other invoices stay without a gap; its draft credit notes
    go with it.

    What it billed may be billed anew: subscribers hear InvoiceVoided inside the transaction. Raises NotFound, and
    InvalidTransition (`not_voidable`) for whatever is no draft.
    """
    invoice = known_invoices.locked(invoice_id)
    invoice.status = states.move(status=invoice.status, verb=states.VOID_DRAFT)
    credit_note_writing.destroy_drafts(invoice=invoice)
    invoice.voided_at = invoice.updated_at = at
    invoice.save(update_fields=["status", "voided_at", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="void",
        instance=invoice,
        old={"status": states.DRAFT},
        new={"status": states.VOIDED},
        reason=reason,
    )
    events.publish(InvoiceVoided(invoice_id=invoice.pk))
    return invoice


@transaction.atomic
def void(*, invoice_id: int, actor: Actor, at: datetime) -> Invoice:
    """Refuse: an issued invoice stands, and a draft is deleted. Raises NotFound, else NotVoidable."""
    invoice = known_invoices.locked(invoice_id)
    raise states.InvalidTransition("not_voidable", f"Invoice {invoice} cannot be voided.")
