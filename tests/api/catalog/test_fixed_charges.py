"""Fixed charges of plans, inside them and under ``/plans/:code/fixed_charges``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from catalog.domain.facts import FixedUnitsChanged, PlanVersionPublished
from catalog.models import FixedCharge, PlanVersion
from catalog.queries import plans as plan_queries
from config.kernel import events, registry
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

PLAN = {
    "name": "Starter",
    "code": "starter",
    "interval": "yearly",
    "amount_cents": 0,
    "amount_currency": "EUR",
    "pay_in_advance": True,
}
TIERS = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]
PATH = "plans/starter/fixed_charges"


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture(autouse=True)
def told() -> Iterator[list[PlanVersionPublished]]:
    """The facts told while the test runs, instead of to the installation's own listeners."""
    facts: list[PlanVersionPublished] = []
    kept = events.type_subscribers[PlanVersionPublished]
    events.type_subscribers[PlanVersionPublished] = [facts.append]
    yield facts
    events.type_subscribers[PlanVersionPublished] = kept


@pytest.fixture
def sold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every plan one that somebody has."""
    monkeypatch.setitem(registry._parts, plan_queries.USE, [lambda plans: {p.pk: {"in_use": True} for p in plans}])


def fixed(add_on: str = "seat", **changes: Any) -> dict[str, Any]:
    return {
        "add_on_code": add_on,
        "charge_model": "standard",
        "units": "10",
        "properties": {"amount": "5"},
        **changes,
    }


def post(api: ApiClient, *rows: dict[str, Any], **changes: Any) -> Any:
    return api.call("post", "plans", {"plan": {**PLAN, "fixed_charges": list(rows), **changes}})


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "plans/starter", {"plan": changes})


def test_the_shape_of_a_fixed_charge(api: ApiClient) -> None:
    tax = catalog.make_tax()
    seat = catalog.make_add_on()
    row = fixed(units=2.5, pay_in_advance=True, prorated=True, tax_codes=["vat"])
    response = post(api, row, bill_fixed_charges_monthly=True)
    assert response.status_code == 200, response.content
    plan = response.json()["plan"]
    stored = FixedCharge.objects.get()
    shown = dict(plan["fixed_charges"][0])
    assert shown.pop("taxes")[0]["lago_id"] == str(tax.uuid)
    assert shown == {
        "lago_id": str(stored.key),
        "lago_add_on_id": str(seat.uuid),
        "code": "seat",
        "invoice_display_name": "",
        "add_on_code": "seat",
        "created_at": stored.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "charge_model": "standard",
        "pay_in_advance": True,
        "prorated": True,
        "properties": {"amount": "5"},
        "units": "2.5",
        "lago_parent_id": None,
    }
    assert plan["bill_fixed_charges_monthly"] is True
    assert api.read("plans/starter").json() == response.json()
    assert "fixed_charges" not in api.read("plans").json()["plans"][0]


def test_codes_are_the_add_ons_without_a_clash(api: ApiClient) -> None:
    catalog.make_add_on()
    made = post(api, fixed(), fixed())
    assert [row["code"] for row in made.json()["plan"]["fixed_charges"]] == ["seat", "seat_2"]
    key = made.json()["plan"]["fixed_charges"][0]["lago_id"]
    after = put(api, fixed_charges=[fixed(), {"id": key}]).json()["plan"]["fixed_charges"]
    assert [row["code"] for row in after] == ["seat_2", "seat"]  # the one that is there keeps its code


def test_what_is_not_said(api: ApiClient) -> None:
    catalog.make_add_on()
    row = {"add_on_code": "seat", "charge_model": "graduated", "units": None, "prorated": None, "tax_codes": None}
    found = post(api, row).json()["plan"]["fixed_charges"][0]
    assert (found["units"], found["prorated"], found["pay_in_advance"]) == ("0.0", False, False)
    assert found["properties"]["graduated_ranges"][0]["per_unit_amount"] == "0"
    assert put(api, interval="monthly").json()["plan"]["bill_fixed_charges_monthly"] is None


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"add_on_code": None}, "add_on_id", "value_is_mandatory"),
        ({"charge_model": None}, "charge_model", "value_is_mandatory"),
        ({"charge_model": "package"}, "charge_model", "value_is_invalid"),
        ({"charge_model": "volume", "pay_in_advance": True}, "pay_in_advance", "invalid_charge_model"),
        ({"charge_model": "graduated", "pay_in_advance": True, "prorated": True}, "prorated", "invalid_charge_model"),
        ({"units": "-1"}, "units", "value_is_out_of_range"),
        ({"units": "many"}, "units", "value_is_invalid"),
        ({"units": "0.0000000000000001"}, "units", "value_is_out_of_range"),
        ({"properties": {"amount": "-1"}}, "properties", "invalid_amount"),
        ({"properties": {"amount": 0.1}}, "properties", "invalid_amount"),
        ({"charge_model": "volume", "properties": {"amount": "1"}}, "properties", "missing_volume_ranges"),
        ({"charge_model": "graduated", "properties": {"x": 1}}, "properties", "missing_graduated_ranges"),
        ({"prorated": "x"}, "prorated", "value_is_invalid"),
        ({"id": "x"}, "id", "value_is_invalid"),
        ({"code": "taken"}, "code", "value_already_exist"),
        ({"tax_codes": "vat"}, "tax_codes", "must_be_an_array"),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], field: str, code: str) -> None:
    catalog.make_add_on()
    response = post(api, fixed(), {**fixed(), "code": "taken"}, {**fixed(), **changes})
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == {f"fixed_charges.2.{field}": [code]}
    assert not PlanVersion.objects.exists()


def test_what_does_not_exist(api: ApiClient) -> None:
    seat, other = catalog.make_add_on(), catalog.make_add_on("desk")
    unknown = "00000000-0000-4000-8000-000000000000"
    assert post(api, fixed("none")).json()["code"] == "add_on_not_found"
    assert post(api, fixed("", add_on_id=unknown)).json()["code"] == "add_on_not_found"
    assert post(api, fixed(tax_codes=["none"])).json()["code"] == "tax_not_found"
    assert post(api, fixed(id=unknown)).json()["code"] == "fixed_charge_not_found"
    both = post(api, fixed("seat", add_on_id=str(other.uuid)))
    assert both.json()["error_details"] == {"fixed_charges.0.add_on_code": ["value_is_invalid"]}
    assert not PlanVersion.objects.exists()
    assert post(api, fixed("seat", add_on_id=str(seat.uuid))).status_code == 200


def test_they_keep_their_id_over_versions(api: ApiClient) -> None:
    catalog.make_add_on()
    desk = catalog.make_add_on("desk")
    before = post(api, fixed(), fixed("desk")).json()["plan"]["fixed_charges"]
    dearer = {"id": before[1]["lago_id"], "properties": {"amount": "9"}}
    after = put(api, fixed_charges=[dearer, {**fixed(), "code": "seat"}]).json()["plan"]["fixed_charges"]
    assert [row["lago_id"] for row in after] == [before[1]["lago_id"], before[0]["lago_id"]]
    assert [(row["properties"]["amount"], row["units"]) for row in after] == [("9", "10.0"), ("5", "10.0")]
    assert after[0]["created_at"] == before[1]["created_at"]
    assert put(api, amount_cents=1).json()["plan"]["fixed_charges"] == after  # absent: untouched
    assert put(api, fixed_charges=None).json()["plan"]["fixed_charges"] == after
    moved = put(api, fixed_charges=[{"id": before[0]["lago_id"], "add_on_id": str(desk.uuid)}])
    assert moved.json()["error_details"] == {"fixed_charges.0.add_on_id": ["modification_not_allowed"]}
    twice = put(api, fixed_charges=[{"id": before[0]["lago_id"]}] * 2)
    assert twice.json()["error_details"] == {"fixed_charges.1.id": ["value_is_duplicated"]}
    assert put(api, fixed_charges=[]).json()["plan"]["fixed_charges"] == []  # present: the full list
    assert FixedCharge.objects.filter(plan_version__number=1).count() == 2


def test_one_by_one(api: ApiClient) -> None:
    catalog.make_add_on()
    post(api, fixed())
    added = api.call("post", PATH, {"fixed_charge": fixed(units="3", code="more")}).json()["fixed_charge"]
    listed = api.read(PATH).json()
    assert ([row["code"] for row in listed["fixed_charges"]], listed["meta"]["total_count"]) == (["seat", "more"], 2)
    changed = api.call("put", f"{PATH}/more", {"fixed_charge": {"units": 4, "id": None}}).json()["fixed_charge"]
    assert (changed["lago_id"], changed["units"], changed["properties"]) == (
        added["lago_id"],
        "4.0",
        {"amount": "5"},
    )
    assert api.read(f"{PATH}/more").json() == {"fixed_charge": changed}
    assert api.call("delete", f"{PATH}/seat").json()["fixed_charge"]["code"] == "seat"
    assert [row["code"] for row in api.read(PATH).json()["fixed_charges"]] == ["more"]
    assert PlanVersion.objects.count() == 4


def test_those_that_are_not_there(api: ApiClient) -> None:
    catalog.make_add_on()
    post(api, fixed())
    for response in (
        api.read(f"{PATH}/none"),
        api.call("put", f"{PATH}/none", {"fixed_charge": {"units": "x"}}),
        api.call("delete", f"{PATH}/none"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "fixed_charge_not_found")
    assert api.read("plans/none/fixed_charges").json()["code"] == "plan_not_found"
    taken = api.call("post", PATH, {"fixed_charge": {**fixed(), "code": "seat"}})
    assert taken.json()["error_details"] == {"code": ["value_already_exist"]}
    wrong = api.call("put", f"{PATH}/seat", {"fixed_charge": {"properties": {"amount": "x"}}})
    assert wrong.json()["error_details"] == {"properties": ["invalid_amount"]}
    volume = {"charge_model": "volume", "properties": {"volume_ranges": TIERS}, "pay_in_advance": True}
    refused = api.call("put", f"{PATH}/seat", {"fixed_charge": volume})
    assert refused.json()["error_details"] == {"pay_in_advance": ["invalid_charge_model"]}
    assert PlanVersion.objects.count() == 1


def test_another_number_of_units_is_told(api: ApiClient, told: list[PlanVersionPublished]) -> None:
    catalog.make_add_on()
    catalog.make_add_on("desk")
    made = post(api, fixed()).json()["plan"]["fixed_charges"][0]
    key = UUID(made["lago_id"])
    api.call("put", f"{PATH}/seat", {"fixed_charge": {"units": "15", "apply_units_immediately": True}})
    api.call("put", f"{PATH}/seat", {"fixed_charge": {"units": "15", "apply_units_immediately": True}})  # no news
    api.call("put", f"{PATH}/seat", {"fixed_charge": {"properties": {"amount": "6"}}})
    put(api, fixed_charges=[{"id": made["lago_id"], "units": "20"}, fixed("desk", units="1")])
    put(api, fixed_charges=[{"id": made["lago_id"]}])
    new = FixedCharge.objects.get(code="desk").key
    ten, fifteen, twenty = Decimal(10), Decimal(15), Decimal(20)
    assert [fact.fixed_units for fact in told] == [
        (FixedUnitsChanged(key=key, units=fifteen, immediately=True, previous=ten),),
        (),  # another price
        (
            FixedUnitsChanged(key=key, units=twenty, immediately=False, previous=fifteen),
            FixedUnitsChanged(key=new, units=Decimal(1), immediately=False, previous=None),
        ),
        (),  # one is left out
    ]


def test_while_somebody_has_the_plan_it_is_billed_when_it_was(api: ApiClient, sold: None) -> None:
    catalog.make_add_on()
    made = post(api, fixed(), bill_fixed_charges_monthly=True).json()["plan"]["fixed_charges"][0]
    rows = [{"id": made["lago_id"], "pay_in_advance": True, "units": "11"}, fixed(pay_in_advance=True)]
    found = put(api, fixed_charges=rows, bill_fixed_charges_monthly=False).json()["plan"]
    assert [(row["pay_in_advance"], row["units"]) for row in found["fixed_charges"]] == [
        (False, "11.0"),
        (True, "10.0"),
    ]
    assert found["bill_fixed_charges_monthly"] is True


def test_a_retired_add_on_stays_in_plans_and_cannot_be_sold_anew(api: ApiClient) -> None:
    catalog.make_add_on()
    made = post(api, fixed()).json()["plan"]["fixed_charges"][0]
    assert api.call("delete", "add_ons/seat").status_code == 200
    kept = put(api, fixed_charges=[{"id": made["lago_id"], "units": "11", "add_on_code": "seat"}])
    assert (kept.status_code, kept.json()["plan"]["fixed_charges"][0]["add_on_code"]) == (200, "seat")
    again = api.call("post", PATH, {"fixed_charge": fixed()})
    assert (again.status_code, again.json()["code"]) == (404, "add_on_not_found")


def test_a_retired_tax_is_taken_off(api: ApiClient) -> None:
    catalog.make_tax()
    catalog.make_add_on(tax_codes=["vat"])
    post(api, fixed(tax_codes=["vat"]))
    api.call("delete", "taxes/vat")
    assert api.read(f"{PATH}/seat").json()["fixed_charge"]["taxes"] == []
    assert api.read("add_ons/seat").json()["add_on"]["taxes"] == []
