"""``plan_overrides`` of subscriptions, and their charges one by one: what is answered and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Subscription
from catalog.models import PlanVersion
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, run
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def plan() -> PlanVersion:
    parties.make_customer(parties.make_entity())
    goods.make_tax("reduced", "0.07")
    metric = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    seats = goods.fixed(goods.make_add_on("seat"), 10, "1", code="seats")
    return goods.make_plan(
        "pro", cents=3100, charges=[goods.standard(metric, "1", code="calls")], fixed_charges=[seats]
    )


def call(api: ApiClient, method: str, path: str, content: Any = None, *, at: str = "2026-01-10") -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call(method, path, content)


def begin(api: ApiClient, external_id: str = "sub", **values: Any) -> Any:
    content = {"external_customer_id": "c1", "plan_code": "pro", "external_id": external_id, **values}
    return call(api, "post", "subscriptions", {"subscription": content}, at="2026-01-01")


def agree(api: ApiClient, **overrides: Any) -> Any:
    return call(api, "put", "subscriptions/sub", {"subscription": {"plan_overrides": overrides}})


def test_a_subscription_shows_the_plan_with_its_own_terms(api: ApiClient, plan: PlanVersion) -> None:
    charge = plan.charges.get()
    overrides = {
        "amount_cents": 2000,
        "amount_currency": "EUR",
        "name": "Pro for Acme",
        "tax_codes": ["reduced"],
        "minimum_commitment": {"amount_cents": 5000, "invoice_display_name": "Floor"},
        "usage_thresholds": [{"amount_cents": 90000, "threshold_display_name": "Much"}],
        "charges": [
            {
                "id": str(charge.key),
                "billable_metric_id": str(charge.metric.uuid),
                "charge_model": "standard",
                "min_amount_cents": 100,
                "properties": {"amount": "0.5"},
            }
        ],
        "fixed_charges": [{"code": "seats", "units": "4", "properties": {"amount": "2"}}],
    }

    answer = begin(api, plan_overrides=overrides)

    assert answer.status_code == 200
    found = answer.json()["subscription"]
    version = Subscription.objects.get().plan_version
    shown = found["plan"]
    assert (found["plan_code"], found["plan_amount_cents"]) == ("pro", 2000)
    assert (shown["lago_id"], shown["parent_id"]) == (str(version.uuid), str(plan.plan.uuid))
    assert (shown["code"], shown["name"], shown["amount_cents"]) == ("pro", "Pro for Acme", 2000)
    assert [tax["code"] for tax in shown["taxes"]] == ["reduced"]
    assert shown["minimum_commitment"]["amount_cents"] == 5000
    assert [one["amount_cents"] for one in shown["usage_thresholds"]] == [90000]
    (priced,) = shown["charges"]
    assert (priced["lago_id"], priced["properties"]["amount"], priced["min_amount_cents"]) == (
        str(charge.key),
        "0.5",
        100,
    )
    assert shown["fixed_charges"][0]["properties"] == {"amount": "2"}
    own_seats = call(api, "get", "subscriptions/sub/fixed_charges/seats").json()["fixed_charge"]
    assert (own_seats["units"], own_seats["properties"]) == ("4.0", {"amount": "2"})

    plain = call(api, "get", "plans/pro").json()["plan"]
    assert (plain["lago_id"], plain["parent_id"], plain["amount_cents"]) == (str(plan.plan.uuid), None, 3100)
    assert len(call(api, "get", "plans").json()["plans"]) == 1


def test_lists_tell_those_with_own_terms_apart(api: ApiClient, plan: PlanVersion) -> None:
    begin(api, plan_overrides={"amount_cents": 1})
    begin(api, "other")

    found = {
        flag: [row["external_id"] for row in call(api, "get", f"subscriptions{flag}").json()["subscriptions"]]
        for flag in ("", "?overridden=true", "?overridden=false")
    }

    assert found == {"": ["other", "sub"], "?overridden=true": ["sub"], "?overridden=false": ["other"]}


def test_an_update_comes_on_top_and_a_repeat_changes_nothing(api: ApiClient, plan: PlanVersion) -> None:
    begin(api, plan_overrides={"amount_cents": 2000})

    answer = agree(api, charges=[{"code": "calls", "properties": {"amount": "0.5"}}])
    again = agree(api, charges=[{"code": "calls", "properties": {"amount": "0.5"}}])

    shown = answer.json()["subscription"]["plan"]
    assert (shown["amount_cents"], shown["charges"][0]["properties"]["amount"]) == (2000, "0.5")
    assert again.json()["subscription"]["plan"]["lago_id"] == shown["lago_id"]
    assert PlanVersion.objects.count() == 3
    # The same subscription again is the one that is there, whatever was agreed on since.
    assert (
        begin(api, plan_overrides={"amount_cents": 2000}).json()["subscription"]["plan"]["lago_id"] == shown["lago_id"]
    )
    assert begin(api).json()["subscription"]["plan_amount_cents"] == 2000
    refused = begin(api, plan_overrides={"amount_cents": 1999})
    assert refused.json()["error_details"] == {"plan_overrides": ["modification_not_allowed"]}


@pytest.mark.parametrize(
    ("overrides", "status", "told"),
    [
        ({"amount_cents": "much"}, 422, {"plan_overrides.amount_cents": ["value_is_invalid"]}),
        ({"amount_currency": "USD"}, 422, {"plan_overrides.amount_currency": ["currencies_does_not_match"]}),
        ({"trial_period": "14"}, 422, {"plan_overrides.trial_period": ["modification_not_allowed"]}),
        ({"trial_period": "-1"}, 422, None),
        ({"charges": [{"code": "calls", "properties": {"amount": "x"}}]}, 422, None),
        ({"charges": [{"properties": {"amount": "1"}}]}, 422, {"plan_overrides.charges.0.id": ["value_is_mandatory"]}),
        ({"charges": [{"id": "nothing"}]}, 422, {"plan_overrides.charges.0.id": ["value_is_invalid"]}),
        ({"charges": {"code": "calls"}}, 422, None),
        ({"charges": [{"code": "nothing", "min_amount_cents": 1}]}, 404, "charge_not_found"),
        ({"charges": [{"code": "calls", "charge_model": "package"}]}, 403, "cannot_override_charge_model"),
        ({"tax_codes": ["nothing"]}, 404, "tax_not_found"),
        ({"minimum_commitment": {"invoice_display_name": "x"}}, 422, None),
        ({"usage_thresholds": [{"amount_cents": 1}, {"amount_cents": 1}]}, 422, None),
        ({"fixed_charges": [{"code": "seats", "units": "-1"}]}, 422, None),
        ("all", 422, {"plan_overrides": ["value_is_invalid"]}),
    ],
)
def test_bad_terms_are_refused_and_change_nothing(
    api: ApiClient, plan: PlanVersion, overrides: Any, status: int, told: Any
) -> None:
    begin(api)
    answer = call(api, "put", "subscriptions/sub", {"subscription": {"plan_overrides": overrides}})

    assert answer.status_code == status
    if told is not None:
        assert answer.json().get("error_details", answer.json()["code"]) == told
    assert PlanVersion.objects.count() == 1


def test_charges_are_agreed_one_by_one(api: ApiClient, plan: PlanVersion) -> None:
    begin(api)
    path = "subscriptions/sub/charges"
    content = {"properties": {"amount": "0.5"}, "invoice_display_name": "API calls", "tax_codes": ["reduced"]}

    answer = call(api, "put", f"{path}/calls", {"charge": content})

    assert answer.status_code == 200
    shown = answer.json()["charge"]
    assert (shown["properties"]["amount"], shown["invoice_display_name"]) == ("0.5", "API calls")
    assert call(api, "get", f"{path}/calls").json()["charge"] == shown
    assert call(api, "get", path).json()["charges"] == [shown]
    assert call(api, "get", "plans/pro/charges/calls").json()["charge"]["properties"]["amount"] == "1"
    assert call(api, "put", f"{path}/nothing", {"charge": content}).json()["code"] == "charge_not_found"
    refused = call(api, "put", f"{path}/calls", {"charge": {"properties": {"amount": "-1"}}})
    assert refused.json()["error_details"] == {"properties": ["invalid_amount"]}
    made.send("sub", "calls", "2026-01-11", "2026-01-12")
    run("2026-02-01")
    assert "calls 1" in amounts(Subscription.objects.get().customer)


def test_filters_are_added_changed_and_removed(api: ApiClient, plan: PlanVersion) -> None:
    begin(api)
    path = "subscriptions/sub/charges/calls/filters"
    content = {"values": {"region": ["eu"]}, "properties": {"amount": "5"}, "invoice_display_name": "Europe"}

    made_ = call(api, "post", path, {"filter": content}).json()["filter"]
    one = f"{path}/{made_['lago_id']}"
    changed = call(api, "put", one, {"filter": {"properties": {"amount": "7"}}}).json()["filter"]

    assert (changed["lago_id"], changed["properties"]["amount"]) == (made_["lago_id"], "7")
    assert (changed["values"], changed["invoice_display_name"]) == ({"region": ["eu"]}, "Europe")
    assert call(api, "get", path).json()["filters"] == [changed]
    assert call(api, "get", one).json()["filter"] == changed
    refused = call(api, "put", one, {"filter": {"values": {"region": ["us"]}}})
    assert refused.json()["error_details"] == {"values": ["modification_not_allowed"]}
    again = call(api, "post", path, {"filter": content})
    assert again.json()["error_details"] == {"values": ["value_is_duplicated"]}
    assert call(api, "get", f"{path}/nothing").json()["code"] == "charge_filter_not_found"
    assert call(api, "delete", one).json()["filter"] == changed
    assert call(api, "get", path).json()["filters"] == []
    # Nothing is left that differs from the plan.
    assert Subscription.objects.get().plan_version_id == plan.pk


def test_a_fixed_charge_gets_a_price_of_its_own(api: ApiClient, plan: PlanVersion) -> None:
    begin(api)
    path = "subscriptions/sub/fixed_charges/seats"

    shown = call(api, "put", path, {"fixed_charge": {"properties": {"amount": "3"}, "units": "2"}}).json()

    assert (shown["fixed_charge"]["units"], shown["fixed_charge"]["properties"]) == ("2.0", {"amount": "3"})
    assert call(api, "get", "plans/pro").json()["plan"]["fixed_charges"][0]["properties"] == {"amount": "1"}


def test_a_plan_update_cascades_where_it_says_so(api: ApiClient, plan: PlanVersion) -> None:
    begin(api, plan_overrides={"charges": [{"code": "calls", "properties": {"amount": "0.5"}}]})

    call(api, "put", "plans/pro", {"plan": {"amount_cents": 4000}})
    kept = call(api, "get", "subscriptions/sub").json()["subscription"]
    call(api, "put", "plans/pro", {"plan": {"amount_cents": 5000, "cascade_updates": True}})
    followed = call(api, "get", "subscriptions/sub").json()["subscription"]

    assert (kept["plan_amount_cents"], followed["plan_amount_cents"]) == (3100, 5000)
    assert followed["plan"]["charges"][0]["properties"]["amount"] == "0.5"

    charge = {"charge": {"invoice_display_name": "Calls made", "cascade_updates": True}}
    call(api, "put", "plans/pro/charges/calls", charge)
    call(api, "delete", "plans/pro/fixed_charges/seats?cascade_updates=true")
    last = call(api, "get", "subscriptions/sub").json()["subscription"]["plan"]
    assert (last["charges"][0]["invoice_display_name"], last["fixed_charges"]) == ("Calls made", [])
    assert last["charges"][0]["properties"]["amount"] == "0.5"
