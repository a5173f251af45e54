"""``/customers/:external_id/wallets/:code/alerts``, and the rules that top up a wallet in requests for it."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import WalletAlert
from config.platform.models import Installation
from customers.models import Customer
from invoicing.models import RecurringTransactionRule
from tests.factories import invoicing as parties
from tests.factories import wallets as purses
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

LOW = {
    "alert_type": "wallet_balance_amount",
    "code": "low",
    "name": "Low",
    "thresholds": [{"value": "500", "code": "warn"}, {"value": 100, "recurring": True}],
}
PATH = "customers/c1/wallets/main/alerts"


@pytest.fixture
def api() -> ApiClient:
    Installation.objects.get_or_create(singleton=True)
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


def refusal(answer: Any) -> tuple[int, Any]:
    content = answer.json()
    return answer.status_code, content.get("error_details") or content.get("code")


def test_the_life_of_an_alert(api: ApiClient, customer: Customer) -> None:
    wallet = purses.make_wallet(customer, code="main")
    purses.give(wallet, "10")
    made = api.call("post", PATH, {"alert": LOW}).json()["alert"]
    assert made == {
        "lago_id": made["lago_id"],
        "lago_organization_id": made["lago_organization_id"],
        "external_subscription_id": None,
        "subscription_external_id": None,
        "lago_wallet_id": str(wallet.uuid),
        "wallet_code": "main",
        "alert_type": "wallet_balance_amount",
        "code": "low",
        "name": "Low",
        "direction": "decreasing",
        "previous_value": "1000.0",
        "last_processed_at": None,
        "thresholds": [
            {"code": "warn", "value": "500.0", "recurring": False},
            {"code": None, "value": "100.0", "recurring": True},
        ],
        "billable_metric": None,
        "created_at": made["created_at"],
    }
    changed = api.call("put", f"{PATH}/low", {"alert": {"code": "lower", "thresholds": [{"value": 0}]}}).json()["alert"]
    assert (changed["code"], changed["thresholds"][0]["value"]) == ("lower", "0.0")
    several = [{**LOW, "code": "a", "alert_type": "wallet_credits_balance"}, {**LOW, "code": "b", "alert_type": "nope"}]
    assert refusal(api.call("post", PATH, {"alerts": several})) == (422, {"1": {"alert_type": ["invalid_type"]}})
    assert api.call("post", PATH, {"alerts": several[:1]}).json()["alerts"][0]["code"] == "a"
    assert [one["code"] for one in api.call("get", PATH).json()["alerts"]] == ["lower", "a"]
    assert api.call("delete", f"{PATH}/a").json()["alert"]["code"] == "a"
    assert refusal(api.call("get", f"{PATH}/a")) == (404, "alert_not_found")
    assert api.call("delete", PATH).status_code == 200
    assert not WalletAlert.objects.filter(deleted_at__isnull=True).exists()


def test_alerts_that_are_refused(api: ApiClient, customer: Customer) -> None:
    purses.make_wallet(customer, code="main")
    api.call("post", PATH, {"alert": LOW})
    for change, expected in (
        ({"alert_type": "current_usage_amount"}, {"alert_type": ["invalid_type"]}),
        ({"code": "x"}, {"base": ["alert_already_exists"]}),
        ({"alert_type": "wallet_credits_balance"}, {"code": ["value_already_exist"]}),
        ({"code": "x", "thresholds": []}, {"thresholds": ["value_is_mandatory"]}),
        ({"code": "x", "thresholds": [{"value": -1}]}, {"thresholds": ["value_is_out_of_range"]}),
        ({"code": "x", "billable_metric_code": "m"}, {"billable_metric": ["value_is_invalid"]}),
    ):
        assert refusal(api.call("post", PATH, {"alert": {**LOW, **change}})) == (422, expected), change
    assert refusal(api.call("get", "customers/c1/wallets/nope/alerts")) == (404, "wallet_not_found")
    assert refusal(api.call("get", "customers/nope/wallets/main/alerts")) == (404, "customer_not_found")
    assert WalletAlert.objects.count() == 1


def test_rules_come_and_go_with_a_wallet(api: ApiClient, customer: Customer) -> None:
    rule = {
        "trigger": "interval",
        "interval": "monthly",
        "transaction_metadata": [{"key": "k", "value": "v"}],
        "expiration_at": "2099-01-01T00:00:00Z",
    }
    content = {"external_customer_id": "c1", "currency": "EUR", "rate_amount": "1", "granted_credits": "7"}
    wallet = api.call("post", "wallets", {"wallet": {**content, "recurring_transaction_rules": [rule]}}).json()[
        "wallet"
    ]
    (shown,) = wallet["recurring_transaction_rules"]
    # What a wallet starts with is what its rule adds, where it says nothing else.
    assert {name: shown[name] for name in ("trigger", "method", "interval", "paid_credits", "granted_credits")} == {
        "trigger": "interval",
        "method": "fixed",
        "interval": "monthly",
        "paid_credits": "0.0",
        "granted_credits": "7.0",
    }
    assert (shown["status"], shown["transaction_metadata"]) == ("active", [{"key": "k", "value": "v"}])
    path = f"wallets/{wallet['lago_id']}"

    def put(rules: Any) -> Any:
        return api.call("put", path, {"wallet": {"recurring_transaction_rules": rules}})

    (same,) = put([{"lago_id": shown["lago_id"], "granted_credits": 9}]).json()["wallet"]["recurring_transaction_rules"]
    assert (same["lago_id"], same["granted_credits"], same["interval"]) == (shown["lago_id"], "9.0", "monthly")
    (other,) = put(
        [{"trigger": "threshold", "threshold_credits": "3", "method": "target", "target_ongoing_balance": "20"}]
    ).json()["wallet"]["recurring_transaction_rules"]
    assert (other["threshold_credits"], other["target_ongoing_balance"], other["interval"]) == ("3.0", "20.0", None)
    assert api.call("put", path, {"wallet": {"name": "x"}}).json()["wallet"]["recurring_transaction_rules"] == [other]
    assert put([]).json()["wallet"]["recurring_transaction_rules"] == []
    assert list(RecurringTransactionRule.objects.values_list("status", flat=True)) == ["terminated"] * 2


def test_rules_that_are_refused(api: ApiClient, customer: Customer) -> None:
    wallet = purses.make_wallet(customer, code="main")
    good = {"trigger": "interval", "interval": "weekly", "paid_credits": 5}
    bad = (422, {"recurring_transaction_rules": ["invalid_recurring_rule"]})
    for rules, expected in (
        ([good, good], (422, {"recurring_transaction_rules": ["invalid_number_of_recurring_rules"]})),
        ([{"trigger": "interval", "paid_credits": 5}], bad),
        ([{"trigger": "threshold", "threshold_credits": 5}], bad),
        ([{**good, "expiration_at": "2020-01-01T00:00:00Z"}], bad),
        ([{**good, "lago_id": "nope"}], (404, "recurring_transaction_rule_not_found")),
        ([{**good, "lago_id": str(wallet.uuid)}], (404, "recurring_transaction_rule_not_found")),
    ):
        answer = api.call("put", f"wallets/{wallet.uuid}", {"wallet": {"recurring_transaction_rules": rules}})
        assert refusal(answer) == expected, rules
    assert not RecurringTransactionRule.objects.exists()
