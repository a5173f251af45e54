"""The form of a metric. Owns reading filters from lines of text; what a good metric is, the service says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from catalog.domain import metrics
from catalog.models import BillableMetric
from catalog.services.metrics import MetricValues
from config.platform.admin.forms import VerbForm


class MetricForm(VerbForm):
    """What a metric is made of."""

    sections = (
        ("Metric", ("name", "code", "description")),
        ("What is counted", ("aggregation_type", "field_name", "event_code")),
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
    event_code = forms.CharField(
        max_length=255, required=False, help_text="Empty: events with the code of the metric. Metrics may share events."
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

    def clean(self) -> dict[str, Any]:
        """Ask the domain whether the aggregation needs a property."""
        cleaned = super().clean() or self.cleaned_data
        aggregation = cleaned.get("aggregation_type")
        if aggregation and metrics.reads_field(metrics.Aggregation(aggregation)) and not cleaned.get("field_name"):
            self.add_error("field_name", "This aggregation needs a property.")
        return cleaned


def metric_values(cleaned: Mapping[str, Any]) -> MetricValues:
    """The filled-in form as the service takes it."""
    return MetricValues(
        code=cleaned["code"],
        name=cleaned["name"],
        description=cleaned["description"],
        aggregation_type=cleaned["aggregation_type"],
        field_name=cleaned["field_name"],
        event_code=cleaned["event_code"],
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
        "event_code": "" if metric.event_code == metric.code else metric.event_code,
        "rounding_function": metric.rounding_function,
        "rounding_precision": metric.rounding_precision,
        "filters": "\n".join(lines),
    }
