"""``/analytics`` of documents and money: lists by month, without pages. What each figure is, its query says."""

from __future__ import annotations

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import months, params, schema
from config.platform.api import serializers as fields
from config.platform.api.views import ApiView
from customers.models import BillingEntity
from customers.queries import billing_entities
from invoicing.domain import analytics as domain
from invoicing.models import Invoice
from invoicing.queries import analytics
from invoicing.queries.analytics import Asked


class RevenueShape(serializers.Serializer):  # type: ignore[type-arg]
    """What was invoiced in a month."""

    month = months.MonthField(help_text=months.MONTH)
    currency = serializers.CharField(source="amount.currency.code")
    amount_cents = fields.MinorUnits(source="amount", help_text="Tax included.")
    invoices_count = serializers.IntegerField()
    billing_entity_id = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "format": "uuid", "nullable": True})
    def get_billing_entity_id(self, row: object) -> str | None:
        """Return the seller that was asked for; null where it is all of them."""
        seller: BillingEntity | None = self.context.get("seller")
        return None if seller is None else str(seller.uuid)


class OverdueShape(serializers.Serializer):  # type: ignore[type-arg]
    """What is overdue of the invoices that were due in a month."""

    month = months.MonthField(help_text=months.MONTH)
    currency = serializers.CharField(source="amount.currency.code")
    amount_cents = fields.MinorUnits(source="amount", help_text="Without what is disputed.")
    lago_invoice_ids = serializers.ListField(child=serializers.UUIDField(), source="invoice_ids")
    billing_entity_id = serializers.SerializerMethodField()

    get_billing_entity_id = RevenueShape.get_billing_entity_id


class CollectionShape(serializers.Serializer):  # type: ignore[type-arg]
    """The invoices of a month that have one payment status."""

    month = months.MonthField(help_text=months.MONTH)
    payment_status = serializers.ChoiceField(choices=Invoice.PaymentStatus.choices)
    currency = serializers.CharField(source="amount.currency.code")
    amount_cents = fields.MinorUnits(source="amount", help_text="Tax included.")
    invoices_count = serializers.IntegerField()


class InvoicedUsageShape(serializers.Serializer):  # type: ignore[type-arg]
    """What the usage of a metric came to on the invoices of a month."""

    month = months.MonthField(help_text=months.MONTH)
    code = serializers.CharField(help_text="The metric's code.")
    currency = serializers.CharField(source="amount.currency.code")
    amount_cents = fields.MinorUnits(source="amount", help_text="Before coupons and tax.")


class GrossRevenue(ApiView):
    """What was invoiced, by month."""

    resource = "analytic"

    @extend_schema(
        operation_id="findAllGrossRevenues",
        parameters=months.PARAMETERS,
        responses=schema.page("gross_revenues", RevenueShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """List the gross revenue of each month and currency; months without any are left out."""
        seller = wanted_seller(request)
        rows = analytics.gross_revenue(wanted(request, self.at(), seller))
        return Response({"gross_revenues": RevenueShape(rows, many=True, context={"seller": seller}).data})


class OverdueBalance(ApiView):
    """What is overdue, by month of the due date."""

    resource = "analytic"

    @extend_schema(
        operation_id="findAllOverdueBalances",
        parameters=months.PARAMETERS,
        responses=schema.page("overdue_balances", OverdueShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """List what is overdue by the month in which it was due, with the invoices."""
        seller = wanted_seller(request)
        rows = analytics.overdue_balances(wanted(request, self.at(), seller))
        return Response({"overdue_balances": OverdueShape(rows, many=True, context={"seller": seller}).data})


class InvoiceCollection(ApiView):
    """Invoices by month and payment status."""

    resource = "analytic"

    @extend_schema(
        operation_id="findAllInvoiceCollections",
        parameters=months.PARAMETERS,
        responses=schema.page("invoice_collections", CollectionShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """List what issued invoices came to by month and payment status."""
        rows = analytics.invoice_collections(wanted(request, self.at(), wanted_seller(request)))
        return Response({"invoice_collections": CollectionShape(rows, many=True).data})


class InvoicedUsage(ApiView):
    """Usage on invoices, by month and metric."""

    resource = "analytic"

    @extend_schema(
        operation_id="findAllInvoicedUsages",
        parameters=months.PARAMETERS,
        responses=schema.page("invoiced_usages", InvoicedUsageShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """List what usage came to on issued invoices by month and metric."""
        rows = analytics.invoiced_usage(wanted(request, self.at(), wanted_seller(request)))
        return Response({"invoiced_usages": InvoicedUsageShape(rows, many=True).data})


def wanted_seller(request: Request) -> BillingEntity | None:
    """Return the seller asked for. Raises NotFound (`billing_entity_not_found`)."""
    code = params.text(request, "billing_entity_code")
    return None if code is None else billing_entities.by_code(code=code)


def wanted(request: Request, at: datetime, seller: BillingEntity | None) -> Asked:
    """Return what figures are asked for. Raises Invalid for an unreadable filter. This month is that of UTC."""
    return Asked(
        since=domain.first_month(today=at.astimezone(UTC).date(), months=params.whole(request, "months")),
        currency=months.currency(request),
        external_customer_id=params.text(request, "external_customer_id"),
        billing_entity_id=None if seller is None else seller.pk,
    )
