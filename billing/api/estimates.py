"""``/events/estimate_fees`` and the instant estimates: what events would cost by prices that are paid in advance.

Nothing is stored, so a transaction id is not needed.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import event_payload
from billing.api.event_forms import EventRequest
from billing.domain import event_fields
from billing.domain.usage_events import EventIn
from billing.queries import estimates
from billing.queries.estimates import Estimate
from billing.services import estimated_fees
from config.kernel import errors, money
from config.platform.api import errors as refusals
from config.platform.api import line_figures, representations, schema, views
from config.platform.api import serializers as fields

LIST = "fees"
_UNSENT = "estimate"


class EstimateRequest(EventRequest):
    """An event to be estimated: like one to be sent, but it needs no transaction id."""

    transaction_id = fields.Text(help_text="Shown back on the fees.")


def _described() -> Any:
    """Return the form of fees that are not made."""
    absent = ("lago_id", "created_at", "from_date", "to_date")
    fee = schema.without(representations.serializer("invoicing.fee"), "EstimatedFee", *absent)
    return schema.page(LIST, fee, meta=False)


class EstimateFees(views.ApiView):
    """What an event would cost now, after all that came before."""

    resource = "event"
    reads = ("post",)

    @extend_schema(
        operation_id="eventEstimateFees",
        request=schema.body("event", EstimateRequest),
        responses=_described(),
    )
    def post(self, request: Request) -> Response:
        """Estimate an event by every price in advance that reads it, with what was used before. Nothing is stored."""
        at = self.at()
        return _answer(estimated_fees.estimate(event=_one(request, at), at=at))


class EstimateInstantFees(views.ApiView):
    """What an event would cost alone."""

    resource = "event"
    reads = ("post",)

    @extend_schema(
        operation_id="eventEstimateInstantFees",
        request=schema.body("event", EstimateRequest),
        responses=_described(),
    )
    def post(self, request: Request) -> Response:
        """Estimate an event alone by every standard and percentage price in advance that reads it."""
        return _answer(estimates.instant(events=[_one(request, self.at())]))


class BatchEstimateInstantFees(views.ApiView):
    """What events would cost, each alone."""

    resource = "event"
    reads = ("post",)

    @extend_schema(
        operation_id="eventBatchEstimateInstantFees",
        request=schema.body("events", EstimateRequest, many=True),
        responses=_described(),
    )
    def post(self, request: Request) -> HttpResponse:
        """Estimate 1 to 1000 events, each alone. A refusal lists the reasons by the event's position, from 0."""
        raws = event_payload.listed(event_payload.root(request.body).get("events"), most=event_payload.MAX_EVENTS)
        at = self.at()
        found = [_examined(raw, at) for raw in raws]
        wrong = {str(place): codes for place, codes in enumerate(found) if not isinstance(codes, EventIn)}
        if wrong:
            return Response(refusals.body(422, code="validation_errors", details=wrong), status=422)
        return _answer(estimates.instant(events=[event for event in found if isinstance(event, EventIn)]))


def _one(request: Request, at: datetime) -> EventIn:
    raw = event_payload.root(request.body).get("event")
    if raw is None or event_fields.split(raw) in (None, {}):
        message = "BadRequest: param is missing or the value is empty or invalid: event"
        raise errors.BadRequest("bad_request", message)
    found = _examined(raw, at)
    if isinstance(found, EventIn):
        return found
    raise errors.Invalid("validation_errors", "The event is not valid.", found)


def _examined(raw: msgspec.Raw, at: datetime) -> EventIn | dict[str, list[str]]:
    content = event_fields.split(raw)
    if content is None:
        return {"base": [event_fields.WRONG]}
    if content.get("transaction_id", b"null") in (b"null", b'""'):
        content["transaction_id"] = msgspec.Raw(msgspec.json.encode(_UNSENT))
    return event_fields.examine_fields(content, received_at=at)


def _answer(found: Sequence[Estimate]) -> Response:
    return Response({LIST: [_fee(one) for one in found]})


def _fee(one: Estimate) -> dict[str, Any]:
    """Return an estimate in the shape of a fee; what only a stored fee has is null."""
    taxed = one.amount + one.taxes.amount
    charge, metric, sent = one.charge, one.metric, one.event.transaction_id
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        cents = one.price.precise_amount.scaleb(money.exponent(one.amount.currency.code))
        gross = one.price.precise_amount + one.taxes.precise
    number: Callable[[Decimal], float] = fields.Number().to_representation
    return {
        **dict.fromkeys(_STORED_ONLY),
        "lago_charge_id": charge.key,
        "lago_charge_filter_id": None if one.price_filter is None else one.price_filter.id,
        "lago_subscription_id": str(one.subscription.uuid),
        "external_subscription_id": one.subscription.external_id,
        "lago_customer_id": str(one.subscription.customer.uuid),
        "external_customer_id": one.subscription.customer.external_id,
        "item": {
            "type": "charge",
            "code": metric.code,
            "name": metric.name,
            "description": metric.description or None,
            "invoice_display_name": charge.name,
            "filters": None if one.price_filter is None else {**one.price_filter.values},
            "filter_invoice_display_name": None if one.price_filter is None else one.price_filter.name or None,
            "lago_item_id": str(metric.uuid),
            "item_type": "BillableMetric",
            "grouped_by": {name: value or "" for name, value in one.group.items()},
        },
        "pay_in_advance": True,
        "invoiceable": charge.invoiceable,
        "amount_cents": money.to_minor(one.amount),
        "amount_currency": one.amount.currency.code,
        "precise_amount": number(one.price.precise_amount),
        "precise_total_amount": number(gross),
        "taxes_amount_cents": money.to_minor(one.taxes.amount),
        "taxes_precise_amount": number(one.taxes.precise),
        "taxes_rate": fields.Rate().to_representation(one.taxes.rate),
        "total_aggregated_units": fields.decimal_text(one.price.total_units),
        "total_amount_cents": money.to_minor(taxed),
        "total_amount_currency": one.amount.currency.code,
        "units": fields.decimal_text(one.price.units),
        "precise_unit_amount": fields.decimal_text(one.price.unit_amount),
        "precise_coupons_amount_cents": "0.0",
        "sub_total_excluding_taxes_amount_cents": money.to_minor(one.amount),
        "sub_total_excluding_taxes_precise_amount_cents": fields.decimal_text(cents),
        "events_count": one.price.events_count,
        "payment_status": "pending",
        "amount_details": {},
        "self_billed": False,
        "pricing_unit_details": line_figures.pricing_unit(one.price.pricing_unit),
        "presentation_breakdowns": [],
        "event_transaction_id": None if sent == _UNSENT else sent,
        "applied_taxes": [],
    }


_STORED_ONLY = (
    "lago_id",
    "lago_fixed_charge_id",
    "lago_invoice_id",
    "lago_true_up_fee_id",
    "lago_true_up_parent_fee_id",
    "lago_original_fee_id",
    "description",
    "created_at",
    "succeeded_at",
    "failed_at",
    "refunded_at",
    "from_date",
    "to_date",
)
