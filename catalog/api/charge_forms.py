"""How charges and their filters look in the API, in and out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.tax_forms import TaxAnswer
from catalog.domain import charge_terms
from catalog.domain.pricing import groups
from catalog.models import Charge
from config.platform.api.serializers import (
    Constant,
    DecimalString,
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


class AppliedUnitRequest(RequestSerializer):
    """A pricing unit and what one of it is worth: ``{"code": "credits", "conversion_rate": "0.05"}``."""

    code = Text()
    conversion_rate = DecimalString(required=False)


class ChargeRequest(RequestSerializer):
    """A charge as it comes in. What this version cannot bill is refused, never dropped.

    ``properties`` may hold ``pricing_group_keys`` (priced apart) and, at most two, ``presentation_group_keys`` (shown
    apart): names, or ``{"value": name, "options": {"display_in_invoice": true}}``.
    """

    id = serializers.UUIDField(required=False, allow_null=True)
    code = Text()
    billable_metric_id = serializers.UUIDField(required=False, allow_null=True)
    charge_model = Text(max_length=32)
    invoice_display_name = Text()
    properties = serializers.DictField(required=False, allow_null=True)
    filters = Rows(FilterRequest)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    pay_in_advance = Flag(allow_null=True)
    prorated = Flag(allow_null=True)
    tax_inclusive = Flag(allow_null=True, help_text="An addition: the price is gross. Null is as the plan.")
    invoiceable = Flag(allow_null=True)
    regroup_paid_fees = serializers.ChoiceField(
        choices=[charge_terms.REGROUPED], required=False, allow_null=True, allow_blank=True
    )
    min_amount_cents = MinorUnits(required=False, allow_null=True)
    accepts_target_wallet = Unsupported(neutral=(False, "false"))
    applied_pricing_unit = AppliedUnitRequest(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null list an empty one, a null choice what is usual, and no minimum one of nothing."""
        for field, usual in (("pay_in_advance", False), ("prorated", False), ("invoiceable", True)):
            if field in attrs and attrs[field] is None:
                attrs[field] = usual
        if "regroup_paid_fees" in attrs:
            attrs["regroup_paid_fees"] = attrs["regroup_paid_fees"] or ""
        if attrs.get("applied_pricing_unit") == {}:  # nothing is said of it
            del attrs["applied_pricing_unit"]
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


class AppliedUnitAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A pricing unit and what one of it is worth in the plan's currency."""

    conversion_rate = DecimalString()
    code = serializers.CharField(source="pricing_unit.code")


class ChargeAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A charge; its id stays the same over the versions of its plan."""

    lago_id = serializers.UUIDField(source="key")
    lago_billable_metric_id = serializers.UUIDField(source="metric.uuid")
    code = serializers.CharField()
    invoice_display_name = TextOrNull()
    billable_metric_code = serializers.CharField(source="metric.code")
    created_at = Instant()
    charge_model = serializers.CharField()
    invoiceable = serializers.BooleanField()
    regroup_paid_fees = TextOrNull()
    pay_in_advance = serializers.BooleanField()
    prorated = serializers.BooleanField()
    tax_inclusive = serializers.BooleanField(allow_null=True)
    min_amount_cents = serializers.IntegerField()
    accepts_target_wallet = Constant(value=False)
    properties = PropertiesAnswer()
    applied_pricing_unit = serializers.SerializerMethodField()
    lago_parent_id = Constant(None)
    filters = FilterAnswer(many=True)
    taxes = TaxAnswer(many=True)

    @extend_schema_field(AppliedUnitAnswer(allow_null=True))
    def get_applied_pricing_unit(self, charge: Charge) -> dict[str, Any] | None:
        """Return the pricing unit that the charge is priced in; null for the plan's currency."""
        return None if charge.pricing_unit_id is None else dict(AppliedUnitAnswer(charge).data)
