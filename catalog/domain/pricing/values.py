"""Values that all charge models share: what is priced, and what comes out. Owns the arithmetic of a step."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from catalog.domain import decimals
from config.kernel import money

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

# What the API shows as `amount_details`: figures as text.
Details = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of a recurring quantity: by how much, and the part of it that the rest of the period counts."""

    units: Decimal
    prorated_units: Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """What is priced.

    `units` are the aggregated units, `events_count` the number of events behind them. `full_units` is the number that
    is not prorated, where it differs: it chooses the range. `values` are the events' values in their order
    (percentage with free or limited transactions), `movements` the changes of a prorated quantity (graduated),
    `given_amount` the amount in major units that the events carried themselves (dynamic).
    """

    units: Decimal
    events_count: int = 0
    full_units: Decimal | None = None
    values: tuple[Decimal, ...] = ()
    movements: tuple[Movement, ...] = ()
    given_amount: Decimal = ZERO

    @property
    def counted_units(self) -> Decimal:
        """Return the units that are not prorated."""
        return self.units if self.full_units is None else self.full_units


class StepKind(StrEnum):
    """What a step of a price is."""

    UNITS = "units"
    TIER = "tier"
    PACKAGES = "packages"
    RATE = "rate"
    PER_EVENT = "per_event"
    LIMITS = "limits"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the worked sum: quantity x price / per + flat. The steps of a price sum to its amount.

    `per` is 100 where the price is a percentage. A tier holds the units above `from_value` (the first unit's number
    as the catalogue writes it) up to `to_value`, which is missing in the last one.
    """

    kind: StepKind
    quantity: Decimal
    price: Decimal
    flat: Decimal = ZERO
    per: Decimal = ONE
    from_value: Decimal | None = None
    to_value: Decimal | None = None

    @property
    def units_total(self) -> Decimal:
        """Return the amount of the quantity alone, in major units, unrounded."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return self.quantity * self.price / self.per

    @property
    def total(self) -> Decimal:
        """Return the amount of the step with its flat amount, in major units, unrounded."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return self.units_total + self.flat


@dataclass(frozen=True, slots=True)
class PriceResult:
    """A price: unrounded amount in major units, average price of a unit, the steps that sum to it, API details."""

    amount: Decimal
    unit_amount: Decimal
    steps: tuple[Step, ...] = ()
    details: Details = field(default_factory=dict)


def total(steps: tuple[Step, ...]) -> Decimal:
    """Sum the steps, in major units, unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return sum((step.total for step in steps), ZERO)


def average(amount: Decimal, units: Decimal) -> Decimal:
    """Divide an amount by units; without units the average is zero."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount / units if units else ZERO


def optional_text(value: Decimal | None) -> str | None:
    """Write a decimal as text, and nothing as nothing."""
    return None if value is None else decimals.text(value)
