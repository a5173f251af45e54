"""``/customers/:external_id/projected_usage``: what the running period comes to at its end as usage goes on."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import current_usage as narrowing
from billing.api import usage_shapes
from billing.api.current_usage import CustomerUsage
from billing.api.usage_shapes import FilterPart, GroupPart, UsageOfCharge, UsagePart
from billing.queries import projected_usage
from billing.queries.usage_parts import ChargeUsage
from config.platform.api import line_figures, params, schema, views
from config.platform.api import serializers as fields

ROOT = "customer_projected_usage"


class ProjectedPart(UsagePart):
    """The usage of a charge, or of a part of it, so far and projected."""

    projected_units = fields.DecimalString()
    projected_amount_cents = fields.MinorUnits(source="projected_amount")
    projected_presentation_breakdowns = serializers.SerializerMethodField()

    @extend_schema_field(line_figures.PresentationBreakdown(many=True))
    def get_projected_presentation_breakdowns(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the projected units by properties that are only shown."""
        return line_figures.breakdowns(usage.projected_breakdowns)


class ProjectedFilter(ProjectedPart, FilterPart):
    """The usage of one filter. The charge's own price has no values: an empty object here."""

    def get_values(self, usage: ChargeUsage) -> dict[str, list[str]]:
        """Return the values that the filter takes."""
        return super().get_values(usage) or {}


class ProjectedGroup(ProjectedPart, GroupPart):
    """The usage of one group."""

    filters = serializers.SerializerMethodField()

    @extend_schema_field(ProjectedFilter(many=True))
    def get_filters(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the filters that have usage in this group, if the charge has any."""
        return usage_shapes.filters(usage, ProjectedFilter, only_used=True)


class ProjectedCharge(ProjectedPart, UsageOfCharge):
    """The usage of one charge."""

    @extend_schema_field(ProjectedFilter(many=True))
    def get_filters(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the filters and the charge's own price, if there are filters."""
        return usage_shapes.filters(usage, ProjectedFilter)

    @extend_schema_field(ProjectedGroup(many=True))
    def get_grouped_usage(self, usage: ChargeUsage) -> list[dict[str, Any]]:
        """Return the groups, if usage is grouped."""
        return usage_shapes.grouped(usage, ProjectedGroup)


class CustomerProjectedUsage(CustomerUsage):
    """The usage of a running period, so far and projected. Taxes and total are of the usage so far."""

    projected_amount_cents = fields.MinorUnits(source="projected_amount")
    charges_usage = ProjectedCharge(many=True, source="charges")


class ProjectedUsage(views.ApiView):
    """The usage of a customer's subscription in its running period, and what it is projected to."""

    resource = "customer_usage"

    @extend_schema(
        parameters=[
            OpenApiParameter("external_subscription_id", OpenApiTypes.STR, required=True),
            OpenApiParameter("apply_taxes", OpenApiTypes.BOOL, description="Yes unless said otherwise."),
            *schema.filters("filter_by_charge_id", "filter_by_charge_code", "billable_metric_code", paged=False),
        ],
        responses=schema.answer(ROOT, CustomerProjectedUsage),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Show the usage of the running period with its projection, charges without any included."""
        found = projected_usage.read(
            external_customer_id=external_id,
            external_subscription_id=params.text(request, "external_subscription_id") or "",
            at=self.at(),
            apply_taxes=params.flag(request, "apply_taxes") is not False,
            wanted=narrowing.wanted(request),
        )
        return Response({ROOT: CustomerProjectedUsage(found).data})
