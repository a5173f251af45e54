"""A company as Lago's API shows it: everything that is brought over, one of each at least, as of 12 May 2026."""

from __future__ import annotations

from typing import Any

AT = "2026-05-12T10:00:00Z"
MADE = "2025-01-07T09:00:00Z"


def uid(number: int) -> str:
    """Return the n-th public id."""
    return f"1a901a90-1a90-4a90-8a90-{number:012d}"


VAT = {
    "lago_id": uid(1), "name": "VAT", "code": "vat_19", "rate": 19.0, "description": None,
    "applied_to_organization": True, "add_ons_count": 0, "customers_count": 3, "plans_count": 0, "charges_count": 0,
    "commitments_count": 0, "created_at": MADE,
}  # fmt: skip
ENTITY = {
    "lago_id": uid(2), "code": "hooli", "name": "Hooli", "default_currency": "EUR", "created_at": MADE,
    "updated_at": MADE, "country": "DE", "address_line1": "Hauptstr. 1", "address_line2": None, "phone": None,
    "city": "Berlin", "state": None, "zipcode": "10115", "einvoicing": False, "email": "billing@hooli.example",
    "legal_name": "Hooli GmbH", "legal_number": None, "timezone": "UTC", "net_payment_term": 14,
    "email_settings": [], "document_numbering": "per_billing_entity", "document_number_prefix": "HOO-1A90",
    "tax_identification_number": None, "finalize_zero_amount_invoice": True, "invoice_footer": "Thank you",
    "invoice_grace_period": 0, "subscription_invoice_issuing_date_adjustment": "align_with_finalization_date",
    "subscription_invoice_issuing_date_anchor": "next_period_start", "document_locale": "en", "is_default": True,
    "eu_tax_management": False, "logo_url": None,
}  # fmt: skip
ORGANIZATION = {"lago_id": uid(3), "name": "Hooli", "created_at": MADE, "webhook_url": "", "webhook_urls": []}
SEAT = {
    "lago_id": uid(4), "name": "Seat", "invoice_display_name": None, "code": "seat", "amount_cents": 1000,
    "amount_currency": "EUR", "created_at": MADE, "description": None, "taxes": [],
}  # fmt: skip
CALLS = {
    "lago_id": uid(5), "name": "Calls", "code": "calls", "description": None, "aggregation_type": "sum_agg",
    "weighted_interval": None, "recurring": False, "rounding_function": "ceil", "rounding_precision": 0,
    "created_at": MADE, "field_name": "n", "expression": None,
    "filters": [{"key": "region", "values": ["eu", "us"]}], "shiny_new_field": {"a": 1},
}  # fmt: skip
SMS = {**CALLS, "lago_id": uid(6), "code": "sms", "name": "SMS", "rounding_function": None, "filters": [],
       "rounding_precision": None, "aggregation_type": "count_agg", "field_name": None}  # fmt: skip
FEATURE = {
    "code": "seats", "name": "Seats", "description": None, "created_at": MADE,
    "privileges": [{"code": "max", "name": "Maximum", "value_type": "integer", "config": {}}],
}  # fmt: skip


def charge(number: int, **other: Any) -> dict[str, Any]:
    """Return a charge."""
    return {
        "lago_id": uid(number), "lago_billable_metric_id": uid(5), "code": "calls", "invoice_display_name": None,
        "billable_metric_code": "calls", "created_at": MADE, "charge_model": "standard", "invoiceable": True,
        "regroup_paid_fees": None, "pay_in_advance": False, "prorated": False, "min_amount_cents": 0,
        "accepts_target_wallet": False, "properties": {"amount": "0.10", "grouped_by": None},
        "applied_pricing_unit": None, "lago_parent_id": None, "filters": [], "taxes": [], **other,
    }  # fmt: skip


