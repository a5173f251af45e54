"""Fees of drafts that a person set: ``/fees/:lago_id/adjustment`` and ``/invoices/:lago_id/adjustments``. An addition.

The fees of a draft are new ones each time it is computed: every answer is the fee as it is then.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.services import line_adjustments
from billing.services.line_adjustments import Wanted
from config.kernel import registry
from config.platform.api import params, representations, schema, views
from config.platform.api.serializers import DecimalString, RequestSerializer, Text
from invoicing.models import InvoiceLine
from invoicing.queries import invoices as known_invoices
from invoicing.queries import lines

ROOT = "adjustment"
_FEE = representations.serializer("invoicing.fee")


class AdjustmentRequest(RequestSerializer):
    """What is set of a fee; what is not given is as it is computed. ``unit_precise_amount`` is in major units."""

    units = DecimalString(required=False, allow_null=True)
    unit_precise_amount = DecimalString(required=False, allow_null=True)
    invoice_display_name = Text(max_length=512)
    reason = Text(max_length=1000)


class AddedFeeRequest(AdjustmentRequest):
    """A fee for a price that has no usage in the time of a draft."""

    external_subscription_id = Text(required=True)
    lago_charge_id = serializers.UUIDField()
    lago_charge_filter_id = serializers.UUIDField(required=False, allow_null=True)


class FeeAdjustment(views.ApiView):
    """What a person set of a fee of a draft."""

    resource = "fee"

    @extend_schema(
        operation_id="adjustFee",
        request=schema.body(ROOT, AdjustmentRequest),
        responses=schema.answer("fee", _FEE),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Set units, unit price or name of a fee of a draft. It keeps them when the draft is computed anew."""
        content = self.body(request, ROOT, AdjustmentRequest)
        line = line_adjustments.adjust(
            line_id=lines.find(params.uuid(lago_id)).pk,
            wanted=_wanted(content),
            reason=content.get("reason", ""),
            actor=self.actor(request),
            at=self.at(),
        )
        return _shown(line)

    @extend_schema(operation_id="undoFeeAdjustment", responses=schema.answer("fee", _FEE))
    def delete(self, request: Request, lago_id: str) -> Response:
        """Bill a fee of a draft as it is computed. The answer is null where there is no such fee then."""
        line = line_adjustments.undo(
            line_id=lines.find(params.uuid(lago_id)).pk, actor=self.actor(request), at=self.at()
        )
        return Response({"fee": None}) if line is None else _shown(line)


class AddedFees(views.ApiView):
    """Fees that a person puts on a draft."""

    resource = "fee"

    @extend_schema(
        operation_id="addFee", request=schema.body(ROOT, AddedFeeRequest), responses=schema.answer("fee", _FEE)
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Put a fee on a draft for a price of a subscription on it that has no usage."""
        content = self.body(request, ROOT, AddedFeeRequest)
        line = line_adjustments.add(
            invoice_id=known_invoices.find(params.uuid(lago_id)).pk,
            external_subscription_id=content["external_subscription_id"],
            charge_key=content["lago_charge_id"],
            filter_key=content.get("lago_charge_filter_id"),
            wanted=_wanted(content),
            reason=content.get("reason", ""),
            actor=self.actor(request),
            at=self.at(),
        )
        return _shown(line)


def _wanted(content: dict[str, Any]) -> Wanted:
    return Wanted(
        units=content.get("units"),
        unit_amount=content.get("unit_precise_amount"),
        label=content.get("invoice_display_name") or None,
    )


def _shown(line: InvoiceLine) -> Response:
    found = lines.find(line.uuid)
    extra = registry.parts("invoicing.line", [found])[found.pk]
    content = dict(representations.one("invoicing.fee", found))
    return Response({"fee": {**content, **extra, "item": {**content["item"], **extra.get("item", {})}}})
