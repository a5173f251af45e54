"""Ids and codes in addresses: whatever characters they hold, the object is found again under each of its addresses."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api.contract import story
from tests.factories import customers
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

NAMES = ["dots.in.it/a/b", "q?a=b&c#d per%2Fcent%", "Zürich-東京-🙂+x:y;z@'\""]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_found_again(name: str) -> None:
    customers.make_default_entity()
    api = ApiClient()
    path = quote(name, safe="")
    story.made(api, "taxes", "tax", {**story.TAX, "code": name})
    story.made(api, "add_ons", "add_on", {**story.ADD_ON, "code": name, "tax_codes": [name]})
    story.made(api, "features", "feature", {**story.FEATURE, "code": name})
    metric = story.made(api, "billable_metrics", "billable_metric", {**story.METRIC, "code": name})
    charge = {
        "billable_metric_id": metric["lago_id"],
        "code": name,
        "charge_model": "standard",
        "properties": {"amount": "1"},
        "filters": [{"properties": {"amount": "2"}, "values": {"region": ["eu"]}}],
    }
    plan = {"name": "P", "code": name, "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
    fixed = {"add_on_code": name, "code": name, "charge_model": "standard", "units": 1, "properties": {"amount": "1"}}
    content = {**plan, "pay_in_advance": False, "charges": [charge], "fixed_charges": [fixed], "metadata": {name: "1"}}
    story.made(api, "plans", "plan", content)
    api.call("post", f"plans/{path}/entitlements", {"entitlements": {name: {"max": 1}}})
    story.made(api, "coupons", "coupon", {**story.COUPON, "code": name, "applies_to": {}})
    story.made(api, "customers", "customer", {"external_id": name, "currency": "EUR"})
    bought = {"external_customer_id": name, "plan_code": name, "external_id": name}
    story.made(api, "subscriptions", "subscription", bought)

    found = api.read(f"plans/{path}/charges/{path}/filters").json()["filters"][0]
    for address, root, key in (
        (f"taxes/{path}", "tax", "code"),
        (f"add_ons/{path}", "add_on", "code"),
        (f"features/{path}", "feature", "code"),
        (f"billable_metrics/{path}", "billable_metric", "code"),
        (f"plans/{path}", "plan", "code"),
        (f"plans/{path}/charges/{path}", "charge", "code"),
        (f"plans/{path}/charges/{path}/filters/{found['lago_id']}", "filter", "charge_code"),
        (f"plans/{path}/fixed_charges/{path}", "fixed_charge", "code"),
        (f"plans/{path}/entitlements/{path}", "entitlement", "code"),
        (f"coupons/{path}", "coupon", "code"),
        (f"customers/{path}", "customer", "external_id"),
        (f"subscriptions/{path}", "subscription", "external_id"),
        (f"subscriptions/{path}/charges/{path}", "charge", "code"),
        (f"subscriptions/{path}/fixed_charges/{path}", "fixed_charge", "code"),
        (f"subscriptions/{path}/lifetime_usage", "lifetime_usage", "external_subscription_id"),
    ):
        response = api.read(address)
        assert (response.status_code, response.json().get(root, {}).get(key)) == (200, name), address
    assert api.read(f"customers/{path}/subscriptions").json()["meta"]["total_count"] == 1
    assert api.call("delete", f"plans/{path}/metadata/{path}").json() == {"metadata": None}
    ended = api.call("delete", f"subscriptions/{path}").json()["subscription"]
    assert (ended["external_id"], ended["status"]) == (name, "terminated")