def plan(number: int, code: str, **other: Any) -> dict[str, Any]:
    """Return a monthly plan of 30 EUR with a charge of 0.10 a call."""
    return {
        "lago_id": uid(number), "name": code.title(), "invoice_display_name": None, "created_at": MADE, "code": code,
        "interval": "monthly", "description": None, "amount_cents": 3000, "amount_currency": "EUR",
        "trial_period": 0.0, "pay_in_advance": False, "bill_charges_monthly": None, "bill_fixed_charges_monthly": None,
        "customers_count": 0, "active_subscriptions_count": 0, "draft_invoices_count": 0, "parent_id": None,
        "pending_deletion": False, "charges": [charge(number + 1)], "fixed_charges": [], "entitlements": [],
        "usage_thresholds": [], "applicable_usage_thresholds": [], "taxes": [], **other,
    }  # fmt: skip


ARREARS = plan(
    10, "arrears",
    charges=[charge(11, filters=[
        {"lago_id": uid(12), "charge_code": "calls", "invoice_display_name": "Europe",
         "properties": {"amount": "0.05"}, "values": {"region": ["eu"]}},
    ])],
    entitlements=[{"code": "seats", "name": "Seats", "description": None, "privileges": [
        {"code": "max", "name": "Maximum", "value_type": "integer", "value": 5, "config": {}}]}],
    minimum_commitment={"lago_id": uid(13), "plan_code": "arrears", "invoice_display_name": None,
                        "amount_cents": 5000, "interval": "monthly", "created_at": MADE, "updated_at": MADE,
                        "taxes": []},
    metadata={"team": "core"},
)  # fmt: skip
ADVANCE = plan(
    20, "advance", pay_in_advance=True,
    charges=[charge(21), charge(22, code="sms", billable_metric_code="sms", lago_billable_metric_id=uid(6),
                                pay_in_advance=True, properties={"amount": "1"})],
    fixed_charges=[{
        "lago_id": uid(23), "lago_add_on_id": uid(4), "code": "seats", "invoice_display_name": "",
        "add_on_code": "seat",
        "created_at": MADE, "charge_model": "standard", "pay_in_advance": True, "prorated": False,
        "properties": {"amount": "10"}, "units": "2.0", "lago_parent_id": None, "taxes": [],
    }],
)  # fmt: skip
METERED = plan(30, "metered", amount_cents=0, usage_thresholds=[
    {"lago_id": uid(32), "threshold_display_name": "first", "amount_cents": 10000, "recurring": False,
     "created_at": MADE, "updated_at": MADE},
])  # fmt: skip
COUPON = {
    "lago_id": uid(40), "name": "Welcome", "code": "welcome", "description": None, "coupon_type": "fixed_amount",
    "amount_cents": 2000, "amount_currency": "EUR", "percentage_rate": None, "frequency": "once",
    "frequency_duration": None, "reusable": True, "limited_plans": False, "limited_billable_metrics": False,
    "plan_codes": [], "billable_metric_codes": [], "created_at": MADE, "expiration": "no_expiration",
    "expiration_at": None, "terminated_at": None,
}  # fmt: skip


def customer(number: int, external_id: str, **other: Any) -> dict[str, Any]:
    """Return a customer."""
    return {
        "lago_id": uid(number), "billing_entity_code": "hooli", "external_id": external_id, "account_type": "customer",
        "name": external_id.title(), "firstname": None, "lastname": None, "customer_type": "company",
        "sequential_id": number, "slug": f"HOO-{number}", "created_at": MADE, "updated_at": MADE, "country": "DE",
        "address_line1": "Weg 1", "address_line2": None, "state": None, "zipcode": "10115", "email": "a@b.example",
        "city": "Berlin", "url": None, "phone": None, "logo_url": None, "legal_name": None, "legal_number": None,
        "currency": "EUR", "tax_identification_number": None, "timezone": None, "applicable_timezone": "UTC",
        "net_payment_term": None, "external_salesforce_id": None, "finalize_zero_amount_invoice": "inherit",
        "billing_configuration": {
            "invoice_grace_period": None, "payment_provider": None, "payment_provider_code": None,
            "document_locale": "de", "subscription_invoice_issuing_date_anchor": None,
            "subscription_invoice_issuing_date_adjustment": None,
        },
        "shipping_address": {"address_line1": None, "address_line2": None, "city": None, "zipcode": None,
                             "state": None, "country": None},
        "skip_invoice_custom_sections": False,
        "metadata": [{"lago_id": uid(number + 500), "key": "crm", "value": "17", "display_in_invoice": False,
                      "created_at": MADE}],
        "taxes": [VAT], "integration_customers": [], "applicable_invoice_custom_sections": [], "error_details": [],
        **other,
    }  # fmt: skip


