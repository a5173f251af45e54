"""The trace of an event that was billed in advance: the level before and after it, and the two prices. Owns its form,
and computing it again from the stored levels alone.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing.domain import advance, pricing_units
from billing.domain.advance import Level, Priced, Step
from billing.domain.proration import Share
from catalog.domain import decimals
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import properties
from config.kernel import money

WITH_EVENT = "with_event"
WITHOUT_EVENT = "without_event"
NEW_DAYS = "new_days"


def written(step: Step) -> dict[str, Any]:
    """Return what a trace stores of an event's step: both levels, the value that it was priced by, and the days."""
    stored: dict[str, Any] = {
        "before": _level(step.before),
        "after": _level(step.after),
        "new_units": decimals.text(step.new_units),
        "event_value": None if step.value is None else decimals.text(step.value),
    }
    if step.share is not None:
        stored["days"], stored["of_days"] = step.share.days, step.share.of_days
        stored["days_units"] = decimals.text(step.days_units)
    return stored


def steps(step: Step, priced: Priced) -> list[dict[str, Any]]:
    """Return the steps of the worked sum: the price with the event less the one without, or that of the days left."""
    if step.share is not None:
        return [
            {
                "kind": NEW_DAYS,
                "units": decimals.text(step.days_units),
                "total": decimals.text(priced.with_event),
            }
        ]
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        without = -priced.without_event
    return [
        {"kind": WITH_EVENT, "units": decimals.text(step.after.peak), "total": decimals.text(priced.with_event)},
        {"kind": WITHOUT_EVENT, "units": decimals.text(step.before.peak), "total": decimals.text(without)},
    ]


def recomputed(inputs: Mapping[str, Any]) -> Decimal:
    """Price the event again from the stored levels, in major units of the currency, unrounded."""
    stored, charge = inputs["step"], inputs["charge"]
    terms = properties.parse(model=charge["model"], raw=charge["properties"])
    share = Share(stored["days"], stored["of_days"]) if "days" in stored else None
    value = stored["event_value"]
    again = Step(_read(stored["before"]), _read(stored["after"]), None if value is None else Decimal(value), share)
    kind = Aggregation(inputs["metric"]["aggregation"])
    amount = advance.price(step=again, terms=terms, kind=kind).amount
    return pricing_units.converted_again(stored=inputs.get("pricing_unit"), amount=amount)


def _level(level: Level) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "events_count": level.events_count,
        "base": decimals.text(level.base),
        "units": decimals.text(level.units),
        "peak": decimals.text(level.peak),
        "days_units": decimals.text(level.days_units),
    }
    if level.given_amount:
        stored["given_amount"] = decimals.text(level.given_amount)
    if level.found:
        stored["values"] = [decimals.text(value) for value in level.found]
    return stored


def _read(stored: Mapping[str, Any]) -> Level:
    return Level(
        events_count=stored["events_count"],
        base=Decimal(stored["base"]),
        units=Decimal(stored["units"]),
        peak=Decimal(stored["peak"]),
        days_units=Decimal(stored["days_units"]),
        given_amount=Decimal(stored.get("given_amount", "0")),
        found=tuple(Decimal(value) for value in stored.get("values", ())),
    )
