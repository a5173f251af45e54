"""Prepaid credit of a customer below ``/api/v1/customers/:external_id/prepaid_credits``: what is left,
and what drew on it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import Instant, MinorUnits
from config.platform.api.views import ApiView
from customers.queries import customers
from invoicing.models import PrepaidCredit
from invoicing.queries import prepaid_credits as known


class PrepaidUseShape(serializers.Serializer):  # type: ignore[type-arg]
    """What an invoice drew when it was issued."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid")
    invoice_number = serializers.CharField(source="invoice.number")
    amount_cents = MinorUnits(source="amount")
    created_at = Instant()


class PrepaidCreditShape(serializers.Serializer):  # type: ignore[type-arg]
    """Credit that was bought. ``closed_amount_cents`` expired or was rolled over; both days are included."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    status = serializers.CharField()
    source = serializers.CharField()
    currency = serializers.CharField()
    granted_amount_cents = MinorUnits(source="amount")
    used_amount_cents = MinorUnits(source="used_amount")
    closed_amount_cents = MinorUnits(source="closed_amount")
    left_amount_cents = MinorUnits(source="left")
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()
    priority = serializers.IntegerField()
    external_subscription_ids = serializers.ListField(
        source="group_keys", child=serializers.CharField(), help_text="Whose lines it pays; empty: all."
    )
    rolled_from_id = serializers.UUIDField(source="rolled_from.uuid", default=None, allow_null=True)
    closed_on = serializers.DateField(allow_null=True)
    uses = PrepaidUseShape(many=True)
    created_at = Instant()


class CustomerPrepaidCredits(ApiView):
    """The prepaid credit of one customer."""

    resource = "contract"

    @extend_schema(
        operation_id="findAllCustomerPrepaidCredits",
        responses=schema.page("prepaid_credits", PrepaidCreditShape),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's prepaid credit, newest first."""
        customer = customers.by_external_id(external_id=external_id)
        return paginated(request, known.of_customer(customer_id=customer.pk), "prepaid_credits", _shapes)


def _shapes(rows: list[PrepaidCredit]) -> list[dict[str, Any]]:
    return [dict(content) for content in PrepaidCreditShape(rows, many=True).data]
