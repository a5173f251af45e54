"""Drafts follow the terms of their customer and seller. Owns asking for it, and the end of those whose grace is over.

How a draft is dated is invoicing's.
"""

from __future__ import annotations

from django.db import transaction

from config.kernel import jobs
from customers.domain.facts import TermsChanged
from invoicing.services import terms


@transaction.atomic
def follow(*, changed: TermsChanged) -> int:
    """Date drafts anew by changed terms; those whose grace is over by them are finalized once that is committed.

    A message that is lost costs time only: the periodic job finalizes them too. Returns how many drafts moved.
    Idempotent.
    """
    moved = terms.redate(
        customer_id=changed.customer_id,
        billing_entity_id=changed.billing_entity_id,
        takes_term=changed.takes_term,
        actor=changed.actor,
        at=changed.at,
    )
    if any(draft.finalize_after <= changed.at for draft in moved):
        jobs.enqueue("billing.tasks.finalize_drafts")
    return len(moved)
