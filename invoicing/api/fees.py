"""Fees below ``/api/v1/fees``: list, one, and the payment of one that stands alone. A fee is a line."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import RequestSerializer
from config.platform.api.views import ApiView
from invoicing.api import fee_shapes
from invoicing.domain import standalone
from invoicing.models import InvoiceLine
from invoicing.queries import lines
from invoicing.queries.lines import LineFilter
from invoicing.services import standalone_lines

_KINDS = ("charge", "add_on", "subscription", "credit", "commitment", "fixed_charge")


class FeeInput(RequestSerializer):
    """What can be told of a fee that stands alone."""

    payment_status = serializers.ChoiceField(choices=standalone.STATUSES)


class Fees(ApiView):
    """All fees."""

    resource = "fee"

    @extend_schema(
        operation_id="findAllFees",
        parameters=schema.filters(
            "fee_type",
            "payment_status",
            "external_subscription_id",
            "external_customer_id",
            "billable_metric_code",
            "currency",
            "event_transaction_id",
            "created_at_from",
            "created_at_to",
            "succeeded_at_from",
            "succeeded_at_to",
            "failed_at_from",
            "failed_at_to",
            "refunded_at_from",
            "refunded_at_to",
        ),
        responses=schema.page("fees", fee_shapes.Fee),
    )
    def get(self, request: Request) -> Response:
        """List fees, oldest first."""
        wanted = LineFilter(
            external_customer_id=params.text(request, "external_customer_id"),
            group_key=params.text(request, "external_subscription_id"),
            kinds=params.texts(request, "fee_type", allowed=_KINDS),
            payment_statuses=params.texts(request, "payment_status", allowed=standalone.STATUSES),
            usage_item_code=params.text(request, "billable_metric_code"),
            currency=params.text(request, "currency"),
            event_transaction_id=params.text(request, "event_transaction_id"),
            created_from=params.instant(request, "created_at_from"),
            created_to=params.instant(request, "created_at_to"),
            succeeded_from=params.instant(request, "succeeded_at_from"),
            succeeded_to=params.instant(request, "succeeded_at_to"),
            failed_from=params.instant(request, "failed_at_from"),
            failed_to=params.instant(request, "failed_at_to"),
            refunded_from=params.instant(request, "refunded_at_from"),
            refunded_to=params.instant(request, "refunded_at_to"),
        )
        return paginated(request, lines.search(wanted), "fees", fee_shapes.fees)


class OneFee(ApiView):
    """One fee."""

    resource = "fee"

    @extend_schema(
        operation_id="updateFee",
        request=schema.body("fee", FeeInput),
        responses=schema.answer("fee", fee_shapes.Fee),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Tell how a fee that stands alone was paid. The payment of one on an invoice is the invoice's."""
        self.root(request, "fee")
        line = lines.find(params.uuid(lago_id))
        content = self.body(request, "fee", FeeInput)
        standalone_lines.set_payment_status(
            line_id=line.pk, payment_status=content["payment_status"], actor=self.actor(request), at=self.at()
        )
        return _shown(lines.find(line.uuid))

    @extend_schema(operation_id="deleteFee", responses=schema.answer("fee", fee_shapes.Fee))
    def delete(self, request: Request, lago_id: str) -> Response:
        """Take back a fee that stands alone and was not paid. What it bills stays billed."""
        line = lines.find(params.uuid(lago_id))
        shown = _shown(line)
        standalone_lines.delete(line_id=line.pk, actor=self.actor(request), at=self.at())
        return shown

    @extend_schema(operation_id="findFee", responses=schema.answer("fee", fee_shapes.Fee))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a fee."""
        return _shown(lines.find(params.uuid(lago_id)))


def _shown(line: InvoiceLine) -> Response:
    return Response({"fee": fee_shapes.fees([line])[0]})
