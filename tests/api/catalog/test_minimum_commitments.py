"""Minimum commitments of plans through the API: their shape, changing and taking them away, refusals, their fees."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from catalog.models import MinimumCommitment, PlanVersion
from config.platform.models import AuditEntry
from tests.factories import catalog, customers
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

URL = "plans"


def body(**changes: Any) -> dict[str, Any]:
    plan = {"name": "Pro", "code": "pro", "interval": "monthly", "amount_cents": 1000, "amount_currency": "EUR"}
    return {"plan": {**plan, "pay_in_advance": False, **changes}}


def put(api: ApiClient, commitment: Any) -> Any:
    return api.call("put", f"{URL}/pro", {"plan": {"minimum_commitment": commitment}})


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def plan(api: ApiClient) -> dict[str, Any]:
    catalog.make_tax()
    commitment = {"amount_cents": 50000, "invoice_display_name": "Minimum", "tax_codes": ["vat"]}
    response = api.call("post", URL, body(minimum_commitment=commitment))
    assert response.status_code == 200, response.content
    return dict(response.json()["plan"])


def test_the_shape(api: ApiClient, plan: dict[str, Any]) -> None:
    row = MinimumCommitment.objects.get()
    shown = plan["minimum_commitment"]
    created_at = row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {key: value for key, value in shown.items() if key != "taxes"} == {
        "lago_id": str(row.key),
        "plan_code": "pro",
        "invoice_display_name": "Minimum",
        "amount_cents": 50000,
        "interval": "monthly",
        "created_at": created_at,
        "updated_at": created_at,
    }
    assert [tax["code"] for tax in shown["taxes"]] == ["vat"]
    assert api.call("get", f"{URL}/pro").json()["plan"]["minimum_commitment"] == shown
    assert api.call("get", URL).json()["plans"][0]["minimum_commitment"] == shown
    entry = AuditEntry.objects.filter(verb="create").order_by("pk").last()
    assert entry is not None
    assert entry.new["minimum_commitment_cents"] == 50000


def test_a_plan_without_one_does_not_name_it(api: ApiClient) -> None:
    shown = api.call("post", URL, body(minimum_commitment={})).json()["plan"]
    assert "minimum_commitment" not in shown
    assert "minimum_commitment" not in api.call("get", URL).json()["plans"][0]
    assert not MinimumCommitment.objects.exists()


def test_a_change_makes_a_version_and_keeps_what_is_not_said(api: ApiClient, plan: dict[str, Any]) -> None:
    before = plan["minimum_commitment"]
    after = put(api, {"id": before["lago_id"], "amount_cents": 60000}).json()["plan"]["minimum_commitment"]
    assert after["amount_cents"] == 60000
    assert (after["lago_id"], after["invoice_display_name"], after["created_at"]) == (
        before["lago_id"],
        "Minimum",
        before["created_at"],
    )
    assert [tax["code"] for tax in after["taxes"]] == ["vat"]
    assert PlanVersion.objects.count() == 2
    assert list(MinimumCommitment.objects.order_by("pk").values_list("amount_cents", flat=True)) == [50000, 60000]


@pytest.mark.parametrize("same", [None, {"amount_cents": 50000}, {"invoice_display_name": "Minimum"}])
def test_the_same_again_makes_no_version(api: ApiClient, plan: dict[str, Any], same: Any) -> None:
    assert put(api, same).json()["plan"]["minimum_commitment"] == plan["minimum_commitment"]
    assert PlanVersion.objects.count() == 1


def test_an_empty_one_takes_it_away(api: ApiClient, plan: dict[str, Any]) -> None:
    assert "minimum_commitment" in plan
    assert "minimum_commitment" not in put(api, {}).json()["plan"]
    assert PlanVersion.objects.count() == 2
    # The version that somebody may have bought keeps it.
    assert MinimumCommitment.objects.get().plan_version.number == 1


def test_what_is_not_said_about_it_stays(api: ApiClient, plan: dict[str, Any]) -> None:
    shown = api.call("put", f"{URL}/pro", {"plan": {"amount_cents": 2000}}).json()["plan"]
    assert shown["minimum_commitment"]["amount_cents"] == plan["minimum_commitment"]["amount_cents"]
    assert PlanVersion.objects.count() == 2


def test_a_retired_tax_is_taken_off(api: ApiClient, plan: dict[str, Any]) -> None:
    assert plan["minimum_commitment"]["taxes"]
    assert api.call("delete", "taxes/vat").status_code == 200
    assert api.call("get", f"{URL}/pro").json()["plan"]["minimum_commitment"]["taxes"] == []


@pytest.mark.parametrize(
    ("commitment", "details"),
    [
        ({"amount_cents": 0}, {"minimum_commitment.amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": -1}, {"minimum_commitment.amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 1.5}, {"minimum_commitment.amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": "many"}, {"minimum_commitment.amount_cents": ["value_is_invalid"]}),
        ({"invoice_display_name": "x"}, {"minimum_commitment.amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": 10**30}, {"minimum_commitment.amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 1, "id": "x"}, {"minimum_commitment.id": ["value_is_invalid"]}),
        ([], None),
        ("x", None),
    ],
)
def test_refusals(api: ApiClient, commitment: Any, details: dict[str, list[str]] | None) -> None:
    response = api.call("post", URL, body(minimum_commitment=commitment))
    assert response.status_code == 422, response.content
    if details is not None:
        assert response.json()["error_details"] == details
    assert not PlanVersion.objects.exists()


@pytest.mark.parametrize(
    ("commitment", "code"),
    [
        ({"amount_cents": 1, "tax_codes": ["nope"]}, "tax_not_found"),
        ({"amount_cents": 1, "id": "00000000-0000-4000-8000-000000000000"}, "minimum_commitment_not_found"),
    ],
)
def test_what_is_named_in_vain(api: ApiClient, plan: dict[str, Any], commitment: Any, code: str) -> None:
    response = put(api, commitment)
    assert (response.status_code, response.json()["code"]) == (404, code)
    assert PlanVersion.objects.get().plan.code == plan["code"]


def test_its_fee_on_an_invoice(api: ApiClient, plan: dict[str, Any]) -> None:
    assert plan["minimum_commitment"]
    customers.make_default_entity()
    with time_machine.travel("2026-06-01T01:00:00Z", tick=False) as clock:
        api.call("post", "customers", {"customer": {"external_id": "acme", "name": "Acme", "currency": "EUR"}})
        terms = {"external_customer_id": "acme", "external_id": "sub", "plan_code": "pro"}
        response = api.call("post", "subscriptions", {"subscription": terms})
        assert response.status_code == 200, response.content
        subscription = response.json()["subscription"]
        clock.move_to("2026-06-16T10:00:00Z")
        assert api.call("delete", "subscriptions/sub").status_code == 200
        [fee] = api.call("get", "fees?fee_type=commitment").json()["fees"]
    # 500.00 / 30 x 16 = 266.67, less 10.00 / 30 x 16 = 5.33
    assert (fee["amount_cents"], fee["taxes_amount_cents"], fee["units"]) == (26134, 4965, "1.0")
    item = fee["item"]
    assert (item["type"], item["code"], item["name"]) == ("commitment", "pro", "Pro")
    assert (item["invoice_display_name"], item["item_type"]) == ("Minimum", "Subscription")
    assert item["lago_item_id"] == fee["lago_subscription_id"] == subscription["lago_id"]
    assert fee["from_date"] == "2026-06-01T00:00:00Z"
    assert fee["amount_details"] == {"commitment": "266.67", "counted": "5.33", "days": 16, "of_days": 30}
