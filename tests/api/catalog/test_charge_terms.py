"""Charges in advance, alone, gathered, priced in units of account: what is read, kept over versions and refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Charge, PlanVersion
from catalog.queries import plans as plan_queries
from config.kernel import registry
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

PLAN = {
    "name": "Starter",
    "code": "starter",
    "interval": "monthly",
    "amount_cents": 0,
    "amount_currency": "EUR",
    "pay_in_advance": False,
}
ALONE = {"pay_in_advance": True, "invoiceable": False, "regroup_paid_fees": "invoice"}
SHOWN = [{"value": "region", "options": {"display_in_invoice": True}}, "team"]


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def sold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every plan one that somebody has."""
    monkeypatch.setitem(registry._parts, plan_queries.USE, [lambda plans: {p.pk: {"in_use": True} for p in plans}])


def post(api: ApiClient, metric: Any, **changes: Any) -> Any:
    charge = {**catalog.standard(metric), "billable_metric_id": str(metric.uuid), **changes}
    return api.call("post", "plans", {"plan": {**PLAN, "charges": [charge]}})


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "plans/starter/charges/requests", {"charge": changes})


def terms(charge: dict[str, Any]) -> dict[str, Any]:
    return {name: charge[name] for name in ("pay_in_advance", "invoiceable", "regroup_paid_fees")}


def test_a_charge_alone_is_kept_over_versions(api: ApiClient) -> None:
    made = post(api, catalog.make_metric(), **ALONE).json()["plan"]["charges"][0]
    assert terms(made) == ALONE
    changed = put(api, properties={"amount": "3"}, invoice_display_name="Calls").json()["charge"]
    assert terms(changed) == ALONE
    assert (changed["lago_id"], changed["properties"]) == (made["lago_id"], {"amount": "3"})
    api.call("put", "plans/starter", {"plan": {"amount_cents": 100}})
    assert terms(api.read("plans/starter/charges/requests").json()["charge"]) == ALONE
    assert PlanVersion.objects.count() == 3


def test_what_is_not_said_is_billed_in_arrears_on_invoices(api: ApiClient) -> None:
    metric = catalog.make_metric()
    made = post(api, metric, pay_in_advance=None, invoiceable=None, regroup_paid_fees=None, min_amount_cents=None)
    found = made.json()["plan"]["charges"][0]
    assert terms(found) == {"pay_in_advance": False, "invoiceable": True, "regroup_paid_fees": None}
    assert found["applied_pricing_unit"] is None


@pytest.mark.parametrize(
    ("aggregation", "changes", "field", "code"),
    [
        ("max_agg", {"pay_in_advance": True}, "pay_in_advance", "invalid_aggregation_type_or_charge_model"),
        ("weighted_sum_agg", {"pay_in_advance": True}, "pay_in_advance", "invalid_aggregation_type_or_charge_model"),
        ("sum_agg", {"invoiceable": False}, "invoiceable", "must_be_true_unless_pay_in_advance"),
        (
            "sum_agg",
            {"pay_in_advance": True, "regroup_paid_fees": "invoice"},
            "regroup_paid_fees",
            "only_compatible_with_pay_in_advance_and_non_invoiceable",
        ),
        (
            "sum_agg",
            {"pay_in_advance": True, "min_amount_cents": 100},
            "min_amount_cents",
            "not_compatible_with_pay_in_advance",
        ),
        (
            "latest_agg",
            {"charge_model": "percentage", "properties": {"rate": "1"}},
            "charge_model",
            "invalid_aggregation_type_or_charge_model",
        ),
    ],
)
def test_terms_that_do_not_go_together(
    api: ApiClient, aggregation: str, changes: dict[str, Any], field: str, code: str
) -> None:
    response = post(api, catalog.make_metric("requests", aggregation), **changes)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == {f"charges.0.{field}": [code]}
    assert not Charge.objects.exists()


def test_a_change_is_checked_against_what_stays(api: ApiClient) -> None:
    post(api, catalog.make_metric(), **ALONE)
    for changes, details in (
        ({"min_amount_cents": 1}, {"min_amount_cents": ["not_compatible_with_pay_in_advance"]}),
        (
            {"invoiceable": True},
            {"regroup_paid_fees": ["only_compatible_with_pay_in_advance_and_non_invoiceable"]},
        ),
        (
            {"pay_in_advance": False},
            {
                "invoiceable": ["must_be_true_unless_pay_in_advance"],
                "regroup_paid_fees": ["only_compatible_with_pay_in_advance_and_non_invoiceable"],
            },
        ),
    ):
        assert put(api, **changes).json()["error_details"] == details
    assert PlanVersion.objects.count() == 1
    back = put(api, pay_in_advance=False, invoiceable=True, regroup_paid_fees=None).json()["charge"]
    assert terms(back) == {"pay_in_advance": False, "invoiceable": True, "regroup_paid_fees": None}


