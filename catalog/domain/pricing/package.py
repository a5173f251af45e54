"""Package price: units are sold in packages, after some free ones. Owns its formula."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal

from catalog.domain import decimals
from catalog.domain.pricing import values
from config.kernel import money


@dataclass(frozen=True, slots=True)
class Package:
    """A price per package in major units, the units that a package holds, and the units that are free."""

    amount: Decimal
    package_size: Decimal
    free_units: Decimal


def price(*, properties: Package, usage: values.Usage) -> values.PriceResult:
    """Price the packages begun by the units beyond the free ones, in major units. The unit amount is a paid unit's."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        paid = max(usage.units - properties.free_units, values.ZERO)
        free = usage.units - paid
        packages = money.ceil_to(paid / properties.package_size, 0)
    step = values.Step(values.StepKind.PACKAGES, quantity=packages, price=properties.amount)
    details = {
        "free_units": decimals.text(free),
        "paid_units": decimals.text(paid),
        "per_package_size": decimals.text(properties.package_size),
        "per_package_unit_amount": decimals.text(properties.amount),
    }
    return values.PriceResult(step.total, values.average(step.total, paid), (step,), details)
