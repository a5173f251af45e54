"""Rules and alerts of wallets in the admin: agreeing on a rule, what it did, what alerts told, what usage leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import TopUpFiring, TriggeredWalletAlert, WalletAlert
from billing.services import ongoing_balances
from customers.models import Customer
from invoicing.models import RecurringTransactionRule, Wallet
from tests.factories import invoicing as make
from tests.factories import wallets as purses
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(company: Company) -> Wallet:
    customer: Customer = company.customers[0]
    customer.refresh_from_db()
    found = purses.make_wallet(customer, code="main", name="Main")
    purses.give(found, "50")
    return found


def page(wallet: Wallet, verb: str = "") -> str:
    return f"/admin/invoicing/wallet/{wallet.pk}/{verb or 'change'}/"


def test_a_rule_is_agreed_on_fires_and_ends(finance: Client, wallet: Wallet) -> None:
    values: dict[str, Any] = {
        "trigger": "threshold",
        "method": "fixed",
        "threshold_credits": "60",
        "granted_credits": "20",
        "interval": "",
    }
    refused = finance.post(page(wallet, "agree_rule"), {**values, "granted_credits": ""})
    assert refused.status_code == 200
    assert refused.context["form"].errors["trigger"]
    assert not RecurringTransactionRule.objects.exists()
    finance.post(page(wallet, "agree_rule"), values)
    rule = RecurringTransactionRule.objects.get()
    assert (rule.trigger, rule.threshold_credits, rule.granted_credits) == ("threshold", 60, 20)
    ongoing_balances.run(as_of=make.AT)
    assert TopUpFiring.objects.get().granted_credits == 20
    shown = finance.get(page(wallet)).content.decode()
    assert all(text in shown for text in ("Top-up rule", "What the rule did", "topped up", "gives 20 credits"))
    finance.post(page(wallet, "agree_rule"), {**values, "threshold_credits": "5"})
    rule.refresh_from_db()
    assert (rule.status, rule.threshold_credits) == ("active", 5)
    finance.post(page(wallet, "end_rule"), {})
    rule.refresh_from_db()
    assert rule.status == "terminated"


def test_alerts(finance: Client, wallet: Wallet) -> None:
    values = {"alert_type": "wallet_balance_amount", "code": "low", "name": "Low", "thresholds": "30.00 warn\n10"}
    finance.post(page(wallet, "add_alert"), values)
    alert = WalletAlert.objects.get()
    assert [one.value for one in alert.thresholds.all()] == [3_000, 1_000]
    purses.top_up(wallet, voided_credits=Decimal(30))
    ongoing_balances.run(as_of=make.AT)
    assert TriggeredWalletAlert.objects.get().current_value == 2_000
    shown = finance.get(page(wallet)).content.decode()
    assert all(text in shown for text in ("Alerts", "Told", "€30.00, €10.00", "Fell to"))
    finance.post(page(wallet, "delete_alert"), {"alert": "low"})
    alert.refresh_from_db()
    assert alert.deleted_at is not None
