"""What an answer must hold, written as a table: field by field, its type. Owns the check; the tables are the tests'.

A table is ``{field: type}``. A type is a word ("uuid", "text", "decimal" for a decimal as text, "number", "integer",
"flag", "instant", "milliseconds", "day", "object", "list"), with a question mark where null is allowed; another table
for an object; a list of one type for a list of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Spec = Any

_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MILLISECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _text(pattern: re.Pattern[str] | None = None) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "text": _text(),
    "uuid": _text(_UUID),
    "decimal": _text(_DECIMAL),
    "instant": _text(_SECOND),
    "milliseconds": _text(_MILLISECOND),
    "day": _text(_DAY),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "flag": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "zero": lambda value: value == 0 and not isinstance(value, bool),
    "none": lambda value: value is None,
}


def wrong(found: Any, spec: Spec, path: str = "") -> list[str]:
    """Return what is missing or of another type, by its path; fields that the table does not name are no fault."""
    if isinstance(spec, dict):
        if not isinstance(found, dict):
            return [f"{path}: no object but {found!r}"]
        missing = [f"{path}.{name} is missing" for name in spec if name not in found]
        known = [name for name in spec if name in found]
        return missing + [fault for name in known for fault in wrong(found[name], spec[name], f"{path}.{name}")]
    if isinstance(spec, list):
        if not isinstance(found, list):
            return [f"{path}: no list but {found!r}"]
        if not found:
            return [f"{path}: empty, so nothing is shown"]
        return [fault for number, one in enumerate(found) for fault in wrong(one, spec[0], f"{path}.{number}")]
    name = spec.removesuffix("?")
    if found is None and name != spec:
        return []
    return [] if _TYPES[name](found) else [f"{path}: {found!r} is no {spec}"]


PAGE = {
    "current_page": "integer",
    "next_page": "integer?",
    "prev_page": "integer?",
    "total_pages": "integer",
    "total_count": "integer",
}

TAX = {
    "lago_id": "uuid",
    "name": "text",
    "code": "text",
    "rate": "number",
    "description": "text?",
    "applied_to_organization": "flag",
    "add_ons_count": "zero",
    "customers_count": "zero",
    "plans_count": "zero",
    "charges_count": "zero",
    "commitments_count": "zero",
    "created_at": "instant",
}

ADD_ON = {
    "lago_id": "uuid",
    "name": "text",
    "invoice_display_name": "text?",
    "code": "text",
    "amount_cents": "integer",
    "amount_currency": "text",
    "created_at": "instant",
    "description": "text?",
    "taxes": [TAX],
}

METRIC = {
    "lago_id": "uuid",
    "name": "text",
    "code": "text",
    "description": "text?",
    "aggregation_type": "text",
    "weighted_interval": "text?",
    "recurring": "flag",
    "rounding_function": "text?",
    "rounding_precision": "integer?",
    "created_at": "instant",
    "field_name": "text?",
    "expression": "text?",
    "active_subscriptions_count": "zero",
    "draft_invoices_count": "zero",
    "plans_count": "zero",
    "filters": [{"key": "text", "values": ["text"]}],
}

CHARGE_FILTER = {
    "lago_id": "uuid",
    "charge_code": "text",
    "invoice_display_name": "text?",
    "properties": "object",
    "values": {"region": ["text"]},
}

CHARGE = {
    "lago_id": "uuid",
    "lago_billable_metric_id": "uuid",
    "code": "text",
    "invoice_display_name": "text?",
    "billable_metric_code": "text",
    "created_at": "instant",
    "charge_model": "text",
    "invoiceable": "flag",
    "regroup_paid_fees": "text?",
    "pay_in_advance": "flag",
    "prorated": "flag",
    "min_amount_cents": "integer",
    "accepts_target_wallet": "flag",
    "properties": {"amount": "text", "grouped_by": ["text"], "pricing_group_keys": ["text"]},
    "applied_pricing_unit": {"conversion_rate": "decimal", "code": "text"},
    "lago_parent_id": "uuid?",
    "filters": [CHARGE_FILTER],
    "taxes": [TAX],
}

FIXED_CHARGE = {
    "lago_id": "uuid",
    "lago_add_on_id": "uuid",
    "code": "text",
    "invoice_display_name": "text",  # never null: official clients refuse it
    "add_on_code": "text",
    "created_at": "instant",
    "charge_model": "text",
    "pay_in_advance": "flag",
    "prorated": "flag",
    "properties": {"amount": "text"},
    "units": "decimal",
    "lago_parent_id": "uuid?",
    "taxes": [TAX],
}

APPLICABLE_THRESHOLD = {"threshold_display_name": "text?", "amount_cents": "integer", "recurring": "flag"}

THRESHOLD = {**APPLICABLE_THRESHOLD, "lago_id": "uuid", "created_at": "instant", "updated_at": "instant"}

MINIMUM_COMMITMENT = {
    "lago_id": "uuid",
    "plan_code": "text",
    "invoice_display_name": "text?",
    "amount_cents": "integer",
    "interval": "text",
    "created_at": "instant",
    "updated_at": "instant",
    "taxes": [TAX],
}

PRIVILEGE = {"code": "text", "name": "text?", "value_type": "text", "config": "object"}

FEATURE = {
    "code": "text",
    "name": "text?",
    "description": "text?",
    "privileges": [PRIVILEGE],
    "created_at": "instant",
}

PLAN_ENTITLEMENT = {
    "code": "text",
    "name": "text?",
    "description": "text?",
    "privileges": [{**PRIVILEGE, "value": "integer"}],
}

SUBSCRIPTION_ENTITLEMENT = {
    **PLAN_ENTITLEMENT,
    "privileges": [{**PRIVILEGE, "value": "integer", "plan_value": "integer?", "override_value": "integer?"}],
    "overrides": "object",
}

PLAN_IN_LISTS = {
    "lago_id": "uuid",
    "name": "text",
    "invoice_display_name": "text?",
    "created_at": "instant",
    "code": "text",
    "interval": "text",
    "description": "text?",
    "amount_cents": "integer",
    "amount_currency": "text",
    "trial_period": "number?",
    "pay_in_advance": "flag",
    "bill_charges_monthly": "flag?",
    "bill_fixed_charges_monthly": "flag?",
    "customers_count": "zero",
    "active_subscriptions_count": "zero",
    "draft_invoices_count": "zero",
    "parent_id": "uuid?",
    "pending_deletion": "flag",
    "charges": [CHARGE],
    "entitlements": [PLAN_ENTITLEMENT],
    "usage_thresholds": [THRESHOLD],
    "applicable_usage_thresholds": [APPLICABLE_THRESHOLD],
    "taxes": [TAX],
    "minimum_commitment": MINIMUM_COMMITMENT,
    "metadata": "object",
}

PLAN = {**PLAN_IN_LISTS, "fixed_charges": [FIXED_CHARGE]}

COUPON = {
    "lago_id": "uuid",
    "name": "text",
    "code": "text",
    "description": "text?",
    "coupon_type": "text",
    "amount_cents": "integer?",
    "amount_currency": "text?",
    "percentage_rate": "decimal?",
    "frequency": "text",
    "frequency_duration": "integer?",
    "reusable": "flag",
    "limited_plans": "flag",
    "limited_billable_metrics": "flag",
    "plan_codes": "list",
    "billable_metric_codes": "list",
    "created_at": "instant",
    "expiration": "text",
    "expiration_at": "instant?",
    "terminated_at": "instant?",
}

APPLIED_COUPON = {
    "lago_id": "uuid",
    "lago_coupon_id": "uuid",
    "coupon_code": "text",
    "coupon_name": "text",
    "coupon_description": "text?",
    "coupon_status": "text",
    "coupon_deleted_at": "instant?",
    "lago_customer_id": "uuid",
    "external_customer_id": "text",
    "status": "text",
    "amount_cents": "integer?",
    "amount_cents_remaining": "integer?",
    "amount_currency": "text?",
    "percentage_rate": "decimal?",
    "frequency": "text",
    "frequency_duration": "integer?",
    "frequency_duration_remaining": "integer?",
    "expiration_at": "instant?",
    "created_at": "instant",
    "terminated_at": "instant?",
}

CUSTOM_SECTION = {
    "lago_id": "uuid",
    "code": "text",
    "name": "text",
    "description": "text?",
    "details": "text?",
    "display_name": "text?",
    "organization_id": "uuid",
}

ADDRESS = {
    "address_line1": "text?",
    "address_line2": "text?",
    "city": "text?",
    "zipcode": "text?",
    "state": "text?",
    "country": "text?",
}

CUSTOMER_IN_LISTS = {
    "lago_id": "uuid",
    "billing_entity_code": "text",
    "external_id": "text",
    "account_type": "text",
    "name": "text?",
    "firstname": "text?",
    "lastname": "text?",
    "customer_type": "text?",
    "sequential_id": "integer",
    "slug": "text",
    "created_at": "instant",
    "updated_at": "instant",
    **ADDRESS,
    "email": "text?",
    "url": "text?",
    "phone": "text?",
    "logo_url": "text?",
    "legal_name": "text?",
    "legal_number": "text?",
    "currency": "text?",
    "tax_identification_number": "text?",
    "timezone": "text?",
    "applicable_timezone": "text",
    "net_payment_term": "integer?",
    "external_salesforce_id": "text?",
    "finalize_zero_amount_invoice": "text",
    "billing_configuration": {
        "invoice_grace_period": "integer?",
        "payment_provider": "text?",
        "payment_provider_code": "text?",
        "document_locale": "text?",
        "subscription_invoice_issuing_date_anchor": "text?",
        "subscription_invoice_issuing_date_adjustment": "text?",
    },
    "shipping_address": ADDRESS,
    "skip_invoice_custom_sections": "flag",
    "metadata": [
        {"lago_id": "uuid", "key": "text", "value": "text", "display_in_invoice": "flag", "created_at": "instant"}
    ],
    "taxes": [TAX],
    "integration_customers": "list",
}

CUSTOMER = {
    **CUSTOMER_IN_LISTS,
    "applicable_invoice_custom_sections": [CUSTOM_SECTION],
    "error_details": "list",
}

_SELLER = {
    "lago_id": "uuid",
    "name": "text",
    "default_currency": "text",
    "created_at": "instant",
    **ADDRESS,
    "email": "text?",
    "legal_name": "text?",
    "legal_number": "text?",
    "timezone": "text",
    "net_payment_term": "integer",
    "email_settings": "list",
    "document_numbering": "text",
    "document_number_prefix": "text",
    "tax_identification_number": "text?",
    "finalize_zero_amount_invoice": "flag",
}

ENTITY_IN_LISTS = {
    **_SELLER,
    "code": "text",
    "updated_at": "instant",
    "phone": "text?",
    "einvoicing": "flag",
    "invoice_footer": "text?",
    "invoice_grace_period": "integer",
    "subscription_invoice_issuing_date_adjustment": "text",
    "subscription_invoice_issuing_date_anchor": "text",
    "document_locale": "text",
    "is_default": "flag",
    "eu_tax_management": "flag",
    "logo_url": "text?",
}

ENTITY = {**ENTITY_IN_LISTS, "taxes": [TAX], "selected_invoice_custom_sections": [CUSTOM_SECTION]}

ORGANIZATION = {
    **_SELLER,
    "slug": "text?",
    "webhook_url": "text",
    "webhook_urls": "list",
    "billing_configuration": {
        "invoice_footer": "text?",
        "invoice_grace_period": "integer",
        "document_locale": "text",
    },
    "events_store": "text",
    "taxes": [TAX],
}
