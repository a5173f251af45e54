"""Makers of metrics, taxes, add-ons, pricing units and plans, through the services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalog.models import AddOn, BillableMetric, PlanVersion, PricingUnit, Tax
from catalog.services import add_ons, metrics, plans, pricing_units, taxes
from tests.factories.platform import ACTOR, AT


def make_tax(code: str = "vat", rate: str = "0.19", *, at: datetime = AT) -> Tax:
    """Make a tax; the rate is a fraction."""
    return taxes.create(values={"code": code, "name": code.upper(), "rate": Decimal(rate)}, actor=ACTOR, at=at)


def make_metric(
    code: str = "requests", aggregation: str = "count_agg", *, at: datetime = AT, **values: Any
) -> BillableMetric:
    """Make a metric; all but a count read the property of the metric's own code unless told otherwise."""
    field = {} if aggregation == "count_agg" else {"field_name": code}
    content: Any = {"code": code, "name": code.capitalize(), "aggregation_type": aggregation, **field, **values}
    return metrics.create(values=content, actor=ACTOR, at=at)


def make_add_on(
    code: str = "seat", *, cents: int = 1000, currency: str = "EUR", at: datetime = AT, **values: Any
) -> AddOn:
    """Make an add-on."""
    content: Any = {
        "code": code,
        "name": code.capitalize(),
        "amount_cents": cents,
        "amount_currency": currency,
        **values,
    }
    return add_ons.create(values=content, actor=ACTOR, at=at)


def make_pricing_unit(code: str = "credits", short_name: str = "CR", *, at: datetime = AT) -> PricingUnit:
    """Make a pricing unit."""
    content: Any = {"code": code, "name": code.capitalize(), "short_name": short_name}
    return pricing_units.create(values=content, actor=ACTOR, at=at)


def make_plan(
    code: str = "starter",
    *,
    cents: int = 2900,
    currency: str = "EUR",
    interval: str = "monthly",
    charges: Sequence[Any] = (),
    at: datetime = AT,
    **values: Any,
) -> PlanVersion:
    """Make a plan and return its first version."""
    content: Any = {
        "code": code,
        "name": code.capitalize(),
        "interval": interval,
        "amount_cents": cents,
        "amount_currency": currency,
        "charges": list(charges),
        **values,
    }
    return plans.create(values=content, actor=ACTOR, at=at)


def standard(metric: BillableMetric, amount: str = "0.10", **values: Any) -> dict[str, Any]:
    """Return a charge of a price per unit, as services and the API's plans take it."""
    return {
        "billable_metric_id": metric.uuid,
        "charge_model": "standard",
        "properties": {"amount": amount},
        **values,
    }


def fixed(add_on: AddOn, units: int | str = 10, amount: str = "10", **values: Any) -> dict[str, Any]:
    """Return a fixed charge of a price per unit, as services take it."""
    return {
        "add_on_code": add_on.code,
        "charge_model": "standard",
        "units": Decimal(units),
        "properties": {"amount": amount},
        **values,
    }
