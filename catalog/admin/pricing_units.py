"""Pricing units in the admin: the list, the page with the charges that are priced in one, making and changing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from catalog.admin import prices
from catalog.models import PricingUnit
from catalog.queries import pricing_units as known
from catalog.services import pricing_units
from catalog.services.pricing_units import PricingUnitValues
from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Row, Table, columns
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome


class PricingUnitForm(VerbForm):
    """What a pricing unit is made of."""

    name = forms.CharField(max_length=255, help_text="For example “Credits”.")
    code = forms.CharField(max_length=255, help_text="By which the API knows it. Stays once a price is in it.")
    short_name = forms.CharField(max_length=pricing_units.SHORT, help_text="Beside figures, for example “CR”.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))


def unit_values(cleaned: Mapping[str, Any]) -> PricingUnitValues:
    """The filled-in form as the service takes it."""
    return PricingUnitValues(
        code=cleaned["code"],
        name=cleaned["name"],
        short_name=cleaned["short_name"],
        description=cleaned["description"],
    )


class CreatePricingUnit(ListVerb):
    """Make a pricing unit."""

    name = "create"
    label = "New pricing unit"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_pricingunit"
    explanation = "Prices for usage may be in it instead of money. What one is worth is said by each price."
    confirm = "Save"
    form_class = PricingUnitForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        unit = pricing_units.create(values=unit_values(values), actor=actor, at=at)
        return Outcome(f"The pricing unit {unit} was made.", cells.page_url(unit))


class EditPricingUnit(ObjectVerb):
    """Change a pricing unit."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "catalog.change_pricingunit"
    explanation = "Names change; what one is worth is changed with the prices that are in it."
    confirm = "Save"
    form_class = PricingUnitForm

    def initial(self, *, instance: PricingUnit, at: datetime) -> Mapping[str, Any]:
        """The unit as it is."""
        return {
            "name": instance.name,
            "code": instance.code,
            "short_name": instance.short_name,
            "description": instance.description,
        }

    def perform(self, *, instance: PricingUnit, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        pricing_units.update(code=instance.code, values=unit_values(values), actor=actor, at=at)
        return Outcome("The pricing unit was saved.")


@pages.register(PricingUnit)
class PricingUnitAdmin(pages.PageAdmin):
    """Pricing units."""

    list_display = ("named", "short", "about")
    search_fields = ("name", "code", "short_name")
    ordering = ("name", "id")
    list_verbs = (CreatePricingUnit(),)
    verbs = (EditPricingUnit(),)
    empty_text = "Credits, tokens and the like, in which usage may be priced instead of money."

    @theme.display(description="Pricing unit", ordering="name")
    def named(self, unit: PricingUnit) -> str:
        """Name and code."""
        return cells.stack(unit.name, unit.code)

    @theme.display(description="Short", ordering="short_name")
    def short(self, unit: PricingUnit) -> str:
        """What stands beside figures."""
        return unit.short_name

    @theme.display(description="Description")
    def about(self, unit: PricingUnit) -> str:
        """What staff noted."""
        return unit.description

    def page(self, request: HttpRequest, instance: PricingUnit) -> Page:
        """The unit, the prices that are in it, and its history."""
        facts = Facts(
            "Pricing unit",
            (
                Fact("Name", instance.name),
                Fact("Code", cells.code(instance.code)),
                Fact("Short", instance.short_name),
                Fact("Description", instance.description or cells.EMPTY),
                Fact("Made", cells.instant(instance.created_at)),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts, priced_in(instance), recent))


def priced_in(unit: PricingUnit) -> Table:
    """The prices of current plans that are in the unit, and what each says one is worth."""
    return Table(
        "Prices in it",
        columns("Plan", "Charge", "Price", "One is worth#"),
        tuple(
            Row(
                (
                    cells.to(charge.plan_version.plan),
                    cells.to(charge, str(charge)),
                    prices.of_charge(charge, charge.plan_version.currency),
                    cells.unit_price(charge.conversion_rate, charge.plan_version.currency),
                )
            )
            for charge in known.charges(unit)[:100]
        ),
        empty="No price is in it yet.",
    )
