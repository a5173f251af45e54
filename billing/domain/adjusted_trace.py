"""Amounts that a person set: of a line of a draft, or of one that is billed anew. Owns pricing the units given, the
trace, which keeps the one that it replaces, and computing it again.

Units alone are priced by the price of the line; units with a unit price are multiplied.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.domain import pricing_units
from catalog.domain import decimals
from catalog.domain.pricing import models, properties, values
from catalog.domain.pricing.models import ChargeModel
from config.kernel import errors, money

KIND = "adjusted"
USAGE, FIXED, FEE = "charge", "fixed_charge", "subscription"
ADJUSTABLE = (USAGE, FIXED, FEE, "true_up", "commitment")
"""The kinds of traces whose lines a person may adjust; those of events and of late usage are settled elsewhere."""

_KEPT = ("subscription", "plan", "currency", "charge", "filter", "group", "metric", "period", "pricing_unit")
_NOT_BY_UNITS = (ChargeModel.PERCENTAGE, ChargeModel.DYNAMIC)


class NotAdjustable(errors.Invalid):
    """The line cannot be adjusted in this way."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What an adjusted line comes to. Amounts in major units, unrounded; ``details`` is what the API shows as such."""

    units: Decimal
    unit_amount: Decimal
    precise: Decimal
    details: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[dict[str, Any], ...] = ()
    conversion: Mapping[str, Any] | None = None


def demand(*, was: Mapping[str, Any], units: Decimal | None, unit_amount: Decimal | None, is_prorated: bool) -> None:
    """Demand that a line of this trace can be adjusted so. Raises NotAdjustable.

    Units alone need a price by units (`invalid_charge_model`): no percentage, no amounts that events carry, no tiers
    over days. What tops up to a minimum has no units, and late usage is settled on its own.
    """
    kind = was["kind"]
    if kind not in ADJUSTABLE:
        raise NotAdjustable("invalid_type_or_status", "This line is settled on its own.", {"fee": ["value_is_invalid"]})
    if units is None or unit_amount is not None:
        return
    if kind not in (USAGE, FIXED, FEE):
        code = "value_is_invalid"
        raise NotAdjustable(code, "This line has no units: give its amount as the unit price.", {"units": [code]})
    if kind == FEE:
        return
    model = ChargeModel(was["inputs"]["charge"]["model"])
    if model in _NOT_BY_UNITS or (is_prorated and model is ChargeModel.GRADUATED):
        code = "invalid_charge_model"
        raise NotAdjustable(code, f"A {model} price needs more than units: give a unit price.", {"units": [code]})


def price(*, was: Mapping[str, Any], units: Decimal | None, unit_amount: Decimal | None) -> Adjusted:
    """Price a line as adjusted. One of both is given; without units those of the line, one where it has none.

    Raises InvalidProperties for properties that do not price.
    """
    inputs = was["inputs"]
    if unit_amount is None and was["kind"] in (USAGE, FIXED):
        return _by_model(inputs, units or values.ZERO)
    counted = units if units is not None else _units(was)
    one = unit_amount if unit_amount is not None else Decimal(was["rounding"]["result"])
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = counted * one
    step = {
        "kind": "units",
        "quantity": decimals.text(counted),
        "price": decimals.text(one),
        "per": "1",
        "flat": "0",
        "from_value": None,
        "to_value": None,
        "total": decimals.text(precise),
    }
    return Adjusted(counted, one, precise, steps=(step,))


def of_line(
    *,
    was: Mapping[str, Any],
    units: Decimal | None,
    unit_amount: Decimal | None,
    by: str,
    at: datetime,
    reason: str = "",
) -> dict[str, Any]:
    """Return the trace of an adjusted line: what it was, who set what, and how that comes to the amount."""
    if was["kind"] == KIND:
        was = was["inputs"]["was"]
    found = price(was=was, units=units, unit_amount=unit_amount)
    currency = was["inputs"]["currency"]
    inputs: dict[str, Any] = {name: was["inputs"][name] for name in _KEPT if name in was["inputs"]}
    if found.conversion is None:
        inputs.pop("pricing_unit", None)
    inputs |= {
        "was": dict(was),
        "by": by,
        "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "reason": reason,
        "units": None if units is None else decimals.text(units),
        "unit_amount": None if unit_amount is None else decimals.text(unit_amount),
        "usage": {"units": decimals.text(found.units)},
    }
    trace: dict[str, Any] = {
        "version": was["version"],
        "kind": KIND,
        "inputs": inputs,
        "steps": list(found.steps),
        "unrounded": decimals.text(found.precise),
        "rounding": {
            "mode": "half_up",
            "digits": money.exponent(currency),
            "result": decimals.text(money.quantize(found.precise, currency=currency)),
        },
    }
    return trace if found.conversion is None else {**trace, "conversion": dict(found.conversion)}


def recomputed(inputs: Mapping[str, Any]) -> Decimal:
    """Return the amount, unrounded, from the inputs alone."""
    units, unit_amount = inputs["units"], inputs["unit_amount"]
    return price(
        was=inputs["was"],
        units=None if units is None else Decimal(units),
        unit_amount=None if unit_amount is None else Decimal(unit_amount),
    ).precise


def _by_model(inputs: Mapping[str, Any], units: Decimal) -> Adjusted:
    charge, stored = inputs["charge"], inputs.get("pricing_unit")
    terms = properties.parse(model=charge["model"], raw=charge["properties"])
    usage = values.Usage(units=units, events_count=inputs.get("usage", {}).get("events_count", 0))
    result = models.price(properties=terms, usage=usage)
    steps = tuple(_step(step) for step in result.steps)
    if stored is None:
        return Adjusted(units, result.unit_amount, result.amount, result.details, steps)
    rate = Decimal(stored["conversion_rate"])
    amount = pricing_units.in_money(amount=result.amount, conversion_rate=rate)
    conversion = {
        "unrounded": decimals.text(result.amount),
        "digits": pricing_units.DIGITS,
        "amount": decimals.text(pricing_units.rounded(result.amount)),
        "total": decimals.text(amount),
    }
    one = pricing_units.unit_price(amount=result.unit_amount, conversion_rate=rate)
    return Adjusted(units, one, amount, result.details, steps, conversion)


def _units(was: Mapping[str, Any]) -> Decimal:
    inputs = was["inputs"]
    if was["kind"] == USAGE:
        return Decimal(inputs["usage"]["units"])
    return Decimal(inputs["units"]) if was["kind"] == FIXED else Decimal(1)


def _step(step: values.Step) -> dict[str, Any]:
    return {
        "kind": str(step.kind),
        "quantity": decimals.text(step.quantity),
        "price": decimals.text(step.price),
        "per": decimals.text(step.per),
        "flat": decimals.text(step.flat),
        "from_value": values.optional_text(step.from_value),
        "to_value": values.optional_text(step.to_value),
        "total": decimals.text(step.total),
    }
