"""What a new version of a plan changes, old beside new, for people who are to confirm it. Owns the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.admin import prices
from catalog.models import BillableMetric, Charge, PricingUnit
from catalog.services.price_lists import ChargeContent, FixedChargeContent, PriceList
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns

NONE = "–"
_INCLUSIVE = {None: "as the plan", True: "yes", False: "no"}


@dataclass(frozen=True)
class Difference:
    """One thing that changes."""

    what: str
    old: str
    new: str


def between(before: PriceList, after: PriceList) -> list[Difference]:
    """What changes from one price list to another, in the order of the page."""
    return [*_fee(before, after), *_charges(before, after), *_fixed(before, after)]


def table(found: Sequence[Difference], title: str = "What changes") -> Table:
    """The changes, old beside new."""
    return Table(
        title,
        columns("", "Until now", "New"),
        tuple(Row((one.what, cells.muted(one.old), one.new)) for one in found),
        empty="Nothing changes.",
    )


def _fee(before: PriceList, after: PriceList) -> Iterator[Difference]:
    if before.amount != after.amount:
        yield Difference("Fee", cells.money_text(before.amount), cells.money_text(after.amount))
    if before.tax_ids != after.tax_ids:
        yield Difference("Taxes", _count(before.tax_ids, "tax"), _count(after.tax_ids, "tax"))
    if before.tax_inclusive != after.tax_inclusive:
        yield Difference("Prices include tax", _INCLUSIVE[before.tax_inclusive], _INCLUSIVE[after.tax_inclusive])
    for field, name in (("interval", "Interval"), ("pay_in_advance", "Paid in advance"), ("trial_period", "Trial")):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            yield Difference(name, str(old), str(new))


def _charges(before: PriceList, after: PriceList) -> Iterator[Difference]:
    names = _metrics([*before.charges, *after.charges])
    units = PricingUnit.objects.in_bulk(
        {one.pricing_unit_id for one in (*before.charges, *after.charges) if one.pricing_unit_id}
    )
    old = {charge.key: charge for charge in before.charges}
    new = {charge.key: charge for charge in after.charges}
    for key in [*old, *(key for key in new if key not in old)]:
        first, second = old.get(key), new.get(key)
        one = second or first
        if one is None or first == second:
            continue
        name = one.invoice_display_name or names[one.metric_id]
        was = NONE if first is None else _price(first, first.properties, before, units)
        now = NONE if second is None else _price(second, second.properties, after, units)
        if was != now:
            yield Difference(name, was, now)
        elif first and second and first.tax_inclusive != second.tax_inclusive:
            yield Difference(
                f"{name}: tax in the price", _INCLUSIVE[first.tax_inclusive], _INCLUSIVE[second.tax_inclusive]
            )
        yield from _filters(name, first, second, before, after, units)


def _filters(
    name: str,
    first: ChargeContent | None,
    second: ChargeContent | None,
    before: PriceList,
    after: PriceList,
    units: Mapping[int, PricingUnit],
) -> Iterator[Difference]:
    old = {} if first is None else {part.key: part for part in first.filters}
    new = {} if second is None else {part.key: part for part in second.filters}
    for key in [*old, *(key for key in new if key not in old)]:
        was, now = old.get(key), new.get(key)
        part = now or was
        if part is None or was == now:
            continue
        yield Difference(
            f"{name}: {prices.filter_name(part.invoice_display_name, part.values)}",
            NONE if was is None or first is None else _price(first, was.properties, before, units),
            NONE if now is None or second is None else _price(second, now.properties, after, units),
        )


def _fixed(before: PriceList, after: PriceList) -> Iterator[Difference]:
    old = {charge.key: charge for charge in before.fixed_charges}
    new = {charge.key: charge for charge in after.fixed_charges}
    for key in [*old, *(key for key in new if key not in old)]:
        first, second = old.get(key), new.get(key)
        one = second or first
        if one is None or first == second:
            continue
        name = one.invoice_display_name or one.code
        yield Difference(name, _agreed(first, before), _agreed(second, after))


def _agreed(charge: FixedChargeContent | None, content: PriceList) -> str:
    if charge is None:
        return NONE
    price = prices.detailed(charge.charge_model, charge.properties, content.amount.currency.code)
    return f"{cells.number_text(charge.units)} × {price}"


def _price(charge: ChargeContent, raw: Any, content: PriceList, units: Mapping[int, PricingUnit]) -> str:
    model = Charge.Model(charge.charge_model).label
    return f"{model}: {prices.detailed(charge.charge_model, raw, _measure(charge, content, units))}"


def _measure(charge: ChargeContent, content: PriceList, units: Mapping[int, PricingUnit]) -> prices.Measure:
    if charge.pricing_unit_id is None:
        return str(content.amount.currency.code)
    return units[charge.pricing_unit_id]


def _metrics(charges: Sequence[ChargeContent]) -> dict[int, str]:
    rows = BillableMetric.objects.filter(pk__in={charge.metric_id for charge in charges})
    return dict(rows.values_list("pk", "name"))


def _count(ids: Sequence[int], name: str) -> str:
    return f"{len(ids)} {name}{'' if len(ids) == 1 else 'es'}" if ids else "the customer's"
