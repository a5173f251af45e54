"""An endpoint that is told of everything, and readers of what it is told. Deterministic and plain."""

from __future__ import annotations

import json
from typing import Any

from config.platform.models import WebhookEvent
from tests.factories import invoicing as make
from tests.factories import webhooks

_KEYS = {
    "invoice": ("number", "status", "payment_status"),
    "payment_dispute_lost": (),
    "credit_note": ("number", "credit_status"),
    "wallet": ("code", "status"),
    "wallet_transaction": ("transaction_status", "status", "credit_amount"),
    "payment": ("amount_cents",),
    "payment_receipt": ("number",),
    "tax_provider_customer_error": ("external_customer_id", "tax_provider_code"),
}


class Told:
    """What the endpoint was told, in order, from the moment at which this is made."""

    def __init__(self) -> None:
        webhooks.make_endpoint(at=make.AT)
        self._last = 0
        self.bodies()

    def bodies(self) -> list[dict[str, Any]]:
        """Return what was told since it was asked last."""
        rows = list(WebhookEvent.objects.filter(pk__gt=self._last).order_by("pk"))
        self._last = rows[-1].pk if rows else self._last
        return [json.loads(row.body) for row in rows]

    def events(self) -> list[tuple[Any, ...]]:
        """Return what was told since it was asked last: the kind of each event, and what tells its object apart."""
        return [
            (
                body["webhook_type"],
                *(body[body["object_type"]][key] for key in _KEYS.get(body["object_type"], ("lago_id",))),
            )
            for body in self.bodies()
        ]
