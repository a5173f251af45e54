"""How billable metrics look in the API, in and out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.domain.expressions.syntax import MAX_LENGTH
from catalog.domain.metrics import Aggregation
from catalog.domain.rounding import MAX_PRECISION, RoundingFunction
from catalog.models import BillableMetric
from config.platform.api.serializers import (
    Constant,
    Flag,
    Instant,
    RequestSerializer,
    Rows,
    Text,
    TextOrNull,
    Whole,
)

LATER = ("custom_agg",)
"""Aggregations of the reference that this version does not have."""

SECONDS = "seconds"
"""The only interval by which levels are weighted."""


class AggregationField(serializers.ChoiceField):
    """An aggregation; those that come later are refused with another code than those that are none."""

    default_error_messages = {"unsupported_value": "Not supported."}

    def to_internal_value(self, data: Any) -> str:
        """Return the aggregation."""
        if isinstance(data, str) and data in LATER:
            self.fail("unsupported_value")
        return super().to_internal_value(data)


class MetricFilterForm(RequestSerializer):
    """A property of the events with its declared values."""

    key = Text(required=True)
    values = serializers.ListField(child=Text(required=True), max_length=1000)


class MetricRequest(RequestSerializer):
    """A metric as it comes in.

    ``event_code`` is an addition: the code of the events that the metric reads, its own unless given, so that several
    metrics can count the same events.
    """

    name = Text(required=True)
    code = Text(required=True)
    description = Text(max_length=10_000)
    aggregation_type = AggregationField(choices=[str(kind) for kind in Aggregation])
    field_name = Text()
    expression = Text(max_length=MAX_LENGTH)
    event_code = Text()
    rounding_function = serializers.ChoiceField(
        choices=[str(function) for function in RoundingFunction], required=False, allow_null=True, allow_blank=True
    )
    rounding_precision = Whole(allow_null=True, min_value=-MAX_PRECISION, max_value=MAX_PRECISION)
    filters = Rows(MetricFilterForm, max_length=100)
    recurring = Flag(allow_null=True)
    weighted_interval = serializers.ChoiceField(choices=[SECONDS], required=False, allow_null=True, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make absent choices the empty text; absent filters stay absent, null ones are none."""
        attrs.pop("weighted_interval", None)  # there is one, and weighted sums have it whether it is named or not
        if "rounding_function" in attrs:
            attrs["rounding_function"] = attrs["rounding_function"] or ""
        if "recurring" in attrs:
            attrs["recurring"] = bool(attrs["recurring"])
        if "filters" in attrs:
            attrs["filters"] = attrs["filters"] or []
        return attrs


class MetricFilterAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A property of the events with its declared values."""

    key = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())


class MetricAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A metric. The counters are always 0, as clients know them."""

    lago_id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    code = serializers.CharField()
    description = TextOrNull()
    aggregation_type = serializers.CharField()
    weighted_interval = serializers.SerializerMethodField()
    recurring = serializers.BooleanField()
    rounding_function = TextOrNull()
    rounding_precision = serializers.IntegerField(allow_null=True)
    created_at = Instant()
    field_name = TextOrNull()
    event_code = serializers.CharField()
    expression = TextOrNull()
    active_subscriptions_count = Constant(0)
    draft_invoices_count = Constant(0)
    plans_count = Constant(0)
    filters = serializers.SerializerMethodField()

    def get_weighted_interval(self, metric: BillableMetric) -> str | None:
        """Return the interval by which a weighted sum weighs levels."""
        return SECONDS if metric.aggregation_type == Aggregation.WEIGHTED_SUM else None

    @extend_schema_field(MetricFilterAnswer(many=True))
    def get_filters(self, metric: BillableMetric) -> list[dict[str, Any]]:
        """Return the filters in the order of their making, with sorted values."""
        return [{"key": row.key, "values": sorted(row.values)} for row in metric.filters.all()]
