"""Metrics in the admin: the list, the page with the plans that price them, and making, changing and retiring them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from catalog.admin import metric_forms
from catalog.admin.expressions import TryExpression
from catalog.admin.metric_forms import MetricForm, metric_values
from catalog.admin.taxes import require_existing, state
from catalog.models import BillableMetric, Charge
from catalog.services import metrics
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Row, Table, columns
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome


class CreateMetric(ListVerb):
    """Make a metric."""

    name = "create"
    label = "New metric"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_billablemetric"
    explanation = "A metric says which events are counted and how. Plans set a price for it."
    confirm = "Save"
    form_class = MetricForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        metric = metrics.create(values=metric_values(values), actor=actor, at=at)
        return Outcome(f"The metric {metric} was made.", cells.page_url(metric))


class EditMetric(ObjectVerb):
    """Change a metric."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "catalog.change_billablemetric"
    explanation = "Once a plan has a price for it, only name, description and filters change; the rest stays as it is."
    confirm = "Save"
    form_class = MetricForm

    def check(self, *, instance: BillableMetric, at: datetime) -> None:
        """A retired metric stays as it was."""
        require_existing(instance)

    def initial(self, *, instance: BillableMetric, at: datetime) -> Mapping[str, Any]:
        """The metric as it is."""
        return metric_forms.initial(instance)

    def perform(self, *, instance: BillableMetric, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        metrics.update(code=instance.code, values=metric_values(values), actor=actor, at=at)
        return Outcome("The metric was saved.")


class RetireMetric(ObjectVerb):
    """Retire a metric."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.delete_billablemetric"
    explanation = "Its events are still taken in, but counted by nothing. Possible only when no current plan prices it."
    confirm = "Retire the metric"

    def check(self, *, instance: BillableMetric, at: datetime) -> None:
        """A metric is retired once."""
        require_existing(instance)

    def preview(self, *, instance: BillableMetric, at: datetime) -> tuple[Table, ...]:
        """The plans that price it."""
        return (prices(instance),)

    def perform(self, *, instance: BillableMetric, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        metrics.delete(code=instance.code, actor=actor, at=at)
        return Outcome(f"The metric {instance} was retired.")


@pages.register(BillableMetric)
class MetricAdmin(pages.PageAdmin):
    """Billable metrics."""

    list_display = ("named", "aggregation", "reads", "rounded", "state")
    list_filter = (("aggregation_type", theme.ChoicesDropdownFilter), filters.RetiredFilter)
    search_fields = ("name", "code", "event_code")
    ordering = ("name", "id")
    list_verbs = (CreateMetric(),)
    verbs = (EditMetric(), TryExpression(), RetireMetric())
    panels = "catalog.billablemetric"
    empty_text = "Define what is counted of your events: requests, gigabytes, users."

    @theme.display(description="Metric", ordering="name")
    def named(self, metric: BillableMetric) -> str:
        """Name and code."""
        return cells.stack(metric.name, metric.code)

    @theme.display(description="Counts", ordering="aggregation_type")
    def aggregation(self, metric: BillableMetric) -> str:
        """How events become units."""
        return counted(metric)

    @theme.display(description="Events", ordering="event_code")
    def reads(self, metric: BillableMetric) -> str:
        """The code of the events that it reads."""
        return cells.code(metric.event_code)

    @theme.display(description="Rounding")
    def rounded(self, metric: BillableMetric) -> str:
        """How units are rounded."""
        return rounding(metric)

    @theme.display(description="State")
    def state(self, metric: BillableMetric) -> str:
        """Whether it is in use."""
        return state(metric)

    def page(self, request: HttpRequest, instance: BillableMetric) -> Page:
        """The metric, its filters, its prices and its history."""
        facts = Facts(
            "Metric",
            (
                Fact("Name", instance.name),
                Fact("Code", cells.code(instance.code)),
                Fact("Reads events", cells.code(instance.event_code)),
                Fact("Counts", counted(instance)),
                Fact("Computed by", cells.code(instance.expression)),
                Fact("Next period", "starts with what is there" if instance.recurring else "starts anew"),
                Fact("Rounding", rounding(instance)),
                Fact("State", state(instance)),
                Fact("Description", instance.description or cells.EMPTY),
            ),
        )
        declared = Table(
            "Filters",
            columns("Property", "Values"),
            tuple(Row((cells.code(row.key), ", ".join(map(str, row.values)))) for row in instance.filters.all()),
            empty="No filters: plans price all events alike.",
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts, declared, prices(instance), recent))


def counted(metric: BillableMetric) -> str:
    """The aggregation in words."""
    words = metric.get_aggregation_type_display().capitalize()
    return f"{words} of {metric.field_name}" if metric.field_name else words


def rounding(metric: BillableMetric) -> str:
    """The rounding in words."""
    if not metric.rounding_function:
        return cells.EMPTY
    places = metric.rounding_precision or 0
    return f"{metric.get_rounding_function_display()}, {places} decimals"


def prices(metric: BillableMetric) -> Table:
    """The current plans with a price for the metric."""
    rows = Charge.objects.filter(
        metric=metric, plan_version__is_current=True, plan_version__plan__deleted_at__isnull=True
    ).select_related("plan_version__plan")
    return Table(
        "Priced by",
        columns("Plan", "Charge", "Model"),
        tuple(
            Row((cells.to(charge.plan_version.plan), cells.to(charge, str(charge)), charge.get_charge_model_display()))
            for charge in rows.order_by("plan_version__plan__name", "position")[:100]
        ),
        empty="No plan has a price for it yet.",
    )
