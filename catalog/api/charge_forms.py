"""How charges and their filters look in the API, in and out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.tax_forms import TaxAnswer
from catalog.domain.pricing import groups
from config.platform.api.serializers import (
    Constant,
    Flag,
    Instant,
    MinorUnits,
    RequestSerializer,
    Rows,
    Text,
    TextOrNull,
    Unsupported,
)


class FilterRequest(RequestSerializer):
    """Another price for some values: ``{"values": {"region": ["eu"]}, "properties": {...}}``."""

    invoice_display_name = Text()
    properties = serializers.DictField(required=False, allow_null=True)
    values = serializers.DictField(required=False, allow_null=True)


class ChargeRequest(RequestSerializer):
    """A charge as it comes in. What this version cannot bill is refused, never dropped."""

    id = serializers.UUIDField(required=False, allow_null=True)
    code = Text()
    billable_metric_id = serializers.UUIDField(required=False, allow_null=True)
    charge_model = Text(max_length=32)
    invoice_display_name = Text()
    properties = serializers.DictField(required=False, allow_null=True)
    filters = Rows(FilterRequest)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    pay_in_advance = Unsupported(neutral=(False, "false"))
    prorated = Flag(allow_null=True)
    invoiceable = Unsupported(neutral=(True, "true"))
    regroup_paid_fees = Unsupported(neutral=("",))
    min_amount_cents = MinorUnits(required=False, allow_null=True)
    accepts_target_wallet = Unsupported(neutral=(False, "false"))
    applied_pricing_unit = Unsupported(neutral=({},))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null list an empty one, what is null of a yes or no a no, and no minimum one of nothing."""
        if "prorated" in attrs:
            attrs["prorated"] = bool(attrs["prorated"])
        if "min_amount_cents" in attrs:
            attrs["min_amount_cents"] = attrs["min_amount_cents"] or 0
        for field in ("filters", "tax_codes"):
            if field in attrs:
                attrs[field] = attrs[field] or []
        return attrs


class PropertiesAnswer(serializers.DictField):
    """Properties of a price; the keys of its groups under their old name too."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the properties as they are stored, and what older clients look for."""
        return dict(super().to_representation(groups.mirrored(value)))


class FilterAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Another price for some values."""

    lago_id = serializers.UUIDField(source="key")
    charge_code = serializers.CharField(source="charge.code")
    invoice_display_name = TextOrNull()
    properties = PropertiesAnswer()
    values = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class ChargeAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A charge; its id stays the same over the versions of its plan."""

    lago_id = serializers.UUIDField(source="key")
    lago_billable_metric_id = serializers.UUIDField(source="metric.uuid")
    code = serializers.CharField()
    invoice_display_name = TextOrNull()
    billable_metric_code = serializers.CharField(source="metric.code")
    created_at = Instant()
    charge_model = serializers.CharField()
    invoiceable = Constant(value=True)
    regroup_paid_fees = Constant(None)
    pay_in_advance = Constant(value=False)
    prorated = serializers.BooleanField()
    min_amount_cents = serializers.IntegerField()
    accepts_target_wallet = Constant(value=False)
    properties = PropertiesAnswer()
    applied_pricing_unit = Constant(None)
    lago_parent_id = Constant(None)
    filters = FilterAnswer(many=True)
    taxes = TaxAnswer(many=True)
