"""Charges in the admin: a page for the price of a metric in a version of a plan, and changing it in the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from catalog.admin import charge_forms, prices, publishing
from catalog.admin.charge_forms import NewChargeForm, PriceForm
from catalog.admin.price_pages import PricePageAdmin
from catalog.admin.publishing import PublishForm
from catalog.domain.pricing import groups, presentation
from catalog.models import Charge, Plan, PlanVersion
from catalog.queries import plans as known_plans
from catalog.services import approval_actions, plans
from catalog.services.charge_input import ChargeValues
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Table
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ObjectVerb, Outcome

VERSION_NOTE = (
    "Prices are never edited: this makes a new version of the plan, for those who buy it from then on. Subscriptions "
    "keep theirs until they are moved."
)


class AddCharge(ObjectVerb):
    """Price another metric in a plan."""

    name = "add_charge"
    label = "Add a price"
    icon = "add"
    permission = "catalog.change_plan"
    action = approval_actions.PUBLISH_PRICES
    explanation = VERSION_NOTE
    confirm = "Publish the new version"
    form_class = NewChargeForm

    def check(self, *, instance: Plan, at: datetime) -> None:
        """A retired plan stays as it was."""
        require_existing_plan(instance)

    def initial(self, *, instance: Plan, at: datetime) -> Mapping[str, Any]:
        """The simplest price."""
        return {"charge_model": Charge.Model.STANDARD}

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version with the charge."""
        currency = known_plans.by_code(code=instance.code).currency
        charge = ChargeValues(**_priced(values, currency), billable_metric_id=values["metric"].uuid)
        publication = publishing.chosen(values, at=at)
        plans.add_charge(code=instance.code, values=charge, actor=actor, at=at, publication=publication)
        return Outcome("The new version was published.")


