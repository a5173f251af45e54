"""What a fee tells beside its amount: the price in a pricing unit, and units by properties that only inform. Owns their
shapes; usage that is not billed yet is shown in the same ones.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from config.kernel import money
from config.platform.api import serializers as fields

# A pricing unit has two decimals, whatever the currency has.
_CENTS = 2


class PricingUnitDetails(serializers.Serializer):  # type: ignore[type-arg]
    """An amount in a pricing unit; ``*_cents`` are hundredths of it."""

    lago_pricing_unit_id = serializers.UUIDField()
    pricing_unit_code = serializers.CharField()
    short_name = serializers.CharField()
    amount_cents = serializers.IntegerField()
    precise_amount_cents = fields.DecimalString()
    unit_amount_cents = serializers.IntegerField()
    precise_unit_amount = fields.DecimalString()
    conversion_rate = fields.DecimalString()


class PresentationBreakdown(serializers.Serializer):  # type: ignore[type-arg]
    """Units of the events whose properties have these values; the empty text where they have none."""

    presentation_by = serializers.DictField(child=serializers.CharField(allow_blank=True))
    units = fields.DecimalString()


def pricing_unit(stored: Mapping[str, str] | None) -> dict[str, Any] | None:
    """Return the shape of the price in a pricing unit that a line stores, or nothing."""
    if stored is None:
        return None
    return {
        "lago_pricing_unit_id": stored["id"],
        "pricing_unit_code": stored["code"],
        "short_name": stored["short_name"],
        "amount_cents": hundredths(Decimal(stored["amount"])),
        "precise_amount_cents": fields.decimal_text(_scaled(Decimal(stored["precise_amount"]))),
        "unit_amount_cents": hundredths(Decimal(stored["unit_amount"])),
        "precise_unit_amount": fields.decimal_text(Decimal(stored["precise_unit_amount"])),
        "conversion_rate": fields.decimal_text(Decimal(stored["conversion_rate"])),
    }


def breakdowns(stored: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the shapes of the breakdowns that a line stores."""
    return [
        {
            "presentation_by": {name: value or "" for name, value in row["presentation_by"].items()},
            "units": fields.decimal_text(Decimal(row["units"])),
        }
        for row in stored
    ]


def hundredths(amount: Decimal) -> int:
    """Return an amount in a pricing unit, rounded to its two decimals, as a whole number."""
    return int(_scaled(money.round_half_up(amount, _CENTS)))


def _scaled(amount: Decimal) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount.scaleb(_CENTS)
