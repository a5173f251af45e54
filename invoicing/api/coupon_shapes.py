"""The shapes of what coupons took off invoices: on the invoice, and with the coupon of the customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import Constant, MinorUnits, TextOrNull
from customers.models import AppliedCoupon
from invoicing.queries import coupon_uses


class CreditedInvoice(serializers.Serializer):  # type: ignore[type-arg]
    """The invoice that a credit pays."""

    lago_id = serializers.UUIDField(source="uuid")
    payment_status = serializers.CharField()


class CouponItem(serializers.Serializer):  # type: ignore[type-arg]
    """The coupon that a credit comes from."""

    lago_item_id = serializers.UUIDField(source="uuid")
    type = Constant("coupon")
    code = serializers.CharField()
    name = serializers.CharField()
    description = TextOrNull()


class CouponCredit(serializers.Serializer):  # type: ignore[type-arg]
    """What a coupon lowered an invoice by, before taxes."""

    lago_id = serializers.UUIDField(source="uuid")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    before_taxes = Constant(value=True)
    item = CouponItem(source="applied_coupon.coupon")
    invoice = CreditedInvoice()


def credits_of(applied: Sequence[AppliedCoupon]) -> Mapping[int, Mapping[str, Any]]:
    """Say of coupons of customers which invoices used them, oldest first. Three queries."""
    found: dict[int, list[Any]] = defaultdict(list)
    for use in coupon_uses.of_applied(applied=applied):
        found[use.applied_coupon_id].append(use)
    return {row.pk: {"credits": [*CouponCredit(found[row.pk], many=True).data]} for row in applied}
