"""What webhook endpoints are told of usage: fees in advance, thresholds, alerts, wallets, events that are no good."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Subscription, TriggeredAlert, TriggeredWalletAlert
from billing.services import (
    alert_checks,
    event_errors,
    ongoing_balances,
    progressive_billing,
    usage_alerts,
    wallet_alerts,
)
from config.platform.models import WebhookEvent
from tests.factories import advance, usage
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import customers as parties
from tests.factories import plan_stories as story
from tests.factories import wallets as purses
from tests.factories.billing import instant
from tests.factories.listening import Told
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

MAY = "2026-05-01"


def use(moment: str, units: int) -> None:
    made.send("sub", "gigabytes", moment, gigabytes=str(units))


def begin(**values: Any) -> None:
    """Begin "sub" on a plan of 1.00 for each gigabyte."""
    customer = parties.make_customer(timezone="UTC", currency="EUR")
    charges = [goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")]
    story.begin(customer, goods.make_plan("p", cents=0, charges=charges, **values), MAY)


@pytest.mark.parametrize("is_invoiceable", [True, False])
def test_each_fee_in_advance(is_invoiceable: bool) -> None:
    told = Told("fee.")
    metric = goods.make_metric("requests")
    advance.make_subscription(advance.make_plan(metric, invoiceable=is_invoiceable))
    usage.store(usage.make_event("2026-05-04"), usage.make_event("2026-05-05"))
    assert told.news() == []
    assert advance.bill("2026-05-05T01:00") == 2
    rows = told.rows()
    assert [(name, content["amount_cents"], content["units"]) for name, content in rows] == [
        ("fee.created", 300, "1.0"),
        ("fee.created", 300, "1.0"),
    ]
    for _, content in rows:
        assert content == ApiClient().read(f"fees/{content['lago_id']}").json()["fee"]
        assert (content["lago_invoice_id"] is None) is not is_invoiceable
        assert (content["external_subscription_id"], content["item"]["code"]) == ("sub", "requests")
    assert advance.bill("2026-05-05T02:00") == 0
    assert told.news() == []


def test_each_threshold_that_is_passed() -> None:
    begin(usage_thresholds=[{"amount_cents": 20_000, "threshold_display_name": "first"}, {"amount_cents": 50_000}])
    told = Told("subscription.")
    use("2026-05-02T10:00", 100)
    progressive_billing.run(as_of=instant("2026-05-02T11:00"))
    assert told.news() == []
    use("2026-05-03T10:00", 500)
    for _ in range(2):
        progressive_billing.run(as_of=instant("2026-05-03T11:00"))
    rows = told.rows()
    assert [name for name, _ in rows] == ["subscription.usage_threshold_reached"] * 2
    assert [content["usage_threshold"]["amount_cents"] for _, content in rows] == [20_000, 50_000]
    content = rows[0][1]
    assert (content["external_id"], content["customer"]["external_id"], content["plan"]["code"]) == ("sub", "acme", "p")
    assert [row["amount_cents"] for row in content["applicable_usage_thresholds"]] == [20_000, 50_000]


def test_an_alert_that_fires() -> None:
    begin()
    told = Told("alert.")
    wanted: Any = {
        "alert_type": "billable_metric_current_usage_units",
        "billable_metric_code": "gigabytes",
        "code": "big",
        "name": "Big",
        "thresholds": [{"value": Decimal(10), "code": "ten"}, {"value": Decimal(20)}, {"value": Decimal(90)}],
    }
    subscription = Subscription.objects.get()
    alert = usage_alerts.create(subscription=subscription, values=wanted, actor=ACTOR, at=instant(MAY))
    use("2026-05-02T10:00", 25)
    for _ in range(2):
        alert_checks.run(as_of=instant("2026-05-02T11:00:00.700"))
    ((name, content),) = told.rows()
    firing = TriggeredAlert.objects.get()
    assert (name, content.pop("lago_organization_id") != "") == ("alert.triggered", True)
    # Firings come in the order of their alert, not each for itself.
    assert WebhookEvent.objects.get(event_type=name).object_key == f"billing.usagealert:{alert.uuid}"
    assert content == {
        "lago_id": str(firing.uuid),
        "lago_alert_id": str(alert.uuid),
        "lago_subscription_id": str(subscription.uuid),
        "external_subscription_id": "sub",
        "lago_wallet_id": None,
        "wallet_code": None,
        "external_customer_id": "acme",
        "billable_metric_code": "gigabytes",
        "alert_name": "Big",
        "alert_code": "big",
        "alert_type": "billable_metric_current_usage_units",
        "current_value": "25.0",
        "previous_value": "0.0",
        "crossed_thresholds": [
            {"code": "ten", "value": "10.0", "recurring": False},
            {"code": None, "value": "20.0", "recurring": False},
        ],
        "triggered_at": "2026-05-02T11:00:00Z",
    }


def test_a_wallet_that_runs_low_and_out() -> None:
    begin()
    customer = Subscription.objects.get().customer
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "50")
    wanted: Any = {
        "alert_type": "wallet_ongoing_balance_amount",
        "code": "low",
        "thresholds": [{"value": Decimal(2000)}],
    }
    ongoing_balances.run(as_of=instant("2026-05-01T00:01"))
    wallet.refresh_from_db()
    wallet_alerts.create(wallet=wallet, values=wanted, actor=ACTOR, at=instant("2026-05-01T00:02"))
    told = Told("alert.", "wallet.depleted")
    use("2026-05-02T10:00", 40)
    ongoing_balances.run(as_of=instant("2026-05-02T10:01"))
    ((name, content),) = told.rows()
    assert (name, content["lago_id"]) == ("alert.triggered", str(TriggeredWalletAlert.objects.get().uuid))
    seen = {key: content[key] for key in ("lago_wallet_id", "external_customer_id", "previous_value", "current_value")}
    assert seen == {
        "lago_wallet_id": str(wallet.uuid),
        "external_customer_id": "acme",
        "previous_value": "5000.0",
        "current_value": "1000.0",
    }
    assert (content["lago_subscription_id"], content["crossed_thresholds"][0]["value"]) == (None, "2000.0")
    use("2026-05-03T10:00", 40)
    for minute in ("01", "02"):
        ongoing_balances.run(as_of=instant(f"2026-05-03T10:{minute}"))
    ((name, content),) = told.rows()
    assert (name, content["lago_id"]) == ("wallet.depleted_ongoing_balance", str(wallet.uuid))
    assert (content["ongoing_balance_cents"], content["balance_cents"]) == (-3000, 5000)  # 50 - 80


@pytest.mark.django_db(transaction=True)
def test_events_that_are_no_good_are_told_once_an_hour() -> None:
    goods.make_metric("requests")
    goods.make_metric("gigabytes", "sum_agg", field_name="gb", filters=[{"key": "region", "values": ["eu", "us"]}])
    goods.make_metric("doubled", "sum_agg", field_name="total", expression="event.properties.value * 2")
    clock = usage.RECEIVED_AT + timedelta(minutes=30)
    assert event_errors.run(as_of=clock).errors == 0  # from now on
    told = Told("event.", "events.")
    try:
        sent = {
            "good": ("gigabytes", {"gb": "1", "region": "eu"}),
            "plain": ("requests", {}),
            "unknown": ("request", {}),
            "empty": ("gigabytes", {"region": "us"}),
            "words": ("gigabytes", {"gb": "many"}),
            "moon": ("gigabytes", {"gb": 1, "region": "moon"}),
            "sum": ("doubled", {"value": 3}),
            "text": ("doubled", {"value": "three"}),
        }
        usage.store(
            *(
                usage.make_event(transaction_id=key, code=code, properties=with_it)
                for key, (code, with_it) in sent.items()
            )
        )
        found = event_errors.run(as_of=clock)
        assert (found.not_computed, found.errors) == (1, 5)
        rows = dict(told.rows())
        assert {reason: sorted(ids) for reason, ids in rows["events.errors"].items()} == {
            "invalid_code": ["unknown"],
            "missing_aggregation_property": ["empty", "text", "words"],
            "invalid_filter_values": ["moon"],
            "missing_group_key": [],
        }
        error = rows["event.error"]
        assert (error["status"], error["error"]) == (422, "Unprocessable entity")
        assert list(json.loads(error["message"])) == ["total"]
        assert error["event"] == ApiClient().read("events/text").json()["event"]
        assert event_errors.run(as_of=clock).errors == 0  # once each
        assert told.rows() == []
        told.endpoint.deleted_at = clock
        told.endpoint.save()
        usage.store(usage.make_event(transaction_id="later", code="nobody"))
        assert event_errors.run(as_of=clock).errors == 0
        assert WebhookEvent.objects.filter(event_type="events.errors").count() == 1
    finally:
        usage.clear()
