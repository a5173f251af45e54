"""A small company, set up through the API, in which every kind of object has everything that it can have."""

from __future__ import annotations

from typing import Any

from tests.factories.platform import ApiClient

TAX = {"name": "VAT", "code": "vat", "rate": "19.0", "description": "d", "applied_to_organization": True}
METRIC = {
    "name": "Requests",
    "code": "requests",
    "description": "d",
    "aggregation_type": "sum_agg",
    "field_name": "units",
    "recurring": False,
    "rounding_function": "ceil",
    "rounding_precision": 2,
    "filters": [{"key": "region", "values": ["us", "eu"]}],
}
ADD_ON = {
    "name": "Seat",
    "code": "seat",
    "amount_cents": 1000,
    "amount_currency": "EUR",
    "description": "d",
    "invoice_display_name": "Seats",
    "tax_codes": ["vat"],
}
FEATURE = {
    "code": "seats",
    "name": "Seats",
    "description": "d",
    "privileges": [{"code": "max", "name": "Maximum", "value_type": "integer"}],
}
COUPON = {
    "name": "Ten",
    "code": "ten",
    "description": "d",
    "coupon_type": "percentage",
    "percentage_rate": "10.0",
    "frequency": "recurring",
    "frequency_duration": 3,
    "expiration": "time_limit",
    "expiration_at": "2199-01-01T00:00:00Z",
    "reusable": True,
    "applies_to": {"plan_codes": ["pro"]},
}
SECTION = {"code": "thanks", "name": "Thanks", "description": "d", "display_name": "Thanks", "details": "So long."}
CUSTOMER = {
    "external_id": "acme",
    "account_type": "customer",
    "customer_type": "company",
    "name": "Acme",
    "firstname": "Ada",
    "lastname": "L",
    "country": "DE",
    "city": "Berlin",
    "zipcode": "10115",
    "state": "BE",
    "address_line1": "A 1",
    "address_line2": "B",
    "email": "a@example.com",
    "phone": "1",
    "url": "https://example.com",
    "logo_url": "https://example.com/logo.png",
    "legal_name": "Acme GmbH",
    "legal_number": "HRB 1",
    "tax_identification_number": "DE123456789",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "net_payment_term": 14,
    "external_salesforce_id": "sf",
    "finalize_zero_amount_invoice": None,
    "billing_configuration": {
        "invoice_grace_period": 3,
        "document_locale": "de",
        "sync": True,
        "sync_with_provider": True,
        "subscription_invoice_issuing_date_anchor": "next_period_start",
        "subscription_invoice_issuing_date_adjustment": "align_with_finalization_date",
    },
    "shipping_address": {"country": "DE", "city": "Bonn"},
    "metadata": [{"key": "tier", "value": "gold", "display_in_invoice": True}],
    "tax_codes": ["vat"],
    "invoice_custom_section_codes": ["thanks"],
    "integration_customers": [],
    "no_such_field": {"is": "dropped"},
}


def charge(metric_id: str, unit_code: str) -> dict[str, Any]:
    """Return a charge with filter, group, tax and pricing unit."""
    return {
        "billable_metric_id": metric_id,
        "code": "requests",
        "charge_model": "standard",
        "invoice_display_name": "Requests",
        "properties": {"amount": "1", "pricing_group_keys": ["cloud"]},
        "filters": [
            {"invoice_display_name": "EU", "properties": {"amount": "2"}, "values": {"region": ["eu"]}},
        ],
        "tax_codes": ["vat"],
        "applied_pricing_unit": {"code": unit_code, "conversion_rate": "0.5"},
    }


def plan(metric_id: str, unit_code: str) -> dict[str, Any]:
    """Return a plan with everything."""
    return {
        "name": "Pro",
        "code": "pro",
        "interval": "monthly",
        "description": "d",
        "invoice_display_name": "Pro plan",
        "amount_cents": 4900,
        "amount_currency": "EUR",
        "trial_period": 3.5,
        "pay_in_advance": False,
        "tax_codes": ["vat"],
        "minimum_commitment": {"amount_cents": 10000, "invoice_display_name": "Minimum", "tax_codes": ["vat"]},
        "charges": [charge(metric_id, unit_code)],
        "fixed_charges": [
            {
                "add_on_code": "seat",
                "charge_model": "standard",
                "units": 2,
                "properties": {"amount": "5"},
                "tax_codes": ["vat"],
            }
        ],
        "usage_thresholds": [{"amount_cents": 50000, "threshold_display_name": "Half", "recurring": False}],
        "metadata": {"team": "growth"},
    }


def made(api: ApiClient, path: str, root: str, content: Any) -> dict[str, Any]:
    """POST an object and return it."""
    response = api.call("post", path, {root: content})
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()[root]
    return found


def tell(api: ApiClient) -> dict[str, Any]:
    """Set the company up and return what each creation answered, by root key."""
    unit = {"name": "Credits", "code": "credits", "short_name": "CR"}
    found = {"tax": made(api, "taxes", "tax", TAX)}
    found["pricing_unit"] = made(api, "pricing_units", "pricing_unit", unit)
    found["billable_metric"] = made(api, "billable_metrics", "billable_metric", METRIC)
    found["add_on"] = made(api, "add_ons", "add_on", ADD_ON)
    found["feature"] = made(api, "features", "feature", FEATURE)
    found["invoice_custom_section"] = made(api, "invoice_custom_sections", "invoice_custom_section", SECTION)
    found["plan"] = made(api, "plans", "plan", plan(found["billable_metric"]["lago_id"], "credits"))
    entitled = api.call("post", "plans/pro/entitlements", {"entitlements": {"seats": {"max": 10}}})
    found["entitlements"] = entitled.json()["entitlements"]
    found["coupon"] = made(api, "coupons", "coupon", COUPON)
    found["customer"] = made(api, "customers", "customer", CUSTOMER)
    return found
