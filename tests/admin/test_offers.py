"""Add-ons, pricing units, fixed charges and charges in advance through the admin's forms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog.models import AddOn, Charge, FixedCharge, Plan, PlanVersion, PricingUnit
from config.platform.models import AuditEntry
from tests.admin.conftest import signed_in
from tests.factories import catalog
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

ADD_ON = {"name": "Seats", "code": "seats", "amount": "12.50", "currency": "EUR"}
UNIT = {"name": "Credits", "code": "credits", "short_name": "CR"}
FIXED = {"units": "10", "charge_model": "standard", "amount": "5"}
PRICE = {"charge_model": "standard", "amount": "3"}


@pytest.fixture
def plan(company: Company) -> Plan:
    """A plan that nobody has, with a metric."""
    metric = catalog.make_metric("messages")
    return catalog.make_plan("team", interval="yearly", charges=[catalog.standard(metric)]).plan


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


def messages() -> Charge:
    return Charge.objects.get(plan_version__plan__code="team", plan_version__is_current=True)


def seats() -> FixedCharge:
    return FixedCharge.objects.get(plan_version__plan__code="team", plan_version__is_current=True)


def test_an_add_on_from_first_to_last(finance: Client) -> None:
    made = finance.post("/admin/catalog/addon/create/", ADD_ON)
    add_on = AddOn.objects.get(code="seats")
    assert made.url == f"/admin/catalog/addon/{add_on.pk}/change/"
    assert str(add_on.amount) == "€12.50"
    assert "€12.50" in finance.get(made.url).content.decode()
    page = f"/admin/catalog/addon/{add_on.pk}/edit/"
    assert str(finance.get(page).context["form"]["amount"].value()) == "12.50"
    finance.post(page, {**ADD_ON, "amount": "13", "name": "Places"})
    add_on.refresh_from_db()
    assert (str(add_on.amount), add_on.name) == ("€13.00", "Places")
    assert "No plan sells it" in finance.get(f"/admin/catalog/addon/{add_on.pk}/delete/").content.decode()
    finance.post(f"/admin/catalog/addon/{add_on.pk}/delete/", {"_do": "1"})
    add_on.refresh_from_db()
    assert add_on.deleted_at is not None
    assert finance.post(page, ADD_ON).status_code == 302  # a retired one cannot be changed
    verbs = AuditEntry.objects.filter(object_type="catalog.addon").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["create", "update", "delete"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"amount": "9.999"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"currency": "JPY"}, "amount"),
        ({"code": "taken"}, "code"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_add_on_is_refused_beside_its_field(finance: Client, content: dict[str, str], field: str) -> None:
    catalog.make_add_on("taken")
    assert list(errors(finance.post("/admin/catalog/addon/create/", {**ADD_ON, **content}))) == [field]
    assert AddOn.objects.count() == 1


def test_a_pricing_unit_and_a_price_in_it(finance: Client, plan: Plan) -> None:
    made = finance.post("/admin/catalog/pricingunit/create/", UNIT)
    unit = PricingUnit.objects.get()
    assert made.url == f"/admin/catalog/pricingunit/{unit.pk}/change/"
    price = f"/admin/catalog/charge/{messages().pk}/edit/"
    alone = errors(finance.post(price, {**PRICE, "pricing_unit": unit.pk}))
    assert list(alone) == ["conversion_rate"]
    finance.post(price, {**PRICE, "pricing_unit": unit.pk, "conversion_rate": "0.05"})
    after = messages()
    assert (after.pricing_unit, after.conversion_rate) == (unit, Decimal("0.05"))
    form = finance.get(f"/admin/catalog/charge/{after.pk}/edit/").context["form"]
    assert (form["pricing_unit"].value(), form["conversion_rate"].value()) == (unit.pk, "0.05")
    for address in (made.url, f"/admin/catalog/charge/{after.pk}/change/", f"/admin/catalog/plan/{plan.pk}/change/"):
        words = finance.get(address).content.decode()
        assert "3 CR" in words
        assert "€3" not in words
    refused = finance.post(f"/admin/catalog/pricingunit/{unit.pk}/edit/", {**UNIT, "code": "coins"})
    assert list(errors(refused)) == ["code"]
    finance.post(f"/admin/catalog/pricingunit/{unit.pk}/edit/", {**UNIT, "name": "Coins"})
    assert PricingUnit.objects.get().name == "Coins"
    finance.post(f"/admin/catalog/charge/{after.pk}/edit/", PRICE)
    assert messages().pricing_unit is None


@pytest.mark.parametrize(
    ("when", "terms", "words"),
    [
        ("invoice", (True, True, ""), "on an invoice of its own"),
        ("alone", (True, False, ""), "without an invoice"),
        ("gathered", (True, False, "invoice"), "gathered on one later"),
        ("arrears", (False, True, ""), "when the period is over"),
        ("", (False, True, ""), "when the period is over"),
    ],
)
def test_when_usage_is_billed(
    finance: Client, plan: Plan, when: str, terms: tuple[bool, bool, str], words: str
) -> None:
    finance.post(f"/admin/catalog/charge/{messages().pk}/edit/", {**PRICE, "when": when, "shown_keys": "region*, team"})
    after = messages()
    assert (after.pay_in_advance, after.invoiceable, after.regroup_paid_fees) == terms
    shown = [
        {"value": "region", "options": {"display_in_invoice": True}},
        {"value": "team", "options": {"display_in_invoice": False}},
    ]
    assert after.properties == {"amount": "3", "presentation_group_keys": shown}
    form = finance.get(f"/admin/catalog/charge/{after.pk}/edit/").context["form"]
    assert (form["when"].value(), form["shown_keys"].value()) == (when or "arrears", "region*, team")
    assert words in finance.get(f"/admin/catalog/plan/{plan.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"when": "invoice", "period_minimum": "5"}, "period_minimum"),
        ({"when": "invoice", "charge_model": "volume", "tiers": "; 1"}, "when"),
        ({"when": "tomorrow"}, "when"),
        ({"shown_keys": "a, b, c"}, "shown_keys"),
        ({"period_minimum": "10.005"}, "period_minimum"),  # euros have two decimals
        ({"charge_model": "graduated", "tiers": "1000; ; 5\n; 0.01"}, "tiers"),  # free units have a price of 0
    ],
)
def test_terms_that_do_not_go_together(finance: Client, plan: Plan, content: dict[str, str], field: str) -> None:
    before = messages()
    assert list(errors(finance.post(f"/admin/catalog/charge/{before.pk}/edit/", {**PRICE, **content}))) == [field]
    assert messages().pk == before.pk


def test_when_usage_is_billed_stays_while_somebody_has_the_plan(finance: Client) -> None:
    charge = Charge.objects.get(plan_version__plan__code="growth_eur", metric__code="egress")
    page = f"/admin/catalog/charge/{charge.pk}/edit/"
    assert finance.get(page).context["form"].fields["when"].disabled
    finance.post(page, {**PRICE, "when": "alone"})
    after = Charge.objects.get(key=charge.key, plan_version__is_current=True)
    assert (after.plan_version.number, after.pay_in_advance, after.invoiceable) == (2, False, True)


def test_a_fixed_charge_from_first_to_last(finance: Client, plan: Plan) -> None:
    add_on = catalog.make_add_on("seats")
    added = {**FIXED, "add_on": add_on.pk, "pay_in_advance": "on", "prorated": "on"}
    finance.post(f"/admin/catalog/plan/{plan.pk}/add_fixed_charge/", added)
    first = seats()
    assert (first.units, first.properties, first.code) == (10, {"amount": "5"}, "seats")
    assert (first.pay_in_advance, first.prorated) == (True, True)
    for address in (
        f"/admin/catalog/plan/{plan.pk}/change/",
        f"/admin/catalog/addon/{add_on.pk}/change/",
        "/admin/catalog/fixedcharge/",
    ):
        assert "10 × €5.00 per unit" in finance.get(address).content.decode()

    assert "€5.00" in finance.get(f"/admin/catalog/fixedcharge/{first.pk}/change/").content.decode()

    page = f"/admin/catalog/fixedcharge/{first.pk}/edit/"
    assert finance.get(page).context["form"]["units"].value() == "10"
    tiers = {"charge_model": "graduated", "tiers": "10; 5; 1\n; 4", "units": "12", "apply_units_immediately": "on"}
    finance.post(page, tiers)
    second = seats()
    assert (second.key, second.units, second.charge_model, second.prorated) == (first.key, 12, "graduated", False)
    shown = finance.get(f"/admin/catalog/fixedcharge/{second.pk}/edit/").context["form"]
    assert shown["tiers"].value() == "10; 5; 1\n; 4; 0"
    assert finance.get(page).status_code == 302  # the old version's stays as it was
    finance.post(f"/admin/catalog/fixedcharge/{second.pk}/delete/", {"_do": "1"})
    current = PlanVersion.objects.get(plan=plan, is_current=True)
    assert (current.number, current.fixed_charges.count(), current.charges.count()) == (4, 0, 1)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"units": "-1"}, "units"),
        ({"amount": ""}, "amount"),
        ({"charge_model": "volume", "tiers": ""}, "tiers"),
        ({"charge_model": "volume", "tiers": "five"}, "tiers"),
        ({"charge_model": "volume", "tiers": "; 1", "pay_in_advance": "on"}, "pay_in_advance"),
        ({"charge_model": "graduated", "tiers": "; 1", "pay_in_advance": "on", "prorated": "on"}, "prorated"),
        ({"charge_model": "package"}, "charge_model"),
        ({"add_on": "0"}, "add_on"),
    ],
)
def test_a_wrong_fixed_charge_is_refused_beside_its_field(
    finance: Client, plan: Plan, content: dict[str, str], field: str
) -> None:
    add_on = catalog.make_add_on("seats")
    answer = finance.post(f"/admin/catalog/plan/{plan.pk}/add_fixed_charge/", {**FIXED, "add_on": add_on.pk, **content})
    assert list(errors(answer)) == [field]
    assert not FixedCharge.objects.exists()


def test_fixed_charges_every_month(finance: Client, plan: Plan) -> None:
    page = f"/admin/catalog/plan/{plan.pk}/edit/"
    finance.post(page, {"name": "Team", "amount": "29.00", "bill_fixed_charges_monthly": "on"})
    assert PlanVersion.objects.get(plan=plan, is_current=True).bill_fixed_charges_monthly
    words = finance.get(f"/admin/catalog/plan/{plan.pk}/change/").content.decode()
    assert "usage every year; fixed charges every month" in words
    assert finance.get(page).context["form"].initial["bill_fixed_charges_monthly"] is True


def test_who_may_not(company: Company, plan: Plan) -> None:
    accountant = signed_in("Accountant")
    assert accountant.get("/admin/catalog/addon/").status_code == 200
    for address in ("addon/create", "pricingunit/create", f"plan/{plan.pk}/add_fixed_charge"):
        assert accountant.get(f"/admin/catalog/{address}/").status_code == 403
