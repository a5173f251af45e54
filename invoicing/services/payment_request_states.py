"""The payment status of payment requests follows that of their invoices. Owns nothing else: whoever changes what is
due of an invoice calls this inside its transaction, with the invoice locked and saved.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import PaymentRequest
from invoicing.queries import payment_requests as known
from invoicing.services import payment_announcements


def follow(*, invoice_ids: Collection[int], actor: Actor, at: datetime) -> list[PaymentRequest]:
    """Set the payment status of the requests that ask for invoices; return those that changed. Idempotent.

    One query where nobody asked for them. Requests are locked after invoices, in the order of their keys.
    """
    changed = []
    for pk in known.requests_of(invoice_ids):
        request = known.locked(pk)
        before, status = request.payment_status, known.state_of(request)
        if status == before:
            continue
        request.payment_status = PaymentRequest.PaymentStatus(status)
        request.paid_at = at if status == PaymentRequest.PaymentStatus.SUCCEEDED else None
        request.updated_at = at
        request.save(update_fields=["payment_status", "paid_at", "updated_at"])
        audit.record(
            actor=actor,
            at=at,
            verb="set_payment_status",
            instance=request,
            old={"payment_status": before},
            new={"payment_status": status},
        )
        changed.append(request)
    payment_announcements.followed(requests=changed, at=at)
    return changed
