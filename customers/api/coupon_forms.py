"""How coupons look in the API, in and out: by themselves, and as customers have them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Coupon
from config.platform.api.serializers import (
    HUNDRED,
    Flag,
    Instant,
    MinorUnits,
    Part,
    Rate,
    RequestSerializer,
    Text,
    TextOrNull,
    Whole,
    decimal_text,
)
from customers.models import AppliedCoupon

NO_EXPIRATION, TIME_LIMIT = "no_expiration", "time_limit"
_RENAMED = {"coupon_type": "kind", "percentage_rate": "rate", "reusable": "is_reusable"}


@extend_schema_field({"type": ["string", "number"], "format": "decimal"})
class PercentageText(Rate):
    """A rate that answers give as text: "10.0". Requests may send a number too; inside it is a fraction."""

    def to_representation(self, value: Any) -> Any:
        """Return the percentage as text."""
        return decimal_text(Decimal(value) * HUNDRED)


class AppliesTo(RequestSerializer):
    """What a coupon is limited to: plans or metrics, by their codes."""

    plan_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=1000)
    billable_metric_codes = serializers.ListField(
        child=Text(required=True), required=False, allow_null=True, max_length=1000
    )


class CouponRequest(RequestSerializer):
    """A coupon as it comes in; ``percentage_rate`` is in percent."""

    name = Text(required=True)
    code = Text(required=True)
    description = Text(max_length=10_000)
    coupon_type = serializers.ChoiceField(choices=Coupon.Kind.values)
    amount_cents = MinorUnits(required=False, allow_null=True)
    amount_currency = Text(max_length=3)
    percentage_rate = PercentageText(required=False, allow_null=True)
    frequency = serializers.ChoiceField(choices=Coupon.Frequency.values)
    frequency_duration = Whole(allow_null=True)
    expiration = serializers.ChoiceField(choices=[NO_EXPIRATION, TIME_LIMIT])
    expiration_at = Instant(required=False, allow_null=True)
    reusable = Flag(allow_null=True)
    applies_to = AppliesTo(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring it into the words of the service."""
        if attrs.get("reusable", True) is None:
            del attrs["reusable"]
        expiration = attrs.pop("expiration", None)
        expires_at = attrs.pop("expiration_at", None)
        if expiration == TIME_LIMIT and expires_at is None:
            raise serializers.ValidationError({"expiration_at": serializers.ErrorDetail("", code="invalid_date")})
        if expiration == NO_EXPIRATION:
            attrs["expires_at"] = None
        elif expires_at is not None:
            attrs["expires_at"] = expires_at
        limits = attrs.pop("applies_to", None) or {}
        for given, name in (("plan_codes", "plan_codes"), ("billable_metric_codes", "metric_codes")):
            if given in limits:
                attrs[name] = limits[given] or []
        return {_RENAMED.get(name, name): value for name, value in attrs.items()}


class CouponAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A coupon."""

    lago_id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    code = serializers.CharField()
    description = TextOrNull()
    coupon_type = serializers.CharField(source="kind")
    amount_cents = MinorUnits(source="amount", allow_null=True)
    amount_currency = TextOrNull(source="currency")
    percentage_rate = PercentageText(source="rate", allow_null=True)
    frequency = serializers.CharField()
    frequency_duration = serializers.IntegerField(allow_null=True)
    reusable = serializers.BooleanField(source="is_reusable")
    limited_plans = serializers.SerializerMethodField()
    limited_billable_metrics = serializers.SerializerMethodField()
    plan_codes = serializers.SerializerMethodField()
    billable_metric_codes = serializers.SerializerMethodField()
    created_at = Instant()
    expiration = serializers.SerializerMethodField()
    expiration_at = Instant(source="expires_at", allow_null=True)
    terminated_at = Instant(allow_null=True)

    def get_limited_plans(self, coupon: Coupon) -> bool:
        """Say whether it lowers some plans alone."""
        return bool(coupon.plans.all())

    def get_limited_billable_metrics(self, coupon: Coupon) -> bool:
        """Say whether it lowers the usage of some metrics alone."""
        return bool(coupon.metrics.all())

    def get_plan_codes(self, coupon: Coupon) -> list[str]:
        """Return the plans that it is limited to."""
        return [plan.code for plan in coupon.plans.all()]

    def get_billable_metric_codes(self, coupon: Coupon) -> list[str]:
        """Return the metrics that it is limited to."""
        return [metric.code for metric in coupon.metrics.all()]

    def get_expiration(self, coupon: Coupon) -> str:
        """Say whether it ends by itself."""
        return NO_EXPIRATION if coupon.expires_at is None else TIME_LIMIT


class AppliedCouponRequest(RequestSerializer):
    """A coupon for a customer; what is not given is the coupon's own."""

    external_customer_id = Text(required=True)
    coupon_code = Text(required=True)
    amount_cents = MinorUnits(required=False, allow_null=True)
    amount_currency = Text(max_length=3)
    percentage_rate = PercentageText(required=False, allow_null=True)
    frequency = serializers.ChoiceField(choices=Coupon.Frequency.values, required=False, allow_null=True)
    frequency_duration = Whole(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring it into the words of the service."""
        return {_RENAMED.get(name, name): value for name, value in attrs.items()}


class AppliedCouponAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A coupon that a customer has."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_coupon_id = serializers.UUIDField(source="coupon.uuid")
    coupon_code = serializers.CharField(source="coupon.code")
    coupon_name = serializers.CharField(source="coupon.name")
    coupon_description = TextOrNull(source="coupon.description")
    coupon_status = serializers.SerializerMethodField()
    coupon_deleted_at = Instant(source="coupon.deleted_at", allow_null=True)
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    status = serializers.CharField()
    amount_cents = MinorUnits(source="amount", allow_null=True)
    amount_cents_remaining = MinorUnits(source="left", allow_null=True)
    amount_currency = TextOrNull(source="currency")
    percentage_rate = PercentageText(source="rate", allow_null=True)
    frequency = serializers.CharField()
    frequency_duration = serializers.IntegerField(allow_null=True)
    frequency_duration_remaining = serializers.IntegerField(allow_null=True)
    expiration_at = Instant(source="coupon.expires_at", allow_null=True)
    created_at = Instant()
    terminated_at = Instant(allow_null=True)

    def get_coupon_status(self, applied: AppliedCoupon) -> str:
        """Say whether the coupon itself may be applied."""
        return "active" if applied.coupon.is_active else "terminated"


class ListedAppliedCoupon(AppliedCouponAnswer):
    """A coupon that a customer has, with the invoices that used it."""

    credits = Part("customers.applied_coupon", "credits", [])
