"""Metrics that stay over periods, and prices by the day, in the admin's forms and pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import BillableMetric, Charge
from tests.factories import catalog

pytestmark = pytest.mark.django_db

METRIC = {
    "name": "Seats",
    "code": "seats",
    "aggregation_type": "unique_count_agg",
    "field_name": "user",
    "recurring": "on",
}
PRICE = {"charge_model": "standard", "amount": "12", "prorated": "on"}


def prices() -> Charge:
    return Charge.objects.select_related("plan_version").get(plan_version__is_current=True, code="seats")


@pytest.fixture
def seats() -> Charge:
    metric = catalog.make_metric("seats", "sum_agg", recurring=True)
    catalog.make_plan("by_day", charges=[catalog.standard(metric, "12", prorated=True)])
    return prices()


def test_a_metric_that_stays(finance: Client) -> None:
    made = finance.post("/admin/catalog/billablemetric/create/", METRIC)
    metric = BillableMetric.objects.get(code="seats")
    assert metric.recurring is True
    assert "starts with what is there" in finance.get(made.url).content.decode()
    form = finance.get(f"/admin/catalog/billablemetric/{metric.pk}/edit/").context["form"]
    assert form["recurring"].value() is True


def test_a_metric_that_starts_anew(finance: Client) -> None:
    made = finance.post(
        "/admin/catalog/billablemetric/create/", {**METRIC, "aggregation_type": "weighted_sum_agg", "recurring": ""}
    )
    assert BillableMetric.objects.get(code="seats").recurring is False
    assert "starts anew" in finance.get(made.url).content.decode()


def test_a_price_by_the_day_stays_one_when_it_changes(finance: Client, seats: Charge) -> None:
    assert "count by the day" in finance.get(f"/admin/catalog/charge/{seats.pk}/change/").content.decode()
    form = finance.get(f"/admin/catalog/charge/{seats.pk}/edit/").context["form"]
    assert form["prorated"].value() is True
    finance.post(f"/admin/catalog/charge/{seats.pk}/edit/", {**PRICE, "amount": "15"})
    after = prices()
    assert (after.plan_version.number, after.prorated, after.properties["amount"]) == (2, True, "15")


def test_a_price_can_stop_counting_days(finance: Client, seats: Charge) -> None:
    finance.post(f"/admin/catalog/charge/{seats.pk}/edit/", {**PRICE, "prorated": ""})
    after = prices()
    assert (after.plan_version.number, after.prorated) == (2, False)
    assert "count in full" in finance.get(f"/admin/catalog/charge/{after.pk}/change/").content.decode()


def test_a_model_that_cannot_count_days_is_refused_beside_the_field(finance: Client, seats: Charge) -> None:
    package: dict[str, Any] = {**PRICE, "charge_model": "package", "package_size": "10", "free_units": "0"}
    answer = finance.post(f"/admin/catalog/charge/{seats.pk}/edit/", package)
    assert "prorated" in answer.context["form"].errors
    assert prices().plan_version.number == 1
