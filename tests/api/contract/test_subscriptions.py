"""What the API tells of what was bought and used: every field that its clients know, with its type; which of several
subscriptions of one external id is meant; what is refused, and how.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from tests.api.contract import shapes, story, usage_shapes
from tests.factories import customers, usage
from tests.factories.platform import ApiClient

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_clean")]


@pytest.fixture
def _clean() -> Iterator[None]:
    usage.clear()
    with time_machine.travel(NOW, tick=False):
        yield
    usage.clear()


@pytest.fixture
def api() -> ApiClient:
    customers.make_default_entity()
    client = ApiClient()
    story.tell(client)
    return client


def subscribe(api: ApiClient, external_id: str = "sub", **values: Any) -> dict[str, Any]:
    content = {
        "external_customer_id": "acme",
        "plan_code": "pro",
        "external_id": external_id,
        "name": "Mine",
        "billing_time": "calendar",
        "subscription_at": "2026-05-01T00:00:00Z",
        "ending_at": "2199-01-01T00:00:00Z",
        "purchase_order_number": "PO 1",
        "consolidate_invoice": False,
        "invoice_custom_section": {"invoice_custom_section_codes": ["thanks"]},
        "payment_method": {"payment_method_type": "provider", "payment_method_id": None},
        "progressive_billing_disabled": False,
        "unknown": "dropped",
        **values,
    }
    return story.made(api, "subscriptions", "subscription", content)


def event(transaction_id: str, **values: Any) -> dict[str, Any]:
    properties = {"units": "3", "region": "eu", "cloud": "aws"}
    return {
        "transaction_id": transaction_id,
        "external_subscription_id": "sub",
        "code": "requests",
        "timestamp": 1778500000,  # 2026-05-11T11:46:40Z
        "properties": properties,
        **values,
    }


def test_every_field_is_there(api: ApiClient) -> None:
    spec = usage_shapes.SUBSCRIPTION
    faults = [f"POST{fault}" for fault in shapes.wrong(subscribe(api), spec)]
    in_lists = {**spec, "plan": {**shapes.PLAN_IN_LISTS}}
    for path in ("subscriptions", "customers/acme/subscriptions"):
        found = api.read(path).json()
        faults += shapes.wrong(found, {"subscriptions": [in_lists], "meta": shapes.PAGE})
    faults += shapes.wrong(api.read("subscriptions/sub").json()["subscription"], spec)
    changed = api.call("put", "subscriptions/sub", {"subscription": {"name": "Other", "ending_at": None}}).json()
    faults += shapes.wrong(changed["subscription"], spec)
    assert (changed["subscription"]["name"], changed["subscription"]["ending_at"]) == ("Other", None)
    assert faults == []

    own = {**shapes.SUBSCRIPTION_ENTITLEMENT}
    faults += shapes.wrong(api.read("subscriptions/sub/entitlements").json(), {"entitlements": [own]})
    agreed = api.call("patch", "subscriptions/sub/entitlements", {"entitlements": {"seats": {"max": 20}}}).json()
    faults += shapes.wrong(agreed, {"entitlements": [own]})
    assert agreed["entitlements"][0]["privileges"][0]["override_value"] == 20
    faults += shapes.wrong(api.read("subscriptions/sub/charges").json(), {"charges": [shapes.CHARGE]})
    faults += shapes.wrong(api.read("subscriptions/sub/charges/requests").json(), {"charge": shapes.CHARGE})
    filters = api.read("subscriptions/sub/charges/requests/filters").json()
    faults += shapes.wrong(filters, {"filters": [shapes.CHARGE_FILTER], "meta": shapes.PAGE})
    faults += shapes.wrong(api.read("subscriptions/sub/fixed_charges").json(), {"fixed_charges": [shapes.FIXED_CHARGE]})
    fixed = api.call("put", "subscriptions/sub/fixed_charges/seat", {"fixed_charge": {"units": "4"}}).json()
    faults += shapes.wrong(fixed, {"fixed_charge": shapes.FIXED_CHARGE})
    assert fixed["fixed_charge"]["units"] == "4.0"
    faults += shapes.wrong(
        api.read("subscriptions/sub/lifetime_usage").json(), {"lifetime_usage": usage_shapes.LIFETIME_USAGE}
    )
    told = {"lifetime_usage": {"external_historical_usage_amount_cents": 20000}}
    lifetime = api.call("put", "subscriptions/sub/lifetime_usage", told).json()["lifetime_usage"]
    assert lifetime["usage_thresholds"][0]["completion_ratio"] == 0.4  # 200.00 of 500.00
    assert faults == []

    alert = {
        "alert_type": "billable_metric_current_usage_units",
        "code": "many",
        "name": "Many",
        "billable_metric_code": "requests",
        "thresholds": [{"code": "warn", "value": "10"}, {"value": 50, "recurring": True}],
    }
    made = story.made(api, "subscriptions/sub/alerts", "alert", alert)
    faults += shapes.wrong(made, usage_shapes.ALERT)
    amount = {"alert_type": "current_usage_amount", "code": "dear", "thresholds": [{"value": "99.5"}]}
    several = api.call("post", "subscriptions/sub/alerts", {"alerts": [amount]}).json()
    assert several.keys() == {"alerts"}
    listed = api.read("subscriptions/sub/alerts").json()
    faults += shapes.wrong(listed, {"alerts": [{**usage_shapes.ALERT, "billable_metric": "object?"}]})
    assert shapes.wrong(listed["meta"], shapes.PAGE) == []
    assert api.call("delete", "subscriptions/sub/alerts/many").json()["alert"]["code"] == "many"
    assert api.call("delete", "subscriptions/sub/alerts").status_code == 200

    ended = api.call("delete", "subscriptions/sub").json()["subscription"]
    faults += shapes.wrong(ended, spec)
    assert (ended["status"], faults) == ("terminated", [])


def test_events_and_usage(api: ApiClient) -> None:
    subscribe(api)
    one = api.call("post", "events", {"event": event("1", precise_total_amount_cents="12.5")}).json()["event"]
    assert shapes.wrong(one, usage_shapes.EVENT) == []
    assert (one["timestamp"], one["precise_total_amount_cents"]) == ("2026-05-11T11:46:40.000Z", "12.5")
    grouped = {"units": 1, "cloud": "gcp"}
    rest = [event("2", timestamp="1778500001.5"), event("3", timestamp="2026-05-12T00:00:00Z", properties=grouped)]
    stray = event("4", code="nobody", external_subscription_id="unknown", properties={"a": None})
    batch = api.call("post", "events/batch", {"events": [*rest, stray]}).json()
    assert batch.keys() == {"events"}
    assert shapes.wrong(batch, {"events": [usage_shapes.EVENT]}) == []
    listed = api.read("events").json()
    assert shapes.wrong(listed, {"events": [usage_shapes.EVENT], "meta": shapes.PAGE}) == []
    assert [row["transaction_id"] for row in listed["events"]] == ["3", "2", "1", "4"]  # newest first, then by id
    assert api.read("events/2").json()["event"]["timestamp"] == "2026-05-11T11:46:41.500Z"
    for number, query in ((1, "code=nobody"), (3, "external_subscription_id=sub"), (1, "timestamp_from=2026-05-12")):
        assert api.get(f"/api/v1/events?{query}").json()["meta"]["total_count"] == number, query

    enriched = api.read("events_enriched").json()
    assert shapes.wrong(enriched, {"events": [usage_shapes.EVENT_ENRICHED], "meta": shapes.PAGE}) == []
    values = {row["transaction_id"]: (row["value"], row["decimal_value"]) for row in enriched["events"]}
    # The metric of "requests" reads "units"; no metric reads the other code.
    assert values == {"1": ("3", "3.0"), "2": ("3", "3.0"), "3": ("1", "1.0"), "4": (None, "0.0")}
    assert api.read("events_enriched", code="requests").json()["meta"]["total_count"] == 3

    current = api.read("customers/acme/current_usage", external_subscription_id="sub").json()["customer_usage"]
    assert shapes.wrong(current, usage_shapes.USAGE) == []
    projected = api.read("customers/acme/projected_usage", external_subscription_id="sub").json()
    assert shapes.wrong(projected["customer_projected_usage"], usage_shapes.PROJECTED_USAGE) == []

    api.call("delete", "subscriptions/sub")
    past = api.read("customers/acme/past_usage", external_subscription_id="sub").json()
    period = {**usage_shapes.USAGE, "lago_invoice_id": "uuid"}
    assert shapes.wrong(past, {"usage_periods": [period], "meta": shapes.PAGE}) == []


def test_yes_and_no_are_enriched_as_they_came(api: ApiClient) -> None:
    subscribe(api)
    api.call("post", "events", {"event": event("1", properties={"units": True})})
    row = api.read("events_enriched").json()["events"][0]
    assert (row["value"], row["decimal_value"], row["properties"]) == ("true", "0.0", {"units": True})


def test_which_subscription_is_meant(api: ApiClient) -> None:
    subscribe(api)
    subscribe(api, "later", subscription_at="2026-06-01T00:00:00Z")
    api.call("delete", "subscriptions/sub")
    assert api.read("subscriptions/sub").json()["code"] == "subscription_not_found"  # only active ones, unless asked
    assert api.read("subscriptions/sub", status="terminated").json()["subscription"]["status"] == "terminated"
    assert api.read("subscriptions/later", status="pending").json()["subscription"]["status"] == "pending"
    moved = {"subscription": {"subscription_at": "2026-07-01T00:00:00Z"}}
    put = api.call("put", "subscriptions/later?status=pending", moved).json()["subscription"]
    assert put["subscription_at"] == "2026-07-01T00:00:00Z"
    for query, expected in (
        ("", []),
        ("status[]=pending", ["later"]),
        ("status[]=pending&status[]=terminated", ["later", "sub"]),
        ("status[]=pending&external_customer_id=acme&plan_code=pro&currency=EUR&overridden=false", ["later"]),
        ("status[]=pending&plan_code=other", []),
        ("status[]=pending&external_id=sub", []),
        ("status[]=pending&overridden=true", []),
        ("status[]=pending&billing_entity_codes[]=none", []),
    ):
        found = api.get(f"/api/v1/subscriptions?{query}").json()["subscriptions"]
        assert [row["external_id"] for row in found] == expected, query
    canceled = api.call("delete", "subscriptions/later?status=pending").json()["subscription"]
    assert canceled["status"] == "canceled"


def test_its_billing_entity_by_id(api: ApiClient) -> None:
    other = story.made(api, "billing_entities", "billing_entity", {"code": "fr", "name": "FR"})
    assert subscribe(api, billing_entity_id=other["lago_id"])["billing_entity_code"] == "fr"
    for wrong in ("00000000-0000-4000-8000-000000000000", "none"):
        content = {"external_customer_id": "acme", "plan_code": "pro", "external_id": "x", "billing_entity_id": wrong}
        refused = api.call("post", "subscriptions", {"subscription": content})
        assert refused.json()["code"] == "billing_entity_not_found"


def test_what_is_refused(api: ApiClient) -> None:
    subscribe(api)
    mandatory = ["value_is_mandatory"]
    content = {"external_customer_id": "acme", "plan_code": "pro", "external_id": "x"}
    for changes, status, told in (
        ({"external_customer_id": "none"}, 404, "customer_not_found"),
        ({"plan_code": "none"}, 404, "plan_not_found"),
        ({"billing_entity_code": "none"}, 404, "billing_entity_not_found"),
        ({"external_id": ""}, 422, {"external_id": mandatory}),
        ({"billing_time": "weekly"}, 422, {"billing_time": ["value_is_invalid"]}),
        ({"subscription_at": "soon"}, 422, {"subscription_at": ["invalid_date"]}),
        ({"authorization": {"amount_cents": 1}}, 422, {"authorization": ["unsupported_value"]}),
    ):
        response = api.call("post", "subscriptions", {"subscription": {**content, **changes}})
        found = response.json()
        assert (response.status_code, found["code"] if status == 404 else found["error_details"]) == (status, told)
    repeated = api.call("post", "events/batch", {"events": [event("1"), {"code": "x"}]})
    assert (repeated.status_code, repeated.json()["error_details"].keys()) == (422, {"1"})
    assert api.call("post", "events", {"event": event("1")}).status_code == 200  # of a refused batch nothing was kept
    again = api.call("post", "events", {"event": event("1")})
    assert again.json()["error_details"] == {"transaction_id": ["value_already_exist"]}
    none = api.call("post", "events/batch", {"events": []})
    assert none.json()["error_details"] == {"events": ["no_events"]}
    for path, code in (
        ("events/none", "event"),
        ("subscriptions/none", "subscription"),
        ("subscriptions/none/alerts", "subscription"),
        ("subscriptions/sub/alerts/none", "alert"),
        ("subscriptions/none/lifetime_usage", "lifetime_usage|subscription"),
        ("subscriptions/sub/charges/none", "charge"),
        ("subscriptions/sub/fixed_charges/none", "fixed_charge"),
        ("subscriptions/none/entitlements", "subscription"),
        ("customers/none/subscriptions", "customer"),
        ("customers/none/current_usage?external_subscription_id=sub", "customer"),
    ):
        gone = api.get(f"/api/v1/{path}")
        allowed = {f"{name}_not_found" for name in code.split("|")}
        assert gone.status_code == 404, path
        assert gone.json()["code"] in allowed, (path, gone.content)
    for query in ("", "?external_subscription_id=none"):
        usage_of_none = api.get(f"/api/v1/customers/acme/current_usage{query}")
        assert (usage_of_none.status_code, usage_of_none.json()["code"]) == (405, "no_active_subscription")


def test_a_deleted_plan_takes_its_subscriptions_along(api: ApiClient) -> None:
    subscribe(api)
    gone = api.call("delete", "plans/pro")
    assert (gone.status_code, gone.json()["plan"]["pending_deletion"]) == (200, True)
    assert api.read("subscriptions/sub", status="terminated").status_code == 200
    assert api.read("plans/pro").json()["code"] == "plan_not_found"
    assert api.call("delete", "billable_metrics/requests").status_code == 200
