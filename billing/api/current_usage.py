"""``/customers/:external_id/current_usage``: what the running period of a subscription comes to so far."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, timedelta

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.usage_shapes import UsageOfCharge
from billing.queries import current_usage
from billing.queries.running_usage import Wanted
from config.kernel import errors
from config.platform.api import params, schema, views
from config.platform.api import serializers as fields

ROOT = "customer_usage"
_SECOND = timedelta(seconds=1)


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

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_lago_invoice_id(self, usage: current_usage.CurrentUsage) -> str | None:
        """Return nothing: there is no invoice yet."""
        return None


class CurrentUsage(views.ApiView):
    """The usage of a customer's subscription in its running period."""

    resource = "customer_usage"

    @extend_schema(
        parameters=[
            OpenApiParameter("external_subscription_id", OpenApiTypes.STR, required=True),
            OpenApiParameter("apply_taxes", OpenApiTypes.BOOL, description="Yes unless said otherwise."),
            *schema.filters("filter_by_charge_id", "filter_by_charge_code", "billable_metric_code", paged=False),
            OpenApiParameter("filter_by_group", OpenApiTypes.OBJECT, description="`filter_by_group[key]=value`."),
            OpenApiParameter("charge_id", description="The same as `filter_by_charge_id`."),
            OpenApiParameter("charge_code", description="The same as `filter_by_charge_code`."),
            OpenApiParameter("group", OpenApiTypes.OBJECT, description="The same as `filter_by_group`."),
            OpenApiParameter(
                "filter_by_presentation",
                OpenApiTypes.STR,
                description="A JSON array of values: breakdowns with one of them are shown, with `[]` none.",
            ),
            OpenApiParameter(
                "full_usage",
                OpenApiTypes.BOOL,
                description="Usage since the start of the subscription; needs a charge or a group.",
            ),
            OpenApiParameter("skip_grouping", OpenApiTypes.BOOL, description="Leave the groups out."),
        ],
        responses=schema.answer(ROOT, CustomerUsage),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Show the usage of the running period, charges without any included."""
        found = current_usage.read(
            external_customer_id=external_id,
            external_subscription_id=params.text(request, "external_subscription_id") or "",
            at=self.at(),
            apply_taxes=params.flag(request, "apply_taxes") is not False,
            wanted=wanted(request),
            breakdown_values=_values(request),
            skip_grouping=params.flag(request, "skip_grouping") is True,
        )
        return Response({ROOT: CustomerUsage(found).data})


def wanted(request: Request) -> Wanted:
    """Read what usage is narrowed to. Each parameter has a short name too, without ``filter_by_``."""
    return Wanted(
        charge_key=params.text(request, "filter_by_charge_id") or params.text(request, "charge_id"),
        charge_code=params.text(request, "filter_by_charge_code") or params.text(request, "charge_code"),
        metric_code=params.text(request, "billable_metric_code"),
        group=_group(request, "filter_by_group") or _group(request, "group"),
        is_full=params.flag(request, "full_usage") is True,
    )


def _group(request: Request, name: str) -> Mapping[str, str]:
    """Read the values of a group, as ``name[key]=value`` or as a JSON object of texts. Raises Invalid."""
    given = params.text(request, name)
    if given is None:
        return params.pairs(request, name)
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise errors.Invalid("validation_errors", f"The parameter {name} is not valid.", {name: ["value_is_invalid"]})
    return found


def _values(request: Request) -> list[str] | None:
    """Read the values of `filter_by_presentation`, a JSON array; None where nothing was asked for."""
    name = "filter_by_presentation"
    given = params.text(request, name)
    if given is None:
        return params.texts(request, name) or None
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise errors.Invalid("validation_errors", f"The parameter {name} is not valid.", {name: ["value_is_invalid"]})
    return found
