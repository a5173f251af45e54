"""What a request for a one-off invoice may hold, and what it means to the service."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from config.kernel import errors, money
from config.platform.api import sections
from config.platform.api.sections import SectionsRequest
from config.platform.api.serializers import (
    DecimalString,
    Flag,
    Instant,
    MinorUnits,
    RequestSerializer,
    Rows,
    Text,
    Unsupported,
    Whole,
)
from customers.queries import customers
from invoicing.services.one_off_invoices import OneOff, OneOffFee


class OneOffFeeRequest(RequestSerializer):
    """One add-on that is sold. What is absent is as the add-on says; one unit."""

    add_on_code = Text(required=True)
    invoice_display_name = Text()
    units = DecimalString(required=False, allow_null=True)
    unit_amount_cents = MinorUnits(required=False, allow_null=True)
    description = Text(max_length=10_000)
    from_datetime = Instant(required=False, allow_null=True)
    to_datetime = Instant(required=False, allow_null=True)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)


class OneOffRequest(RequestSerializer):
    """A one-off invoice as it comes in."""

    external_customer_id = Text(required=True)
    currency = Text(max_length=3)
    billing_entity_code = Text()
    net_payment_term = Whole(allow_null=True)
    purchase_order_number = Text()
    skip_psp = Flag(allow_null=True)
    fees = Rows(OneOffFeeRequest)
    invoice_custom_section = SectionsRequest(required=False, allow_null=True)
    payment_method = Unsupported(neutral=({}, {"payment_method_type": "provider"}, {"payment_method_type": "manual"}))


def wanted(content: Mapping[str, Any]) -> OneOff:
    """Return the invoice that a checked request asks for. Raises NotFound for an unknown customer."""
    currency = content.get("currency") or ""
    if not currency:
        currency = customers.by_external_id(external_id=content["external_customer_id"]).currency
    if currency and not money.known(currency):
        raise errors.Invalid("invalid_currency", f"{currency} is no currency.", {"currency": ["invalid_currency"]})
    return OneOff(
        external_customer_id=content["external_customer_id"],
        currency=currency,
        billing_entity_code=content.get("billing_entity_code") or "",
        net_payment_term=content.get("net_payment_term"),
        purchase_order_number=content.get("purchase_order_number") or "",
        skip_automatic_payment=bool(content.get("skip_psp")),
        custom_section_codes=sections.codes(content.get("invoice_custom_section")),
        fees=[_fee(fee, currency) for fee in content.get("fees") or ()],
    )


def _fee(content: Mapping[str, Any], currency: str) -> OneOffFee:
    units, cents = content.get("units"), content.get("unit_amount_cents")
    price = None
    if cents is not None:
        # Without a currency the service refuses the whole invoice: the figure is never used then.
        price = money.from_minor(cents, currency).amount if currency else Decimal(cents)
    return OneOffFee(
        add_on_code=content["add_on_code"],
        units=Decimal(1) if units is None else units,
        unit_amount=price,
        invoice_display_name=content.get("invoice_display_name") or "",
        description=content.get("description") or None,
        from_at=content.get("from_datetime"),
        to_at=content.get("to_datetime"),
        tax_codes=content.get("tax_codes") or (),
    )