def test_while_somebody_has_the_plan_a_charge_is_billed_as_it_was(api: ApiClient, sold: None) -> None:
    metric = catalog.make_metric()
    made = post(api, metric).json()["plan"]["charges"][0]
    kept = put(api, **ALONE, properties={"amount": "3"})
    assert kept.status_code == 200, kept.content
    assert terms(kept.json()["charge"]) == {"pay_in_advance": False, "invoiceable": True, "regroup_paid_fees": None}
    assert kept.json()["charge"]["properties"] == {"amount": "3"}
    new = {**ALONE, "billable_metric_id": str(metric.uuid), "charge_model": "standard", "code": "alone"}
    rows = [{"id": made["lago_id"], **ALONE}, new]
    found = api.call("put", "plans/starter", {"plan": {"charges": rows}}).json()["plan"]["charges"]
    assert [row["pay_in_advance"] for row in found] == [False, True]


def test_a_price_in_a_unit_of_account(api: ApiClient) -> None:
    catalog.make_pricing_unit("credits")
    catalog.make_pricing_unit("tokens", "TK")
    unit = {"code": "credits", "conversion_rate": "0.05"}
    made = post(api, catalog.make_metric(), applied_pricing_unit=unit).json()["plan"]["charges"][0]
    assert made["applied_pricing_unit"] == unit
    assert put(api, properties={"amount": "3"}).json()["charge"]["applied_pricing_unit"] == unit
    assert put(api, applied_pricing_unit={}).json()["charge"]["applied_pricing_unit"] == unit
    dearer = put(api, applied_pricing_unit={"conversion_rate": 0.5}).json()["charge"]["applied_pricing_unit"]
    assert dearer == {"code": "credits", "conversion_rate": "0.5"}
    other = put(api, applied_pricing_unit={"code": "tokens"}).json()["charge"]["applied_pricing_unit"]
    assert other == {"code": "tokens", "conversion_rate": "0.5"}
    assert put(api, applied_pricing_unit=None).json()["charge"]["applied_pricing_unit"] is None
    stored = Charge.objects.order_by("plan_version__number").values_list("pricing_unit__code", "conversion_rate")
    assert list(stored) == [
        ("credits", Decimal("0.05")),
        ("credits", Decimal("0.05")),
        ("credits", Decimal("0.5")),
        ("tokens", Decimal("0.5")),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("unit", "field", "code"),
    [
        ({"code": "credits"}, "conversion_rate", "value_is_mandatory"),
        ({"conversion_rate": "1"}, "code", "value_is_mandatory"),
        ({"code": "credits", "conversion_rate": "0"}, "conversion_rate", "value_is_out_of_range"),
        ({"code": "credits", "conversion_rate": "-1"}, "conversion_rate", "value_is_out_of_range"),
        ({"code": "credits", "conversion_rate": "1e3"}, "conversion_rate", "value_is_invalid"),
        ({"code": "credits", "conversion_rate": "1000000000000000"}, "conversion_rate", "value_is_out_of_range"),
    ],
)
def test_a_unit_that_is_worth_nothing(api: ApiClient, unit: dict[str, Any], field: str, code: str) -> None:
    catalog.make_pricing_unit("credits")
    response = post(api, catalog.make_metric(), applied_pricing_unit=unit)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == {f"charges.0.applied_pricing_unit.{field}": [code]}
    assert not Charge.objects.exists()


def test_a_unit_that_is_not_there(api: ApiClient) -> None:
    unit = {"code": "credits", "conversion_rate": "1"}
    response = post(api, catalog.make_metric(), applied_pricing_unit=unit)
    assert (response.status_code, response.json()["code"]) == (404, "pricing_unit_not_found")
    assert not Charge.objects.exists()


def test_what_is_shown_apart_is_kept_as_it_came(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    properties = {"amount": "1", "presentation_group_keys": SHOWN}
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2", "presentation_group_keys": ["team"]}}]
    made = post(api, metric, properties=properties, filters=parts).json()["plan"]["charges"][0]
    assert made["properties"] == properties
    assert made["filters"][0]["properties"] == {"amount": "2"}  # it is the whole charge's
    kept = put(api, invoice_display_name="Calls").json()["charge"]
    assert kept["properties"] == properties


@pytest.mark.parametrize(
    ("keys", "code"),
    [(["a", "b", "c"], "too_many_keys"), ([1], "invalid_type"), (["a", "a"], "value_is_duplicated")],
)
def test_what_cannot_be_shown_apart(api: ApiClient, keys: list[Any], code: str) -> None:
    response = post(api, catalog.make_metric(), properties={"amount": "1", "presentation_group_keys": keys})
    assert response.json()["error_details"] == {"charges.0.properties": [code]}