ACME = customer(50, "acme")
BETA = customer(51, "beta")
STRIPED = customer(52, "striped", billing_configuration={
    **ACME["billing_configuration"], "payment_provider": "stripe", "payment_provider_code": "main",
    "provider_customer_id": "cus_1", "sync": True,
})  # fmt: skip
APPLIED = {
    "lago_id": uid(60), "lago_coupon_id": uid(40), "coupon_code": "welcome", "coupon_name": "Welcome",
    "coupon_description": None, "coupon_status": "active", "coupon_deleted_at": None, "lago_customer_id": uid(50),
    "external_customer_id": "acme", "status": "active", "amount_cents": 2000, "amount_cents_remaining": 700,
    "amount_currency": "EUR", "percentage_rate": None, "frequency": "once", "frequency_duration": None,
    "frequency_duration_remaining": None, "expiration_at": None, "created_at": MADE, "terminated_at": None,
    "credits": [{"lago_id": uid(61), "amount_cents": 1300}],
}  # fmt: skip


def subscription(number: int, external_id: str, buyer: str, bought: dict[str, Any], **other: Any) -> dict[str, Any]:
    """Return an active subscription since January 2025, by the calendar."""
    return {
        "lago_id": uid(number), "external_id": external_id, "lago_customer_id": uid(50),
        "external_customer_id": buyer, "billing_entity_code": "hooli", "name": None, "plan_code": bought["code"],
        "plan_amount_cents": bought["amount_cents"], "plan_amount_currency": "EUR", "status": "active",
        "billing_time": "calendar", "subscription_at": MADE, "started_at": "2025-01-07T09:00:00.000Z",
        "trial_ended_at": None, "ending_at": None, "terminated_at": None, "canceled_at": None, "created_at": MADE,
        "previous_plan_code": None, "next_plan_code": None, "downgrade_plan_date": None,
        "current_billing_period_started_at": "2026-05-01T00:00:00Z",
        "current_billing_period_ending_at": "2026-05-31T23:59:59Z", "on_termination_credit_note": None,
        "on_termination_invoice": "generate", "progressive_billing_disabled": False, "consolidate_invoice": True,
        "purchase_order_number": None, "cancellation_reason": None, "activated_at": MADE,
        "payment_method": {"payment_method_id": None, "payment_method_type": "provider"}, "activation_rules": [],
        "plan": bought, "entitlements": [], "usage_thresholds": [], "applicable_usage_thresholds": [],
        "applied_invoice_custom_sections": [], **other,
    }  # fmt: skip


ENTITLED = [{"code": "seats", "name": "Seats", "description": None, "overrides": {"max": 9}, "privileges": [
    {"code": "max", "name": "Maximum", "value_type": "integer", "value": 9, "plan_value": 5, "override_value": 9,
     "config": {}}]}]  # fmt: skip
AS_PLANNED = [{**ENTITLED[0], "overrides": {}, "privileges": [
    {**ENTITLED[0]["privileges"][0], "value": 5, "override_value": None}]}]  # fmt: skip
