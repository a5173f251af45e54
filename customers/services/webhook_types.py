"""Which events of customers are told to webhook endpoints."""

from __future__ import annotations

from config.platform.services import outbox
from config.platform.services.outbox import EventType

_PAYLOADS = "customers.api.webhook_payloads"

CREATED = "customer.created"
UPDATED = "customer.updated"
DELETED = "customer.deleted"
VIES_CHECK = "customer.vies_check"

outbox.register(
    EventType(CREATED, "customer", f"{_PAYLOADS}.customers", "A customer was made."),
    EventType(
        UPDATED,
        "customer",
        f"{_PAYLOADS}.customers",
        "A customer was changed, or its taxes were decided anew. The currency that it takes from the first thing "
        "it buys is not told apart.",
    ),
    EventType(DELETED, "customer", f"{_PAYLOADS}.customers", "A customer was retired; its subscriptions ended before."),
    EventType(
        VIES_CHECK,
        "customer",
        f"{_PAYLOADS}.checked_customers",
        "The VAT number of a customer was checked; the payload has the answer as vies_check.",
    ),
)
