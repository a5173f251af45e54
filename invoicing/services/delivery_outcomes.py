"""Writing down how an attempt to deliver an e-mail ended, whatever kind of delivery it is:
of documents, or of what upper apps send.

Owns the two endings; claiming a delivery and sending it is the kinds' own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel import db
from invoicing.domain import delivery_retries


@transaction.atomic
def succeeded(*, claimed: Any, subject: str, at: datetime) -> Any:
    """Note that a delivery was sent, and return it. Doing it again changes nothing but the instant."""
    delivery = _locked(claimed)
    delivery.state = delivery.State.SENT
    delivery.subject = subject
    delivery.sent_at = at
    delivery.error = ""
    delivery.save(update_fields=["state", "subject", "sent_at", "error"])
    return delivery


@transaction.atomic
def failed(*, claimed: Any, problem: str, at: datetime) -> Any:
    """Note why a delivery failed, and when it is tried again, if it is; return it.

    One that was sent, or claimed by another attempt, in the meantime stays as it is.
    """
    delivery = _locked(claimed)
    if delivery.state == delivery.State.PENDING and delivery.attempts == claimed.attempts:
        again = delivery_retries.next_attempt_at(attempts=delivery.attempts, at=at)
        delivery.error = problem
        if again is None:
            delivery.state = delivery.State.FAILED
        else:
            delivery.next_attempt_at = again
        delivery.save(update_fields=["state", "error", "next_attempt_at"])
    return delivery


def _locked(claimed: Any) -> Any:
    return db.lock_one(type(claimed)._default_manager.filter(pk=claimed.pk))
