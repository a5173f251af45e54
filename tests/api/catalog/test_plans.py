"""``/plans``: shapes, versions, charges and their identity, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from catalog.domain.facts import PlanVersionPublished
from catalog.models import Charge, Plan, PlanVersion
from catalog.queries import plans as plan_queries
from config.kernel import events, registry
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

CONTENT = {
    "name": "Starter",
    "code": "starter",
    "interval": "monthly",
    "amount_cents": 2900,
    "amount_currency": "EUR",
    "pay_in_advance": False,
}
TIERS = [
    {"from_value": 0, "to_value": 1000, "per_unit_amount": "0", "flat_amount": "0"},
    {"from_value": 1001, "to_value": None, "per_unit_amount": "0.00012", "flat_amount": "0"},
]


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def published() -> Iterator[list[PlanVersionPublished]]:
    """The facts told while the test runs, instead of to the installation's own listeners."""
    told: list[PlanVersionPublished] = []
    kept = events.type_subscribers[PlanVersionPublished]
    events.type_subscribers[PlanVersionPublished] = [told.append]
    yield told
    events.type_subscribers[PlanVersionPublished] = kept


@pytest.fixture
def sold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every plan one that somebody has."""
    monkeypatch.setitem(registry._parts, plan_queries.USE, [lambda plans: {p.pk: {"in_use": True} for p in plans}])


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "plans", {"plan": {**CONTENT, **changes}})


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "plans/starter", {"plan": changes})


def charge(metric: Any, **changes: Any) -> dict[str, Any]:
    return {**catalog.standard(metric), "billable_metric_id": str(metric.uuid), **changes}


def test_the_shape_of_a_plan(api: ApiClient) -> None:
    tax = catalog.make_tax()
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    part = {"values": {"region": ["eu"]}, "properties": {"amount": "2"}, "invoice_display_name": "Europe"}
    response = post(
        api,
        description="d",
        trial_period=0.0,
        bill_charges_monthly=None,
        tax_codes=["vat"],
        minimum_commitment={},
        usage_thresholds=[],
        charges=[
            charge(metric, filters=[part], tax_codes=["vat"], invoiceable=True, min_amount_cents=0),
            {
                "billable_metric_id": str(metric.uuid),
                "charge_model": "graduated",
                "properties": {"graduated_ranges": TIERS},
            },
        ],
    )
    assert response.status_code == 200, response.content
    version = PlanVersion.objects.get()
    first, second = Charge.objects.order_by("position")
    created_at = version.plan.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    shown_tax = {
        "lago_id": str(tax.uuid),
        "name": "VAT",
        "code": "vat",
        "rate": 19.0,
        "description": None,
        "applied_to_organization": False,
        "add_ons_count": 0,
        "customers_count": 0,
        "plans_count": 0,
        "charges_count": 0,
        "commitments_count": 0,
        "created_at": tax.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    shown_charge = {
        "lago_id": str(first.key),
        "lago_billable_metric_id": str(metric.uuid),
        "code": "requests",
        "invoice_display_name": None,
        "billable_metric_code": "requests",
        "created_at": created_at,
        "charge_model": "standard",
        "invoiceable": True,
        "regroup_paid_fees": None,
        "pay_in_advance": False,
        "prorated": False,
        "min_amount_cents": 0,
        "accepts_target_wallet": False,
        "properties": {"amount": "0.10"},
        "applied_pricing_unit": None,
        "lago_parent_id": None,
        "filters": [
            {
                "lago_id": str(first.filters.get().key),
                "charge_code": "requests",
                "invoice_display_name": "Europe",
                "properties": {"amount": "2"},
                "values": {"region": ["eu"]},
            }
        ],
        "taxes": [shown_tax],
    }
    found = response.json()["plan"]
    shown_charges = found.pop("charges")
    assert shown_charges[0] == shown_charge
    assert (shown_charges[1]["code"], shown_charges[1]["lago_id"]) == ("requests_2", str(second.key))
    assert shown_charges[1]["properties"] == {"graduated_ranges": TIERS}
    assert found == {
        "lago_id": str(version.plan.uuid),
        "name": "Starter",
        "invoice_display_name": None,
        "created_at": created_at,
        "code": "starter",
        "interval": "monthly",
        "description": "d",
        "amount_cents": 2900,
        "amount_currency": "EUR",
        "trial_period": 0,
        "pay_in_advance": False,
        "bill_charges_monthly": None,
        "bill_fixed_charges_monthly": None,
        "customers_count": 0,
        "active_subscriptions_count": 0,
        "draft_invoices_count": 0,
        "parent_id": None,
        "pending_deletion": False,
        "fixed_charges": [],
        "entitlements": [],
        "usage_thresholds": [],
        "applicable_usage_thresholds": [],
        "taxes": [shown_tax],
    }
    assert api.read("plans/starter").json() == response.json()


@pytest.mark.parametrize(
    ("currency", "cents", "amount"), [("EUR", 2900, "29"), ("JPY", 2900, "2900"), ("BHD", 2900, "2.9")]
)
def test_minor_units_follow_the_currency(api: ApiClient, currency: str, cents: int, amount: str) -> None:
    found = post(api, amount_cents=cents, amount_currency=currency).json()["plan"]
    stored = PlanVersion.objects.get().amount
    assert (found["amount_cents"], found["amount_currency"]) == (cents, currency)
    assert stored.amount.normalize().to_eng_string() == stored.amount.__class__(amount).normalize().to_eng_string()


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"code": " "}, {"code": ["value_is_mandatory"]}),
        ({"interval": "daily"}, {"interval": ["value_is_invalid"]}),
        ({"interval": None}, {"interval": ["value_is_mandatory"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": "12.5"}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": 10**16}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": "eur"}, {"amount_currency": ["value_is_invalid"]}),
        ({"pay_in_advance": True}, {"pay_in_advance": ["unsupported_value"]}),
        ({"trial_period": 14}, {"trial_period": ["unsupported_value"]}),
        ({"bill_charges_monthly": True}, {"bill_charges_monthly": ["unsupported_value"]}),
        ({"minimum_commitment": {"amount_cents": 1}}, {"minimum_commitment": ["unsupported_value"]}),
        ({"fixed_charges": [{"add_on_id": "x"}]}, {"fixed_charges": ["unsupported_value"]}),
        ({"usage_thresholds": [{"amount_cents": 1}]}, {"usage_thresholds": ["unsupported_value"]}),
        ({"metadata": {"a": "b"}}, {"metadata": ["unsupported_value"]}),
        ({"charges": {}}, {"charges": ["must_be_an_array"]}),
        ({"charges": ["x"]}, {"charges.0": ["value_is_invalid"]}),
        ({"charges": [{}]}, {"charges.0.billable_metric_id": ["value_is_mandatory"]}),
        ({"charges": [{"billable_metric_id": "x"}]}, {"charges.0.billable_metric_id": ["value_is_invalid"]}),
        ({"tax_codes": "vat"}, {"tax_codes": ["must_be_an_array"]}),
    ],
)
def test_refuses(api: ApiClient, changes: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = post(api, **changes)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details
    assert Plan.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"charge_model": None}, "charge_model", "value_is_mandatory"),
        ({"charge_model": "percentage"}, "charge_model", "unsupported_value"),
        ({"charge_model": "nonsense"}, "charge_model", "unsupported_value"),
        ({"pay_in_advance": True}, "pay_in_advance", "unsupported_value"),
        ({"prorated": True}, "prorated", "unsupported_value"),
        ({"invoiceable": False}, "invoiceable", "unsupported_value"),
        ({"min_amount_cents": 100}, "min_amount_cents", "unsupported_value"),
        ({"accepts_target_wallet": True}, "accepts_target_wallet", "unsupported_value"),
        ({"regroup_paid_fees": "invoice"}, "regroup_paid_fees", "unsupported_value"),
        ({"applied_pricing_unit": {"code": "x"}}, "applied_pricing_unit", "unsupported_value"),
        ({"properties": {"amount": "-1"}}, "properties", "invalid_amount"),
        ({"properties": {"amount": 0.1}}, "properties", "invalid_amount"),
        ({"properties": {"amount": "1e3"}}, "properties", "invalid_amount"),
        ({"properties": {"amount": {"x": []}}}, "properties", "invalid_amount"),
        ({"properties": "x"}, "properties", "value_is_invalid"),
        ({"properties": {"amount": "1", "pricing_group_keys": ["region"]}}, "properties", "unsupported_value"),
        ({"charge_model": "graduated", "properties": {"x": 1}}, "properties", "missing_graduated_ranges"),
        (
            {"charge_model": "package", "properties": {"amount": "1", "package_size": 0}},
            "properties",
            "invalid_package_size",
        ),
        (
            {"charge_model": "volume", "properties": {"volume_ranges": [TIERS[1]]}},
            "properties",
            "invalid_volume_ranges",
        ),
        ({"filters": [{"properties": {"amount": "1"}}]}, "filters.0.values", "value_is_mandatory"),
        ({"filters": [{"values": {"region": ["mars"]}}]}, "filters.0.values", "value_is_invalid"),
        ({"filters": [{"values": {"planet": ["eu"]}}]}, "filters.0.values", "value_is_invalid"),
        ({"filters": [{"values": {"region": ["eu"]}}] * 2}, "filters.1.values", "value_is_duplicated"),
        (
            {"filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "x"}}]},
            "filters.0.properties",
            "invalid_amount",
        ),
    ],
)
def test_refuses_a_charge(api: ApiClient, changes: dict[str, Any], field: str, code: str) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    response = post(api, charges=[charge(metric), charge(metric, **changes)])
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == {f"charges.1.{field}": [code]}
    assert Plan.objects.count() == 0


def test_what_does_not_exist(api: ApiClient) -> None:
    metric = catalog.make_metric()
    unknown = charge(metric, billable_metric_id="00000000-0000-4000-8000-000000000000")
    assert post(api, charges=[unknown]).json()["code"] == "billable_metric_not_found"
    assert post(api, tax_codes=["none"]).json()["code"] == "tax_not_found"
    assert post(api, charges=[charge(metric, tax_codes=["none"])]).json()["code"] == "tax_not_found"
    assert put(api, name="x").json()["code"] == "plan_not_found"
    assert Plan.objects.count() == 0


def test_a_charge_without_properties_costs_nothing(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    found = post(api, charges=[charge(metric, properties=None, filters=parts)]).json()["plan"]["charges"][0]
    assert found["properties"] == {"amount": "0"}


def test_names_change_in_place(api: ApiClient, published: list[Any]) -> None:
    post(api)
    found = put(api, name="Basic", description="d", invoice_display_name="i", amount_cents=2900).json()["plan"]
    assert (found["name"], found["description"], found["invoice_display_name"]) == ("Basic", "d", "i")
    assert PlanVersion.objects.count() == 1
    assert published == []


def test_another_price_is_another_version(api: ApiClient, published: list[Any]) -> None:
    post(api)
    found = put(api, amount_cents=3900).json()["plan"]
    first, second = PlanVersion.objects.order_by("number")
    assert found["amount_cents"] == 3900
    assert (first.amount.amount, first.is_current, second.is_current, second.number) == (29, False, True, 2)
    assert published == [PlanVersionPublished(plan_id=second.plan_id, version_id=second.pk)]


def test_the_same_again_changes_nothing(api: ApiClient, published: list[Any]) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    charges = [charge(metric, filters=parts, code="r")]
    first = post(api, charges=charges).json()
    assert put(api, **{**CONTENT, "charges": charges}).json() == first
    assert PlanVersion.objects.count() == 1
    assert published == []


def test_charges_keep_their_id_over_versions(api: ApiClient) -> None:
    metric, other = catalog.make_metric("a"), catalog.make_metric("b")
    before = post(api, charges=[charge(metric), charge(other)]).json()["plan"]["charges"]
    dearer = {"id": before[1]["lago_id"], "properties": {"amount": "0.20"}}
    after = put(api, charges=[dearer, {"id": before[0]["lago_id"]}, charge(metric, code="new")]).json()["plan"][
        "charges"
    ]
    assert [row["lago_id"] for row in after[:2]] == [before[1]["lago_id"], before[0]["lago_id"]]
    assert [row["properties"]["amount"] for row in after] == ["0.20", "0.10", "0.10"]
    assert after[0]["created_at"] == before[1]["created_at"]
    assert after[2]["lago_id"] not in {row["lago_id"] for row in before}
    assert put(api, amount_cents=1).json()["plan"]["charges"] == after  # absent: untouched
    assert put(api, charges=[]).json()["plan"]["charges"] == []  # present: the full list
    assert Charge.objects.filter(plan_version__number=1).count() == 2


def test_charges_are_matched_by_code_too(api: ApiClient) -> None:
    metric = catalog.make_metric("a")
    before = post(api, charges=[charge(metric, code="calls")]).json()["plan"]["charges"]
    after = put(api, charges=[charge(metric, code="calls", properties={"amount": "9"})]).json()["plan"]["charges"]
    assert (after[0]["lago_id"], after[0]["properties"]) == (before[0]["lago_id"], {"amount": "9"})


def test_charges_that_cannot_be_matched(api: ApiClient) -> None:
    metric, other = catalog.make_metric("a"), catalog.make_metric("b")
    key = post(api, charges=[charge(metric)]).json()["plan"]["charges"][0]["lago_id"]
    assert put(api, charges=[{"id": str(other.uuid)}]).json()["code"] == "charge_not_found"
    moved = put(api, charges=[{"id": key, "billable_metric_id": str(other.uuid)}])
    assert moved.json()["error_details"] == {"charges.0.billable_metric_id": ["modification_not_allowed"]}
    twice = put(api, charges=[{"id": key}, {"id": key}])
    assert twice.json()["error_details"] == {"charges.1.id": ["value_is_duplicated"]}
    taken = put(api, charges=[charge(metric, code="x"), charge(other, code="x")])
    assert taken.json()["error_details"] == {"charges.1.code": ["value_already_exist"]}
    assert PlanVersion.objects.count() == 1


def test_another_model_needs_its_own_prices(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    key = post(api, charges=[charge(metric, filters=parts)]).json()["plan"]["charges"][0]["lago_id"]
    package = {"id": key, "charge_model": "package", "properties": {"amount": "5", "package_size": 10, "free_units": 0}}
    assert put(api, charges=[package]).json()["error_details"] == {"charges.0.filters": ["value_is_mandatory"]}
    found = put(api, charges=[{**package, "filters": []}]).json()["plan"]["charges"][0]
    assert (found["lago_id"], found["charge_model"], found["filters"]) == (key, "package", [])
    assert found["properties"] == {"amount": "5", "package_size": 10, "free_units": 0}


def test_a_filter_keeps_its_id_with_its_values(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    one, other = ({"values": {"region": [name]}, "properties": {"amount": "2"}} for name in ("eu", "us"))
    before = post(api, charges=[charge(metric, code="c", filters=[one])]).json()["plan"]["charges"][0]["filters"]
    after = put(api, charges=[charge(metric, code="c", filters=[other, one])]).json()["plan"]["charges"][0]["filters"]
    assert after[1]["lago_id"] == before[0]["lago_id"]
    assert after[0]["lago_id"] != before[0]["lago_id"]


def test_a_plan_in_use_keeps_what_contracts_rest_on(api: ApiClient, sold: None, published: list[Any]) -> None:
    post(api)
    response = put(api, code="other", interval="yearly", amount_currency="USD", amount_cents=1, name="Basic")
    found = response.json()["plan"]
    assert response.status_code == 200
    assert (found["code"], found["interval"], found["amount_currency"]) == ("starter", "monthly", "EUR")
    assert (found["amount_cents"], found["name"]) == (1, "Basic")
    assert len(published) == 1
    refused = api.call("delete", "plans/starter")
    assert (refused.status_code, refused.json()["code"]) == (405, "plan_in_use")
    assert Plan.objects.get().deleted_at is None


def test_a_free_plan_changes_in_everything(api: ApiClient) -> None:
    post(api)
    found = put(api, code="other", interval="yearly", amount_currency="JPY").json()["plan"]
    assert (found["code"], found["interval"], found["amount_currency"]) == ("other", "yearly", "JPY")
    assert found["amount_cents"] == 2900


def test_a_code_is_taken_until_it_is_free_again(api: ApiClient) -> None:
    post(api)
    assert post(api).json()["error_details"] == {"code": ["value_already_exist"]}
    post(api, code="second")
    assert put(api, code="second").json()["error_details"] == {"code": ["value_already_exist"]}
    assert api.call("delete", "plans/starter").json()["plan"]["code"] == "starter"
    assert api.read("plans/starter").status_code == 404
    assert post(api).status_code == 200
    assert [row["code"] for row in api.read("plans").json()["plans"]] == ["starter", "second"]


def test_lists_leave_out_fixed_charges_and_find_by_term(api: ApiClient) -> None:
    post(api)
    post(api, code="pro", name="Professional")
    found = api.read("plans").json()
    assert [row["code"] for row in found["plans"]] == ["pro", "starter"]
    assert "fixed_charges" not in found["plans"][0]
    assert found["meta"]["total_count"] == 2
    assert [row["code"] for row in api.read("plans?search_term=profess").json()["plans"]] == ["pro"]


def test_a_list_costs_the_same_however_long(api: ApiClient, django_assert_num_queries: Any) -> None:
    catalog.make_tax()
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    for number in range(4):
        row = charge(metric, filters=parts, tax_codes=["vat"])
        post(api, code=f"p{number}", tax_codes=["vat"], charges=[row, charge(metric)])
    # key, count, versions with plans, taxes, charges, metrics, filters, charges' taxes, default taxes
    with django_assert_num_queries(9):
        assert len(api.read("plans").json()["plans"]) == 4


def test_charges_one_by_one(api: ApiClient) -> None:
    metric = catalog.make_metric("a")
    post(api, charges=[charge(metric)])
    path = "plans/starter/charges"
    added = api.call("post", path, {"charge": charge(metric, code="more", properties={"amount": "5"})}).json()["charge"]
    assert [row["code"] for row in api.read(path).json()["charges"]] == ["a", "more"]
    assert api.read(path).json()["meta"]["total_count"] == 2
    changed = api.call("put", f"{path}/more", {"charge": {"properties": {"amount": "6"}, "id": None}}).json()["charge"]
    assert (changed["lago_id"], changed["properties"]) == (added["lago_id"], {"amount": "6"})
    assert api.read(f"{path}/more").json() == {"charge": changed}
    assert api.call("delete", f"{path}/a").json()["charge"]["code"] == "a"
    assert [row["code"] for row in api.read(path).json()["charges"]] == ["more"]
    assert PlanVersion.objects.count() == 4


def test_charges_that_are_not_there(api: ApiClient) -> None:
    metric = catalog.make_metric("a")
    post(api, charges=[charge(metric)])
    path = "plans/starter/charges"
    for response in (
        api.read(f"{path}/none"),
        api.call("put", f"{path}/none", {"charge": {"properties": {"amount": "x"}}}),
        api.call("delete", f"{path}/none"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "charge_not_found")
    taken = api.call("post", path, {"charge": charge(metric, code="a")})
    assert taken.json()["error_details"] == {"code": ["value_already_exist"]}
    wrong = api.call("put", f"{path}/a", {"charge": {"properties": {"amount": "x"}}})
    assert wrong.json()["error_details"] == {"properties": ["invalid_amount"]}
