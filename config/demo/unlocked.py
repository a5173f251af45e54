"""What the sample's plans unlock: two features, and a customer with whom more was agreed. Through the API.

What is there already stays as it is, also what staff changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.demo import price_list, usage
from config.demo.api import Api
from config.demo.buyers import Buyer

DOMAINS: dict[str, Any] = {
    "code": "custom_domains",
    "name": "Custom domains",
    "description": "Serving an API under names of one's own.",
    "privileges": [
        {"code": "max", "name": "Domains", "value_type": "integer"},
        {"code": "wildcard", "name": "Wildcards", "value_type": "boolean"},
    ],
}
SIGN_ON: dict[str, Any] = {
    "code": "sign_on",
    "name": "Single sign-on",
    "description": "Staff of the customer sign in with their own company's accounts.",
    "privileges": [
        {
            "code": "provider",
            "name": "Provider",
            "value_type": "select",
            "config": {"select_options": ["google", "microsoft", "okta", "any"]},
        }
    ],
}
FEATURES = (DOMAINS, SIGN_ON)

GIVEN: dict[str, dict[str, dict[str, Any]]] = {
    "starter": {"custom_domains": {"max": 1, "wildcard": False}},
    "growth": {"custom_domains": {"max": 5, "wildcard": False}, "sign_on": {"provider": "google"}},
    "scale": {"custom_domains": {"max": 50, "wildcard": True}, "sign_on": {"provider": "any"}},
}
"""What each paid plan gives."""

AGREED = {"custom_domains": {"max": 8, "wildcard": True}}
"""What was agreed with one customer beside the plan."""


def make(api: Api, people: Sequence[Buyer]) -> None:
    """Make what is missing of the features, what plans give of them, and what was agreed. Raises Refused."""
    known = {row["code"] for row in api.rows("features")}
    for feature in FEATURES:
        if feature["code"] not in known:
            api.send("features", {"feature": feature})
    plans = {row["code"]: row for row in api.rows("plans")}
    for tariff, given in GIVEN.items():
        for currency in price_list.CURRENCIES:
            code = price_list.plan_code(tariff, currency)
            if code in plans and not plans[code]["entitlements"]:
                api.send(f"plans/{code}/entitlements", {"entitlements": given})
    _agree(api, people)


def _agree(api: Api, people: Sequence[Buyer]) -> None:
    """Agree more domains with the first customer whose plan has few, unless something was agreed with anybody."""
    wanted = [usage.subscription_id(buyer.external_id) for buyer in people if buyer.plan_code.startswith("growth")]
    active = {row["external_id"]: row for row in api.rows("subscriptions")}
    chosen = next((one for one in wanted if one in active), None)
    if chosen is not None and not any(one["overrides"] for one in active[chosen]["entitlements"]):
        api.merge(f"subscriptions/{chosen}/entitlements", {"entitlements": AGREED})
