"""``/customers/:external_id/past_usage``: the usage of billed periods, as it was billed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.usage_shapes import UsageOfCharge
from billing.models import BilledPeriod
from billing.queries import past_usage
from config.kernel import errors
from config.platform.api import pagination, params, schema, views
from config.platform.api import serializers as fields

LIST = "usage_periods"
_SECOND = timedelta(seconds=1)


class PastUsagePeriod(serializers.Serializer):  # type: ignore[type-arg]
    """The usage of a billed period. ``to_datetime`` is the last second of the period."""

    from_datetime = fields.Instant(source="from_at")
    to_datetime = serializers.SerializerMethodField()
    issuing_date = serializers.DateField()
    currency = serializers.CharField()
    amount_cents = fields.MinorUnits(source="amount.net")
    taxes_amount_cents = fields.MinorUnits(source="amount.tax")
    total_amount_cents = fields.MinorUnits(source="amount.gross")
    lago_invoice_id = serializers.UUIDField(source="invoice_id")
    charges_usage = UsageOfCharge(many=True, source="charges")

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_to_datetime(self, usage: past_usage.PastUsage) -> str:
        """Return the last second of the period."""
        return fields.instant_text(max(usage.from_at, usage.ends_at - _SECOND))


class PastUsage(views.ApiView):
    """The usage of a customer's subscription in its billed periods."""

    resource = "customer_usage"

    @extend_schema(
        parameters=[
            OpenApiParameter("external_subscription_id", OpenApiTypes.STR, required=True),
            OpenApiParameter("periods_count", OpenApiTypes.INT, description="No more than so many, the newest."),
            *schema.filters("billable_metric_code"),
        ],
        responses=schema.page(LIST, PastUsagePeriod),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List billed periods with their usage, newest first. Nothing is computed again."""
        metric_code = params.text(request, "billable_metric_code")
        rows = past_usage.periods(
            external_customer_id=external_id,
            external_subscription_id=_subscription(request),
            metric_code=metric_code,
            periods_count=_count(request),
        )

        def shown(found: list[BilledPeriod]) -> list[dict[str, Any]]:
            return list(PastUsagePeriod(past_usage.read(found=found, metric_code=metric_code), many=True).data)

        return pagination.paginated(request, rows, LIST, shown)


def _subscription(request: Request) -> str:
    given = params.text(request, "external_subscription_id")
    if given is None:
        raise _refused("external_subscription_id", "value_is_mandatory")
    return given


def _count(request: Request) -> int | None:
    given = params.whole(request, "periods_count")
    if given is not None and not 1 <= given <= pagination.MAX_SIZE:
        raise _refused("periods_count", "value_is_out_of_range")
    return given


def _refused(name: str, code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"The parameter {name} is not valid.", {name: [code]})
