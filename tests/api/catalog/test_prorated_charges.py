"""Charges that count days: with which metrics and models, and over versions of a plan."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Charge
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

RANGES = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]
PRICES: dict[str, dict[str, Any]] = {
    "standard": {"amount": "1"},
    "graduated": {"graduated_ranges": RANGES},
    "volume": {"volume_ranges": RANGES},
    "package": {"amount": "1", "package_size": 10, "free_units": 0},
    "percentage": {"rate": "1"},
}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def post(api: ApiClient, metric: Any, model: str, **changes: Any) -> Any:
    charge = {
        "billable_metric_id": str(metric.uuid),
        "charge_model": model,
        "properties": PRICES[model],
        "prorated": True,
        **changes,
    }
    plan = {
        "name": "Starter",
        "code": "starter",
        "interval": "monthly",
        "amount_cents": 0,
        "amount_currency": "EUR",
        "pay_in_advance": False,
        "charges": [charge],
    }
    return api.call("post", "plans", {"plan": plan})


@pytest.mark.parametrize("model", ["standard", "graduated", "volume"])
@pytest.mark.parametrize("aggregation", ["sum_agg", "unique_count_agg"])
def test_what_stays_can_be_priced_by_the_day(api: ApiClient, aggregation: str, model: str) -> None:
    response = post(api, catalog.make_metric("seats", aggregation, recurring=True), model)
    assert response.status_code == 200, response.content
    assert response.json()["plan"]["charges"][0]["prorated"] is True


@pytest.mark.parametrize(
    ("aggregation", "recurring", "model"),
    [
        ("sum_agg", False, "standard"),
        ("unique_count_agg", False, "standard"),
        ("count_agg", False, "standard"),
        ("max_agg", False, "standard"),
        ("weighted_sum_agg", True, "standard"),
        ("sum_agg", True, "package"),
        ("sum_agg", True, "percentage"),
    ],
)
def test_nothing_else_can(api: ApiClient, aggregation: str, model: str, *, recurring: bool) -> None:
    response = post(api, catalog.make_metric("seats", aggregation, recurring=recurring), model)
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == {"charges.0.prorated": ["invalid_billable_metric_or_charge_model"]}
    assert not Charge.objects.exists()


def test_a_charge_that_is_not_told_otherwise_counts_in_full(api: ApiClient) -> None:
    metric = catalog.make_metric("seats", "sum_agg", recurring=True)
    response = post(api, metric, "standard", prorated=None)
    assert response.json()["plan"]["charges"][0]["prorated"] is False


def test_it_stays_so_over_versions_until_it_is_changed(api: ApiClient) -> None:
    post(api, catalog.make_metric("seats", "sum_agg", recurring=True), "standard")
    address = "plans/starter/charges/seats"
    changed = api.call("put", address, {"charge": {"properties": {"amount": "2"}}}).json()["charge"]
    assert (changed["prorated"], changed["properties"]["amount"]) == (True, "2")

    refused = api.call("put", address, {"charge": {"charge_model": "package", "properties": PRICES["package"]}})
    assert refused.json()["error_details"] == {"prorated": ["invalid_billable_metric_or_charge_model"]}
    assert api.read(address).json()["charge"]["charge_model"] == "standard"

    back = api.call("put", address, {"charge": {"prorated": False}}).json()["charge"]
    assert back["prorated"] is False
    assert set(Charge.objects.values_list("plan_version__number", "prorated")) == {(1, True), (2, True), (3, False)}
