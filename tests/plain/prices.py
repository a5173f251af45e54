"""Charge models in fractions, from their description."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

ZERO = Fraction(0)


def price(model: str, terms: dict[str, Any], units: Fraction, values: list[Fraction], full: Fraction) -> Fraction:
    """Price units; ``values`` are those of the events in order, ``full`` the units that choose a volume's range."""
    if units < 0 or full < 0:
        return ZERO
    return max(_price(model, terms, units, values, full), ZERO)


def _price(model: str, terms: dict[str, Any], units: Fraction, values: list[Fraction], full: Fraction) -> Fraction:
    match model:
        case "standard":
            return units * Fraction(terms["amount"])
        case "graduated":
            return _graduated(terms["graduated_ranges"], units, "per_unit_amount", 1)
        case "graduated_percentage":
            return _graduated(terms["graduated_percentage_ranges"], units, "rate", 100)
        case "volume":
            return _volume(terms["volume_ranges"], units, full)
        case "package":
            paid = units - terms.get("free_units", 0)
            return math.ceil(paid / terms["package_size"]) * Fraction(terms["amount"]) if paid > 0 else ZERO
        case "percentage":
            return _percentage(terms, units, values)
    raise AssertionError(model)


def _graduated(rows: list[dict[str, Any]], units: Fraction, key: str, divisor: int) -> Fraction:
    total = ZERO
    for row in rows:
        low, high = row["from_value"], row["to_value"]
        end = units if high is None else min(units, Fraction(high))
        inside = end if low == 0 else end - low + 1
        total += inside * Fraction(row[key]) / divisor + Fraction(row["flat_amount"])
        if high is None or high >= units:
            break
    return total


def _volume(rows: list[dict[str, Any]], units: Fraction, full: Fraction) -> Fraction:
    for row in rows:
        if row["from_value"] <= math.ceil(full) and (row["to_value"] is None or full <= row["to_value"]):
            return units * Fraction(row["per_unit_amount"]) + Fraction(row["flat_amount"])
    raise AssertionError(f"no range for {full}")


def _percentage(terms: dict[str, Any], units: Fraction, values: list[Fraction]) -> Fraction:
    free_first = int(terms.get("free_units_per_events") or 0)
    allowance = Fraction(terms.get("free_units_per_total_aggregation") or 0)
    fixed = Fraction(terms.get("fixed_amount") or 0)
    totals: list[Fraction] = []
    if free_first or allowance:
        for value in values:
            if (free_first and len(totals) == free_first) or (not free_first and totals and totals[-1] > allowance):
                break
            totals.append((totals[-1] if totals else ZERO) + value)
    if not totals:
        free_value = ZERO
    elif allowance == 0:
        free_value = totals[-1]
    else:
        free_value = min(totals[-1], allowance)
    free_events = min(
        (count for count in (free_first, sum(1 for each in totals if each < allowance)) if count), default=0
    )
    paid_events = max(len(values) - free_events, 0) if units else 0
    return (units - free_value) * Fraction(terms["rate"]) / 100 + paid_events * fixed
