"""What webhooks say of receipts and payment requests: the very shapes that the API answers with, in a bounded number
of queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invoicing.api import payment_request_shapes, payment_shapes
from invoicing.models import PaymentReceipt, PaymentRequest
from invoicing.queries import payment_receipts as known_receipts
from invoicing.queries import payment_requests as known_requests


def payment_receipts(instances: Sequence[PaymentReceipt]) -> list[Mapping[str, Any]]:
    """Return receipts with their payments, in the order given."""
    found = {row.pk: row for row in known_receipts.search().filter(pk__in=[one.pk for one in instances])}
    return list(payment_shapes.receipts([found[one.pk] for one in instances]))


def payment_requests(instances: Sequence[PaymentRequest]) -> list[Mapping[str, Any]]:
    """Return payment requests with their customers and invoices, in the order given."""
    found = {row.pk: row for row in known_requests.search().filter(pk__in=[one.pk for one in instances])}
    return list(payment_request_shapes.listed([found[one.pk] for one in instances]))
