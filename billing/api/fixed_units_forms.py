"""Units of fixed charges that a new subscription agrees on, as they come in with its plan's overrides."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import DecimalString, Flag, RequestSerializer, Rows, Unsupported


class FixedChargeOverride(RequestSerializer):
    """Another number of units of a fixed charge of the plan, by its id. It counts from the start."""

    id = serializers.UUIDField()
    units = DecimalString()
    apply_units_immediately = Flag(allow_null=True)
    invoice_display_name = Unsupported(neutral=("",))
    properties = Unsupported(neutral=({},))
    tax_codes = Unsupported(neutral=([],))


class PlanOverrides(RequestSerializer):
    """What a subscription agrees on beside its plan: units of fixed charges. Prices of its own are refused."""

    fixed_charges = Rows(FixedChargeOverride)
    amount_cents = Unsupported(neutral=())
    amount_currency = Unsupported(neutral=())
    charges = Unsupported(neutral=([],))
    description = Unsupported(neutral=("",))
    invoice_display_name = Unsupported(neutral=("",))
    minimum_commitment = Unsupported(neutral=({},))
    name = Unsupported(neutral=("",))
    tax_codes = Unsupported(neutral=([],))
    trial_period = Unsupported(neutral=())
    usage_thresholds = Unsupported(neutral=([],))


def numbers(overrides: Mapping[str, Any] | None) -> dict[str, Decimal]:
    """Return the units that overrides agree on, by the ids of fixed charges. The last one of an id counts."""
    rows = (overrides or {}).get("fixed_charges") or []
    return {str(row["id"]): row["units"] for row in rows}
