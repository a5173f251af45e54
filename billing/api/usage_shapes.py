"""The shapes of usage: a charge, its filters and groups. Owns what the usage of running, past and projected periods has
in common; when a period is, and what it comes to in all, is each view's.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.domain import pricing_units
from billing.queries.usage_parts import ChargeUsage
from config.platform.api import line_figures
from config.platform.api import serializers as fields

PRICE_FILTER, GROUP = "price_filter", "group"


class UsagePricingUnit(serializers.Serializer):  # type: ignore[type-arg]
    """An amount in the pricing unit of a charge, in hundredths of it."""

    amount_cents = serializers.IntegerField()
    short_name = serializers.CharField()
    conversion_rate = fields.DecimalString()


class UsagePart(serializers.Serializer):  # type: ignore[type-arg]
    """The usage of a charge, or of a part of it."""

    units = fields.DecimalString()
    total_aggregated_units = fields.DecimalString(source="total_units")
    events_count = serializers.IntegerField()
    amount_cents = fields.MinorUnits(source="amount")
    taxes_amount_cents = fields.MinorUnits(source="tax")
    total_amount_cents = fields.MinorUnits(source="gross")
    pricing_unit_details = serializers.SerializerMethodField()
    presentation_breakdowns = serializers.SerializerMethodField()

    @extend_schema_field(UsagePricingUnit(allow_null=True))
    def get_pricing_unit_details(self, usage: ChargeUsage) -> dict[str, Any] | None:
        """Return the amount in the charge's own unit, where its prices are in one."""
        unit = usage.charge.pricing_unit
        if unit is None:
            return None
        return {
            "amount_cents": line_figures.hundredths(pricing_units.rounded(usage.unit_amount)),
            "short_name": unit.short_name,
            "conversion_rate": fields.decimal_text(unit.conversion_rate),
        }

    @extend_schema_field(line_figures.PresentationBreakdown(many=True))
    def get_presentation_breakdowns(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the units by properties that are only shown."""
        return line_figures.breakdowns(usage.breakdowns)


class FilterPart(serializers.Serializer):  # type: ignore[type-arg]
    """Which filter; the charge's own price has no values."""

    invoice_display_name = serializers.SerializerMethodField()
    values = serializers.SerializerMethodField()

    def get_invoice_display_name(self, usage: ChargeUsage) -> str | None:
        """Return the filter's own name."""
        price_filter = self.context[PRICE_FILTER]
        return None if price_filter is None else price_filter.name or None

    def get_values(self, usage: ChargeUsage) -> dict[str, list[str]] | None:
        """Return the values that the filter takes."""
        price_filter = self.context[PRICE_FILTER]
        return None if price_filter is None else {**price_filter.values}


class GroupPart(serializers.Serializer):  # type: ignore[type-arg]
    """Which group: of the events whose properties have certain values, null where they have none."""

    grouped_by = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=serializers.CharField(allow_null=True)))
    def get_grouped_by(self, usage: ChargeUsage) -> dict[str, str | None]:
        """Return the values of the group."""
        return dict(self.context[GROUP])


class UsageFilter(UsagePart, FilterPart):
    """The usage of one filter."""


class UsageGroup(UsagePart, GroupPart):
    """The usage of one group."""

    filters = serializers.SerializerMethodField()

    @extend_schema_field(UsageFilter(many=True))
    def get_filters(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the filters that have usage in this group, if the charge has any."""
        return filters(usage, UsageFilter, only_used=True)


class UsageCharge(serializers.Serializer):  # type: ignore[type-arg]
    """Which charge."""

    lago_id = serializers.UUIDField(source="charge.key")
    code = serializers.CharField(source="charge.code")
    charge_model = serializers.CharField(source="charge.model")
    invoice_display_name = serializers.SerializerMethodField()

    def get_invoice_display_name(self, usage: ChargeUsage) -> str | None:
        """Return the charge's own name."""
        return None if usage.charge.name == usage.metric.name else usage.charge.name


class UsageMetric(serializers.Serializer):  # type: ignore[type-arg]
    """Which metric."""

    lago_id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    code = serializers.CharField()
    aggregation_type = serializers.CharField()


class UsageOfCharge(UsagePart):
    """The usage of one charge."""

    amount_currency = serializers.CharField(source="currency")
    charge = UsageCharge(source="*")
    billable_metric = UsageMetric(source="metric")
    filters = serializers.SerializerMethodField()
    grouped_usage = serializers.SerializerMethodField()

    @extend_schema_field(UsageFilter(many=True))
    def get_filters(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the filters and the charge's own price, if there are filters."""
        return filters(usage, UsageFilter)

    @extend_schema_field(UsageGroup(many=True))
    def get_grouped_usage(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the groups, if usage is grouped."""
        return grouped(usage, UsageGroup)


def filters(
    usage: ChargeUsage, shape: type[serializers.Serializer[Any]], *, only_used: bool = False
) -> list[dict[str, Any]]:
    """Return the shapes of the filters of a charge, of those with usage alone where that is asked for."""
    if not usage.charge.filters:
        return []
    wanted = [(price_filter, part) for price_filter, part in usage.by_filter() if part.buckets or not only_used]
    return [shape(part, context={PRICE_FILTER: price_filter}).data for price_filter, part in wanted]


def grouped(usage: ChargeUsage, shape: type[serializers.Serializer[Any]]) -> list[dict[str, Any]]:
    """Return the shapes of the groups of a charge."""
    return [shape(part, context={GROUP: group}).data for group, part in usage.by_group()]
