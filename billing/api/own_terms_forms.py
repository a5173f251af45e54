"""Own terms of a subscription as they come in: with the subscription under ``plan_overrides``, or for one charge alone.

Only what is sent is a term. What may be agreed is the service's to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import DecimalString, Flag, MinorUnits, RequestSerializer, Rows, Text


class _Taxed(RequestSerializer):
    """What has taxes of its own, or none."""

    invoice_display_name = Text()
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a null for nothing said."""
        return {name: value for name, value in attrs.items() if value is not None}


class OwnFilter(RequestSerializer):
    """A price for some values: ``{"values": {"region": ["eu"]}, "properties": {...}}``."""

    invoice_display_name = Text()
    properties = serializers.DictField(required=False, allow_null=True)
    values = serializers.DictField(required=False, allow_null=True)


class OwnUnit(RequestSerializer):
    """A pricing unit and what one of it is worth: ``{"code": "credits", "conversion_rate": "0.05"}``."""

    code = Text()
    conversion_rate = DecimalString(required=False)


class ChargeTerms(_Taxed):
    """Own terms of one charge. ``filters`` are the full list of its filters."""

    min_amount_cents = MinorUnits(required=False, allow_null=True)
    properties = serializers.DictField(required=False, allow_null=True)
    filters = Rows(OwnFilter)
    applied_pricing_unit = OwnUnit(required=False, allow_null=True)
    charge_model = Text(max_length=32)


class OwnCharge(ChargeTerms):
    """Own terms of a charge, by its id or its code. Metric and model can be sent, but stay what they are."""

    id = serializers.UUIDField(required=False, allow_null=True)
    code = Text()
    billable_metric_id = serializers.UUIDField(required=False, allow_null=True)


class FixedChargeTerms(_Taxed):
    """Own terms of one fixed charge: a price of its own, and a number of units."""

    units = DecimalString(required=False, allow_null=True)
    apply_units_immediately = Flag(
        allow_null=True, help_text="Whether the units count from now on, instead of from the next period on."
    )
    properties = serializers.DictField(required=False, allow_null=True)


class OwnFixedCharge(FixedChargeTerms):
    """Own terms of a fixed charge, by its id or its code."""

    id = serializers.UUIDField(required=False, allow_null=True)
    code = Text()


class OwnCommitment(_Taxed):
    """A minimum commitment of its own; an amount of 0 means none."""

    id = serializers.UUIDField(required=False, allow_null=True)
    amount_cents = MinorUnits(required=False, allow_null=True)


class OwnThreshold(RequestSerializer):
    """A usage threshold of its own."""

    id = serializers.UUIDField(required=False, allow_null=True)
    amount_cents = MinorUnits(required=False, allow_null=True)
    threshold_display_name = Text()
    recurring = Flag(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a null for nothing said."""
        return {name: value for name, value in attrs.items() if value is not None}


class PlanOverrides(_Taxed):
    """What a subscription agrees on beside its plan. The currency can only be the plan's."""

    name = Text()
    description = Text(max_length=10_000)
    amount_cents = MinorUnits(required=False, allow_null=True)
    amount_currency = Text(max_length=3)
    trial_period = DecimalString(required=False, allow_null=True)
    minimum_commitment = OwnCommitment(required=False, allow_null=True)
    usage_thresholds = Rows(OwnThreshold)
    charges = Rows(OwnCharge)
    fixed_charges = Rows(OwnFixedCharge)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a null, an empty currency and an empty commitment for nothing said."""
        found = super().validate(attrs)
        return {
            name: value
            for name, value in found.items()
            if not (name in ("amount_currency", "minimum_commitment") and not value)
        }


def of_charge(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of a charge as services take them: an empty pricing unit says nothing."""
    return {name: value for name, value in values.items() if name != "applied_pricing_unit" or value}
