"""The price of a charge as text that a person can change in place: a figure, or a few separated by semicolons. Owns the
notation; what a good price is, the domain says.

Standard: the price of a unit. Package: price; units in one; free units. Percentage: percent; amount per event. Tiers:
one per line, “up to; price; flat amount”. What the notation does not show stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from catalog.domain.pricing.models import ChargeModel

TIERED = {
    ChargeModel.GRADUATED: ("graduated_ranges", "per_unit_amount"),
    ChargeModel.VOLUME: ("volume_ranges", "per_unit_amount"),
    ChargeModel.GRADUATED_PERCENTAGE: ("graduated_percentage_ranges", "rate"),
}
FIGURES: Mapping[str, tuple[tuple[str, bool], ...]] = {
    ChargeModel.STANDARD: (("amount", True),),
    ChargeModel.PACKAGE: (("amount", True), ("package_size", True), ("free_units", False)),
    ChargeModel.PERCENTAGE: (("rate", True), ("fixed_amount", False)),
}
"""The figures of a price in their order, and whether there has to be one."""

_WHOLE = frozenset({"package_size", "free_units"})
HELP = {
    ChargeModel.STANDARD: "Per unit.",
    ChargeModel.PACKAGE: "Per package; units in one; free units: “10; 1000; 0”.",
    ChargeModel.PERCENTAGE: "Percent; amount per event: “1.5; 0.10”.",
    ChargeModel.GRADUATED: "One tier per line: “up to; price; flat amount”. The last one has no end: “; 0.01”.",
    ChargeModel.VOLUME: "One tier per line: “up to; price; flat amount”. The last one has no end: “; 0.01”.",
    ChargeModel.GRADUATED_PERCENTAGE: "One tier per line: “up to; percent; flat amount”. The last one has no end.",
}


def write(model: str, properties: Mapping[str, Any]) -> str:
    """Write a price. A model whose events carry their amounts has none."""
    if model in TIERED:
        key, price = TIERED[ChargeModel(model)]
        return "\n".join(
            f"{'' if tier.get('to_value') is None else tier['to_value']}; {tier.get(price, '0')}; "
            f"{tier.get('flat_amount', '0')}"
            for tier in properties.get(key, ())
        )
    figures = [str(properties.get(key) or "0") for key, _ in FIGURES.get(model, ())]
    return "; ".join(figures)


def read(model: str, text: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Read a price on top of the one before. Raises ValidationError for what is not of the form."""
    if model in TIERED:
        key, price = TIERED[ChargeModel(model)]
        return {**before, key: _tiers(text, price)}
    wanted = FIGURES[model]
    parts = [part.strip() for part in text.split(";")]
    if len(parts) > len(wanted) or any(not part for part in parts):
        raise forms.ValidationError(f"This is not of the form: {HELP[ChargeModel(model)]}")
    found = dict(before)
    for place, (key, is_needed) in enumerate(wanted):
        if place < len(parts):
            found[key] = _whole(parts[place]) if key in _WHOLE else parts[place]
        elif is_needed:
            raise forms.ValidationError(f"This is not of the form: {HELP[ChargeModel(model)]}")
    return found


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise forms.ValidationError(f"“{text}” is not a whole number.")
    return int(text)


def _tiers(text: str, price_key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start: Any = 0
    for line in (line.strip() for line in text.splitlines()):
        parts = [part.strip() for part in line.split(";")]
        if not line:
            continue
        if len(parts) not in (2, 3) or not parts[1]:
            raise forms.ValidationError(f"“{line}” is not of the form “up to; price; flat amount”.")
        end, price, flat = (*parts, "0")[:3]
        found.append({"from_value": start, "to_value": end or None, price_key: price, "flat_amount": flat or "0"})
        start = end
    return found
