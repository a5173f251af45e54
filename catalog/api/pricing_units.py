"""``/pricing_units``: an addition to what clients of the reference know. There is nothing to delete them by: invoices
that were priced in one name it.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.queries import pricing_units as unit_queries
from catalog.services import pricing_units
from config.platform.api import pagination, params, schema, views
from config.platform.api.serializers import Instant, RequestSerializer, Text, TextOrNull

ROOT = "pricing_unit"


class PricingUnitRequest(RequestSerializer):
    """A pricing unit as it comes in."""

    name = Text(required=True)
    code = Text(required=True)
    short_name = Text(required=True, max_length=pricing_units.SHORT)
    description = Text(max_length=10_000)


class PricingUnitAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A pricing unit. What one is worth is said by each charge that is priced in it."""

    lago_id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    code = serializers.CharField()
    short_name = serializers.CharField()
    description = TextOrNull()
    created_at = Instant()


class PricingUnits(views.ApiView):
    """All pricing units."""

    resource = "pricing_unit"

    @extend_schema(parameters=schema.filters("search_term"), responses=schema.page("pricing_units", PricingUnitAnswer))
    def get(self, request: Request) -> Response:
        """List the pricing units, newest first."""
        rows = unit_queries.listed(search_term=params.text(request, "search_term"))
        return pagination.paginated(
            request, rows, "pricing_units", lambda found: PricingUnitAnswer(found, many=True).data
        )

    @extend_schema(request=schema.body(ROOT, PricingUnitRequest), responses=schema.answer(ROOT, PricingUnitAnswer))
    def post(self, request: Request) -> Response:
        """Make a pricing unit."""
        values = self.body(request, ROOT, PricingUnitRequest)
        unit = pricing_units.create(values=values, actor=self.actor(request), at=self.at())
        return Response({ROOT: PricingUnitAnswer(unit).data})


class PricingUnit(views.ApiView):
    """One pricing unit, by its code."""

    resource = "pricing_unit"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, PricingUnitAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a pricing unit."""
        return Response({ROOT: PricingUnitAnswer(unit_queries.by_code(code=code)).data})

    @extend_schema(request=schema.changes(ROOT, PricingUnitRequest), responses=schema.answer(ROOT, PricingUnitAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a pricing unit; its code stays once a charge is priced in it."""
        content = self.root(request, ROOT)
        unit_queries.by_code(code=code)
        values = self.checked(content, PricingUnitRequest, partial=True)
        unit = pricing_units.update(code=code, values=values, actor=self.actor(request), at=self.at())
        return Response({ROOT: PricingUnitAnswer(unit).data})
