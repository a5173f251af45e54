"""What happened to receipts and payment requests, told to webhooks: which kinds of events there are, and telling them.

Called at the end of the service that made it true, inside its transaction. What the events say is
`invoicing.api.payment_payloads`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from config.platform.services import outbox
from config.platform.services.outbox import EventType
from invoicing.models import PaymentReceipt, PaymentRequest

RECEIPT_CREATED = "payment_receipt.created"
RECEIPT_GENERATED = "payment_receipt.generated"
REQUEST_CREATED = "payment_request.created"
REQUEST_UPDATED = "payment_request.payment_status_updated"

_RECEIPTS = "invoicing.api.payment_payloads.payment_receipts"
_REQUESTS = "invoicing.api.payment_payloads.payment_requests"

outbox.register(
    EventType(RECEIPT_CREATED, "payment_receipt", _RECEIPTS, "A payment was received, and has its receipt."),
    EventType(RECEIPT_GENERATED, "payment_receipt", _RECEIPTS, "The PDF of a receipt is there: see its file_url."),
    EventType(REQUEST_CREATED, "payment_request", _REQUESTS, "A customer was asked for overdue invoices together."),
    EventType(
        REQUEST_UPDATED,
        "payment_request",
        _REQUESTS,
        "Nothing of the invoices of a payment request is due any more, or something is due again.",
    ),
)


def receipted(*, receipt: PaymentReceipt, at: datetime) -> None:
    """Tell that a payment has its receipt."""
    outbox.record(RECEIPT_CREATED, [receipt], at=at)


def rendered(*, receipt: PaymentReceipt, at: datetime) -> None:
    """Tell that the document of a receipt was made."""
    outbox.record(RECEIPT_GENERATED, [receipt], at=at)


def asked(*, request: PaymentRequest, at: datetime) -> None:
    """Tell that a customer was asked for overdue invoices."""
    outbox.record(REQUEST_CREATED, [request], at=at)


def followed(*, requests: Sequence[PaymentRequest], at: datetime) -> None:
    """Tell that the payment status of payment requests changed."""
    outbox.record(REQUEST_UPDATED, requests, at=at)
