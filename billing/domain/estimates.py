"""What one event alone would cost, whatever came before it. Owns the rule; nothing of it is billed.

It is for prices that do not depend on other events: so much a unit, or a percentage with what each transaction costs.
What is free of a percentage is left out, because only the events before can tell whether any of it is left.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from billing.domain import pricing_units
from billing.domain.pricing_units import PricingUnit
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import values
from catalog.domain.pricing.models import ChargeModel, Properties
from catalog.domain.pricing.percentage import Percentage
from catalog.domain.pricing.standard import Standard
from config.kernel import errors, money

MODELS = frozenset({ChargeModel.STANDARD, ChargeModel.PERCENTAGE})
"""The models whose price of an event can be told from the event alone."""

REMOVE = "remove"


class NotInstant(errors.Invalid):
    """The price of an event depends on others."""


def units(
    *, kind: Aggregation, number: Decimal | None = None, text: str | None = None, operation: str | None = None
) -> Decimal | None:
    """Return the units of an event alone, never fewer than none; nothing where the event does not count at all.

    `number` and `text` are what the metric reads, `operation` is what the event does to a unique value.
    """
    if kind is Aggregation.COUNT:
        return values.ONE
    if kind is Aggregation.UNIQUE_COUNT:
        if text is None:
            return None
        return values.ZERO if operation == REMOVE else values.ONE
    return None if number is None else max(number, values.ZERO)


def amount(*, terms: Properties, units: Decimal) -> Decimal:
    """Return what an event of so many units costs alone: major units of the price, unrounded.

    A percentage has its amount per event, and is held between its limits, for an event of no value too. Raises
    NotInstant for all other models than `MODELS`.
    """
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        if isinstance(terms, Standard):
            return units * terms.amount
        if isinstance(terms, Percentage):
            price = units * terms.rate / values.HUNDRED + terms.fixed_amount
            if terms.minimum is not None:
                price = max(price, terms.minimum)
            return price if terms.maximum is None else min(price, terms.maximum)
    raise NotInstant("does_not_match_an_instant_charge", "The price of an event depends on others.")


@dataclass(frozen=True, slots=True)
class Price:
    """What an event comes to: units that it adds and those that are there then, and amounts in the currency, unrounded.

    ``pricing_unit`` are the same amounts in the pricing unit of the price, if it has one, as lines store them.
    """

    units: Decimal = values.ZERO
    total_units: Decimal = values.ZERO
    events_count: int = 0
    precise_amount: Decimal = values.ZERO
    unit_amount: Decimal = values.ZERO
    pricing_unit: Mapping[str, str] | None = None


def price(*, terms: Properties, units: Decimal | None, pricing_unit: PricingUnit | None = None) -> Price:
    """Price an event alone, by its pricing unit if it has one. An event that does not count costs nothing.

    Raises NotInstant for a model whose price depends on other events.
    """
    if units is None:
        return Price()
    found = amount(terms=terms, units=units)
    average = values.average(found, units)
    if pricing_unit is None:
        return Price(units, units, 1, found, average)
    rate = pricing_unit.conversion_rate
    return Price(
        units=units,
        total_units=units,
        events_count=1,
        precise_amount=pricing_units.in_money(amount=found, conversion_rate=rate),
        unit_amount=pricing_units.unit_price(amount=average, conversion_rate=rate),
        pricing_unit=pricing_units.details(unit=pricing_unit, amount=found, unit_amount=average),
    )
