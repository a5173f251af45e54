"""Examples of the main requests, one story: a metric, a plan that prices it, a customer, its subscription, an event, a
one-off invoice and its payment. Owns the examples; each is a body that this API takes.
"""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "createBillableMetric": {
        "billable_metric": {
            "name": "API calls",
            "code": "api_calls",
            "aggregation_type": "count_agg",
            "recurring": False,
        }
    },
    "createPlan": {
        "plan": {
            "name": "Team",
            "code": "team",
            "interval": "monthly",
            "amount_cents": 4900,
            "amount_currency": "EUR",
            "pay_in_advance": True,
            "charges": [
                {
                    "billable_metric_id": "1a901a90-1a90-1a90-1a90-1a901a901a90",
                    "charge_model": "standard",
                    "properties": {"amount": "0.02"},
                }
            ],
        }
    },
    "createCustomer": {
        "customer": {
            "external_id": "acme",
            "name": "Acme GmbH",
            "email": "billing@acme.example",
            "country": "DE",
            "city": "Berlin",
            "zipcode": "10115",
            "address_line1": "Chausseestr. 1",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "net_payment_term": 14,
        }
    },
    "createSubscription": {
        "subscription": {
            "external_customer_id": "acme",
            "plan_code": "team",
            "external_id": "acme-team",
            "billing_time": "calendar",
            "subscription_at": "2026-05-01T00:00:00Z",
        }
    },
    "createEvent": {
        "event": {
            "transaction_id": "call-000001",
            "external_subscription_id": "acme-team",
            "code": "api_calls",
            "timestamp": 1777627800,
            "properties": {"region": "eu"},
        }
    },
    "createBatchEvents": {
        "events": [
            {"transaction_id": "call-000002", "external_subscription_id": "acme-team", "code": "api_calls"},
            {"transaction_id": "call-000003", "external_subscription_id": "acme-team", "code": "api_calls"},
        ]
    },
    "createInvoice": {
        "invoice": {
            "external_customer_id": "acme",
            "currency": "EUR",
            "fees": [{"add_on_code": "setup", "units": 1, "unit_amount_cents": 25000, "description": "Set-up"}],
        }
    },
    "createPayment": {
        "payment": {
            "invoice_id": "1a901a90-1a90-1a90-1a90-1a901a901a90",
            "amount_cents": 5831,
            "reference": "transfer 4711",
            "paid_at": "2026-05-04T09:30:00Z",
        }
    },
}
"""Bodies by operation id."""


def put(result: dict[str, Any]) -> None:
    """Put the examples where their operations are described, in place."""
    for methods in result["paths"].values():
        for operation in methods.values():
            found = EXAMPLES.get(operation["operationId"])
            if found and "requestBody" in operation:
                operation["requestBody"]["content"]["application/json"]["examples"] = {"example": {"value": found}}
