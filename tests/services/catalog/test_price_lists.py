"""A price list through its versions: nothing is lost when something else changes."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from catalog.domain.facts import PlanVersionPublished
from catalog.models import PlanVersion
from catalog.queries import plans as plan_queries
from catalog.services import fixed_charges, plans, price_lists
from config.kernel import events
from tests.factories import catalog
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db

TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.123456789012345", "flat_amount": "2"},
]


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events.type_subscribers, PlanVersionPublished, [])


@pytest.fixture
def full() -> PlanVersion:
    """A plan with every kind of term."""
    catalog.make_tax()
    seat = catalog.make_add_on()
    catalog.make_pricing_unit()
    calls = catalog.make_metric("calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    seats = catalog.make_metric("seats", "sum_agg", recurring=True)
    part = {"values": {"region": ["eu"]}, "properties": {"amount": "2", "pricing_group_keys": ["team"]}}
    shown = [{"value": "team", "options": {"display_in_invoice": True}}]
    charges: list[dict[str, Any]] = [
        catalog.standard(
            calls,
            pay_in_advance=True,
            invoiceable=False,
            regroup_paid_fees="invoice",
            filters=[part],
            properties={"amount": "1", "pricing_group_keys": ["region"], "presentation_group_keys": shown},
            applied_pricing_unit={"code": "credits", "conversion_rate": Decimal("0.000000000000001")},
            invoice_display_name="Calls",
            tax_codes=["vat"],
        ),
        catalog.standard(
            seats, charge_model="graduated", prorated=True, min_amount_cents=250, properties={"graduated_ranges": TIERS}
        ),
    ]
    rows = [
        catalog.fixed(seat, pay_in_advance=True, prorated=True, tax_codes=["vat"], invoice_display_name="Seats"),
        catalog.fixed(
            seat, "2.000000000000001", charge_model="graduated", properties={"graduated_ranges": TIERS}, code="more"
        ),
    ]
    return catalog.make_plan(
        interval="yearly",
        charges=charges,
        fixed_charges=rows,
        tax_codes=["vat"],
        pay_in_advance=True,
        trial_period=Decimal("7.5"),
        bill_charges_monthly=True,
        bill_fixed_charges_monthly=True,
    )


def current() -> price_lists.PriceList:
    return price_lists.read(plan_queries.by_code(code="starter"))


def test_a_list_is_stored_as_it_is_read(full: PlanVersion) -> None:
    content = price_lists.read(full)
    price_lists.store(plan=full.plan, number=2, content=content, at=AT)
    assert current() == content
    assert content.bill_fixed_charges_monthly
    assert [charge.units for charge in content.fixed_charges] == [Decimal(10), Decimal("2.000000000000001")]


def test_another_fee_changes_nothing_else(full: PlanVersion) -> None:
    before = price_lists.read(full)
    plans.update(code="starter", values={"amount_cents": 5000}, actor=ACTOR, at=AT)
    after = current()
    assert after == dataclasses.replace(before, amount=after.amount)
    assert str(after.amount.amount) == "50.0000"


def test_another_name_of_each_charge_changes_nothing_else(full: PlanVersion) -> None:
    before = price_lists.read(full)
    for charge in before.charges:
        plans.change_charge(
            code="starter", charge_code=charge.code, values={"invoice_display_name": "x"}, actor=ACTOR, at=AT
        )
    for fixed in before.fixed_charges:
        fixed_charges.change(
            code="starter", fixed_charge_code=fixed.code, values={"invoice_display_name": "x"}, actor=ACTOR, at=AT
        )
    assert current() == dataclasses.replace(
        before,
        charges=tuple(dataclasses.replace(charge, invoice_display_name="x") for charge in before.charges),
        fixed_charges=tuple(dataclasses.replace(fixed, invoice_display_name="x") for fixed in before.fixed_charges),
    )
    assert PlanVersion.objects.count() == 5


def test_lists_that_name_what_is_there_change_nothing(full: PlanVersion) -> None:
    before = price_lists.read(full)
    values = plans.PlanValues(
        charges=[{"id": charge.key} for charge in before.charges],
        fixed_charges=[{"id": charge.key, "apply_units_immediately": True} for charge in before.fixed_charges],
    )
    plans.update(code="starter", values=values, actor=ACTOR, at=AT)
    assert PlanVersion.objects.count() == 1
    assert current() == before
