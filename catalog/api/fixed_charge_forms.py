"""How fixed charges look in the API, in and out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.tax_forms import TaxAnswer
from config.platform.api.serializers import (
    Constant,
    DecimalString,
    Flag,
    Instant,
    RequestSerializer,
    Text,
)


class FixedChargeRequest(RequestSerializer):
    """A fixed charge as it comes in. A new one names its add-on by id or code."""

    id = serializers.UUIDField(required=False, allow_null=True)
    code = Text()
    add_on_id = serializers.UUIDField(required=False, allow_null=True)
    add_on_code = Text()
    invoice_display_name = Text()
    charge_model = Text(max_length=32)
    units = DecimalString(required=False, allow_null=True)
    pay_in_advance = Flag(allow_null=True)
    prorated = Flag(allow_null=True)
    properties = serializers.DictField(required=False, allow_null=True)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    apply_units_immediately = Flag(
        allow_null=True, help_text="Whether who has the plan gets another number of units now, or with the next period."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null list an empty one and a null of a yes or no a no; null units are not said."""
        for field in ("pay_in_advance", "prorated", "apply_units_immediately"):
            if field in attrs:
                attrs[field] = bool(attrs[field])
        if "tax_codes" in attrs:
            attrs["tax_codes"] = attrs["tax_codes"] or []
        if attrs.get("units", 0) is None:
            del attrs["units"]
        return attrs


class FixedChargeAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A fixed charge; its id stays the same over the versions of its plan. The name is empty where none is set."""

    lago_id = serializers.UUIDField(source="key")
    lago_add_on_id = serializers.UUIDField(source="add_on.uuid")
    code = serializers.CharField()
    invoice_display_name = serializers.CharField()
    add_on_code = serializers.CharField(source="add_on.code")
    created_at = Instant()
    charge_model = serializers.CharField()
    pay_in_advance = serializers.BooleanField()
    prorated = serializers.BooleanField()
    properties = serializers.DictField()
    units = DecimalString()
    lago_parent_id = Constant(None)
    taxes = TaxAnswer(many=True)
