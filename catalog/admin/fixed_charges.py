"""Fixed charges in the admin: a page for an agreed number of an add-on in a version of a plan, and changing it in the
next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from catalog.admin import charges, fixed_charge_forms, prices, publishing
from catalog.admin.fixed_charge_forms import FixedChargeForm, NewFixedChargeForm
from catalog.admin.price_pages import PricePageAdmin
from catalog.admin.publishing import PublishForm
from catalog.models import FixedCharge, Plan
from catalog.queries import plans as known_plans
from catalog.services import approval_actions, fixed_charges
from catalog.services.fixed_charge_input import FixedChargeValues
from config.kernel.actors import Actor
from config.platform.admin import cells, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Table
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ObjectVerb, Outcome


class AddFixedCharge(ObjectVerb):
    """Sell an add-on with a plan."""

    name = "add_fixed_charge"
    label = "Add a fixed charge"
    icon = "add_shopping_cart"
    permission = "catalog.change_plan"
    action = approval_actions.PUBLISH_PRICES
    explanation = charges.VERSION_NOTE
    confirm = "Publish the new version"
    form_class = NewFixedChargeForm

    def check(self, *, instance: Plan, at: datetime) -> None:
        """A retired plan stays as it was."""
        charges.require_existing_plan(instance)

    def initial(self, *, instance: Plan, at: datetime) -> Mapping[str, Any]:
        """One of something at a price per unit."""
        return {"charge_model": FixedCharge.Model.STANDARD, "units": 1}

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version with the fixed charge."""
        content = FixedChargeValues(**_content(values), add_on_id=values["add_on"].uuid)
        publication = publishing.chosen(values, at=at)
        fixed_charges.add(code=instance.code, values=content, actor=actor, at=at, publication=publication)
        return Outcome("The new version was published.")


class ChangeFixedCharge(ObjectVerb):
    """Change the units or the price of a fixed charge."""

    name = "edit"
    label = "Change units or price"
    icon = "edit"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.change_plan"
    action = approval_actions.PUBLISH_PRICES
    explanation = charges.VERSION_NOTE
    confirm = "Publish the new version"
    form_class = FixedChargeForm

    def check(self, *, instance: FixedCharge, at: datetime) -> None:
        """Only the current version leads to a next one."""
        charges.require_current_version(instance.plan_version)

    def form(self, *, data: Any, instance: FixedCharge, at: datetime) -> FixedChargeForm:
        """The fixed charge as it is. When it is billed is for those to choose whose plan nobody has."""
        in_use = known_plans.in_use(instance.plan_version.plan)
        return FixedChargeForm(data, initial=fixed_charge_forms.initial(instance), in_use=in_use)

    def perform(self, *, instance: FixedCharge, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version with the other units or price."""
        plan = instance.plan_version.plan
        content = FixedChargeValues(**_content(values))
        fixed_charges.change(
            code=plan.code,
            fixed_charge_code=instance.code,
            values=content,
            actor=actor,
            at=at,
            publication=publishing.chosen(values, at=at),
        )
        return Outcome("The new version was published.", cells.page_url(plan))


class RemoveFixedCharge(ObjectVerb):
    """Leave a fixed charge out of the next version."""

    name = "delete"
    label = "Remove"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.change_plan"
    action = approval_actions.PUBLISH_PRICES
    explanation = f"The add-on is not billed any more with this plan. {charges.VERSION_NOTE}"
    confirm = "Publish without it"
    form_class = PublishForm

    def check(self, *, instance: FixedCharge, at: datetime) -> None:
        """Only the current version leads to a next one."""
        charges.require_current_version(instance.plan_version)

    def preview(self, *, instance: FixedCharge, at: datetime) -> Sequence[Block]:
        """What is taken away."""
        return (prices.fixed_table(instance, instance.plan_version.currency),)

    def perform(self, *, instance: FixedCharge, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version without it."""
        plan = instance.plan_version.plan
        publication = publishing.chosen(values, at=at)
        fixed_charges.remove(
            code=plan.code, fixed_charge_code=instance.code, actor=actor, at=at, publication=publication
        )
        return Outcome("The new version was published.", cells.page_url(plan))


@pages.register(FixedCharge)
class FixedChargeAdmin(PricePageAdmin):
    """Fixed charges, reached from their plan."""

    empty_text = "Charges of a fixed number of units belong to plans: make a plan and add one there."
    list_select_related = ("add_on", "plan_version__plan")
    search_fields = ("code", "invoice_display_name", "add_on__name", "plan_version__plan__name")
    verbs = (ChangeFixedCharge(), RemoveFixedCharge())

    @theme.display(description="Fixed charge", ordering="code")
    def named(self, charge: FixedCharge) -> str:
        """What is sold."""
        return cells.stack(charge.invoice_display_name or charge.add_on.name, charge.code)

    @theme.display(description="Units and price")
    def price(self, charge: FixedCharge) -> str:
        """Units and price in one line."""
        return prices.of_fixed_charge(charge, charge.plan_version.currency)

    def page(self, request: HttpRequest, instance: FixedCharge) -> Page:
        """The units and the price in full."""
        version = instance.plan_version
        facts = Facts(
            "Fixed charge",
            (
                Fact("Add-on", cells.to(instance.add_on)),
                Fact("Plan", cells.to(version.plan, str(version))),
                Fact("Code", cells.code(instance.code)),
                Fact("Units", cells.number_text(instance.units)),
                Fact("Model", instance.get_charge_model_display()),
                Fact("Billed", "in advance" if instance.pay_in_advance else "when the period is over"),
                Fact("Units count", "by the day" if instance.prorated else "in full"),
                Fact("Name on invoices", instance.invoice_display_name or instance.add_on.name),
                Fact("Taxes", prices.taxes(instance, version)),
            ),
        )
        shown = prices.fixed_table(instance, version.currency)
        old = () if version.is_current else (Note("This is an old version's fixed charge.", Tone.WARN),)
        return Page(top=(*old, facts, Table("Price", shown.columns, shown.rows)))


def _content(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "units": values["units"],
        "charge_model": values["charge_model"],
        "properties": values["properties"],
        "pay_in_advance": values["pay_in_advance"],
        "prorated": values["prorated"],
        "invoice_display_name": values["invoice_display_name"],
        "tax_codes": [tax.code for tax in values["taxes"]],
    }
