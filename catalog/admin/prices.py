"""A charge's price for people: a line that sums it up, and the table of its tiers. Owns the words, not the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from catalog.domain.pricing import properties
from catalog.domain.pricing.dynamic import Dynamic
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.graduated_percentage import GraduatedPercentage
from catalog.domain.pricing.package import Package
from catalog.domain.pricing.percentage import Percentage
from catalog.domain.pricing.standard import Standard
from catalog.domain.pricing.tiers import Tier
from catalog.domain.pricing.volume import Volume
from catalog.models import Charge, FixedCharge, PlanVersion, PricingUnit
from config.kernel import errors, money
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns

INTERVALS = {
    PlanVersion.Interval.WEEKLY: "week",
    PlanVersion.Interval.MONTHLY: "month",
    PlanVersion.Interval.QUARTERLY: "quarter",
    PlanVersion.Interval.SEMIANNUAL: "half-year",
    PlanVersion.Interval.YEARLY: "year",
}


Measure = str | PricingUnit
"""What a price is in: a currency's code, or a pricing unit."""


def fee(version: PlanVersion) -> str:
    """The plan's own price: "€49.00 per month"."""
    return f"{cells.money_text(version.amount)} per {INTERVALS[_interval(version)]}"


def minimum(version: PlanVersion) -> str:
    """What an interval costs at least, by its name on invoices: "€1,000.00 per month, as Commitment"."""
    row = version.commitment
    if row is None:
        return "none"
    amount = cells.money_text(money.from_minor(row.amount_cents, version.currency))
    text = f"{amount} per {INTERVALS[_interval(version)]}"
    return f"{text}, as {row.invoice_display_name}" if row.invoice_display_name else text


def timing(version: PlanVersion) -> str:
    """When fee and usage are billed: "fee in advance, after a trial of 14 days; usage every month"."""
    fee = "fee in advance" if version.pay_in_advance else "fee in arrears"
    if version.trial_period:
        fee = f"{fee}, after a trial of {cells.number_text(version.trial_period)} days"
    interval = INTERVALS[_interval(version)]
    found = f"{fee}; usage every {'month' if version.bill_charges_monthly else interval}"
    # Where usage and fixed charges come together there is nothing more to say.
    if version.bill_fixed_charges_monthly == version.bill_charges_monthly:
        return found
    return f"{found}; fixed charges every {'month' if version.bill_fixed_charges_monthly else interval}"


def taxes(charge: Charge | FixedCharge, version: PlanVersion) -> str:
    """The taxes of a price by name, or whose they are where it has none of its own."""
    named = ", ".join(str(tax) for tax in charge.taxes.all())
    return named or cells.muted("the plan's" if version.taxes.all() else "the customer's")


def summary(model: str, raw: Any, measure: Measure) -> str:
    """A price in one line."""
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid as refusal:
        return refusal.message
    match terms:
        case Standard():
            return f"{_price(terms.amount, measure)} per unit"
        case Package():
            free = f", first {cells.number_text(terms.free_units)} free" if terms.free_units else ""
            return f"{_price(terms.amount, measure)} per {cells.number_text(terms.package_size)} units{free}"
        case Graduated():
            return _tiers_summary(terms.ranges, measure, "each tier at its own price")
        case Volume():
            return _tiers_summary(terms.ranges, measure, "all units at the price of the tier reached")
        case Percentage():
            fixed = f" plus {_price(terms.fixed_amount, measure)} per event" if terms.fixed_amount else ""
            return f"{_percent(terms.rate)}{fixed}"
        case GraduatedPercentage():
            first, last = terms.ranges[0], terms.ranges[-1]
            if len(terms.ranges) == 1:
                return f"{_percent(first.price)}{_plus(first.flat, measure)}"
            return f"{_percent(first.price)} to {_percent(last.price)} in {len(terms.ranges)} tiers"
        case Dynamic():
            return "the amounts that the events carry"


def detailed(model: str, raw: Any, measure: Measure) -> str:
    """A price with all its tiers: "0 – 1,000: €0.02 + €5.00; 1,000 and more: €0.01"."""
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid as refusal:
        return refusal.message
    match terms:
        case Graduated() | Volume():
            told = [(tier, _price(tier.price, measure)) for tier in terms.ranges]
        case GraduatedPercentage():
            told = [(tier, _percent(tier.price)) for tier in terms.ranges]
        case _:
            return summary(model, raw, measure)
    return "; ".join(f"{_range(tier)}: {price}{_plus(tier.flat, measure)}" for tier, price in told)


