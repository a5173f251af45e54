"""How add-ons look in the API, in and out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.tax_forms import TaxAnswer
from config.platform.api.serializers import Flag, Instant, MinorUnits, RequestSerializer, Text, TextOrNull


class AddOnRequest(RequestSerializer):
    """An add-on as it comes in."""

    name = Text(required=True)
    code = Text(required=True)
    invoice_display_name = Text()
    description = Text(max_length=10_000)
    amount_cents = MinorUnits()
    amount_currency = Text(required=True, max_length=3)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    tax_inclusive = Flag(help_text="An addition: the price is gross where the add-on is sold by itself.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null list an empty one."""
        if "tax_codes" in attrs:
            attrs["tax_codes"] = attrs["tax_codes"] or []
        return attrs


class AddOnAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An add-on."""

    lago_id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    invoice_display_name = TextOrNull()
    code = serializers.CharField()
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    created_at = Instant()
    description = TextOrNull()
    tax_inclusive = serializers.BooleanField()
    taxes = TaxAnswer(many=True)
