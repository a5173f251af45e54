"""``/add_ons`` and ``/pricing_units``: shapes, changes, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import AddOn, PricingUnit
from config.platform.models import AuditEntry
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

SETUP = {"name": "Set-up", "code": "setup", "amount_cents": 12000, "amount_currency": "EUR"}
CREDITS = {"name": "Credits", "code": "credits", "short_name": "CR"}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "add_ons", {"add_on": {**SETUP, **changes}})


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "add_ons/setup", {"add_on": changes})


def unit(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "pricing_units", {"pricing_unit": {**CREDITS, **changes}})


def test_the_shape_of_an_add_on(api: ApiClient) -> None:
    catalog.make_tax()
    response = post(api, description="d", invoice_display_name="Start", tax_codes=["vat"])
    row = AddOn.objects.get()
    shown = dict(response.json()["add_on"])
    assert [tax["code"] for tax in shown.pop("taxes")] == ["vat"]
    assert shown == {
        "lago_id": str(row.uuid),
        "name": "Set-up",
        "invoice_display_name": "Start",
        "code": "setup",
        "amount_cents": 12000,
        "amount_currency": "EUR",
        "tax_inclusive": False,
        "created_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "description": "d",
    }
    assert api.read("add_ons/setup").json() == response.json()
    listed = api.read("add_ons?search_term=set").json()
    assert (listed["add_ons"], listed["meta"]["total_count"]) == ([response.json()["add_on"]], 1)
    assert api.read("add_ons?search_term=none").json()["add_ons"] == []


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"code": " "}, {"code": ["value_is_mandatory"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"tax_codes": "vat"}, {"tax_codes": ["must_be_an_array"]}),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = post(api, **changes)
    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert not AddOn.objects.exists()


def test_an_add_on_changes(api: ApiClient) -> None:
    catalog.make_tax()
    post(api, tax_codes=["vat"])
    found = put(api, name="Start", amount_cents=500, tax_codes=[]).json()["add_on"]
    assert (found["name"], found["amount_cents"], found["taxes"]) == ("Start", 500, [])
    put(api, name="Start", amount_cents=500, tax_codes=None)  # nothing new
    found = put(api, amount_currency="JPY").json()["add_on"]
    assert (found["amount_cents"], found["amount_currency"]) == (500, "JPY")
    assert put(api, amount_currency="XXX").status_code == 422
    assert list(
        AuditEntry.objects.filter(object_type="catalog.addon").values_list("verb", flat=True).order_by("pk")
    ) == [
        "create",
        "update",
        "update",
    ]


def test_a_code_is_taken_until_it_is_free_again(api: ApiClient) -> None:
    post(api)
    post(api, code="other")
    assert post(api).json()["error_details"] == {"code": ["value_already_exist"]}
    assert put(api, code="other").json()["error_details"] == {"code": ["value_already_exist"]}
    assert api.call("delete", "add_ons/setup").json()["add_on"]["code"] == "setup"
    for response in (api.read("add_ons/setup"), put(api, name="x"), api.call("delete", "add_ons/setup")):
        assert (response.status_code, response.json()["code"]) == (404, "add_on_not_found")
    assert post(api).status_code == 200
    assert AddOn.objects.filter(code="setup").count() == 2
    assert post(api, code="x", tax_codes=["none"]).json()["code"] == "tax_not_found"


def test_the_shape_of_a_pricing_unit(api: ApiClient) -> None:
    response = unit(api, description="d")
    row = PricingUnit.objects.get()
    assert response.json()["pricing_unit"] == {
        "lago_id": str(row.uuid),
        "name": "Credits",
        "code": "credits",
        "short_name": "CR",
        "description": "d",
        "created_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert api.read("pricing_units/credits").json() == response.json()
    assert api.read("pricing_units").json()["pricing_units"] == [response.json()["pricing_unit"]]
    assert api.read("pricing_units?search_term=token").json()["pricing_units"] == []


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"short_name": None}, {"short_name": ["value_is_mandatory"]}),
        ({"short_name": "LONG"}, {"short_name": ["value_is_too_long"]}),
    ],
)
def test_refuses_a_pricing_unit(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = unit(api, **changes)
    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert not PricingUnit.objects.exists()


def test_a_pricing_unit_changes_but_for_its_code_once_it_is_used(api: ApiClient) -> None:
    unit(api)
    unit(api, code="tokens")
    assert unit(api).json()["error_details"] == {"code": ["value_already_exist"]}
    change = "pricing_units/credits"
    taken = api.call("put", change, {"pricing_unit": {"code": "tokens"}})
    assert taken.json()["error_details"] == {"code": ["value_already_exist"]}
    applied = {"code": "credits", "conversion_rate": Decimal("0.1")}
    catalog.make_plan(charges=[catalog.standard(catalog.make_metric(), applied_pricing_unit=applied)])
    kept = api.call("put", change, {"pricing_unit": {"code": "coins", "name": "Coins"}})
    assert kept.json()["error_details"] == {"code": ["modification_not_allowed"]}
    named = api.call("put", change, {"pricing_unit": {"code": "credits", "name": "Coins"}}).json()["pricing_unit"]
    assert (named["code"], named["name"]) == ("credits", "Coins")
    missing = api.call("put", "pricing_units/none", {"pricing_unit": {"name": "x"}})
    assert (missing.status_code, missing.json()["code"]) == (404, "pricing_unit_not_found")
