"""Plans in the admin: the list, the page with the price list and its earlier versions, and changing plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest

from catalog.admin import charge_forms, charges, prices
from catalog.admin.charges import AddCharge
from catalog.admin.fixed_charges import AddFixedCharge
from catalog.admin.plan_forms import TIMING, NewPlanForm, PlanForm
from catalog.admin.taxes import require_existing, state
from catalog.domain import decimals
from catalog.models import Plan, PlanVersion
from catalog.queries import plans as known_plans
from catalog.services import plans
from catalog.services.plans import PlanValues
from config.kernel import money
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome


class CreatePlan(ListVerb):
    """Make a plan with its first version."""

    name = "create"
    label = "New plan"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_plan"
    explanation = "A plan has a fee for each interval. Prices for usage are added on the plan's page."
    confirm = "Save"
    form_class = NewPlanForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        content = PlanValues(
            **_names(values),
            **_timing(values),
            code=values["code"],
            interval=values["interval"],
            amount_cents=money.to_minor(values["money"]),
            amount_currency=values["currency"],
            tax_codes=[tax.code for tax in values["taxes"]],
        )
        version = plans.create(values=content, actor=actor, at=at)
        return Outcome(f"The plan {version.plan} was made. Add prices for usage next.", cells.page_url(version.plan))


class EditPlan(ObjectVerb):
    """Change a plan's names, fee and taxes."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "catalog.change_plan"
    explanation = f"Names change in place. Another fee or tax is another version. {charges.VERSION_NOTE}"
    confirm = "Save"
    form_class = PlanForm

    def check(self, *, instance: Plan, at: datetime) -> None:
        """A retired plan stays as it was."""
        require_existing(instance)

    def form(self, *, data: Any, instance: Plan, at: datetime) -> PlanForm:
        """The form in the plan's currency."""
        version = known_plans.by_code(code=instance.code)
        start = {
            "name": instance.name,
            "invoice_display_name": instance.invoice_display_name,
            "description": instance.description,
            "amount": money.rounded(version.amount).amount,
            "taxes": list(version.taxes.all()),
            "pay_in_advance": version.pay_in_advance,
            "trial_period": decimals.text(version.trial_period),
            "bill_charges_monthly": version.bill_charges_monthly,
            "bill_fixed_charges_monthly": version.bill_fixed_charges_monthly,
        }
        return PlanForm(data, initial=start, currency=version.currency, in_use=known_plans.in_use(instance))

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        content = PlanValues(
            **_names(values),
            **_timing(values),
            amount_cents=money.to_minor(values["money"]),
            tax_codes=[tax.code for tax in values["taxes"]],
        )
        plans.update(code=instance.code, values=content, actor=actor, at=at)
        return Outcome("The plan was saved.")


class RetirePlan(ObjectVerb):
    """Retire a plan."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.delete_plan"
    explanation = "Nobody can subscribe to it any more. Possible only when nobody has it."
    confirm = "Retire the plan"

    def check(self, *, instance: Plan, at: datetime) -> None:
        """A plan is retired once."""
        require_existing(instance)

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        plans.delete(code=instance.code, actor=actor, at=at)
        return Outcome(f"The plan {instance} was retired.")


class CurrencyFilter(filters.ChoiceFilter):
    """The currency of the current version."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The currencies in which anything is sold."""
        found = PlanVersion.objects.filter(is_current=True).order_by("currency").values_list("currency", flat=True)
        return [(currency, currency) for currency in found.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Plan]) -> QuerySet[Plan]:
        """Narrow to it."""
        if not self.value():
            return queryset
        sold = PlanVersion.objects.filter(is_current=True, currency=self.value())
        return queryset.filter(pk__in=sold.values("plan_id"))


