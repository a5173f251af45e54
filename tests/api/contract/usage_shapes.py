"""The tables of answers about what was bought and used: subscriptions, alerts, events, usage."""

from __future__ import annotations

from tests.api.contract import shapes

SUBSCRIPTION_BY_ITSELF = {
    "lago_id": "uuid",
    "external_id": "text",
    "lago_customer_id": "uuid",
    "external_customer_id": "text",
    "billing_entity_code": "text",
    "name": "text?",
    "plan_code": "text",
    "plan_amount_cents": "integer",
    "plan_amount_currency": "text",
    "status": "text",
    "billing_time": "text",
    "subscription_at": "instant",
    "started_at": "milliseconds?",
    "trial_ended_at": "instant?",
    "ending_at": "instant?",
    "terminated_at": "instant?",
    "canceled_at": "instant?",
    "created_at": "instant",
    "previous_plan_code": "text?",
    "next_plan_code": "text?",
    "downgrade_plan_date": "day?",
    "current_billing_period_started_at": "instant?",
    "current_billing_period_ending_at": "instant?",
    "on_termination_credit_note": "text?",
    "on_termination_invoice": "text",
    "progressive_billing_disabled": "flag",
    "consolidate_invoice": "flag",
    "purchase_order_number": "text?",
    "cancellation_reason": "text?",
    "activated_at": "instant?",
    "payment_method": {"payment_method_id": "uuid?", "payment_method_type": "text"},
    "activation_rules": "list",
}

SUBSCRIPTION = {
    **SUBSCRIPTION_BY_ITSELF,
    "plan": shapes.PLAN,
    "entitlements": [shapes.SUBSCRIPTION_ENTITLEMENT],
    "usage_thresholds": "list",
    "applicable_usage_thresholds": [shapes.APPLICABLE_THRESHOLD],
    "applied_invoice_custom_sections": [
        {
            "lago_id": "uuid",
            "invoice_custom_section_id": "uuid",
            "created_at": "instant",
            "invoice_custom_section": shapes.CUSTOM_SECTION,
        }
    ],
}

LIFETIME_USAGE = {
    "lago_id": "uuid",
    "lago_subscription_id": "uuid",
    "external_subscription_id": "text",
    "external_historical_usage_amount_cents": "integer",
    "invoiced_usage_amount_cents": "integer",
    "current_usage_amount_cents": "integer",
    "from_datetime": "instant",
    "to_datetime": "instant",
    "usage_thresholds": [{"amount_cents": "integer", "completion_ratio": "number", "reached_at": "instant?"}],
}

ALERT = {
    "lago_id": "uuid",
    "lago_organization_id": "uuid",
    "subscription_external_id": "text?",
    "external_subscription_id": "text?",
    "lago_wallet_id": "uuid?",
    "wallet_code": "text?",
    "alert_type": "text",
    "code": "text",
    "name": "text?",
    "direction": "text",
    "previous_value": "decimal",
    "last_processed_at": "instant?",
    "thresholds": [{"code": "text?", "value": "decimal", "recurring": "flag"}],
    "created_at": "instant",
    "billable_metric": shapes.METRIC,
}

EVENT = {
    "lago_id": "uuid",
    "transaction_id": "text",
    "lago_customer_id": "uuid?",
    "code": "text",
    "timestamp": "milliseconds",
    "precise_total_amount_cents": "text?",
    "properties": "object",
    "lago_subscription_id": "uuid?",
    "external_subscription_id": "text",
    "created_at": "instant?",
}

EVENT_ENRICHED = {
    "transaction_id": "text",
    "external_subscription_id": "text",
    "code": "text",
    "timestamp": "milliseconds",
    "enriched_at": "milliseconds?",
    "value": "text?",
    "decimal_value": "decimal",
    "precise_total_amount_cents": "text?",
    "properties": "object",
}

_UNIT = {"amount_cents": "integer", "short_name": "text", "conversion_rate": "decimal"}

_PART = {
    "units": "decimal",
    "total_aggregated_units": "decimal",
    "events_count": "integer",
    "amount_cents": "integer",
    "pricing_unit_details": _UNIT,
    "presentation_breakdowns": "list",
}

_FILTER = {**_PART, "invoice_display_name": "text?", "values": "object?"}

CHARGE_USAGE = {
    **_PART,
    "amount_currency": "text",
    "charge": {"lago_id": "uuid", "code": "text", "charge_model": "text", "invoice_display_name": "text?"},
    "billable_metric": {"lago_id": "uuid", "name": "text", "code": "text", "aggregation_type": "text"},
    "filters": [_FILTER],
    "grouped_usage": [{**_PART, "grouped_by": "object", "filters": [_FILTER]}],
}

USAGE = {
    "from_datetime": "instant",
    "to_datetime": "instant",
    "issuing_date": "day",
    "currency": "text",
    "amount_cents": "integer",
    "total_amount_cents": "integer",
    "taxes_amount_cents": "integer",
    "lago_invoice_id": "none",
    "charges_usage": [CHARGE_USAGE],
}

_PROJECTED = {
    "projected_units": "decimal",
    "projected_amount_cents": "integer",
    "projected_presentation_breakdowns": "list",
}

PROJECTED_FILTER = {**_FILTER, **_PROJECTED, "values": "object"}

PROJECTED_USAGE = {
    **{name: spec for name, spec in USAGE.items() if name != "charges_usage"},
    "projected_amount_cents": "integer",
    "charges_usage": [
        {
            **CHARGE_USAGE,
            **_PROJECTED,
            "filters": [PROJECTED_FILTER],
            "grouped_usage": [{**_PART, **_PROJECTED, "grouped_by": "object", "filters": [PROJECTED_FILTER]}],
        }
    ],
}