class ChangePrice(ObjectVerb):
    """Change the price of a charge."""

    name = "edit"
    label = "Change the price"
    icon = "edit"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.change_plan"
    action = approval_actions.PUBLISH_PRICES
    explanation = VERSION_NOTE
    confirm = "Publish the new version"
    form_class = PriceForm

    def check(self, *, instance: Charge, at: datetime) -> None:
        """Only the current version leads to a next one."""
        require_current_version(instance.plan_version)

    def form(self, *, data: Any, instance: Charge, at: datetime) -> PriceForm:
        """The price as it is. When it is billed is for those to choose whose plan nobody has."""
        in_use = known_plans.in_use(instance.plan_version.plan)
        return PriceForm(data, initial=charge_forms.initial(instance), in_use=in_use)

    def preview(self, *, instance: Charge, at: datetime) -> Sequence[Block]:
        """The price as it is, and a word on filters."""
        if not instance.filters.exists():
            return ()
        return (Note("The prices of its filters stay as they are; they are changed in the plan's prices.", Tone.INFO),)

    def perform(self, *, instance: Charge, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version with the other price."""
        plan, currency = instance.plan_version.plan, instance.plan_version.currency
        charge = ChargeValues(**_priced(values, currency))
        plans.change_charge(
            code=plan.code,
            charge_code=instance.code,
            values=charge,
            actor=actor,
            at=at,
            publication=publishing.chosen(values, at=at),
        )
        return Outcome("The new version was published.", cells.page_url(plan))


class RemoveCharge(ObjectVerb):
    """Leave a charge out of the next version."""

    name = "delete"
    label = "Remove"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.change_plan"
    action = approval_actions.PUBLISH_PRICES
    explanation = f"The metric is not billed any more with this plan. {VERSION_NOTE}"
    confirm = "Publish without it"
    form_class = PublishForm

    def check(self, *, instance: Charge, at: datetime) -> None:
        """Only the current version leads to a next one."""
        require_current_version(instance.plan_version)

    def preview(self, *, instance: Charge, at: datetime) -> Sequence[Block]:
        """What is taken away."""
        return (prices.table(instance, instance.plan_version.currency),)

    def perform(self, *, instance: Charge, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Publish a version without it."""
        plan = instance.plan_version.plan
        publication = publishing.chosen(values, at=at)
        plans.remove_charge(code=plan.code, charge_code=instance.code, actor=actor, at=at, publication=publication)
        return Outcome("The new version was published.", cells.page_url(plan))


@pages.register(Charge)
class ChargeAdmin(PricePageAdmin):
    """Charges, reached from their plan."""

    empty_text = "Prices of usage belong to plans: make a plan and add a charge there."
    list_select_related = ("metric", "pricing_unit", "plan_version__plan")
    search_fields = ("code", "invoice_display_name", "metric__name", "plan_version__plan__name")
    verbs = (ChangePrice(), RemoveCharge())

    @theme.display(description="Charge", ordering="code")
    def named(self, charge: Charge) -> str:
        """What it prices."""
        return cells.stack(charge.invoice_display_name or charge.metric.name, charge.code)

    @theme.display(description="Price")
    def price(self, charge: Charge) -> str:
        """The price in one line."""
        return prices.of_charge(charge, charge.plan_version.currency)

    def page(self, request: HttpRequest, instance: Charge) -> Page:
        """The price in full."""
        version = instance.plan_version
        facts = Facts(
            "Charge",
            (
                Fact("Metric", cells.to(instance.metric)),
                Fact("Plan", cells.to(version.plan, str(version))),
                Fact("Code", cells.code(instance.code)),
                Fact("Model", instance.get_charge_model_display()),
                Fact("Units", "count by the day" if instance.prorated else "count in full"),
                Fact("Billed", charge_forms.WHEN_WORDS[charge_forms.when(instance)]),
                Fact("Prices are in", _measure(instance)),
                Fact("Grouped by", ", ".join(groups.parse(instance.properties)) or "nothing"),
                Fact("Broken down by", _shown(instance)),
                Fact("Least per period", cells.money(money.from_minor(instance.min_amount_cents, version.currency))),
                Fact("Name on invoices", instance.invoice_display_name or instance.metric.name),
                Fact("Taxes", prices.taxes(instance, version)),
                Fact("Tax in the price", charge_forms.INCLUSIVE_WORDS[charge_forms.inclusive(instance)]),
            ),
        )
        shown = prices.table(instance, version.currency)
        old = () if version.is_current else (Note("This is an old version's price.", Tone.WARN),)
        return Page(top=(*old, facts, Table("Price", shown.columns, shown.rows)))


def require_existing_plan(plan: Plan) -> None:
    """Refuse to change a retired plan. Raises NotAllowed."""
    if plan.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{plan} is retired.")


def require_current_version(version: PlanVersion) -> None:
    """Refuse to change an old version. Raises NotAllowed."""
    require_existing_plan(version.plan)
    if known_plans.by_code(code=version.plan.code).pk != version.pk:
        raise errors.NotAllowed("old_version", f"{version} is not the current version any more.")


def _shown(charge: Charge) -> str:
    return ", ".join(key.name for key in presentation.parse(charge.properties)) or "nothing"


def _measure(charge: Charge) -> str:
    if charge.pricing_unit is None or charge.conversion_rate is None:
        return charge.plan_version.currency
    worth = cells.unit_price_text(charge.conversion_rate, charge.plan_version.currency)
    return f"{charge.pricing_unit}, one of them worth {worth}"


def _priced(values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "charge_model": values["charge_model"],
        **charge_forms.timing(values),
        "applied_pricing_unit": charge_forms.applied_unit(values),
        "prorated": values["prorated"],
        "min_amount_cents": charge_forms.minimum_cents(values, currency),
        "properties": values["properties"],
        "invoice_display_name": values["invoice_display_name"],
        "tax_codes": [tax.code for tax in values["taxes"]],
        "tax_inclusive": charge_forms.INCLUSIVE[values["tax_inclusive"]],
    }
