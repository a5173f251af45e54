"""Makers of rare prices, by rows: what the usage of a plan is priced in, and when it is paid."""

from __future__ import annotations

from decimal import Decimal

from catalog.models import Charge, PlanVersion, PricingUnit


def in_unit(version: PlanVersion, unit: PricingUnit, rate: str) -> None:
    """Price all usage of a plan in a pricing unit."""
    Charge.objects.filter(plan_version=version).update(pricing_unit=unit, conversion_rate=Decimal(rate))


def in_advance(version: PlanVersion) -> None:
    """Let all usage of a plan be paid event by event."""
    Charge.objects.filter(plan_version=version).update(pay_in_advance=True)
