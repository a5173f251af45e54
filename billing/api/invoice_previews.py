"""``/invoices/preview``: what an invoice would be, for a contract that is not made or for subscriptions that run.

The body has no root key. Nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Subscription
from billing.services import invoice_previews
from billing.services.invoice_previews import NewContract, PreviewedCoupon, Running
from catalog.models import Coupon
from config.kernel import errors
from config.platform.api import representations, schema, views
from config.platform.api.serializers import (
    Instant,
    MinorUnits,
    Rate,
    RequestSerializer,
    Rows,
    Text,
    Unsupported,
    Whole,
)

ROOT = "invoice"
_SHAPE = "invoicing.previewed_invoice"


class PreviewedAddress(RequestSerializer):
    """A postal address; the country is an ISO 3166-1 alpha-2 code."""

    address_line1 = Text()
    address_line2 = Text()
    zipcode = Text(max_length=32)
    city = Text()
    state = Text()
    country = Text(max_length=2)


class PreviewedCustomer(PreviewedAddress):
    """A customer that is there, by its external id, or one that is not."""

    external_id = Text()
    name = Text()
    legal_name = Text()
    email = Text(max_length=1024)
    currency = Text(max_length=3)
    timezone = Text(max_length=64)
    tax_identification_number = Text(max_length=64)
    shipping_address = PreviewedAddress(required=False, allow_null=True)
    integration_customers = Unsupported(neutral=([],))


class CouponInPreview(RequestSerializer):
    """A coupon that is there, by its code, on terms of its own, or one that is not."""

    code = Text(required=True)
    name = Text()
    coupon_type = serializers.ChoiceField(choices=Coupon.Kind.values, required=False, allow_null=True)
    amount_cents = MinorUnits(required=False, allow_null=True)
    amount_currency = Text(max_length=3)
    percentage_rate = Rate(required=False, allow_null=True)
    frequency = serializers.ChoiceField(choices=Coupon.Frequency.values, required=False, allow_null=True)
    frequency_duration = Whole(allow_null=True)
    frequency_duration_remaining = Whole(allow_null=True)


class RunningInPreview(RequestSerializer):
    """Subscriptions that run: as they are, or the one of them with another plan, or with an end."""

    external_ids = serializers.ListField(child=Text(required=True), min_length=1, max_length=100)
    plan_code = Text()
    terminated_at = Instant(required=False, allow_null=True)


class InvoicePreviewRequest(RequestSerializer):
    """What is to be previewed: ``plan_code`` for a contract that is not made, ``subscriptions`` for those that run."""

    plan_code = Text()
    billing_time = serializers.ChoiceField(choices=Subscription.BillingTime.values, required=False, allow_null=True)
    subscription_at = Instant(required=False, allow_null=True)
    billing_entity_code = Text()
    customer = PreviewedCustomer(required=False, allow_null=True)
    subscriptions = RunningInPreview(required=False, allow_null=True)
    coupons = Rows(CouponInPreview, max_length=20)


class InvoicePreview(views.ApiView):
    """What an invoice would be."""

    resource = "invoice"
    reads = ("post",)

    @extend_schema(
        operation_id="invoicePreview",
        request=InvoicePreviewRequest,
        responses=schema.answer(ROOT, representations.serializer(f"{_SHAPE}.described")),
    )
    def post(self, request: Request) -> Response:
        """Show the first invoice of a new contract, or the next, changed or last one of subscriptions that run.

        As it would be issued, with the coupons and credits that it would take. Nothing is stored.
        """
        at = self.at()
        given = request.data if isinstance(request.data, Mapping) else {}
        if given.get("coupons") is not None and not isinstance(given["coupons"], list):
            raise errors.BadRequest("bad_request", "coupons_must_be_an_array")
        content = self.checked(dict(given), InvoicePreviewRequest)
        running = content.get("subscriptions")
        if running:
            shown = invoice_previews.of_running(
                wanted=Running(
                    external_ids=running["external_ids"],
                    plan_code=running.get("plan_code") or "",
                    terminated_at=running.get("terminated_at"),
                    coupons=_coupons(content.get("coupons") or ()),
                ),
                at=at,
                show=_shown,
            )
        else:
            shown = invoice_previews.of_new(wanted=_new(content), at=at, show=_shown)
        return Response({ROOT: shown})


def _shown(invoice: Any) -> dict[str, Any]:
    return representations.one(_SHAPE, invoice)


def _new(content: Mapping[str, Any]) -> NewContract:
    customer = dict(content.get("customer") or {})
    missing = [name for name, value in (("plan_code", content.get("plan_code")), ("customer", customer)) if not value]
    if missing:
        details = {name: ["value_is_mandatory"] for name in missing}
        raise errors.Invalid("validation_errors", "A contract needs a plan and a customer.", details)
    customer.pop("integration_customers", None)
    external_id = customer.pop("external_id", "")
    shipping = customer.pop("shipping_address", None)
    values: dict[str, Any] = {name: value for name, value in customer.items() if value}
    if shipping:
        values["shipping_address"] = {name: text for name, text in shipping.items() if text}
    return NewContract(
        plan_code=content["plan_code"],
        external_customer_id=external_id or "",
        customer=None if external_id else values,  # type: ignore[arg-type]
        billing_time=content.get("billing_time") or Subscription.BillingTime.CALENDAR,
        subscription_at=content.get("subscription_at"),
        billing_entity_code=content.get("billing_entity_code") or "",
        coupons=_coupons(content.get("coupons") or ()),
    )


def _coupons(rows: Sequence[Mapping[str, Any]]) -> list[PreviewedCoupon]:
    return [_coupon(row) for row in rows]


def _coupon(row: Mapping[str, Any]) -> PreviewedCoupon:
    duration = row.get("frequency_duration_remaining") or row.get("frequency_duration")
    terms = {
        "amount_cents": row.get("amount_cents"),
        "amount_currency": row.get("amount_currency") or "",
        "rate": row.get("percentage_rate"),
        "frequency": row.get("frequency") or "",
        "frequency_duration": duration,
    }
    own = {name: value for name, value in terms.items() if value not in (None, "")}
    kind = row.get("coupon_type")
    if not kind:
        return PreviewedCoupon(code=row["code"], terms=own)  # type: ignore[arg-type]
    values = {
        "code": row["code"],
        "name": row.get("name") or row["code"],
        "kind": kind,
        "frequency": row.get("frequency") or Coupon.Frequency.ONCE,
        **own,
    }
    return PreviewedCoupon(code=row["code"], values=values, terms=own)  # type: ignore[arg-type]
