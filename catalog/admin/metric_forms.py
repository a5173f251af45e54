"""The form of a metric. Owns reading filters from lines of text; what a good metric is, the service says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from catalog.domain import metrics, recurring
from catalog.domain.expressions import parsing
from catalog.models import BillableMetric
from catalog.services.metrics import MetricValues
from config.kernel import errors
from config.platform.admin.forms import VerbForm


class MetricForm(VerbForm):
    """What a metric is made of."""

    sections = (
        ("Metric", ("name", "code", "description")),
        ("What is counted", ("aggregation_type", "field_name", "expression", "event_code", "recurring")),
        ("Rounding of the units", ("rounding_function", "rounding_precision")),
        ("Filters", ("filters",)),
    )

    name = forms.CharField(max_length=255)
    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    aggregation_type = forms.ChoiceField(label="Aggregation", choices=BillableMetric.Aggregation.choices)
    field_name = forms.CharField(
        label="Property", max_length=255, required=False, help_text="Which property of the events; not for a count."
    )
    expression = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "ROUND(event.properties.bytes / 1000000000, 3)"}),
        help_text="Computes the property when an event comes in, from event.properties.name, event.code and "
        "event.timestamp, with + - * / ( ), CONCAT, ROUND, CEIL, FLOOR, LEAST and GREATEST. Empty: it is sent.",
    )
    event_code = forms.CharField(
        max_length=255, required=False, help_text="Empty: events with the code of the metric. Metrics may share events."
    )
    recurring = forms.BooleanField(
        label="Stays over periods",
        required=False,
        help_text="As of seats or storage: what a period ends with, the next one starts with. For sums, unique counts "
        "and weighted sums.",
    )
    rounding_function = forms.ChoiceField(
        label="Round", choices=[("", "not at all"), *BillableMetric.Rounding.choices], required=False
    )
    rounding_precision = forms.IntegerField(label="Decimals", required=False, min_value=-15, max_value=15)
    filters = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "region: eu, us\ntier: gold, silver"}),
        help_text="One property per line with the values that may have a price of their own: “region: eu, us”.",
    )

    def clean_filters(self) -> list[dict[str, Any]]:
        """Lines of “property: value, value” as the service takes them."""
        found = []
        for line in self.cleaned_data["filters"].splitlines():
            if not line.strip():
                continue
            key, colon, values = line.partition(":")
            listed = [value.strip() for value in values.split(",") if value.strip()]
            if not colon or not key.strip() or not listed:
                raise forms.ValidationError(f"“{line.strip()}” is not of the form “property: value, value”.")
            found.append({"key": key.strip(), "values": listed})
        return found

    def clean_expression(self) -> str:
        """Tell at which character an expression is wrong."""
        found: str = self.cleaned_data["expression"]
        if found:
            try:
                parsing.parse(found)
            except errors.Invalid as refusal:
                raise forms.ValidationError(refusal.message) from refusal
        return found

    def clean(self) -> dict[str, Any]:
        """Ask the domain whether the aggregation needs a property."""
        cleaned = super().clean() or self.cleaned_data
        aggregation = cleaned.get("aggregation_type")
        if aggregation and metrics.reads_field(metrics.Aggregation(aggregation)) and not cleaned.get("field_name"):
            self.add_error("field_name", "This aggregation needs a property.")
        if aggregation and cleaned.get("recurring") and not recurring.can_recur(metrics.Aggregation(aggregation)):
            self.add_error("recurring", "This aggregation starts anew in every period.")
        return cleaned


def metric_values(cleaned: Mapping[str, Any]) -> MetricValues:
    """The filled-in form as the service takes it."""
    return MetricValues(
        code=cleaned["code"],
        name=cleaned["name"],
        description=cleaned["description"],
        aggregation_type=cleaned["aggregation_type"],
        field_name=cleaned["field_name"],
        expression=cleaned["expression"],
        event_code=cleaned["event_code"],
        recurring=cleaned["recurring"],
        rounding_function=cleaned["rounding_function"],
        rounding_precision=cleaned["rounding_precision"],
        filters=cleaned["filters"],
    )


def initial(metric: BillableMetric) -> Mapping[str, Any]:
    """The metric as the form shows it."""
    lines = [f"{row.key}: {', '.join(map(str, row.values))}" for row in metric.filters.all()]
    return {
        "code": metric.code,
        "name": metric.name,
        "description": metric.description,
        "aggregation_type": metric.aggregation_type,
        "field_name": metric.field_name,
        "expression": metric.expression,
        "event_code": "" if metric.event_code == metric.code else metric.event_code,
        "recurring": metric.recurring,
        "rounding_function": metric.rounding_function,
        "rounding_precision": metric.rounding_precision,
        "filters": "\n".join(lines),
    }
