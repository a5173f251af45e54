"""A small company with one of nearly everything, made through the API, so that requests by description find something:
a customer on a plan with usage, an issued invoice, a wallet, coupons, alerts, features, a contract.
"""

from __future__ import annotations

import re
from typing import Any

from tests.factories import customers
from tests.factories.platform import ApiClient

_STATIC = re.compile(r"([^/{}]+)/\{(\w+)\}")

CUSTOMER = {"external_id": "acme", "name": "Acme", "currency": "EUR", "country": "DE", "email": "a@acme.test"}
PLAN = {"name": "Team", "code": "team", "interval": "monthly", "amount_cents": 4900, "amount_currency": "EUR"}
SUBSCRIPTION = {"external_customer_id": "acme", "external_id": "acme-team", "plan_code": "team"}


def company(api: ApiClient) -> dict[str, dict[str, str]]:
    """Make it, and return what paths can name: by the word before a parameter and the parameter."""
    customers.make_default_entity()
    metric = _made(api, "billable_metrics", "billable_metric", name="Calls", code="calls", aggregation_type="count_agg")
    _made(api, "taxes", "tax", name="VAT", code="vat", rate="19")
    _made(api, "add_ons", "add_on", name="Set-up", code="setup", amount_cents=9900, amount_currency="EUR")
    _made(api, "coupons", "coupon", name="Ten", code="ten", coupon_type="percentage", percentage_rate="10",
          frequency="forever", expiration="no_expiration")  # fmt: skip
    _made(api, "features", "feature", code="seats", name="Seats",
          privileges=[{"code": "most", "name": "Most", "value_type": "integer"}])  # fmt: skip
    _made(api, "pricing_units", "pricing_unit", code="cr", name="Credit", short_name="CR")
    _made(api, "invoice_custom_sections", "invoice_custom_section", code="thanks", name="Thanks", details="Thank you.")
    charge = {
        "billable_metric_id": metric["lago_id"],
        "charge_model": "standard",
        "code": "calls",
        "properties": {"amount": "0.02"},
    }
    fixed = {"add_on_code": "setup", "code": "setups", "charge_model": "standard", "properties": {"amount": "10"}}
    _made(api, "plans", "plan", **PLAN, charges=[charge], fixed_charges=[{**fixed, "units": "2"}], pay_in_advance=True)
    _made(api, "plans", "plan", **{**PLAN, "code": "small", "amount_cents": 900})
    _sent(api, "post", "plans/team/entitlements", {"entitlements": {"seats": {"most": 5}}})
    customer = _made(api, "customers", "customer", **CUSTOMER, metadata=[{"key": "k", "value": "v"}])
    _made(api, "subscriptions", "subscription", **SUBSCRIPTION)
    _made(api, "events", "event", transaction_id="t-1", external_subscription_id="acme-team", code="calls")
    applied = _made(api, "applied_coupons", "applied_coupon", external_customer_id="acme", coupon_code="ten")
    wallet = _made(api, "wallets", "wallet", external_customer_id="acme", currency="EUR", rate_amount="1",
                   name="Credits", code="main", granted_credits="10", metadata={"k": "v"})  # fmt: skip
    alert = {"alert_type": "current_usage_amount", "code": "much", "thresholds": [{"value": "1000", "code": "first"}]}
    _made(api, "subscriptions/acme-team/alerts", "alert", **alert)
    low = {"alert_type": "wallet_balance_amount", "code": "low", "thresholds": [{"value": "100"}]}
    _made(api, "customers/acme/wallets/main/alerts", "alert", **low)
    line = {"add_on_code": "setup", "units": 1, "unit_amount_cents": 25000}
    invoice = _made(api, "invoices", "invoice", external_customer_id="acme", currency="EUR", fees=[line])
    payment = _made(api, "payments", "payment", invoice_id=invoice["lago_id"], amount_cents=100, reference="first")
    items = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 100}]
    note = _made(
        api, "credit_notes", "credit_note", invoice_id=invoice["lago_id"], credit_amount_cents=100, items=items
    )
    transactions = api.read(f"wallets/{wallet['lago_id']}/wallet_transactions").json()["wallet_transactions"]
    return {
        "customers": {"external_id": customer["external_id"]},
        "subscriptions": {"external_id": "acme-team"},
        "plans": {"code": "team"},
        "charges": {"code": "calls", "charge_code": "calls"},
        "fixed_charges": {"code": "setups", "fixed_charge_code": "setups"},
        "billable_metrics": {"code": "calls"},
        "taxes": {"code": "vat"},
        "add_ons": {"code": "setup"},
        "coupons": {"code": "ten"},
        "features": {"code": "seats"},
        "entitlements": {"feature_code": "seats"},
        "privileges": {"privilege_code": "most"},
        "pricing_units": {"code": "cr"},
        "invoice_custom_sections": {"code": "thanks"},
        "billing_entities": {"code": api.read("billing_entities").json()["billing_entities"][0]["code"]},
        "events": {"transaction_id": "t-1"},
        "applied_coupons": {"lago_id": applied["lago_id"]},
        "wallets": {"lago_id": wallet["lago_id"], "code": "main", "wallet_code": "main"},
        "wallet_transactions": {"lago_id": transactions[0]["lago_id"]},
        "alerts": {"code": "much"},
        "invoices": {"lago_id": invoice["lago_id"]},
        "fees": {"lago_id": invoice["fees"][0]["lago_id"]},
        "payments": {"lago_id": payment["lago_id"]},
        "credit_notes": {"lago_id": note["lago_id"]},
        "accounts": {"code": "receivable"},
        "versions": {"number": "1"},
        "metadata": {"key": "k"},
    }


def names(path: str, known: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return what the parameters of a path can be so that it names something; those that are unknown are left out."""
    found = {}
    for word, parameter in _STATIC.findall(path):
        value = known.get(word, {}).get(parameter)
        if value is not None:
            found[parameter] = value
    return found


def _made(api: ApiClient, path: str, root: str, **values: Any) -> dict[str, Any]:
    content: dict[str, Any] = _sent(api, "post", path, {root: values})
    return content.get(root, content)


def _sent(api: ApiClient, method: str, path: str, content: dict[str, Any]) -> dict[str, Any]:
    response = api.call(method, path, content)
    assert response.status_code == 200, (path, response.content)
    answer: dict[str, Any] = response.json()
    return answer
