"""Bringing drafts up to date. Owns asking for it: what is charged is computed by whoever asked for the draft. They
listen to `DraftsOutdated` and replace the lines through `drafting.recompute`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from config.kernel import events
from config.kernel.actors import Actor
from invoicing.domain.facts import DraftsOutdated
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices


@transaction.atomic
def refresh(*, invoice_id: int, actor: Actor, at: datetime) -> Invoice:
    """Compute a draft anew, by the events, prices and taxes of now; its dates stay. Idempotent.

    An invoice that is no draft any more is left as it is. Raises InvoiceNotFound, and what computing raises.
    """
    invoice = known_invoices.locked(invoice_id)
    return refreshed(drafts=[invoice], actor=actor, at=at)[0]


def refreshed(*, drafts: Sequence[Invoice], actor: Actor, at: datetime) -> list[Invoice]:
    """Compute locked drafts anew and return them, in their order, as they are then.

    Those that were computed at this very instant are left alone, and so is what is no draft.
    """
    outdated = [row.pk for row in drafts if row.status == Invoice.Status.DRAFT and row.updated_at != at]
    if not outdated:
        return list(drafts)
    events.publish(DraftsOutdated(invoice_ids=tuple(outdated), actor=actor, at=at))
    fresh = Invoice.objects.in_bulk(outdated)
    return [fresh.get(row.pk, row) for row in drafts]
