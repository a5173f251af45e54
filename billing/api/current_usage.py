"""``/customers/:external_id/current_usage``: what the running period of a subscription comes to so far."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.queries import current_usage
from billing.queries.current_usage import ChargeUsage
from config.kernel import errors
from config.platform.api import params, schema, views
from config.platform.api import serializers as fields

ROOT = "customer_usage"
_SECOND = timedelta(seconds=1)


class UsagePart(serializers.Serializer):  # type: ignore[type-arg]
    """The usage of a charge, or of a part of it."""

    units = fields.DecimalString()
    total_aggregated_units = fields.DecimalString(source="units")
    events_count = serializers.IntegerField()
    amount_cents = fields.MinorUnits(source="amount")
    pricing_unit_details = serializers.SerializerMethodField()
    presentation_breakdowns = serializers.SerializerMethodField()

    def get_pricing_unit_details(self, usage: ChargeUsage) -> dict[str, str] | None:
        """Return nothing: prices are in money."""
        return None

    def get_presentation_breakdowns(self, usage: ChargeUsage) -> list[dict[str, str]]:
        """Return nothing: usage is not broken down further."""
        return []


class UsageFilter(UsagePart):
    """The usage of one filter; the charge's own price has no values."""

    invoice_display_name = serializers.SerializerMethodField()
    values = serializers.SerializerMethodField()

    def get_invoice_display_name(self, usage: ChargeUsage) -> str | None:
        """Return the filter's own name."""
        price_filter = self.context["price_filter"]
        return None if price_filter is None else price_filter.name or None

    def get_values(self, usage: ChargeUsage) -> dict[str, list[str]] | None:
        """Return the values that the filter takes."""
        price_filter = self.context["price_filter"]
        return None if price_filter is None else {**price_filter.values}


class UsageGroup(UsagePart):
    """The usage of one group: of the events whose properties have certain values, null where they have none."""

    grouped_by = serializers.SerializerMethodField()
    filters = serializers.SerializerMethodField()

    def get_grouped_by(self, usage: ChargeUsage) -> dict[str, str | None]:
        """Return the values of the group."""
        return dict(self.context["group"])

    @extend_schema_field(UsageFilter(many=True))
    def get_filters(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the filters that have usage in this group, if the charge has any."""
        return _filters(usage, only_used=True)


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

    amount_currency = serializers.CharField(source="amount.currency.code")
    charge = UsageCharge(source="*")
    billable_metric = UsageMetric(source="metric")
    filters = serializers.SerializerMethodField()
    grouped_usage = serializers.SerializerMethodField()

    @extend_schema_field(UsageFilter(many=True))
    def get_filters(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the filters and the charge's own price, if there are filters."""
        return _filters(usage)

    @extend_schema_field(UsageGroup(many=True))
    def get_grouped_usage(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the groups, if usage is grouped."""
        return [UsageGroup(part, context={"group": group}).data for group, part in usage.by_group()]


def _filters(usage: ChargeUsage, *, only_used: bool = False) -> list[dict[str, Any]]:
    if not usage.charge.filters:
        return []
    found = usage.by_filter()
    shown = [(price_filter, part) for price_filter, part in found if part.buckets or not only_used]
    return [UsageFilter(part, context={"price_filter": price_filter}).data for price_filter, part in shown]


class CustomerUsage(serializers.Serializer):  # type: ignore[type-arg]
    """The usage of a running period. ``to_datetime`` is the last second of the period."""

    from_datetime = fields.Instant(source="from_at")
    to_datetime = serializers.SerializerMethodField()
    issuing_date = serializers.SerializerMethodField()
    currency = serializers.CharField()
    amount_cents = fields.MinorUnits(source="amount.net")
    taxes_amount_cents = fields.MinorUnits(source="amount.tax")
    total_amount_cents = fields.MinorUnits(source="amount.gross")
    lago_invoice_id = serializers.SerializerMethodField()
    charges_usage = UsageOfCharge(many=True, source="charges")

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_to_datetime(self, usage: current_usage.CurrentUsage) -> str:
        """Return the last second of the period."""
        return fields.instant_text(usage.ends_at - _SECOND)

    @extend_schema_field(OpenApiTypes.DATE)
    def get_issuing_date(self, usage: current_usage.CurrentUsage) -> str:
        """Return the UTC date on which the period ends."""
        return (usage.ends_at - _SECOND).astimezone(UTC).date().isoformat()

    @extend_schema_field(OpenApiTypes.UUID)
    def get_lago_invoice_id(self, usage: current_usage.CurrentUsage) -> str | None:
        """Return nothing: there is no invoice yet."""
        return None


@extend_schema(tags=["customers"])
class CurrentUsage(views.ApiView):
    """The usage of a customer's subscription in its running period."""

    @extend_schema(
        parameters=[
            OpenApiParameter("external_subscription_id", OpenApiTypes.STR, required=True),
            OpenApiParameter("apply_taxes", OpenApiTypes.BOOL, description="Yes unless said otherwise."),
            *schema.filters("charge_id", "charge_code", "billable_metric_code", paged=False),
        ],
        responses=schema.answer(ROOT, CustomerUsage),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Show the usage of the running period, charges without any included."""
        if params.flag(request, "full_usage"):
            raise errors.NotAllowed("full_usage_not_allowed", "Usage is shown for the running period only.")
        found = current_usage.read(
            external_customer_id=external_id,
            external_subscription_id=params.text(request, "external_subscription_id") or "",
            at=self.at(),
            apply_taxes=params.flag(request, "apply_taxes") is not False,
            charge_key=params.text(request, "charge_id"),
            charge_code=params.text(request, "charge_code"),
            metric_code=params.text(request, "billable_metric_code"),
        )
        return Response({ROOT: CustomerUsage(found).data})
