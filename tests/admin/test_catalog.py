"""Taxes, metrics and plans through the admin's forms: what is typed, what is stored, what is refused and where."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Subscription
from catalog.models import AddOn, BillableMetric, Charge, Plan, PlanVersion, Tax
from catalog.services import plan_deletions
from config.platform.models import AuditEntry
from tests.admin.conftest import signed_in
from tests.factories.company import Company
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db

TAX = {"name": "VAT 7 %", "code": "vat_7", "rate": "7", "description": ""}
METRIC = {"name": "Seats", "code": "seats", "aggregation_type": "max_agg", "field_name": "seats"}
PLAN = {"name": "Team", "code": "team", "interval": "yearly", "amount": "990.00", "currency": "EUR"}


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


def charge(plan: str, metric: str) -> Charge:
    return Charge.objects.get(plan_version__plan__code=plan, plan_version__is_current=True, metric__code=metric)


def test_a_tax_is_typed_in_percent_and_stored_as_a_fraction(finance: Client) -> None:
    made = finance.post("/admin/catalog/tax/create/", TAX)
    tax = Tax.objects.get(code="vat_7")
    assert made.status_code == 302
    assert tax.rate == Decimal("0.07")
    assert finance.get(f"/admin/catalog/tax/{tax.pk}/edit/").context["form"]["rate"].value() == "7"

    finance.post(f"/admin/catalog/tax/{tax.pk}/edit/", {**TAX, "rate": "7.5"})
    tax.refresh_from_db()
    assert tax.rate == Decimal("0.075")
    verbs = AuditEntry.objects.filter(object_type="catalog.tax", object_id=tax.pk).order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["create", "update"]


@pytest.mark.parametrize(
    ("content", "field"),
    [({"rate": "101"}, "rate"), ({"rate": "-1"}, "rate"), ({"code": "vat_de"}, "code"), ({"name": ""}, "name")],
)
def test_a_wrong_tax_is_refused_beside_its_field(finance: Client, content: dict[str, str], field: str) -> None:
    assert list(errors(finance.post("/admin/catalog/tax/create/", {**TAX, **content}))) == [field]
    assert not Tax.objects.filter(code="vat_7").exists()


def test_a_retired_tax_cannot_be_changed(finance: Client) -> None:
    tax = Tax.objects.get(code="vat_gb")
    finance.post(f"/admin/catalog/tax/{tax.pk}/delete/", {"_do": "1"})
    tax.refresh_from_db()
    assert tax.deleted_at is not None
    again = finance.post(f"/admin/catalog/tax/{tax.pk}/edit/", TAX)
    assert again.status_code == 302
    assert not Tax.objects.filter(code="vat_7").exists()


def test_a_metric_with_filters(finance: Client) -> None:
    finance.post(
        "/admin/catalog/billablemetric/create/", {**METRIC, "filters": "region: eu, us\n\n tier :gold,silver "}
    )
    metric = BillableMetric.objects.get(code="seats")
    assert metric.event_code == "seats"
    assert {row.key: row.values for row in metric.filters.all()} == {"region": ["eu", "us"], "tier": ["gold", "silver"]}
    shown = finance.get(f"/admin/catalog/billablemetric/{metric.pk}/edit/").context["form"]["filters"].value()
    assert shown == "region: eu, us\ntier: gold, silver"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"field_name": ""}, "field_name"),
        ({"filters": "region eu"}, "filters"),
        ({"filters": "region:"}, "filters"),
        ({"code": "requests"}, "code"),
        ({"aggregation_type": "custom_agg"}, "aggregation_type"),
        ({"recurring": "on"}, "recurring"),
        ({"rounding_precision": "99"}, "rounding_precision"),
    ],
)
def test_a_wrong_metric_is_refused_beside_its_field(finance: Client, content: dict[str, str], field: str) -> None:
    refused = errors(finance.post("/admin/catalog/billablemetric/create/", {**METRIC, **content}))
    assert field in refused
    assert not BillableMetric.objects.filter(code="seats").exists()


def test_a_metric_in_use_is_not_retired(finance: Client) -> None:
    metric = BillableMetric.objects.get(code="requests")
    answer = finance.post(f"/admin/catalog/billablemetric/{metric.pk}/delete/", {"_do": "1"})
    assert "A plan has a price for this metric" in str(answer.context["form"].non_field_errors())
    assert BillableMetric.objects.get(pk=metric.pk).deleted_at is None


def test_a_new_plan(finance: Client) -> None:
    made = finance.post("/admin/catalog/plan/create/", PLAN)
    version = PlanVersion.objects.get(plan__code="team")
    assert made.url == f"/admin/catalog/plan/{version.plan_id}/change/"
    assert (version.number, version.interval, str(version.amount)) == (1, "yearly", "€990.00")


def test_a_plan_that_is_to_be_deleted_says_so(finance: Client) -> None:
    plan = Subscription.objects.filter(status="active").order_by("pk")[0].plan_version.plan
    Plan.objects.filter(pk=plan.pk).update(metadata={"team": "growth", "note": None})
    plan_deletions.ask(code=plan.code, actor=ACTOR, at=AT)
    page = finance.get(f"/admin/catalog/plan/{plan.pk}/change/").content.decode()
    assert "To be deleted" in page
    assert "note: –, team: growth" in page


def test_prices_that_include_their_tax(finance: Client) -> None:
    made = finance.post("/admin/catalog/plan/create/", {**PLAN, "tax_inclusive": "on"})
    version = PlanVersion.objects.get(plan__code="team")
    assert version.tax_inclusive
    assert "in the prices" in finance.get(made.url).content.decode()
    page = f"/admin/catalog/plan/{version.plan_id}/edit/"
    assert finance.get(page).context["form"].initial["tax_inclusive"] is True
    finance.post(page, {"name": "Team", "amount": "990.00"})
    assert not PlanVersion.objects.get(plan__code="team", is_current=True).tax_inclusive

    content = {"name": "Set-up", "code": "set_up_gross", "amount": "119.00", "currency": "EUR", "tax_inclusive": "on"}
    finance.post("/admin/catalog/addon/create/", content)
    add_on = AddOn.objects.get(code="set_up_gross")
    assert add_on.tax_inclusive
    assert finance.get(f"/admin/catalog/addon/{add_on.pk}/edit/").context["form"].initial["tax_inclusive"] is True


@pytest.mark.parametrize(("typed", "kept"), [("yes", True), ("no", False), ("", None)])
def test_a_price_says_for_itself_whether_it_includes_tax(finance: Client, typed: str, kept: bool | None) -> None:
    plan = Plan.objects.get(code="growth_eur")
    one = charge(plan.code, "egress")
    content = {"charge_model": "standard", "amount": "0.123", "tax_inclusive": typed}
    finance.post(f"/admin/catalog/charge/{one.pk}/edit/", content)
    found = charge("growth_eur", "egress")
    assert found.tax_inclusive is kept
    assert found.pk != one.pk


def test_a_plan_in_advance_with_a_trial(finance: Client) -> None:
    timing = {"pay_in_advance": "on", "trial_period": "14", "bill_charges_monthly": "on"}
    made = finance.post("/admin/catalog/plan/create/", {**PLAN, **timing})
    version = PlanVersion.objects.get(plan__code="team")
    assert (version.pay_in_advance, version.trial_period, version.bill_charges_monthly) == (True, 14, True)
    words = "fee in advance, after a trial of 14 days; usage every month"
    assert words in finance.get(made.url).content.decode()
    page = f"/admin/catalog/plan/{version.plan_id}/edit/"
    assert finance.get(page).context["form"].initial["trial_period"] == "14"
    finance.post(page, {"name": "Team", "amount": "990.00", "trial_period": ""})
    version = PlanVersion.objects.get(plan__code="team", is_current=True)
    assert (version.number, version.pay_in_advance, version.trial_period) == (2, False, 0)


def test_when_a_plan_is_billed_stays_while_somebody_has_it(finance: Client, company: Company) -> None:
    plan = Plan.objects.get(code="growth_eur")
    page = f"/admin/catalog/plan/{plan.pk}/edit/"
    assert finance.get(page).context["form"].fields["pay_in_advance"].disabled
    finance.post(page, {"name": "Growth", "amount": "49.00", "pay_in_advance": "on", "trial_period": "7"})
    version = plan.versions.get()
    assert (version.pay_in_advance, version.trial_period) == (False, 0)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"trial_period": "-1"}, "trial_period"),
        ({"trial_period": "4000"}, "trial_period"),
        ({"amount": "9.999"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"currency": "JPY", "amount": "9.90"}, "amount"),
        ({"code": "growth_eur"}, "code"),
        ({"interval": "daily"}, "interval"),
    ],
)
def test_a_wrong_plan_is_refused_beside_its_field(finance: Client, content: dict[str, str], field: str) -> None:
    assert list(errors(finance.post("/admin/catalog/plan/create/", {**PLAN, **content}))) == [field]


def test_another_fee_is_another_version_for_those_who_buy_it_later(finance: Client, company: Company) -> None:
    plan = Plan.objects.get(code="growth_eur")
    page = f"/admin/catalog/plan/{plan.pk}/edit/"
    finance.post(page, {"name": "Growth", "amount": "49.00"})
    assert plan.versions.count() == 1  # a name is no price
    finance.post(page, {"name": "Growth", "amount": "59.00"})
    assert plan.versions.count() == 2
    kept = Subscription.objects.get(pk=company.subscriptions[0].pk).plan_version
    assert (kept.number, str(kept.amount)) == (1, "€49.00")
    tabs = finance.get(f"/admin/catalog/plan/{plan.pk}/change/").context["page"].tabs
    assert [tab.count for tab in tabs if tab.title == "Versions"] == [2]


@pytest.mark.parametrize(
    ("content", "properties"),
    [
        ({"charge_model": "standard", "amount": "0.10"}, {"amount": "0.10"}),
        (
            {"charge_model": "package", "amount": "5", "package_size": "1000", "free_units": ""},
            {"amount": "5", "package_size": 1000, "free_units": 0},
        ),
        (
            {"charge_model": "volume", "tiers": "100; 0.05; 2\n; 0.04"},
            {
                "volume_ranges": [
                    {"from_value": 0, "to_value": "100", "per_unit_amount": "0.05", "flat_amount": "2"},
                    {"from_value": "100", "to_value": None, "per_unit_amount": "0.04", "flat_amount": "0"},
                ]
            },
        ),
        (
            {"charge_model": "percentage", "rate": "1.2", "fixed_amount": "0.5", "free_events": "3", "maximum": "12"},
            {"rate": "1.2", "fixed_amount": "0.5", "free_units_per_events": 3, "per_transaction_max_amount": "12"},
        ),
        (
            {"charge_model": "graduated_percentage", "tiers": "100; 1; 200\n; 2.5"},
            {
                "graduated_percentage_ranges": [
                    {"from_value": 0, "to_value": "100", "rate": "1", "flat_amount": "200"},
                    {"from_value": "100", "to_value": None, "rate": "2.5", "flat_amount": "0"},
                ]
            },
        ),
        ({"charge_model": "dynamic"}, {}),
        (
            {"charge_model": "standard", "amount": "1", "group_keys": "region, provider,"},
            {"amount": "1", "pricing_group_keys": ["region", "provider"]},
        ),
    ],
)
def test_a_price_is_changed_in_a_new_version(
    finance: Client, content: dict[str, str], properties: dict[str, Any]
) -> None:
    before = charge("growth_eur", "egress")
    finance.post(f"/admin/catalog/charge/{before.pk}/edit/", content)
    after = charge("growth_eur", "egress")
    assert after.plan_version.number == 2
    assert after.key == before.key
    assert after.properties == properties
    old = finance.get(f"/admin/catalog/charge/{before.pk}/edit/")
    assert old.status_code == 302  # the old version's price stays as it was


@pytest.mark.parametrize(
    "content",
    [
        {"charge_model": "graduated", "tiers": ""},
        {"charge_model": "graduated", "tiers": "100; 0.05"},
        {"charge_model": "graduated", "tiers": "100; 0.05\n50; 0.04\n; 0.03"},
        {"charge_model": "graduated", "tiers": "100"},
        {"charge_model": "volume", "tiers": "; five"},
        {"charge_model": "volume", "tiers": "; 1; 2; 3"},
        {"charge_model": "standard", "amount": ""},
        {"charge_model": "package", "amount": "1"},
        {"charge_model": "percentage"},
        {"charge_model": "percentage", "rate": "1", "minimum": "2", "maximum": "1"},
        {"charge_model": "graduated_percentage", "tiers": "100; 1"},
    ],
)
def test_what_is_no_price_is_refused(finance: Client, content: dict[str, str]) -> None:
    before = charge("growth_eur", "egress")
    refused = errors(finance.post(f"/admin/catalog/charge/{before.pk}/edit/", content))
    assert set(refused) <= {"tiers", "amount", "rate"}
    assert refused
    assert charge("growth_eur", "egress").pk == before.pk


def test_prices_are_added_and_removed(finance: Client) -> None:
    finance.post("/admin/catalog/billablemetric/create/", METRIC)
    metric, plan = BillableMetric.objects.get(code="seats"), Plan.objects.get(code="growth_eur")
    content = {"metric": metric.pk, "charge_model": "standard", "amount": "12"}
    finance.post(f"/admin/catalog/plan/{plan.pk}/add_charge/", content)
    added = charge("growth_eur", "seats")
    finance.post(f"/admin/catalog/charge/{added.pk}/delete/", {"_do": "1"})
    current = PlanVersion.objects.get(plan=plan, is_current=True)
    assert current.number == 3
    assert set(current.charges.values_list("metric__code", flat=True)) == {"requests", "egress"}


PERCENTAGE = {"charge_model": "percentage", "rate": "1.2", "free_value": "250", "minimum": "0.05", "free_events": "2"}
PERCENTAGE_TIERS = {"charge_model": "graduated_percentage", "tiers": "100; 1; 200\n; 2.5; 0"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PERCENTAGE, ["1.2 %", "first 2 events", "first 250 in value", "at least, per event"]),
        (PERCENTAGE_TIERS, ["2.5 %", "€200.00", "100 and more"]),
        ({"charge_model": "dynamic"}, ["as the event says"]),
        ({"charge_model": "standard", "amount": "1", "group_keys": "region", "period_minimum": "75.5"}, ["€75.50"]),
    ],
)
def test_the_page_and_the_form_show_a_price_of_any_model(
    finance: Client, content: dict[str, str], words: list[str]
) -> None:
    finance.post(f"/admin/catalog/charge/{charge('growth_eur', 'egress').pk}/edit/", content)
    after = charge("growth_eur", "egress")
    page = finance.get(f"/admin/catalog/charge/{after.pk}/change/").content.decode()
    assert [word for word in words if word not in page] == []
    form = finance.get(f"/admin/catalog/charge/{after.pk}/edit/").context["form"]
    assert {name: str(form[name].value()) for name in content} == {
        name: "75.50" if name == "period_minimum" else value for name, value in content.items()
    }
    assert finance.get("/admin/catalog/charge/").status_code == 200


def test_the_form_shows_a_price_as_it_was_typed(finance: Client) -> None:
    shown = finance.get(f"/admin/catalog/charge/{charge('growth_eur', 'requests').pk}/edit/").context["form"]
    assert shown["tiers"].value() == "100; 0.05; 2\n; 0.00035; 0"


def test_engineers_may_edit_the_catalogue_and_accountants_may_not(company: Company) -> None:
    assert signed_in("Engineer").get("/admin/catalog/tax/create/").status_code == 200
    assert signed_in("Accountant").get("/admin/catalog/tax/create/").status_code == 403
