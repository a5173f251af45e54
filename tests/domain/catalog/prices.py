"""Random prices and quantities, and a second, plain way to price them: in fractions, unit by unit where that is
possible.

Owns what tests of several charge models share. It knows the formulas only from their description, not from the code.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from catalog.domain.pricing import models, properties, values

Raw = dict[str, Any]

AMOUNTS = st.decimals(0, 1000, places=4).map(lambda amount: format(amount, "f"))
WHOLE = st.integers(0, 60)
QUANTITIES = st.decimals(0, 60, places=3)
RATES = st.decimals(0, 100, places=2).map(lambda rate: format(rate, "f"))


def price_of(model: str, raw: Raw, units: Decimal | int | str, **rest: Any) -> values.PriceResult:
    """Price a number of units with properties as the API has them."""
    terms = properties.parse(model=model, raw=raw)
    return models.price(properties=terms, usage=values.Usage(units=Decimal(units), **rest))


@st.composite
def ranges(draw: st.DrawFn, price_key: str = "per_unit_amount", prices: st.SearchStrategy[str] = AMOUNTS) -> list[Raw]:
    """Draw ranges over whole numbers: 0-4, 5-9, 10 and more."""
    ends = sorted(draw(st.sets(st.integers(1, 50), max_size=4)))
    starts = [0, *(end + 1 for end in ends)]
    return [
        {"from_value": start, "to_value": end, price_key: draw(prices), "flat_amount": draw(AMOUNTS)}
        for start, end in zip(starts, [*ends, None], strict=True)
    ]


@st.composite
def priced(draw: st.DrawFn) -> tuple[str, Raw]:
    """Draw a charge model that needs nothing but units, with its properties."""
    model = draw(st.sampled_from(["standard", "graduated", "volume", "package", "graduated_percentage", "percentage"]))
    raw: Raw
    match model:
        case "standard":
            raw = {"amount": draw(AMOUNTS)}
        case "graduated":
            raw = {"graduated_ranges": draw(ranges())}
        case "volume":
            raw = {"volume_ranges": draw(ranges())}
        case "package":
            raw = {
                "amount": draw(AMOUNTS),
                "package_size": draw(st.integers(1, 20)),
                "free_units": draw(st.integers(0, 20)),
            }
        case "graduated_percentage":
            raw = {"graduated_percentage_ranges": draw(ranges("rate", RATES))}
        case _:
            raw = {"rate": draw(RATES), "fixed_amount": draw(AMOUNTS)}
    return model, raw


def plainly(model: str, raw: Raw, units: int, events: int = 0) -> Fraction:
    """Price whole units one after the other, in fractions."""
    match model:
        case "standard":
            return sum((Fraction(raw["amount"]) for _ in range(units)), Fraction(0))
        case "graduated":
            return _one_by_one(raw["graduated_ranges"], "per_unit_amount", units)
        case "graduated_percentage":
            return _one_by_one(raw["graduated_percentage_ranges"], "rate", units, divisor=100)
        case "volume":
            row = _holding(raw["volume_ranges"], units)
            return Fraction(row["per_unit_amount"]) * units + Fraction(row["flat_amount"])
        case "package":
            packages, left = 0, units - raw["free_units"]
            while left > 0:
                packages, left = packages + 1, left - raw["package_size"]
            return Fraction(raw["amount"]) * packages
        case "percentage":
            paid_events = events if units else 0
            return Fraction(raw["rate"]) / 100 * units + Fraction(raw["fixed_amount"]) * paid_events
    raise AssertionError(model)


def _one_by_one(rows: list[Raw], price_key: str, units: int, divisor: int = 1) -> Fraction:
    used = [_holding(rows, 0)]
    total = Fraction(0)
    for unit in range(1, units + 1):
        row = _holding(rows, unit)
        total += Fraction(row[price_key]) / divisor
        if row not in used:
            used.append(row)
    opened = rows[: rows.index(used[-1]) + 1]
    return total + sum((Fraction(row["flat_amount"]) for row in opened), Fraction(0))


def _holding(rows: list[Raw], unit: int) -> Raw:
    return next(
        row for row in rows if row["from_value"] <= unit and (row["to_value"] is None or unit <= row["to_value"])
    )
