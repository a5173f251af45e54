"""A subscription's bill of one period."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.plain import counting, periods, prices
from tests.plain.contracts import PlainCharge, PlainContract, PlainEvent, PlainLine

ZERO = Fraction(0)
PLAN = ("plan",)


def bill(contract: PlainContract, events: list[PlainEvent], billing_day: date) -> list[PlainLine]:
    """Return what the invoice of a billing day has: the plan's fee, and the usage of the period before the day."""
    shape = {"anchor": contract.first_day, "interval": contract.interval, "billing_time": contract.billing_time}
    first, after = periods.around(billing_day - periods.DAY, **shape)
    used_from = max(periods.midnight(first, contract.timezone), contract.started_at)
    used_to = periods.midnight(after, contract.timezone)
    lines = []
    if contract.amount:
        paid = periods.around(billing_day, **shape) if contract.pay_in_advance else (first, after)
        days = (paid[1] - max(paid[0], contract.first_day)).days
        fee = contract.amount * days / (paid[1] - paid[0]).days
        lines.append(PlainLine(PLAN, Fraction(1), cents(fee)))
    for charge in contract.charges:
        lines += _charge(contract, charge, events, used_from, used_to, (first, after))
    return lines


def cents(amount: Fraction) -> int:
    """Round an amount of major units to cents, half up."""
    return math.floor(amount * 100 + Fraction(1, 2))


def _charge(
    contract: PlainContract,
    charge: PlainCharge,
    events: list[PlainEvent],
    start: datetime,
    end: datetime,
    natural: tuple[date, date],
) -> Iterator[PlainLine]:
    first = max(natural[0], contract.first_day)
    of_days = (natural[1] - natural[0]).days
    counted = [event for event in events if event.code == charge.code and event.at < end]
    if not charge.recurring:
        counted = [event for event in counted if event.at >= start]
    counted = counting.counted(charge.kind, sorted(counted, key=lambda event: (event.at, event.number)))
    lines = []
    for position, terms in [(-1, charge.properties), *((n, f.properties) for n, f in enumerate(charge.filters))]:
        groups: dict[tuple[Any, ...], list[PlainEvent]] = {}
        for event in counted:
            if _place(charge, event) == position:
                groups.setdefault(_group(charge, event), []).append(event)
        for group, mine in (groups or {tuple(None for _ in charge.group_keys): []}).items():
            units, full, values = _units(contract, charge, mine, (start, end), (first, natural[1]), of_days)
            if units is None:
                continue
            amount = prices.price(charge.model, terms, units, values, full)
            lines.append(PlainLine((charge.code, position, group), full, cents(amount)))
    due = charge.minimum * (natural[1] - first).days / of_days
    missing = cents(max(due - Fraction(sum(line.cents for line in lines), 100), ZERO))
    yield from lines
    if missing:
        yield PlainLine((charge.code, "minimum"), Fraction(1), missing)


def _place(charge: PlainCharge, event: PlainEvent) -> int:
    """Return the filter that an event belongs to: more keys first, then fewer values, then the older one."""
    matching = [
        (-len(row.values), sum(len(values) for values in row.values.values()), position)
        for position, row in enumerate(charge.filters)
        if all(str(event.properties.get(key)) in values for key, values in row.values.items())
    ]
    return min(matching)[2] if matching else -1


def _group(charge: PlainCharge, event: PlainEvent) -> tuple[Any, ...]:
    return tuple(event.properties.get(key) for key in charge.group_keys)


def _units(
    contract: PlainContract,
    charge: PlainCharge,
    events: list[PlainEvent],
    time: tuple[datetime, datetime],
    days: tuple[date, date],
    of_days: int,
) -> tuple[Fraction | None, Fraction, list[Fraction]]:
    """Return the units that are priced, those that are there, and the values of the events."""
    found = counting.numbers(events)
    values = [value for _, value in found]
    match charge.kind:
        case "count_agg":
            units = Fraction(len(events))
            values = [Fraction(1)] * len(events)
        case "sum_agg":
            units = sum(values, ZERO)
        case "max_agg":
            units = max(values, default=ZERO)
        case "latest_agg":
            units = max(values[-1], ZERO) if values else ZERO
        case "unique_count_agg":
            units = Fraction(len(counting.present(events)))
            values = [Fraction(1)] * int(units)
        case _:
            whole = time[1] - periods.midnight(days[1] - timedelta(days=of_days), contract.timezone)
            units = counting.level(events, *time, whole, charge.recurring)
    counted = counting.rounded(units, charge.rounding)
    if not charge.prorated:
        return counted, counted, values
    full = max(counted, ZERO)
    last = days[1] - periods.DAY
    part = counting.prorated(charge, events, days[0], last, of_days, contract.timezone)
    return counting.rounded(part, charge.rounding), full, values
