"""Percentage price: a share of the value that passes through, and maybe an amount per event. Owns its formula.

Some of the value or of the events can be free, and the price of each event can be held between a minimum and a maximum.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.domain import decimals
from catalog.domain.pricing import values
from config.kernel import errors, money


@dataclass(frozen=True, slots=True)
class Percentage:
    """A percentage (1.2 for 1.2 %), an amount per event, what is free, and the limits of one event.

    Amounts are in major units. Zero free events or a zero free value mean that there are none.
    """

    rate: Decimal
    fixed_amount: Decimal = values.ZERO
    free_events: int = 0
    free_value: Decimal = values.ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def needs_values(self) -> bool:
        """Say whether the value of each event matters, and not only their sum and number."""
        return bool(self.free_events or self.free_value or self.has_limits)

    @property
    def values_limit(self) -> int | None:
        """Return how many values at most can matter, the first ones; nothing where there is no such number."""
        if self.has_limits or not self.free_events:
            return None if self.needs_values else 0
        return self.free_events

    @property
    def has_limits(self) -> bool:
        """Say whether the price of each event is limited."""
        return self.minimum is not None or self.maximum is not None


@dataclass(frozen=True, slots=True)
class _Count:
    free_value: Decimal
    free_events: int
    paid_value: Decimal
    paid_events: int
    limits: Decimal = values.ZERO


class ValuesMissing(errors.Invalid):
    """The price depends on the value of each event, and the values are not there."""


def needed(*, properties: Percentage, found: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return those of the events' values, in their order, that decide about the price: often only the first few."""
    if not properties.needs_values:
        return ()
    if properties.has_limits or properties.free_events:
        return tuple(found[: properties.values_limit])
    reached = values.ZERO
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for position, value in enumerate(found):
            if reached > properties.free_value:
                return tuple(found[:position])
            reached += value
    return tuple(found)


def price(*, properties: Percentage, usage: values.Usage) -> values.PriceResult:
    """Price paid value x rate / 100 + paid events x fixed amount, in major units, unrounded.

    Events are free in their order, while both a free event and free value are left (of those that are set); the event
    that uses up the free value pays for the rest. Raises ValuesMissing when that order matters and `usage.values` is
    missing.
    """
    if properties.needs_values and usage.events_count and not usage.values:
        raise ValuesMissing("values_missing", "A percentage with free or limited events needs the value of each event.")
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        count = _limited(properties, usage) if properties.has_limits else _counted(properties, usage)
    return _result(properties, usage, count)


def _counted(properties: Percentage, usage: values.Usage) -> _Count:
    running = _running_totals(properties, usage)
    free_value = values.ZERO
    if running:
        free_value = min(running[-1], properties.free_value) if properties.free_value else running[-1]
    below = sum(1 for value in running if value < properties.free_value)
    free_events = min((number for number in (properties.free_events, below) if number), default=0)
    # Events that cancel out owe no fixed amount either.
    paid_events = max(usage.events_count - free_events, 0) if usage.units else 0
    return _Count(free_value, usage.events_count - paid_events, usage.units - free_value, paid_events)


def _running_totals(properties: Percentage, usage: values.Usage) -> list[Decimal]:
    # Over the events that can be free: the first ones, or those up to the one that uses up the free value.
    totals: list[Decimal] = []
    if not properties.free_events and not properties.free_value:
        return totals
    reached = values.ZERO
    for value in needed(properties=properties, found=usage.values):
        reached += value
        totals.append(reached)
    return totals


def _limited(properties: Percentage, usage: values.Usage) -> _Count:
    events_left, value_left = properties.free_events, properties.free_value
    some_free = bool(events_left or value_left)
    free_value, paid_value, adjustment = values.ZERO, values.ZERO, values.ZERO
    free_events = paid_events = 0
    for value in usage.values:
        charged = value
        if some_free:
            events_left -= 1
            charged = max(value - value_left, values.ZERO) if properties.free_value else values.ZERO
            value_left -= value - charged
            free_value += value - charged
            some_free = not charged and (events_left > 0 or not properties.free_events)
            some_free = some_free and (value_left > 0 or not properties.free_value)
            if not charged:
                free_events += 1
                continue
        owed = charged * properties.rate / values.HUNDRED + properties.fixed_amount
        low = owed if properties.minimum is None else max(owed, properties.minimum)
        adjustment += (low if properties.maximum is None else min(low, properties.maximum)) - owed
        paid_value += charged
        paid_events += 1
    return _Count(free_value, free_events, paid_value, paid_events, adjustment)


def _result(properties: Percentage, usage: values.Usage, count: _Count) -> values.PriceResult:
    share = values.Step(values.StepKind.RATE, quantity=count.paid_value, price=properties.rate, per=values.HUNDRED)
    fixed = values.Step(values.StepKind.PER_EVENT, quantity=Decimal(count.paid_events), price=properties.fixed_amount)
    limits = values.Step(values.StepKind.LIMITS, quantity=values.ONE, price=count.limits)
    steps = (share, *([fixed] if properties.fixed_amount else []), *([limits] if count.limits else []))
    amount = values.total(steps)
    details = {
        "units": decimals.text(usage.units),
        "free_units": decimals.text(count.free_value),
        "free_events": count.free_events,
        "paid_units": decimals.text(count.paid_value),
        "rate": decimals.text(properties.rate),
        "per_unit_total_amount": decimals.text(share.total),
        "paid_events": count.paid_events,
        "fixed_fee_unit_amount": decimals.text(properties.fixed_amount),
        "fixed_fee_total_amount": decimals.text(fixed.total),
        "min_max_adjustment_total_amount": decimals.text(count.limits),
    }
    return values.PriceResult(amount, values.average(amount, usage.units), steps, details)
