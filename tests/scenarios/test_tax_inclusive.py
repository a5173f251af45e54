"""A plan whose prices include their tax, billed in advance, changed and ended: told through the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import TestCase

from customers.models import BillingEntity
from tests.factories.customers import make_default_entity
from tests.factories.invoicing import make_tax
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

START = datetime(2026, 4, 1, 9, tzinfo=UTC)


def _seller() -> BillingEntity:
    return make_default_entity(at=START, default_currency="EUR", tax_codes=[make_tax("vat20", "0.20").code])


def _send(api: ApiClient, method: str, path: str, content: Any) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = api.call(method, path, content)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_customer_pays_the_agreed_price_and_gets_its_part_back() -> None:
    with time_machine.travel(START, tick=False) as clock:
        _seller()
        api = ApiClient()
        plan = {
            "name": "P", "code": "p", "interval": "monthly", "amount_cents": 3000, "amount_currency": "EUR",
            "pay_in_advance": True, "tax_inclusive": True,
        }  # fmt: skip
        assert _send(api, "post", "plans", {"plan": plan})["plan"]["tax_inclusive"] is True
        _send(api, "post", "customers", {"customer": {"external_id": "c", "currency": "EUR"}})
        subscription = {"external_customer_id": "c", "external_id": "s", "plan_code": "p"}
        _send(api, "post", "subscriptions", {"subscription": subscription})
        (listed,) = api.read("invoices").json()["invoices"]
        # 30.00 / 1.2
        assert (listed["fees_amount_cents"], listed["taxes_amount_cents"], listed["total_amount_cents"]) == (
            2500,
            500,
            3000,
        )
        (fee,) = api.read(f"invoices/{listed['lago_id']}").json()["invoice"]["fees"]
        trace = api.read(f"fees/{fee['lago_id']}/trace").json()
        assert "False" not in str(
            {name: value for name, value in trace.items() if "right" in name or "verified" in name}
        )

        clock.move_to(datetime(2026, 4, 15, 9, tzinfo=UTC))
        _send(api, "delete", "subscriptions/s", None)
        (note,) = api.read("credit_notes").json()["credit_notes"]
        # 15 of 30 days are left: 15.00 with tax, 12.50 without.
        assert (note["sub_total_excluding_taxes_amount_cents"], note["taxes_amount_cents"]) == (1250, 250)
        assert note["total_amount_cents"] == 1500


def test_usage_and_minimum_in_prices_with_tax() -> None:
    with time_machine.travel(START, tick=False) as clock:
        _seller()
        api = ApiClient()
        metric = {"name": "M", "code": "m", "aggregation_type": "count_agg"}
        metric_id = _send(api, "post", "billable_metrics", {"billable_metric": metric})["billable_metric"]["lago_id"]
        charge = {"billable_metric_id": metric_id, "charge_model": "standard", "properties": {"amount": "12"}}
        plan = {
            "name": "P", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
            "pay_in_advance": False, "tax_inclusive": True, "charges": [charge],
            "minimum_commitment": {"amount_cents": 6000},
        }  # fmt: skip
        _send(api, "post", "plans", {"plan": plan})
        refused = api.call("put", "plans/p", {"plan": {"usage_thresholds": [{"amount_cents": 100}]}})
        assert refused.status_code == 422
        _send(api, "post", "customers", {"customer": {"external_id": "c", "currency": "EUR"}})
        subscription = {"external_customer_id": "c", "external_id": "s", "plan_code": "p"}
        _send(api, "post", "subscriptions", {"subscription": subscription})
        for number in range(2):
            event = {"transaction_id": f"t{number}", "external_subscription_id": "s", "code": "m"}
            _send(api, "post", "events", {"event": event})
        clock.move_to(datetime(2026, 5, 1, 0, 10, tzinfo=UTC))
        with TestCase.captureOnCommitCallbacks(execute=True):
            call_command("run_jobs", "billing")
        (listed,) = api.read("invoices").json()["invoices"]
        # 2 × 12.00 = 24.00, and 36.00 to the minimum of 60.00: 20.00 + 30.00 net.
        assert (listed["fees_amount_cents"], listed["taxes_amount_cents"], listed["total_amount_cents"]) == (
            5000,
            1000,
            6000,
        )
