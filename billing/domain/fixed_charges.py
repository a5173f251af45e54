"""Fixed charges: what an agreed number of an add-on costs in a period. Owns the priced units, what an increase within
a period that is paid already adds, and what was paid for the same add-on before an upgrade.

The price of units is the catalogue's; which period is billed is `fixed_dues`', which units it has `fixed_units`'.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import fixed_units
from billing.domain.fixed_units import UnitsHeld
from catalog.domain import decimals
from catalog.domain.pricing import models, properties, values
from catalog.domain.pricing.models import ChargeModel
from config.kernel import money
from config.kernel.dates import Period

Id = int | str


@dataclass(frozen=True, slots=True)
class PaidBefore:
    """What was paid for an add-on, in major units, for so many days, of which `left_days` are billed anew.

    What an upgrade took off the price was paid too, by the plan before.
    """

    amount: Decimal
    days: int
    left_days: int

    def credit(self, *, currency: str) -> Decimal:
        """Return what of it is for the days billed anew: rounded once, to the currency."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return money.quantize(self.amount * min(self.left_days, self.days) / self.days, currency=currency)


@dataclass(frozen=True, slots=True)
class Increase:
    """A number of units that is agreed within a period paid in advance, and the units that were billed of it before."""

    agreed: Decimal
    billed: Decimal

    @property
    def units(self) -> Decimal:
        """Return the units to be billed: none for fewer than before, as nothing is given back."""
        return max(self.agreed - self.billed, values.ZERO)


@dataclass(frozen=True, slots=True)
class FixedChargeFacts:
    """A fixed charge for one invoice.

    `units` are those that are shown. A prorated one is priced by the days on which units were `held`, of the
    `of_days` of a whole period; without days all units count. An `increase` is billed alone, and is told even when it
    costs nothing. `paid_before` is taken off the price, which does not get below nothing.
    """

    id: Id
    code: str
    model: ChargeModel
    properties: Mapping[str, object]
    period: Period
    units: Decimal
    held: tuple[UnitsHeld, ...] | None = None
    of_days: int = 1
    pay_in_advance: bool = False
    name: str = ""
    increase: Increase | None = None
    paid_before: tuple[PaidBefore, ...] = ()


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """What a fixed charge comes to, unrounded: the model's price, and the amount without what was paid before."""

    price: values.PriceResult
    credit: Decimal
    amount: Decimal


def price(facts: FixedChargeFacts, *, currency: str) -> FixedPrice:
    """Price a fixed charge. Amounts in major units, unrounded. Raises InvalidProperties for what does not price."""
    terms = properties.parse(model=facts.model, raw=facts.properties)
    return _price(terms, facts.units, facts.held, facts.of_days, facts.paid_before, currency)


def priced_units(*, units: Decimal, held: Sequence[UnitsHeld] | None, of_days: int) -> Decimal:
    """Return the units that are priced: all of them, or their shares of the period."""
    return units if held is None else fixed_units.prorated(held, of_days=of_days)


def written(facts: FixedChargeFacts) -> dict[str, Any]:
    """Return what a trace stores of a fixed charge: plain JSON values, decimals as text."""
    terms = properties.parse(model=facts.model, raw=facts.properties)
    stored: dict[str, Any] = {
        "charge": {
            "id": facts.id,
            "code": facts.code,
            "model": str(facts.model),
            "properties": properties.written(terms),
        },
        "pay_in_advance": facts.pay_in_advance,
        "units": decimals.text(facts.units),
        "held": None,
        "increase": None,
        "paid_before": [
            {"amount": decimals.text(paid.amount), "days": paid.days, "left_days": paid.left_days}
            for paid in facts.paid_before
        ],
    }
    if facts.held is not None:
        parts = [{"units": decimals.text(part.units), "days": part.days} for part in facts.held]
        stored["held"] = {
            "parts": parts,
            "of_days": facts.of_days,
            "units": decimals.text(priced_units(units=facts.units, held=facts.held, of_days=facts.of_days)),
        }
    if facts.increase is not None:
        stored["increase"] = {
            "agreed": decimals.text(facts.increase.agreed),
            "billed": decimals.text(facts.increase.billed),
        }
    return stored


def taken_off(stored: Mapping[str, Any], *, currency: str) -> Decimal:
    """Return what was taken off the price for what was paid before, by what a trace stores; none in most cases."""
    return price_again(stored, currency=currency).credit


def not_taken(facts: FixedChargeFacts, *, currency: str) -> tuple[PaidBefore, ...]:
    """Return what is left of what was paid before: for another fixed charge of the same add-on, and the same days."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        whole = sum((paid.credit(currency=currency) for paid in facts.paid_before), values.ZERO)
        left = whole - price(facts, currency=currency).credit
    return (PaidBefore(left, 1, 1),) if left else ()


def told(facts: FixedChargeFacts, priced: FixedPrice) -> dict[str, object]:
    """Return what a line tells beside the model's details: the days of units that were there for a part of the period,
    and what was paid before. Decimals as text.
    """
    found: dict[str, object] = {}
    held = facts.held or ()
    if any(part.days != facts.of_days for part in held):
        found["held"] = [{"units": decimals.text(part.units), "days": part.days} for part in held if part.days]
        found["of_days"] = facts.of_days
    if priced.credit:
        found["paid_before"] = decimals.text(priced.credit)
    return found


def price_again(stored: Mapping[str, Any], *, currency: str) -> FixedPrice:
    """Price a fixed charge by what a trace stores of it, and by nothing else."""
    charge, days, increase = stored["charge"], stored["held"], stored["increase"]
    units, held, of_days = Decimal(stored["units"]), None, 1
    if increase is not None:
        units = Increase(Decimal(increase["agreed"]), Decimal(increase["billed"])).units
    if days is not None:
        held = tuple(UnitsHeld(Decimal(part["units"]), part["days"]) for part in days["parts"])
        of_days = days["of_days"]
    paid = tuple(PaidBefore(Decimal(one["amount"]), one["days"], one["left_days"]) for one in stored["paid_before"])
    terms = properties.parse(model=charge["model"], raw=charge["properties"])
    return _price(terms, units, held, of_days, paid, currency)


def _price(
    terms: models.Properties,
    units: Decimal,
    held: Sequence[UnitsHeld] | None,
    of_days: int,
    paid_before: Sequence[PaidBefore],
    currency: str,
) -> FixedPrice:
    usage = values.Usage(
        units=priced_units(units=units, held=held, of_days=of_days), full_units=None if held is None else units
    )
    result = models.price(properties=terms, usage=usage)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        credit = sum((paid.credit(currency=currency) for paid in paid_before), values.ZERO)
        credit = min(credit, result.amount)
        return FixedPrice(result, credit, result.amount - credit)