def rows(model: str, raw: Any, measure: Measure) -> tuple[Row, ...]:
    """The lines of a price table: units, price of a unit, flat amount."""
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid as refusal:
        return (Row((refusal.message, "", "")),)
    match terms:
        case Graduated() | Volume():
            return tuple(
                Row((_range(tier), _unit_price(tier.price, measure), _unit_price(tier.flat, measure)))
                for tier in terms.ranges
            )
        case Standard():
            return (Row(("every unit", _unit_price(terms.amount, measure), cells.EMPTY)),)
        case Package():
            free = (Row((f"first {cells.number_text(terms.free_units)}", "free", cells.EMPTY)),)
            package = f"every {cells.number_text(terms.package_size)} units begun"
            priced = Row((package, cells.EMPTY, _unit_price(terms.amount, measure)))
            return (*free, priced) if terms.free_units else (priced,)
        case Percentage():
            return _percentage_rows(terms, measure)
        case GraduatedPercentage():
            return tuple(
                Row((_range(tier), _percent(tier.price), _unit_price(tier.flat, measure))) for tier in terms.ranges
            )
        case Dynamic():
            return (Row(("every event", "as the event says", cells.EMPTY)),)


def _percentage_rows(terms: Percentage, measure: Measure) -> tuple[Row, ...]:
    free = [
        Row((words, "free", cells.EMPTY))
        for words in (
            f"first {cells.number_text(terms.free_events)} events" if terms.free_events else "",
            f"first {cells.number_text(terms.free_value)} in value" if terms.free_value else "",
        )
        if words
    ]
    limits = [
        Row((words, cells.EMPTY, _unit_price(limit, measure)))
        for words, limit in (("at least, per event", terms.minimum), ("at most, per event", terms.maximum))
        if limit is not None
    ]
    fixed = [Row(("per event", cells.EMPTY, _unit_price(terms.fixed_amount, measure)))]
    return (
        *free,
        Row(("of the value", _percent(terms.rate), cells.EMPTY)),
        *(fixed if terms.fixed_amount else ()),
        *limits,
    )


def of_charge(charge: Charge, currency: str) -> str:
    """The price of a charge in one line, in the currency or in its pricing unit."""
    return summary(charge.charge_model, charge.properties, charge.pricing_unit or currency)


def of_fixed_charge(charge: FixedCharge, currency: str) -> str:
    """The price of a fixed charge in one line: "10 × €5.00 per unit"."""
    return f"{cells.number_text(charge.units)} × {summary(charge.charge_model, charge.properties, currency)}"


def table(charge: Charge, currency: str) -> Table:
    """The price table of a charge: its own price, then that of every filter."""
    measure: Measure = charge.pricing_unit or currency
    found = list(rows(charge.charge_model, charge.properties, measure))
    parts = list(charge.filters.all())
    if parts:
        found.insert(0, Row(("All other events", "", ""), is_group=True))
    for part in parts:
        found.append(Row((filter_name(part.invoice_display_name, part.values), "", ""), is_group=True))
        found += rows(charge.charge_model, part.properties, measure)
    return _table(found)


def fixed_table(charge: FixedCharge, currency: str) -> Table:
    """The price table of a fixed charge."""
    return _table(rows(charge.charge_model, charge.properties, currency))


def _table(found: Sequence[Row]) -> Table:
    return Table("", columns("Units", "Price per unit#", "Flat amount#"), tuple(found))


def filter_name(name: str, values: dict[str, Sequence[str]]) -> str:
    """What a filter is called, with the values that it takes."""
    listed = "; ".join(f"{key}: {', '.join(map(str, accepted))}" for key, accepted in values.items())
    return f"{name} ({listed})" if name else listed


def _tiers_summary(tiers: Sequence[Tier], measure: Measure, words: str) -> str:
    if len(tiers) == 1:
        return f"{_price(tiers[0].price, measure)} per unit{_plus(tiers[0].flat, measure)}"
    first, last = tiers[0].price, tiers[-1].price
    found = [tier.price for tier in tiers]
    if {first, last} != {min(found), max(found)}:
        # Neither up nor down all the way, such as free units first.
        first, last = min(found), max(found)
    return f"{_price(first, measure)} to {_price(last, measure)} in {len(tiers)} tiers, {words}"


def _range(tier: Tier) -> str:
    start = cells.number_text(tier.from_value)
    return f"{start} and more" if tier.to_value is None else f"{start} – {cells.number_text(tier.to_value)}"


def _plus(flat: Decimal, measure: Measure) -> str:
    return f" plus {_price(flat, measure)}" if flat else ""


def _percent(rate: Decimal) -> str:
    return f"{cells.number_text(rate)} %"


def _price(value: Decimal, measure: Measure) -> str:
    if isinstance(measure, PricingUnit):
        return f"{cells.number_text(value)} {measure.short_name}"
    return cells.unit_price_text(value, measure)


def amount_text(value: Decimal, measure: Measure) -> str:
    """What units come to, rounded for reading: to the currency, or to two places of a pricing unit."""
    if isinstance(measure, PricingUnit):
        return f"{cells.number_text(money.round_half_up(value, 2))} {measure.short_name}"
    return cells.unit_price_text(money.round_half_up(value, 6), measure)


def _unit_price(value: Decimal, measure: Measure) -> SafeString:
    return cells.unit_price(value, measure) if isinstance(measure, str) else cells.nowrap(_price(value, measure))


def _interval(version: PlanVersion) -> PlanVersion.Interval:
    return PlanVersion.Interval(version.interval)
