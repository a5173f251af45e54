"""A charge's price for people: a line that sums it up, and the table of its tiers. Owns the words, not the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from catalog.domain.pricing import properties
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.package import Package
from catalog.domain.pricing.standard import Standard
from catalog.domain.pricing.tiers import Tier
from catalog.domain.pricing.volume import Volume
from catalog.models import Charge, PlanVersion
from config.kernel import errors
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns

INTERVALS = {
    PlanVersion.Interval.WEEKLY: "week",
    PlanVersion.Interval.MONTHLY: "month",
    PlanVersion.Interval.QUARTERLY: "quarter",
    PlanVersion.Interval.SEMIANNUAL: "half-year",
    PlanVersion.Interval.YEARLY: "year",
}


def fee(version: PlanVersion) -> str:
    """The plan's own price: "€49.00 per month"."""
    return f"{cells.money_text(version.amount)} per {INTERVALS[PlanVersion.Interval(version.interval)]}"


def summary(model: str, raw: Any, currency: str) -> str:
    """A price in one line."""
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid as refusal:
        return refusal.message
    match terms:
        case Standard():
            return f"{_price(terms.amount, currency)} per unit"
        case Package():
            free = f", first {cells.number_text(terms.free_units)} free" if terms.free_units else ""
            return f"{_price(terms.amount, currency)} per {cells.number_text(terms.package_size)} units{free}"
        case Graduated():
            return _tiers_summary(terms.ranges, currency, "each tier at its own price")
        case Volume():
            return _tiers_summary(terms.ranges, currency, "all units at the price of the tier reached")
        case _:
            return str(model)


def rows(model: str, raw: Any, currency: str) -> tuple[Row, ...]:
    """The lines of a price table: units, price of a unit, flat amount."""
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid as refusal:
        return (Row((refusal.message, "", "")),)
    match terms:
        case Graduated() | Volume():
            return tuple(
                Row((_range(tier), cells.unit_price(tier.price, currency), cells.unit_price(tier.flat, currency)))
                for tier in terms.ranges
            )
        case Standard():
            return (Row(("every unit", cells.unit_price(terms.amount, currency), cells.EMPTY)),)
        case Package():
            free = (Row((f"first {cells.number_text(terms.free_units)}", "free", cells.EMPTY)),)
            package = f"every {cells.number_text(terms.package_size)} units begun"
            priced = Row((package, cells.EMPTY, cells.unit_price(terms.amount, currency)))
            return (*free, priced) if terms.free_units else (priced,)
        case _:
            return ()


def table(charge: Charge, currency: str) -> Table:
    """The price table of a charge: its own price, then that of every filter."""
    found = list(rows(charge.charge_model, charge.properties, currency))
    parts = list(charge.filters.all())
    if parts:
        found.insert(0, Row(("All other events", "", ""), is_group=True))
    for part in parts:
        found.append(Row((_filter_name(part.invoice_display_name, part.values), "", ""), is_group=True))
        found += rows(charge.charge_model, part.properties, currency)
    return Table("", columns("Units", "Price per unit#", "Flat amount#"), tuple(found))


def _filter_name(name: str, values: dict[str, Sequence[str]]) -> str:
    listed = "; ".join(f"{key}: {', '.join(map(str, accepted))}" for key, accepted in values.items())
    return f"{name} ({listed})" if name else listed


def _tiers_summary(tiers: Sequence[Tier], currency: str, words: str) -> str:
    if len(tiers) == 1:
        flat = f" plus {_price(tiers[0].flat, currency)}" if tiers[0].flat else ""
        return f"{_price(tiers[0].price, currency)} per unit{flat}"
    return f"{_price(tiers[0].price, currency)} to {_price(tiers[-1].price, currency)} in {len(tiers)} tiers, {words}"


def _range(tier: Tier) -> str:
    start = cells.number_text(tier.from_value)
    return f"{start} and more" if tier.to_value is None else f"{start} – {cells.number_text(tier.to_value)}"


def _price(value: Decimal, currency: str) -> str:
    return cells.unit_price_text(value, currency)
