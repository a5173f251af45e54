"""Plans in the admin: the list, the page with the price list and its earlier versions, and changing plans."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from catalog.admin import (
    charges,
    commitment_forms,
    plan_comparison,
    plan_editor,
    plan_entitlements,
    plan_versions,
    prices,
    publishing,
    usage_thresholds,
)
from catalog.admin.charges import AddCharge
from catalog.admin.fixed_charges import AddFixedCharge
from catalog.admin.plan_entitlements import SetPlanEntitlements
from catalog.admin.plan_forms import TIMING, ChangedPlanForm, NewPlanForm
from catalog.admin.plan_versions import WithdrawVersion
from catalog.admin.taxes import require_existing, state
from catalog.admin.usage_thresholds import SetThresholds
from catalog.domain import decimals
from catalog.models import Plan, PlanVersion
from catalog.queries import plans as known_plans
from catalog.queries import versions as known_versions
from catalog.services import plans
from catalog.services.plans import PlanValues
from config.kernel import money
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Page, Tab
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
            tax_inclusive=values["tax_inclusive"],
            minimum_commitment=commitment_forms.values(values),
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
    form_class = ChangedPlanForm

    def check(self, *, instance: Plan, at: datetime) -> None:
        """A retired plan stays as it was."""
        require_existing(instance)

    def form(self, *, data: Any, instance: Plan, at: datetime) -> ChangedPlanForm:
        """The form in the plan's currency."""
        version = known_plans.by_code(code=instance.code)
        start = {
            "name": instance.name,
            "invoice_display_name": instance.invoice_display_name,
            "description": instance.description,
            "amount": money.rounded(version.amount).amount,
            "taxes": list(version.taxes.all()),
            "tax_inclusive": version.tax_inclusive,
            "pay_in_advance": version.pay_in_advance,
            "trial_period": decimals.text(version.trial_period),
            "bill_charges_monthly": version.bill_charges_monthly,
            "bill_fixed_charges_monthly": version.bill_fixed_charges_monthly,
            **commitment_forms.initial(version),
        }
        return ChangedPlanForm(data, initial=start, currency=version.currency, in_use=known_plans.in_use(instance))

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        content = PlanValues(
            **_names(values),
            **_timing(values),
            amount_cents=money.to_minor(values["money"]),
            tax_codes=[tax.code for tax in values["taxes"]],
            tax_inclusive=values["tax_inclusive"],
            minimum_commitment=commitment_forms.values(values),
        )
        publication = publishing.chosen(values, at=at)
        plans.update(code=instance.code, values=content, publication=publication, actor=actor, at=at)
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
    verbs = (
        AddCharge(),
        AddFixedCharge(),
        EditPlan(),
        SetPlanEntitlements(),
        SetThresholds(),
        WithdrawVersion(),
        RetirePlan(),
    )
    prominent = ("add_charge", "withdraw_version")
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

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The editor of prices, and the comparison of plans."""
        return (
            ("compare/", functools.partial(plan_comparison.view, self), "compare"),
            ("<path:object_id>/prices/", functools.partial(plan_editor.view, self), "prices"),
            ("<path:object_id>/prices/sample/", functools.partial(plan_editor.sample, self), "sample"),
        )

    def links(self, request: HttpRequest, instance: Plan) -> Sequence[dict[str, Any]]:
        """The way to the editor, for whoever may change plans."""
        found = []
        if request.user.has_perm(plan_editor.RIGHT) and instance.deleted_at is None:
            found.append(verbs.link("Edit prices", self.url("prices", instance.pk), "edit_note"))
        return found

    def _compare(self, instance: Plan) -> str:
        address = f"{self.url('compare')}?{urlencode({'first': instance.code})}"
        return cells.link("Compare", address)

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The way to the comparison."""
        return (verbs.link("Compare plans", self.url("compare"), "compare_arrows"),)

    def page(self, request: HttpRequest, instance: Plan) -> Page:
        """The current price list, the earlier ones, and the history."""
        versions = list(known_versions.of_plan(instance))
        current = next((version for version in versions if version.is_current), None)
        top: tuple[Block, ...] = (*plan_versions.notes(versions), _facts(instance, current))
        lists: tuple[Block, ...] = () if current is None else plan_versions.prices_of(current)
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(
            top=top,
            tabs=(
                Tab("Prices", lists),
                *_thresholds(current),
                Tab("Entitlements", (plan_entitlements.table(instance),)),
                Tab("Versions", (plan_versions.table(versions, self._compare(instance)),), len(versions)),
                Tab("History", (recent,)),
            ),
        )


def _thresholds(current: PlanVersion | None) -> tuple[Tab, ...]:
    found = None if current is None else usage_thresholds.table(current)
    return (Tab("Usage thresholds", (found,), len(found.rows)),) if found is not None and found.rows else ()


def _facts(plan: Plan, current: PlanVersion | None) -> Facts:
    facts = [
        Fact("Name", plan.name),
        Fact("Code", cells.code(plan.code)),
        Fact("State", state(plan)),
    ]
    if plan.deletion_asked_at is not None and plan.deleted_at is None:
        facts.append(
            Fact("To be deleted", f"asked for {cells.instant_text(plan.deletion_asked_at)}, once nobody has it")
        )
    if current is not None:
        facts += [
            Fact("Fee", prices.fee(current)),
            Fact("Billed", prices.timing(current)),
            Fact("Minimum", prices.minimum(current)),
            Fact("Current version", plan_versions.since(current)),
            Fact("Tax", "in the prices" if current.tax_inclusive else "added to the prices"),
            Fact("Taxes on the fee", ", ".join(str(tax) for tax in current.taxes.all()) or "the customer's"),
        ]
    facts += [
        Fact("Name on invoices", plan.invoice_display_name or plan.name),
        Fact("Description", plan.description or cells.EMPTY),
    ]
    if plan.metadata:
        noted = ", ".join(f"{key}: {value or '–'}" for key, value in plan.metadata.items())
        facts.append(Fact("Metadata", noted))
    return Facts("Plan", tuple(facts))


def _names(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": values["name"],
        "invoice_display_name": values["invoice_display_name"],
        "description": values["description"],
    }


def _timing(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: values[name] for name in TIMING}, "trial_period": values["trial_period"] or Decimal(0)}
