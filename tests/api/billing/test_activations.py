"""Payment-gated activation through the API: what is sent, what is shown, how it is paid and given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from billing.models import ActivationRule
from tests.factories import catalog, customers
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db
NOW = instant("2026-05-01T09:00")


@pytest.fixture
def api() -> Any:
    customers.make_customer()
    catalog.make_plan(cents=3000, pay_in_advance=True, at=instant("2026-01-01"))
    with time_machine.travel(NOW, tick=False):
        yield ApiClient()


def post(api: ApiClient, rules: Any) -> Any:
    body = {"external_customer_id": "acme", "plan_code": "starter", "external_id": "sub", "activation_rules": rules}
    return api.call("post", "subscriptions", {"subscription": body})


def waiting(api: ApiClient) -> Any:
    return api.read("invoices?status[]=open").json()["invoices"]


def test_from_waiting_to_active(api: ApiClient) -> None:
    shown = post(api, [{"type": "payment", "timeout_hours": 48}]).json()["subscription"]
    rule = ActivationRule.objects.get()
    assert (shown["status"], shown["started_at"], shown["activated_at"]) == ("incomplete", None, None)
    assert (shown["cancellation_reason"], shown["current_billing_period_started_at"]) == (None, None)
    assert shown["activation_rules"] == [
        {
            "lago_id": str(rule.uuid),
            "type": "payment",
            "timeout_hours": 48,
            "status": "pending",
            "expires_at": "2026-05-03T09:00:00Z",
            "created_at": "2026-05-01T09:00:00Z",
            "updated_at": "2026-05-01T09:00:00Z",
        }
    ]
    assert api.read("subscriptions/sub").status_code == 404
    assert api.read("subscriptions/sub?status=incomplete").json()["subscription"] == shown
    assert api.read("subscriptions?status[]=incomplete").json()["subscriptions"][0]["status"] == "incomplete"
    assert api.read("invoices").json()["invoices"] == []
    assert api.read("fees").json()["fees"] == []
    (invoice,) = waiting(api)
    assert (invoice["status"], invoice["total_amount_cents"], invoice["total_due_amount_cents"]) == ("open", 3000, 3000)
    payment = {"invoice_id": invoice["lago_id"], "amount_cents": 3000, "reference": "x"}
    assert api.call("post", "payments", {"payment": payment}).status_code == 200
    active = api.read("subscriptions/sub").json()["subscription"]
    assert (active["status"], active["started_at"]) == ("active", "2026-05-01T09:00:00.000Z")
    assert (active["activated_at"], active["activation_rules"][0]["status"]) == ("2026-05-01T09:00:00Z", "satisfied")
    (issued,) = api.read("invoices").json()["invoices"]
    assert (issued["status"], issued["payment_status"], waiting(api)) == ("finalized", "succeeded", [])
    assert issued["subscriptions" if "subscriptions" in issued else "number"]


def test_declining(api: ApiClient) -> None:
    post(api, [{"type": "payment"}])
    (invoice,) = waiting(api)
    refused = api.call("delete", "subscriptions/sub?status=incomplete")
    assert (refused.status_code, refused.json()["error_details"]) == (422, {"base": ["subscription_incomplete"]})
    shown = api.call("post", "subscriptions/sub/decline_activation").json()["subscription"]
    assert (shown["status"], shown["cancellation_reason"]) == ("canceled", "payment_failed")
    assert shown["activation_rules"][0]["status"] == "declined"
    assert api.call("post", "subscriptions/sub/decline_activation").json()["code"] == "subscription_not_found"
    assert api.read(f"invoices/{invoice['lago_id']}").status_code == 404
    payment = {"invoice_id": invoice["lago_id"], "amount_cents": 3000}
    assert api.call("post", "payments", {"payment": payment}).status_code == 404


def test_an_invoice_that_waits_is_no_document(api: ApiClient) -> None:
    post(api, [{"type": "payment"}])
    (invoice,) = waiting(api)
    address = f"invoices/{invoice['lago_id']}"
    for method, path, status in (
        ("put", f"{address}/finalize", 405),
        ("post", f"{address}/void", 405),
        ("delete", address, 405),
    ):
        assert api.call(method, path).status_code == status, path
    told = api.call("put", address, {"invoice": {"payment_status": "failed"}})
    assert (told.status_code, told.json()["code"]) == (405, "invoice_not_finalized")
    paid = api.call("put", address, {"invoice": {"payment_status": "succeeded"}})
    assert paid.json()["invoice"]["status"] == "finalized"
    assert api.read("subscriptions/sub").json()["subscription"]["status"] == "active"


@pytest.mark.parametrize("rules", [None, [], [{"type": "payment", "timeout_hours": 0}]])
def test_no_time_limit_and_no_rule(api: ApiClient, rules: Any) -> None:
    shown = post(api, rules).json()["subscription"]
    if rules:
        assert (shown["status"], shown["activation_rules"][0]["expires_at"]) == ("incomplete", None)
        with time_machine.travel(NOW + timedelta(days=400), tick=False):
            assert len(waiting(api)) == 1
    else:
        assert (shown["status"], shown["activation_rules"]) == ("active", [])
        assert shown["activated_at"] == "2026-05-01T09:00:00Z"


@pytest.mark.parametrize(
    "rules",
    [
        "payment",
        [{"type": "approval"}],
        [{}],
        [{"type": "payment", "timeout_hours": -1}],
        [{"type": "payment", "timeout_hours": 10**9}],
        [{"type": "payment"}, {"type": "payment", "timeout_hours": 2}],
    ],
)
def test_wrong_rules(api: ApiClient, rules: Any) -> None:
    response = post(api, rules)
    assert response.status_code == 422, response.content
    assert not ActivationRule.objects.exists()
    assert api.read("subscriptions?status[]=incomplete&status[]=active").json()["subscriptions"] == []
