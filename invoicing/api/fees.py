"""Fees below ``/api/v1/fees``: list, one. A fee is a line of an invoice."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from invoicing.api import fee_shapes
from invoicing.queries import lines
from invoicing.queries.lines import LineFilter

_TAGS = ["Fees"]
_KINDS = ("charge", "add_on", "subscription", "credit", "commitment", "fixed_charge")
_STATUSES = ("pending", "succeeded", "failed", "refunded")
_NEVER = ("event_transaction_id", "failed_at_from", "failed_at_to", "refunded_at_from", "refunded_at_to")


class Fees(ApiView):
    """All fees."""

    @extend_schema(
        operation_id="findAllFees",
        tags=_TAGS,
        parameters=schema.filters(
            "fee_type",
            "payment_status",
            "external_subscription_id",
            "external_customer_id",
            "billable_metric_code",
            "currency",
            "created_at_from",
            "created_at_to",
            "succeeded_at_from",
            "succeeded_at_to",
            *_NEVER,
        ),
        responses=schema.page("fees", fee_shapes.Fee),
    )
    def get(self, request: Request) -> Response:
        """List fees, oldest first."""
        wanted = LineFilter(
            external_customer_id=params.text(request, "external_customer_id"),
            group_key=params.text(request, "external_subscription_id"),
            kinds=params.texts(request, "fee_type", allowed=_KINDS),
            payment_statuses=params.texts(request, "payment_status", allowed=_STATUSES),
            usage_item_code=params.text(request, "billable_metric_code"),
            currency=params.text(request, "currency"),
            created_from=params.instant(request, "created_at_from"),
            created_to=params.instant(request, "created_at_to"),
            succeeded_from=params.instant(request, "succeeded_at_from"),
            succeeded_to=params.instant(request, "succeeded_at_to"),
        )
        rows = lines.search(wanted)
        if any(
            params.text(request, name) for name in _NEVER
        ):  # no fee here ever failed, was refunded or is one event's
            rows = rows.none()
        return paginated(request, rows, "fees", fee_shapes.fees)


class OneFee(ApiView):
    """One fee."""

    @extend_schema(operation_id="findFee", tags=_TAGS, responses=schema.answer("fee", fee_shapes.Fee))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a fee."""
        return Response({"fee": fee_shapes.fees([lines.find(params.uuid(lago_id))])[0]})
