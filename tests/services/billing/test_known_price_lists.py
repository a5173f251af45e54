"""Price lists that a process remembers: whatever changes in the catalogue is seen with the next use."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.queries import known_price_lists, price_lists
from catalog import models
from catalog.models import PlanVersion
from tests.factories import catalog as goods

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> PlanVersion:
    tax, other = goods.make_tax(), goods.make_tax("gst")
    metric = goods.make_metric("requests", filters=[{"key": "region", "values": ["eu", "us"]}])
    unit = goods.make_pricing_unit()
    made = goods.make_plan(
        charges=[
            goods.standard(metric, filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "1"}}]),
            goods.standard(goods.make_metric("calls")),
        ],
        fixed_charges=[goods.fixed(goods.make_add_on())],
        minimum_commitment={"amount_cents": 100, "tax_codes": ["vat"]},
    )
    made.taxes.add(tax, other)
    made.charges.get(code="requests").taxes.add(tax)
    made.fixed_charges.get().taxes.add(other)
    made.charges.filter(code="calls").update(pricing_unit=unit, conversion_rate=Decimal(2))
    return made


CHANGES: dict[str, Callable[[PlanVersion], Any]] = {
    "the plan": lambda _: models.Plan.objects.update(invoice_display_name="Renamed"),
    "the fee": lambda _: PlanVersion.objects.update(amount=Decimal(77)),
    "a price": lambda version: version.charges.filter(code="calls").update(properties={"amount": "7"}),
    "one charge more": lambda version: version.charges.create(
        code="more", metric=goods.make_metric("more"), charge_model="standard", properties={"amount": "1"}
    ),
    "one charge less": lambda version: version.charges.filter(code="calls").delete(),
    "the price of a filter": lambda _: models.ChargeFilter.objects.update(properties={"amount": "9"}),
    "one filter less": lambda _: models.ChargeFilter.objects.all().delete(),
    "the name of a metric": lambda _: models.BillableMetric.objects.update(name="Renamed"),
    "the values of a metric": lambda _: models.MetricFilter.objects.update(values=["eu", "us", "asia"]),
    "one tax less on the plan": lambda version: version.taxes.remove(models.Tax.objects.get(code="gst")),
    "one tax less on a charge": lambda version: version.charges.get(code="requests").taxes.clear(),
    "one tax less on a fixed charge": lambda version: version.fixed_charges.get().taxes.clear(),
    "the order of taxes": lambda _: models.Tax.objects.filter(code="vat").update(
        created_at=models.Tax.objects.get(code="gst").created_at.replace(year=2040)
    ),
    "a pricing unit": lambda _: models.PricingUnit.objects.update(short_name="TK"),
    "the units of a fixed charge": lambda _: models.FixedCharge.objects.update(units=11),
    "a minimum commitment": lambda _: models.MinimumCommitment.objects.update(amount_cents=7),
    "one minimum commitment less": lambda _: models.MinimumCommitment.objects.all().delete(),
    "one tax less on a minimum commitment": lambda _: models.MinimumCommitment.objects.get().taxes.clear(),
    "an add-on": lambda _: models.AddOn.objects.update(name="Renamed"),
}


def read(version: PlanVersion) -> price_lists.PriceList:
    return price_lists.load(version_ids=[version.pk])[version.pk]


def test_it_is_read_once(version: PlanVersion) -> None:
    first = known_price_lists.of_version(version.pk)
    with CaptureQueriesContext(connection) as captured:
        assert known_price_lists.of_version(version.pk) is first
    assert len(captured) == 0  # the one statement is prepared, and not among these
    assert first == read(version)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_once(version: PlanVersion, change: str) -> None:
    before = known_price_lists.of_version(version.pk)
    CHANGES[change](version)
    after = known_price_lists.of_version(version.pk)
    assert after == read(version)
    assert after != before


def test_a_change_that_is_undone_is_forgotten(version: PlanVersion) -> None:
    before = known_price_lists.of_version(version.pk)
    with transaction.atomic():
        for units in (12, 13):  # twice in one transaction
            models.FixedCharge.objects.update(units=units)
            assert known_price_lists.of_version(version.pk).fixed_charges[0].units == units
        transaction.set_rollback(True)
    assert known_price_lists.of_version(version.pk) == before


def test_other_versions_do_not_matter(version: PlanVersion) -> None:
    first = known_price_lists.of_version(version.pk)
    goods.make_plan("other", charges=[goods.standard(models.BillableMetric.objects.get(code="calls"))])
    assert known_price_lists.of_version(version.pk) is first


def test_all_tables_of_a_price_list_are_looked_at(version: PlanVersion) -> None:
    with CaptureQueriesContext(connection) as captured:
        read(version)
    tables = {table for query in captured for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}
    assert len(tables) == 15
    assert {table for table in tables if table not in known_price_lists.STAMP} == set()


def test_what_is_remembered_has_a_bound(version: PlanVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_price_lists, "REMEMBERED", 1)
    other = goods.make_plan("other")
    first = known_price_lists.of_version(version.pk)
    assert known_price_lists.of_version(other.pk).plan_code == "other"
    again = known_price_lists.of_version(version.pk)
    assert again == first
    assert again is not first


def test_there_is_none_of_a_version_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        known_price_lists.of_version(0)
