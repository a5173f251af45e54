"""``/analytics`` of contracts: recurring revenue by month, and usage by day, week or month. Lists without pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.domain import usage_spans
from billing.domain.usage_spans import Granularity
from billing.queries import billed_usage, recurring_revenue
from billing.queries.billed_usage import Narrowed
from config.kernel import errors
from config.platform.api import months, params, schema
from config.platform.api import serializers as fields
from config.platform.api.views import ApiView
from config.platform.queries import installation
from customers.models import Customer
from customers.queries import billing_entities
from invoicing.domain import analytics as figures


class RecurringShape(serializers.Serializer):  # type: ignore[type-arg]
    """The recurring revenue of a month."""

    month = months.MonthField(help_text=months.MONTH)
    currency = serializers.CharField(source="amount.currency.code")
    amount_cents = fields.MinorUnits(source="amount", help_text="Before coupons and tax.")


class UsedShape(serializers.Serializer):  # type: ignore[type-arg]
    """What was used of a metric in a stretch of days."""

    organization_id = serializers.SerializerMethodField()
    start_of_period_dt = serializers.DateField(source="span.first")
    end_of_period_dt = serializers.DateField(source="span.last", help_text="The last day, included.")
    amount_currency = serializers.CharField(source="amount.currency.code")
    amount_cents = fields.MinorUnits(source="amount", help_text="Before coupons and tax.")
    billable_metric_code = serializers.CharField(source="metric_code")
    units = fields.Number(help_text="Units of the metric.")
    is_billable_metric_deleted = serializers.BooleanField(source="is_metric_deleted")

    def get_organization_id(self, row: Any) -> str:
        """Return the organization's id."""
        return str(self.context["organization_id"])


class Mrr(ApiView):
    """Monthly recurring revenue."""

    resource = "analytic"

    @extend_schema(
        operation_id="findAllMrrs",
        parameters=months.PARAMETERS,
        responses=schema.page("mrrs", RecurringShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """List the recurring revenue of each month and currency; months without a subscription are left out."""
        at = self.at()
        count = params.whole(request, "months")
        rows = recurring_revenue.by_month(
            at=at,
            since=figures.first_month(today=at.astimezone(UTC).date(), months=count),
            currency=months.currency(request),
            external_customer_id=params.text(request, "external_customer_id"),
            billing_entity_id=_seller_id(request),
        )
        return Response({"mrrs": RecurringShape(rows, many=True).data})


class Usage(ApiView):
    """Usage as it was billed, over time."""

    resource = "analytic"

    @extend_schema(
        operation_id="findAllUsages",
        parameters=[
            OpenApiParameter(
                "time_granularity", OpenApiTypes.STR, enum=[*Granularity], description="By the day unless given."
            ),
            OpenApiParameter("from_date", OpenApiTypes.DATE, description="30 days, 12 weeks or 12 months back."),
            OpenApiParameter("to_date", OpenApiTypes.DATE, description="The last day, included; today unless given."),
            months.CURRENCY,
            months.CUSTOMER,
            OpenApiParameter("customer_type", OpenApiTypes.STR, enum=Customer.Kind.values),
            OpenApiParameter("customer_country", OpenApiTypes.STR, description="ISO 3166-1 alpha-2; `country` too."),
            OpenApiParameter("external_subscription_id", OpenApiTypes.STR),
            OpenApiParameter("plan_code", OpenApiTypes.STR),
            OpenApiParameter("billable_metric_code", OpenApiTypes.STR),
            OpenApiParameter("is_billable_metric_recurring", OpenApiTypes.BOOL),
            OpenApiParameter("billing_entity_code", OpenApiTypes.STR),
        ],
        responses=schema.page("usages", UsedShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """List what was used of each metric, by the day, the week or the month; nothing used is left out."""
        granularity = _granularity(request)
        first, last = _days(request, self.at(), granularity)
        rows = billed_usage.by_span(
            spans=usage_spans.spans(first=first, last=last, granularity=granularity), narrowed=_narrowed(request)
        )
        context = {"organization_id": installation.current().uuid}
        return Response({"usages": UsedShape(rows, many=True, context=context).data})


def _seller_id(request: Request) -> int | None:
    code = params.text(request, "billing_entity_code")
    return None if code is None else int(billing_entities.by_code(code=code).pk)


def _granularity(request: Request) -> Granularity:
    given = params.text(request, "time_granularity") or Granularity.DAILY
    try:
        return Granularity(given)
    except ValueError:
        raise _refused("time_granularity") from None


def _days(request: Request, at: datetime, granularity: Granularity) -> tuple[date, date]:
    last = params.day(request, "to_date") or at.astimezone(UTC).date()
    first = params.day(request, "from_date") or usage_spans.usual_start(last=last, granularity=granularity)
    return first, last


def _narrowed(request: Request) -> Narrowed:
    kind = params.text(request, "customer_type")
    if kind not in (None, *Customer.Kind.values):
        raise _refused("customer_type")
    country = params.text(request, "customer_country") or params.text(request, "country")
    return Narrowed(
        currency=months.currency(request),
        external_customer_id=params.text(request, "external_customer_id"),
        external_subscription_id=params.text(request, "external_subscription_id"),
        customer_type=kind,
        country=None if country is None else country.upper(),
        plan_code=params.text(request, "plan_code"),
        metric_code=params.text(request, "billable_metric_code"),
        is_recurring=params.flag(request, "is_billable_metric_recurring"),
        billing_entity_id=_seller_id(request),
    )


def _refused(name: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"The parameter {name} is not valid.", {name: ["value_is_invalid"]})
