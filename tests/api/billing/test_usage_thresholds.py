"""Usage thresholds of plans and subscriptions, and what is told of them: lifetime usage, invoices, fees."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import SubscriptionThreshold
from billing.services import progressive_billing, runs
from catalog.models import PlanVersion
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

FIRST = {"amount_cents": 200, "threshold_display_name": "First"}
STEP = {"amount_cents": 1000, "recurring": True}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def plan(customer: Customer) -> PlanVersion:
    charge = goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")
    return goods.make_plan("pro", cents=0, charges=[charge], usage_thresholds=[FIRST, STEP])


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str = "2026-05-10") -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content)


def subscribe(api: ApiClient, **values: Any) -> Any:
    content = {"external_customer_id": "c1", "plan_code": "pro", "external_id": "sub", **values}
    return call(api, "post", "subscriptions", {"subscription": content}, at="2026-05-01")


def shown(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["amount_cents"], row["recurring"], row["threshold_display_name"]) for row in rows]


def test_a_plan_keeps_the_ids_of_its_thresholds(api: ApiClient, plan: PlanVersion) -> None:
    before = call(api, "get", "plans/pro").json()["plan"]
    assert shown(before["usage_thresholds"]) == [(200, False, "First"), (1000, True, None)]
    assert shown(before["applicable_usage_thresholds"]) == shown(before["usage_thresholds"])
    ids = [row["lago_id"] for row in before["usage_thresholds"]]

    rows = [{"id": ids[0], "amount_cents": 300}, {"amount_cents": 50}, STEP]
    after = call(api, "put", "plans/pro", {"plan": {"usage_thresholds": rows}}).json()["plan"]
    assert shown(after["usage_thresholds"]) == [(50, False, None), (300, False, "First"), (1000, True, None)]
    assert [row["lago_id"] for row in after["usage_thresholds"]][1:] == ids
    assert PlanVersion.objects.filter(plan__code="pro").count() == 2
    # Absent is untouched, empty takes them away.
    kept = call(api, "put", "plans/pro", {"plan": {"name": "Pro!"}}).json()["plan"]
    assert len(kept["usage_thresholds"]) == 3
    none = call(api, "put", "plans/pro", {"plan": {"usage_thresholds": []}}).json()["plan"]
    assert (none["usage_thresholds"], none["applicable_usage_thresholds"]) == ([], [])


@pytest.mark.parametrize(
    ("rows", "details"),
    [
        ([{}], {"usage_thresholds": ["missing_amount_cents"]}),
        ([{"amount_cents": 5}, {"amount_cents": 5}], {"usage_thresholds": ["duplicated_values"]}),
        ([STEP, {**STEP, "amount_cents": 7}], {"usage_thresholds": ["multiple_recurring_thresholds"]}),
        ([{"amount_cents": -1}], {"usage_thresholds.0.amount_cents": ["value_is_out_of_range"]}),
        (["x"], {"usage_thresholds.0": ["value_is_invalid"]}),
    ],
)
def test_bad_thresholds_are_refused(api: ApiClient, plan: PlanVersion, rows: Any, details: dict[str, Any]) -> None:
    on_plan = call(api, "put", "plans/pro", {"plan": {"usage_thresholds": rows}})
    on_subscription = subscribe(api, usage_thresholds=rows)
    for response in (on_plan, on_subscription):
        assert response.status_code == 422, response.content
        assert response.json()["error_details"] == details
    assert not SubscriptionThreshold.objects.exists()


def test_an_unknown_id_is_not_found(api: ApiClient, plan: PlanVersion) -> None:
    rows = [{"id": "00000000-0000-4000-8000-000000000000", "amount_cents": 5}]
    response = call(api, "put", "plans/pro", {"plan": {"usage_thresholds": rows}})
    assert (response.status_code, response.json()["code"]) == (404, "usage_threshold_not_found")


def test_thresholds_of_a_subscription_go_before_the_plan_s(api: ApiClient, plan: PlanVersion) -> None:
    found = subscribe(api, usage_thresholds=[{"amount_cents": 700}], progressive_billing_disabled=True)
    assert found.status_code == 200, found.content
    content = found.json()["subscription"]
    assert shown(content["usage_thresholds"]) == [(700, False, None)]
    assert content["applicable_usage_thresholds"] == [
        {"amount_cents": 700, "recurring": False, "threshold_display_name": None}
    ]
    assert content["progressive_billing_disabled"] is True
    assert len(content["plan"]["usage_thresholds"]) == 2

    changes = {"usage_thresholds": [{"amount_cents": 700}, STEP], "progressive_billing_disabled": False}
    changed = call(api, "put", "subscriptions/sub", {"subscription": changes}).json()["subscription"]
    assert changed["usage_thresholds"][0]["lago_id"] == content["usage_thresholds"][0]["lago_id"]
    assert (len(changed["usage_thresholds"]), changed["progressive_billing_disabled"]) == (2, False)

    untouched = call(api, "put", "subscriptions/sub", {"subscription": {"name": "x"}}).json()["subscription"]
    assert len(untouched["usage_thresholds"]) == 2
    gone = call(api, "put", "subscriptions/sub", {"subscription": {"usage_thresholds": []}}).json()["subscription"]
    assert (gone["usage_thresholds"], len(gone["applicable_usage_thresholds"])) == ([], 2)


def test_lifetime_usage_tells_how_far_it_is(api: ApiClient, plan: PlanVersion) -> None:
    subscribe(api)
    made.send("sub", "gigabytes", "2026-05-05", gigabytes="7")
    progressive_billing.run(as_of=instant("2026-05-05T01:00"))
    found = call(api, "get", "subscriptions/sub/lifetime_usage").json()["lifetime_usage"]
    assert (found["invoiced_usage_amount_cents"], found["current_usage_amount_cents"]) == (0, 700)
    # 500 of 1000 beyond the first one.
    assert found["usage_thresholds"] == [
        {"amount_cents": 200, "completion_ratio": 1.0, "reached_at": "2026-05-05T01:00:00Z"},
        {"amount_cents": 1200, "completion_ratio": 0.5, "reached_at": None},
    ]


def test_the_invoices_tell_it(api: ApiClient, plan: PlanVersion) -> None:
    subscribe(api)
    made.send("sub", "gigabytes", "2026-05-05", gigabytes="7")
    progressive_billing.run(as_of=instant("2026-05-05T01:00"))
    listed = call(api, "get", "invoices?invoice_type=progressive_billing").json()["invoices"]
    assert len(listed) == 1
    first = call(api, "get", f"invoices/{listed[0]['lago_id']}").json()["invoice"]
    assert first["invoice_type"] == "progressive_billing"
    (applied,) = first["applied_usage_thresholds"]
    threshold = applied.pop("usage_threshold")
    assert applied == {"lifetime_usage_amount_cents": 700, "created_at": "2026-05-05T01:00:00Z"}
    assert (threshold["amount_cents"], threshold["threshold_display_name"]) == (200, "First")
    assert threshold["lago_id"] == call(api, "get", "plans/pro").json()["plan"]["usage_thresholds"][0]["lago_id"]
    (period,) = first["billing_periods"]
    assert (period["invoicing_reason"], period["charges_to_datetime"]) == (
        "progressive_billing",
        "2026-05-31T23:59:59Z",
    )
    made.send("sub", "gigabytes", "2026-05-20", gigabytes="1")
    runs.run(as_of=instant("2026-06-01"), trigger="test", actor=ACTOR)
    (last,) = call(api, "get", "invoices?invoice_type=subscription").json()["invoices"]
    final = call(api, "get", f"invoices/{last['lago_id']}").json()["invoice"]
    assert final["applied_usage_thresholds"] == []
    names = (
        "fees_amount_cents",
        "progressive_billing_credit_amount_cents",
        "sub_total_excluding_taxes_amount_cents",
        "total_amount_cents",
    )
    assert [final[name] for name in names] == [800, 700, 100, 100]
    (credit,) = final["credits"]
    assert (credit["amount_cents"], credit["before_taxes"], credit["item"]["type"]) == (700, True, "invoice")
    assert credit["item"]["lago_item_id"] == first["lago_id"]
    (fee,) = final["fees"]
    assert (fee["amount_cents"], fee["precise_coupons_amount_cents"]) == (800, "700.0")
    assert fee["sub_total_excluding_taxes_amount_cents"] == 100
