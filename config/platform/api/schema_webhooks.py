"""The webhooks in the description of the API. Owns the envelope and its headers, and which shape the payload of an
object has: that of the answer to a GET where there is one. Which events exist is the outbox's register.
"""

from __future__ import annotations

import copy
from typing import Any

from config.platform.api import schema_words
from config.platform.services import outbox

SCHEMAS = "#/components/schemas/"

_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_ID: dict[str, Any] = {"type": "string", "format": "uuid"}
_MAYBE_ID: dict[str, Any] = {"type": ["string", "null"], "format": "uuid"}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
_DECIMAL: dict[str, Any] = {"type": "string", "format": "decimal"}
_CODES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_ANYTHING: dict[str, Any] = {"description": "What the other side said."}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


COMPONENTS: dict[str, str] = {
    "approval": "ApprovalAnswer",
    "billable_metric": "MetricAnswer",
    "contract": "ContractAnswer",
    "quote": "QuoteAnswer",
    "order_form": "OrderFormAnswer",
    "rehearsal": "RehearsalAnswer",
    "order": "OrderAnswer",
    "credit_note": "CreditNoteShape",
    "customer": "CustomerDetailAnswer",
    "feature": "FeatureAnswer",
    "fee": "Fee",
    "invoice": "ListedInvoice",
    "payment": "PaymentShape",
    "payment_receipt": "ReceiptShape",
    "payment_request": "PaymentRequestShape",
    "plan": "PlanAnswer",
    "subscription": "SubscriptionAnswer",
    "wallet": "WalletShape",
    "wallet_transaction": "TransactionShape",
}
"""Object types whose payload is a component, with further fields beside it where the event has more to tell."""

_INLINE: dict[str, dict[str, Any]] = {
    "triggered_alert": _object(
        lago_id=_ID,
        lago_organization_id=_ID,
        lago_alert_id=_ID,
        lago_subscription_id=_MAYBE_ID,
        external_subscription_id=_MAYBE,
        lago_wallet_id=_MAYBE_ID,
        wallet_code=_MAYBE,
        external_customer_id=_TEXT,
        billable_metric_code=_MAYBE,
        alert_name=_MAYBE,
        alert_code=_TEXT,
        alert_type=_TEXT,
        current_value={**_DECIMAL, "description": "What was measured, a decimal as text."},
        previous_value=_DECIMAL,
        crossed_thresholds={
            "type": "array",
            "description": "The thresholds that were passed.",
            "items": _object(code=_MAYBE, value=_DECIMAL, recurring={"type": "boolean"}),
        },
        triggered_at={**_INSTANT, "description": "When it was passed."},
    ),
    "event_error": _object(
        status={"type": "integer", "description": "Always 422."},
        error=_TEXT,
        message=_TEXT,
        event={"$ref": f"{SCHEMAS}EventAnswer", "description": "The event."},
    ),
    "events_errors": {
        "type": "object",
        "description": "Transaction ids by reason.",
        "additionalProperties": {"type": "array"},
    },
    "payment_dispute_lost": _object(
        invoice={"$ref": f"{SCHEMAS}ListedInvoice", "description": "The invoice."}, provider_error=_ANYTHING
    ),
    "tax_provider_customer_error": _object(
        lago_customer_id=_ID,
        external_customer_id=_TEXT,
        tax_provider={**_TEXT, "description": "Kind of the tax engine."},
    ),
    "tax_provider_fee_error": _object(
        lago_fee_id=_ID,
        lago_charge_id=_MAYBE_ID,
        lago_customer_id=_ID,
        external_customer_id=_TEXT,
        event_transaction_id=_MAYBE,
    ),
    "dunning_campaign": _object(external_customer_id=_TEXT),
    "provider_error": {"type": "object", "description": "What a system behind the installation said."},
}

_HEADERS = {
    "X-Lago-Signature": "Signature of the body: check it before you read the body.",
    "X-Lago-Signature-Algorithm": "How it is signed: `jwt` or `hmac`, as the endpoint is set.",
    "X-Lago-Unique-Key": "The same for each attempt of one event: what you have seen already, you can leave.",
}


def described(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the webhooks section: one for each kind of event, in the order of names.

    ``schemas`` are the components that payloads may name. One without a shape of its own is described as an object.
    """
    return {name: {"post": _webhook(kind, schemas)} for name, kind in outbox.event_types().items()}


def shapeless(schemas: dict[str, Any]) -> list[str]:
    """Return the kinds of events whose payload nobody described."""
    kinds = outbox.event_types().values()
    return [
        one.name for one in kinds if COMPONENTS.get(one.object_type) not in schemas and one.object_type not in _INLINE
    ]


def _webhook(kind: outbox.EventType, schemas: dict[str, Any]) -> dict[str, Any]:
    words = kind.name.replace(".", "_").split("_")
    envelope = {
        "type": "object",
        "properties": {
            "webhook_type": {"type": "string", "const": kind.name, "description": "Kind of the event."},
            "object_type": {"type": "string", "const": kind.object_type, "description": "What the event is about."},
            "organization_id": {**_ID, "description": "Id of the installation (UUID)."},
            kind.object_type: {**_payload(kind, schemas), "description": "How it was when it happened."},
        },
        "required": ["webhook_type", "object_type", "organization_id", kind.object_type],
    }
    first = kind.description.split(": ")[0].split("; ")[0].split(". ")[0]
    return {
        "operationId": "on" + "".join(word.capitalize() for word in words),
        "summary": first.rstrip("."),
        "description": kind.description,
        "tags": ["Webhooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": envelope}}},
        "responses": {"2XX": {"description": "Any of these says that you have it; all else is sent again."}},
    }


def _payload(kind: outbox.EventType, schemas: dict[str, Any]) -> dict[str, Any]:
    component = COMPONENTS.get(kind.object_type)
    if component in schemas:
        return {"$ref": SCHEMAS + component}
    shape = copy.deepcopy(_INLINE.get(kind.object_type, {"type": "object"}))
    schema_words.describe(kind.object_type, shape)
    return shape
