"""The parts of a line's amount, read back from the details that were stored with the line.

Owns the reading of `amount_details` for each charge model, and of the units that a line tells apart. It computes no
price: every figure was stored when the line was rated. What each part is called is the document's business.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from config.kernel import money

ZERO = Decimal(0)
HUNDRED = Decimal(100)


class PartKind(StrEnum):
    """What a part of an amount is."""

    TIER = "tier"
    UNITS = "units"
    FREE = "free"
    PACKAGES = "packages"
    FLAT = "flat"
    RATE = "rate"
    PER_EVENT = "per_event"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `units` at `price` (or at `rate`, a fraction) make `amount`, in major units and unrounded.

    `from_value` and `to_value` bound a tier as the catalogue writes it; `size` is the number of units in a package.
    """

    kind: PartKind
    amount: Decimal
    units: Decimal | None = None
    price: Decimal | None = None
    rate: Decimal | None = None
    from_value: Decimal | None = None
    to_value: Decimal | None = None
    size: Decimal | None = None


def parts(*, charge_model: str, units: Decimal, details: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return the parts that make the amount of a line, none where the line itself says everything."""
    reader = _READERS.get(charge_model)
    return tuple(reader(units, details)) if reader and details else ()


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a period that an amount is for; `units` are those that were there on them, if they changed."""

    days: int
    of_days: int
    units: Decimal | None = None


def days(details: Mapping[str, Any]) -> tuple[Days, ...]:
    """Return the days that an amount is for, nothing where it is for the whole period."""
    if "held" in details:
        held, of_days = details["held"], details["of_days"]
        return tuple(Days(one["days"], of_days, Decimal(one["units"]) if len(held) > 1 else None) for one in held)
    return (Days(details["days"], details["of_days"]),) if "days" in details else ()


def told_units(breakdowns: Sequence[Mapping[str, Any]]) -> tuple[tuple[Mapping[str, str | None], Decimal], ...]:
    """Return the units by the properties that are to be told on the document, with their values; none where none is."""
    found: dict[tuple[tuple[str, str | None], ...], Decimal] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for row in breakdowns:
            if not row.get("on_document"):
                continue
            by = tuple((name, row["presentation_by"][name]) for name in row["on_document"])
            found[by] = found.get(by, ZERO) + Decimal(row["units"])
    return tuple((dict(by), units) for by, units in found.items())


def _graduated(_units: Decimal, details: Mapping[str, Any]) -> list[Part]:
    found = []
    for tier in details.get("graduated_ranges") or details.get("graduated_percentage_ranges") or []:
        units, flat = _figure(tier, "units"), _figure(tier, "flat_unit_amount")
        bounds = {"from_value": _figure(tier, "from_value"), "to_value": _optional(tier, "to_value")}
        if units:
            rate = _optional(tier, "rate")
            found.append(
                Part(
                    PartKind.TIER,
                    amount=_figure(tier, "per_unit_total_amount"),
                    units=units,
                    price=_figure(tier, "per_unit_amount") if rate is None else None,
                    rate=None if rate is None else rate / HUNDRED,
                    **bounds,
                )
            )
        if flat:
            found.append(Part(PartKind.FLAT, amount=flat, **bounds))
    return found


def _volume(units: Decimal, details: Mapping[str, Any]) -> list[Part]:
    flat = _figure(details, "flat_unit_amount")
    if not flat:
        return []
    amount, price = _figure(details, "per_unit_total_amount"), _figure(details, "per_unit_amount")
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        # Of units that count by the day the line shows those at the end; what was priced is their share.
        priced = amount / price if price and units * price != amount else units
    part = Part(PartKind.UNITS, amount=amount, units=priced, price=price)
    return [part, Part(PartKind.FLAT, amount=flat)] if units else [Part(PartKind.FLAT, amount=flat)]


def _package(_units: Decimal, details: Mapping[str, Any]) -> list[Part]:
    free, paid = _figure(details, "free_units"), _figure(details, "paid_units")
    size, price = _figure(details, "per_package_size"), _figure(details, "per_package_unit_amount")
    found = [Part(PartKind.FREE, amount=ZERO, units=free)] if free else []
    if paid and size:
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            packages = money.ceil_to(paid / size, 0)
            found.append(Part(PartKind.PACKAGES, amount=packages * price, units=packages, price=price, size=size))
    return found


def _percentage(_units: Decimal, details: Mapping[str, Any]) -> list[Part]:
    free, paid, events = (_figure(details, name) for name in ("free_units", "paid_units", "paid_events"))
    fixed, adjustment = (
        _figure(details, name) for name in ("fixed_fee_total_amount", "min_max_adjustment_total_amount")
    )
    found = [Part(PartKind.FREE, amount=ZERO, units=free)] if free else []
    if paid:
        rate = _figure(details, "rate") / HUNDRED
        found.append(Part(PartKind.RATE, amount=_figure(details, "per_unit_total_amount"), units=paid, rate=rate))
    if fixed:
        price = _figure(details, "fixed_fee_unit_amount")
        found.append(Part(PartKind.PER_EVENT, amount=fixed, units=events, price=price))
    if adjustment:
        found.append(Part(PartKind.ADJUSTMENT, amount=adjustment))
    return found


def _optional(values: Mapping[str, Any], name: str) -> Decimal | None:
    value = values.get(name)
    return None if value is None else Decimal(str(value))


def _figure(values: Mapping[str, Any], name: str) -> Decimal:
    return _optional(values, name) or ZERO


_READERS: dict[str, Callable[[Decimal, Mapping[str, Any]], list[Part]]] = {
    "graduated": _graduated,
    "graduated_percentage": _graduated,
    "volume": _volume,
    "package": _package,
    "percentage": _percentage,
}
