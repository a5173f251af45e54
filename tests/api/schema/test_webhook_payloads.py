"""What webhooks say is as described: a company is made with an endpoint that is told everything."""

from __future__ import annotations

import json

import pytest

from config.platform.models import WebhookEvent
from tests.api.schema import filled
from tests.factories import described, webhooks
from tests.factories.platform import ApiClient


@pytest.mark.django_db
def test_payloads_are_as_described() -> None:
    webhooks.make_endpoint()
    filled.company(ApiClient())
    events = list(WebhookEvent.objects.order_by("pk"))
    wrong = [
        f"{event.event_type}: {problem}"
        for event in events
        for problem in described.payload_problems(event.event_type, json.loads(event.body))
    ]
    assert not wrong, "\n".join(wrong)
    told = {event.event_type for event in events}
    assert {"customer.created", "plan.created", "subscription.started", "invoice.one_off_created"} <= told
    assert {"wallet.created", "wallet_transaction.created", "payment.succeeded", "credit_note.created"} <= told
