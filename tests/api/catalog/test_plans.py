"""``/plans``: shapes, versions, what is refused."""

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
        "legal_note": None,
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
        "tax_inclusive": None,
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
    found = dict(found)
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
        "tax_inclusive": False,
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
        ({"pay_in_advance": "soon"}, {"pay_in_advance": ["value_is_invalid"]}),
        ({"trial_period": -1}, {"trial_period": ["value_is_out_of_range"]}),
        ({"trial_period": 3651}, {"trial_period": ["value_is_out_of_range"]}),
        ({"trial_period": "0.000001"}, {"trial_period": ["value_is_out_of_range"]}),
        ({"trial_period": "a week"}, {"trial_period": ["value_is_invalid"]}),
        ({"bill_charges_monthly": "no idea"}, {"bill_charges_monthly": ["value_is_invalid"]}),
        ({"bill_fixed_charges_monthly": "no idea"}, {"bill_fixed_charges_monthly": ["value_is_invalid"]}),
        ({"minimum_commitment": {"amount_cents": 0}}, {"minimum_commitment.amount_cents": ["value_is_out_of_range"]}),
        ({"fixed_charges": [{"add_on_id": "x"}]}, {"fixed_charges.0.add_on_id": ["value_is_invalid"]}),
        (
            {"usage_thresholds": [{"amount_cents": 0}]},
            {"usage_thresholds": ["missing_amount_cents"]},
        ),
        ({"metadata": {"a": ["b"]}}, {"metadata": ["value_is_invalid"]}),
        ({"metadata": {"k" * 101: "b"}}, {"metadata": ["value_is_too_long"]}),
        ({"metadata": {f"k{n}": "b" for n in range(51)}}, {"metadata": ["invalid_count"]}),
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


def test_what_does_not_exist(api: ApiClient) -> None:
    metric = catalog.make_metric()
    unknown = charge(metric, billable_metric_id="00000000-0000-4000-8000-000000000000")
    assert post(api, charges=[unknown]).json()["code"] == "billable_metric_not_found"
    assert post(api, tax_codes=["none"]).json()["code"] == "tax_not_found"
    assert post(api, charges=[charge(metric, tax_codes=["none"])]).json()["code"] == "tax_not_found"
    assert put(api, name="x").json()["code"] == "plan_not_found"
    assert Plan.objects.count() == 0


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


def test_in_advance_with_a_trial_and_usage_every_month(api: ApiClient, published: list[Any]) -> None:
    made = post(api, interval="yearly", pay_in_advance="true", trial_period="10.5", bill_charges_monthly=True)
    found = made.json()["plan"]
    assert (found["pay_in_advance"], found["trial_period"], found["bill_charges_monthly"]) == (True, 10.5, True)
    assert put(api, name="Starter").json() == made.json()
    # Months have no months inside: what was asked for there means nothing.
    monthly = put(api, interval="monthly", trial_period=None, pay_in_advance=None).json()["plan"]
    assert (monthly["pay_in_advance"], monthly["trial_period"], monthly["bill_charges_monthly"]) == (False, 0, None)
    version = PlanVersion.objects.get(is_current=True)
    assert (version.number, version.bill_charges_monthly) == (2, False)


def test_when_a_plan_in_use_is_billed_stays(api: ApiClient, sold: None, published: list[Any]) -> None:
    post(api)
    found = put(api, pay_in_advance=True, trial_period=7, bill_charges_monthly=True).json()["plan"]
    assert (found["pay_in_advance"], found["trial_period"]) == (False, 0)
    assert PlanVersion.objects.count() == 1
    assert published == []


def test_a_plan_in_use_keeps_what_contracts_rest_on(api: ApiClient, sold: None, published: list[Any]) -> None:
    post(api)
    response = put(api, code="other", interval="yearly", amount_currency="USD", amount_cents=1, name="Basic")
    found = response.json()["plan"]
    assert response.status_code == 200
    assert (found["code"], found["interval"], found["amount_currency"]) == ("starter", "monthly", "EUR")
    assert (found["amount_cents"], found["name"]) == (1, "Basic")
    assert len(published) == 1
    waiting = api.call("delete", "plans/starter")  # gone when nobody has it any more
    assert (waiting.status_code, waiting.json()["plan"]["pending_deletion"]) == (200, True)
    assert Plan.objects.get().deleted_at is None
    assert api.read("plans/starter").json()["plan"]["pending_deletion"] is True


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
    # key, count, versions with plans, taxes, charges, metrics, filters, charges' taxes, fixed charges, default taxes,
    # thresholds, minimum commitments, entitlements
    with django_assert_num_queries(13):
        assert len(api.read("plans").json()["plans"]) == 4
