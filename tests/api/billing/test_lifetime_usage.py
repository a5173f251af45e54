"""``/subscriptions/:external_id/lifetime_usage``: before, billed, and not billed yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine

from billing.models import LifetimeUsage, Subscription
from billing.services import runs, terminations
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import voiding
from tests.factories import advance
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

NOW = instant("2026-06-10")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def subscription() -> Subscription:
    """A subscription with 2.00 of usage billed for May and 1.00 used in June."""
    customer = parties.make_customer(parties.make_entity())
    customer.taxes.add(goods.make_tax("vat", "0.19"))
    plan = goods.make_plan("pro", cents=3100, charges=[goods.standard(goods.make_metric("calls"), "1")])
    found = made.make_subscription(customer, plan, at=instant("2026-05-04T10:00"))
    made.send("sub", "calls", "2026-05-05", "2026-05-06", "2026-06-05")
    runs.run(as_of=instant("2026-06-01"), trigger="test", actor=ACTOR)
    return found


def read(api: ApiClient, at: datetime = NOW) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        response = api.read("subscriptions/sub/lifetime_usage")
    assert response.status_code == 200, response.content
    return response.json()["lifetime_usage"]


def tell(api: ApiClient, cents: Any, external_id: str = "sub") -> Any:
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": cents}}
    with time_machine.travel(NOW, tick=False):
        return api.call("put", f"subscriptions/{external_id}/lifetime_usage", body)


def test_usage_before_billed_and_running(api: ApiClient, subscription: Subscription) -> None:
    found = read(api)
    assert found == {
        "lago_id": found["lago_id"],
        "lago_subscription_id": str(subscription.uuid),
        "external_subscription_id": "sub",
        "external_historical_usage_amount_cents": 0,
        "invoiced_usage_amount_cents": 200,  # net, and without the plan's fee
        "current_usage_amount_cents": 100,
        "from_datetime": "2026-05-04T10:00:00Z",
        "to_datetime": "2026-06-10T00:00:00Z",
        "usage_thresholds": [],
    }
    assert not LifetimeUsage.objects.exists()  # reading tells nothing


def test_what_was_used_elsewhere_is_told(api: ApiClient, subscription: Subscription) -> None:
    before = read(api)["lago_id"]
    found = tell(api, 12_345).json()["lifetime_usage"]
    assert (found["external_historical_usage_amount_cents"], found["invoiced_usage_amount_cents"]) == (12_345, 200)
    assert found["lago_id"] == before
    assert tell(api, 0).json()["lifetime_usage"]["external_historical_usage_amount_cents"] == 0
    [entry, _] = AuditEntry.objects.filter(verb="set_lifetime_usage").order_by("-pk")
    assert (entry.old, entry.new) == ({"historical_amount_cents": 12_345}, {"historical_amount_cents": 0})
    assert Invoice.objects.count() == 1  # nothing is billed because of it


def test_telling_the_same_twice_is_told_once(api: ApiClient, subscription: Subscription) -> None:
    tell(api, 500)
    tell(api, 500)
    assert AuditEntry.objects.filter(verb="set_lifetime_usage").count() == 1
    assert LifetimeUsage.objects.count() == 1


def test_a_draft_counts_until_it_is_voided(api: ApiClient, subscription: Subscription) -> None:
    Customer.objects.update(invoice_grace_period=30)
    at = instant("2026-07-10")
    runs.run(as_of=instant("2026-07-01"), trigger="test", actor=ACTOR)
    assert read(api, at)["invoiced_usage_amount_cents"] == 300
    draft = Invoice.objects.get(status=Invoice.Status.DRAFT)
    voiding.void_draft(invoice_id=draft.pk, reason="not agreed", actor=ACTOR, at=at)
    assert read(api, at)["invoiced_usage_amount_cents"] == 200


@pytest.mark.parametrize("invoiceable", [True, False])
def test_units_renewed_in_advance_count_once(api: ApiClient, *, invoiceable: bool) -> None:
    seats = goods.make_metric("seats", "unique_count_agg", recurring=True)
    charge = goods.standard(seats, "31", pay_in_advance=True, invoiceable=invoiceable)
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, goods.make_plan("pro", cents=0, charges=[charge]), at=instant("2026-05-01"))
    made.send("sub", "seats", "2026-05-12", seats="anna")
    advance.bill("2026-05-12T01:00")
    runs.run_scheduled(as_of=instant("2026-06-01T01:00"))
    assert [amount for _, amount, _ in advance.fees()] == ["31", "31"]  # May by its event, June by its renewal
    found = read(api)
    assert (found["invoiced_usage_amount_cents"], found["current_usage_amount_cents"]) == (3100, 3100)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_moved_time_zone_counts_what_was_paid_in_advance_once(api: ApiClient, zone: str) -> None:
    charge = goods.standard(goods.make_metric("storage", "sum_agg"), "1", pay_in_advance=True, invoiceable=False)
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, goods.make_plan("pro", charges=[charge]), at=instant("2026-05-01"))
    runs.run(as_of=instant("2026-06-01T00:30"), trigger="test", actor=ACTOR)
    Customer.objects.update(timezone=zone)
    made.send("sub", "storage", "2026-06-02", storage=5)
    advance.bill("2026-06-04")
    found = read(api)
    assert (found["invoiced_usage_amount_cents"], found["current_usage_amount_cents"]) == (0, 500)


def test_an_ended_subscription_keeps_what_it_used(api: ApiClient, subscription: Subscription) -> None:
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=NOW)
    found = read(api)
    assert (found["invoiced_usage_amount_cents"], found["current_usage_amount_cents"]) == (300, 0)


def test_another_customers_usage_is_not_counted(api: ApiClient, subscription: Subscription) -> None:
    other = parties.make_customer(Customer.objects.get().billing_entity, external_id="other")
    made.make_subscription(other, subscription.plan_version, "sub2", at=instant("2026-05-04"))
    made.send("sub2", "calls", "2026-05-05")
    runs.run(as_of=NOW, trigger="test", actor=ACTOR)
    assert read(api)["invoiced_usage_amount_cents"] == 200


@pytest.mark.parametrize("cents", [-1, "ten", 1.5, None, 10**16])
def test_what_cannot_be_told(api: ApiClient, subscription: Subscription, cents: Any) -> None:
    response = tell(api, cents)
    assert response.status_code == 422
    assert list(response.json()["error_details"]) == ["external_historical_usage_amount_cents"]
    assert not LifetimeUsage.objects.exists()


def test_a_subscription_that_is_not_there(api: ApiClient, subscription: Subscription) -> None:
    for response in (api.read("subscriptions/none/lifetime_usage"), tell(api, 1, "none")):
        assert (response.status_code, response.json()["code"]) == (404, "subscription_not_found")
    response = api.call("put", "subscriptions/sub/lifetime_usage", {})
    assert response.status_code == 400
