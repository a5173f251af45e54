"""What other apps may ask of invoices: draft, compute anew, finalize, void. The work is done in the modules named here.

Payments, the ledger and documents have modules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from config.kernel.actors import Actor
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices
from invoicing.services import announcements, drafting, finalization, metadata, payments, refreshing, voiding
from invoicing.services.drafting import Drafted
from invoicing.services.finalization import Finalized
from invoicing.services.metadata import Note

draft_many = drafting.draft_many
recompute = drafting.recompute
refresh = refreshing.refresh
finalize = finalization.finalize
finalize_many = finalization.finalize_many
finalize_due = finalization.finalize_due
tell_drafted = announcements.drafted
void_draft = voiding.void_draft
void = voiding.void

__all__ = [
    "Drafted",
    "Finalized",
    "draft_many",
    "finalize",
    "finalize_due",
    "finalize_many",
    "recompute",
    "refresh",
    "tell_drafted",
    "update",
    "void",
    "void_draft",
]


@transaction.atomic
def update(
    *,
    invoice_id: int,
    actor: Actor,
    at: datetime,
    payment_status: str | None = None,
    notes: Sequence[Note] | None = None,
) -> Invoice:
    """Set the payment status of an issued invoice by hand, its notes, or both; None leaves as it is. All or nothing.

    See `payments.declare` and `metadata.replace`, also for what they raise.
    """
    if payment_status is not None:
        payments.declare(invoice_id=invoice_id, payment_status=payment_status, actor=actor, at=at)
    if notes is not None:
        metadata.replace(invoice_id=invoice_id, notes=notes, actor=actor, at=at)
    return known_invoices.locked(invoice_id)