SUB_ARREARS = subscription(70, "s-arrears", "acme", ARREARS, name="Production", entitlements=ENTITLED)
OWN = {**ADVANCE, "lago_id": uid(25), "parent_id": uid(20), "amount_cents": 2500, "charges": [
    {**ADVANCE["charges"][0], "lago_id": uid(26), "lago_parent_id": uid(21), "properties": {"amount": "0.08"}},
    {**ADVANCE["charges"][1], "lago_id": uid(27), "lago_parent_id": uid(22)},
]}  # fmt: skip
SUB_ADVANCE = subscription(
    71, "s-advance", "beta", OWN, billing_time="anniversary", current_billing_period_started_at="2026-05-07T00:00:00Z",
    current_billing_period_ending_at="2026-06-06T23:59:59Z",
)  # fmt: skip
SUB_METERED = subscription(72, "s-metered", "beta", METERED)
SUB_PENDING = subscription(
    73, "s-pending", "acme", ARREARS, status="pending", subscription_at="2026-06-10T00:00:00Z", started_at=None,
    current_billing_period_started_at=None, current_billing_period_ending_at=None, activated_at=None,
    entitlements=AS_PLANNED,
)  # fmt: skip
ALERT = {
    "lago_id": uid(80), "lago_organization_id": uid(3), "subscription_external_id": "s-arrears",
    "external_subscription_id": "s-arrears", "lago_wallet_id": None, "wallet_code": None,
    "alert_type": "current_usage_amount", "code": "much", "name": None, "direction": "increasing",
    "previous_value": "0.0", "last_processed_at": None,
    "thresholds": [{"code": "high", "value": "9900.0", "recurring": False}], "created_at": MADE,
    "billable_metric": None,
}  # fmt: skip
LIFETIME = {
    "lago_id": uid(81), "lago_subscription_id": uid(72), "external_subscription_id": "s-metered",
    "external_historical_usage_amount_cents": 500, "invoiced_usage_amount_cents": 8200,
    "current_usage_amount_cents": 40, "from_datetime": MADE, "to_datetime": AT, "usage_thresholds": [],
}  # fmt: skip
WALLET = {
    "lago_id": uid(90), "lago_customer_id": uid(50), "external_customer_id": "acme", "billing_entity_code": "hooli",
    "status": "active", "currency": "EUR", "name": "Credits", "code": "credits", "purchase_order_number": None,
    "rate_amount": "0.5", "credits_balance": "84.5", "credits_ongoing_balance": "80.0",
    "credits_ongoing_usage_balance": "4.5", "balance_cents": 4225, "ongoing_balance_cents": 4000,
    "ongoing_usage_balance_cents": 225, "consumed_credits": "15.5", "created_at": MADE,
    "expiration_at": "2027-01-01T00:00:00Z", "last_balance_sync_at": AT, "last_consumed_credit_at": AT,
    "terminated_at": None, "invoice_requires_successful_payment": False, "paid_top_up_min_amount_cents": 500,
    "paid_top_up_max_amount_cents": None, "priority": 10,
    "recurring_transaction_rules": [{
        "lago_id": uid(91), "paid_credits": "0.0", "granted_credits": "10.0", "grants_target_top_up": False,
        "interval": "monthly", "method": "fixed", "started_at": None, "expiration_at": None, "status": "active",
        "target_ongoing_balance": None, "threshold_credits": "0.0", "trigger": "interval", "created_at": MADE,
        "invoice_requires_successful_payment": False, "transaction_metadata": [], "transaction_name": "Monthly gift",
        "purchase_order_number": None, "ignore_paid_top_up_limits": False, "applied_invoice_custom_sections": [],
        "payment_method": {"payment_method_id": None, "payment_method_type": "provider"},
    }],
    "applies_to": {"fee_types": ["charge"], "billable_metric_codes": []}, "applied_invoice_custom_sections": [],
    "payment_method": {"payment_method_id": None, "payment_method_type": "provider"}, "metadata": {"tier": "gold"},
}  # fmt: skip


def content() -> dict[str, Any]:
    """Return all of it by path. Lists of plans leave their fixed charges out, as Lago's do."""
    plans = [ARREARS, ADVANCE, METERED]
    return {
        "organizations": ORGANIZATION,
        "billing_entities": [ENTITY],
        "alone:billing_entities/hooli": {"taxes": [VAT], "selected_invoice_custom_sections": []},
        "taxes": [VAT],
        "add_ons": [SEAT],
        "billable_metrics": [CALLS, SMS],
        "features": [FEATURE],
        "plans": [{name: value for name, value in one.items() if name != "fixed_charges"} for one in plans],
        **{f"alone:plans/{one['code']}": one for one in plans},
        "coupons": [COUPON],
        "customers": [ACME, BETA, STRIPED],
        "applied_coupons": [APPLIED],
        "subscriptions": [SUB_ARREARS, SUB_ADVANCE, SUB_METERED, SUB_PENDING],
        "subscriptions/s-arrears/entitlements": ENTITLED,
        "subscriptions/s-pending/entitlements": AS_PLANNED,
        "subscriptions/s-arrears/alerts": [ALERT],
        "subscriptions/s-metered/lifetime_usage": LIFETIME,
        "wallets": [WALLET],
    }