@pages.register(Plan)
class PlanAdmin(pages.PageAdmin):
    """Plans."""

    list_display = ("named", "fee_amount", "interval", "prices_count", "version_count", "state")
    list_filter = (CurrencyFilter, filters.RetiredFilter)
    search_fields = ("name", "code")
    ordering = ("name", "id")
    list_verbs = (CreatePlan(),)
    verbs = (AddCharge(), AddFixedCharge(), EditPlan(), RetirePlan())
    panels = "catalog.plan"
    empty_text = "A plan is a price list: a fee for each month or year, and prices for usage."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Plans with their current version and the number of its prices."""
        current = PlanVersion.objects.filter(is_current=True)
        return (
            super()
            .get_queryset(request)
            .annotate(prices=Count("versions__charges", filter=Q(versions__is_current=True)))
            .prefetch_related(Prefetch("versions", queryset=current, to_attr="current"))
        )

    @theme.display(description="Plan", ordering="name")
    def named(self, plan: Plan) -> str:
        """Name and code."""
        return cells.stack(plan.name, plan.code)

    @theme.display(description="Fee")
    def fee_amount(self, plan: Any) -> str:
        """The fee of an interval."""
        return cells.money(plan.current[0].amount) if plan.current else cells.EMPTY

    @theme.display(description="Interval")
    def interval(self, plan: Any) -> str:
        """How often it is billed."""
        return plan.current[0].get_interval_display() if plan.current else cells.EMPTY

    @theme.display(description="Usage prices", ordering="prices")
    def prices_count(self, plan: Any) -> str:
        """How many metrics it prices."""
        return cells.number(plan.prices)

    @theme.display(description="Version")
    def version_count(self, plan: Any) -> str:
        """The number of the current version."""
        return cells.number(plan.current[0].number) if plan.current else cells.EMPTY

    @theme.display(description="State")
    def state(self, plan: Plan) -> str:
        """Whether it can be bought."""
        return state(plan)

    def page(self, request: HttpRequest, instance: Plan) -> Page:
        """The current price list, the earlier ones, and the history."""
        versions = list(known_plans.with_content(PlanVersion.objects.filter(plan=instance)).order_by("-number"))
        current = next((version for version in versions if version.is_current), None)
        top: tuple[Block, ...] = (_facts(instance, current),)
        lists: tuple[Block, ...] = () if current is None else (price_list(current), fixed_list(current))
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(
            top=top,
            tabs=(
                Tab("Prices", lists),
                Tab("Versions", (_versions(versions),), len(versions)),
                Tab("History", (recent,)),
            ),
        )


def price_list(version: PlanVersion) -> Table:
    """The prices of a version: each line opens to its table of tiers."""
    rows = [
        Row(
            (
                cells.stack(cells.to(charge, charge.invoice_display_name or charge.metric.name), charge.metric.code),
                charge.get_charge_model_display(),
                prices.of_charge(charge, version.currency),
                charge_forms.WHEN_WORDS[charge_forms.when(charge)],
                prices.taxes(charge, version),
            ),
            details=(prices.table(charge, version.currency),),
        )
        for charge in version.charges.all()
    ]
    return Table(
        "Prices for usage",
        columns("Metric", "Model", "Price", "Billed", "Taxes"),
        tuple(rows),
        empty="No prices for usage: the plan is its fee alone. Add a price to bill a metric.",
    )


def fixed_list(version: PlanVersion) -> Table:
    """The add-ons that come with a version in a number that is agreed: each line opens to its table of tiers."""
    rows = [
        Row(
            (
                cells.stack(cells.to(charge, charge.invoice_display_name or charge.add_on.name), charge.code),
                charge.get_charge_model_display(),
                prices.of_fixed_charge(charge, version.currency),
                "in advance" if charge.pay_in_advance else "when the period is over",
                prices.taxes(charge, version),
            ),
            details=(prices.fixed_table(charge, version.currency),),
        )
        for charge in version.fixed_charges.all()
    ]
    return Table(
        "Fixed charges",
        columns("Add-on", "Model", "Units and price", "Billed", "Taxes"),
        tuple(rows),
        empty="No fixed charges. Add one to bill an agreed number of an add-on, such as seats.",
    )


def _facts(plan: Plan, current: PlanVersion | None) -> Facts:
    facts = [
        Fact("Name", plan.name),
        Fact("Code", cells.code(plan.code)),
        Fact("State", state(plan)),
    ]
    if current is not None:
        facts += [
            Fact("Fee", prices.fee(current)),
            Fact("Billed", prices.timing(current)),
            Fact("Current version", f"{current.number}, since {cells.day_of(current.created_at)}"),
            Fact("Taxes on the fee", ", ".join(str(tax) for tax in current.taxes.all()) or "the customer's"),
        ]
    facts += [
        Fact("Name on invoices", plan.invoice_display_name or plan.name),
        Fact("Description", plan.description or cells.EMPTY),
    ]
    return Facts("Plan", tuple(facts))


def _versions(versions: Sequence[PlanVersion]) -> Table:
    rows = [
        Row(
            (
                f"Version {version.number}",
                cells.instant(version.created_at),
                version.get_interval_display(),
                cells.money(version.amount),
                cells.number(len(version.charges.all())),
                cells.badge("current", cells.Tone.GOOD) if version.is_current else "",
            ),
            details=(price_list(version), fixed_list(version)),
        )
        for version in versions
    ]
    return Table("Versions", columns("Version", "Published", "Interval", "Fee#", "Usage prices#", ""), tuple(rows))


def _names(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": values["name"],
        "invoice_display_name": values["invoice_display_name"],
        "description": values["description"],
    }


def _timing(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: values[name] for name in TIMING}, "trial_period": values["trial_period"] or Decimal(0)}
