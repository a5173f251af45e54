"""What a trace tells of usage that is measured by the time that it is held. Owns its form, and reading it back: value,
units at the end, and changes come from the stored days and seconds alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import aggregation, prorated_usage
from billing.domain.aggregation import Facts
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.weighted_sum import Weighted
from catalog.domain import decimals
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.models import Properties
from catalog.domain.pricing.values import Movement
from catalog.domain.rounding import Rounding

DAYS = "days"
SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Timed:
    """What pricing reads beside prorated units: those that are there at the end, and the changes in their order."""

    full_units: Decimal | None = None
    movements: tuple[Movement, ...] = ()


def timed(*, facts: Facts, rounding_rule: Rounding | None = None) -> Timed:
    """Return what pricing reads of facts beside the units; nothing of those that do not count days."""
    if not isinstance(facts, Prorated):
        return Timed()
    full_units = aggregation.full_units(facts=facts, rounding_rule=rounding_rule)
    return Timed(full_units, prorated_usage.movements(held=facts.held, of_days=facts.of_days))


def written(*, facts: Facts, terms: Properties) -> dict[str, Any] | None:
    """Return what a trace stores of facts that are measured by time, or nothing.

    Changes keep their order where the price depends on it, else there is one for each number of days.
    """
    if isinstance(facts, Weighted) and facts.seconds is not None:
        return {
            "by": SECONDS,
            "area": decimals.text(facts.area),
            "of_seconds": decimals.text(facts.seconds),
            "level": decimals.text(facts.level),
        }
    if isinstance(facts, Prorated):
        held = facts.held if isinstance(terms, Graduated) else prorated_usage.by_days(facts.held)
        return {
            "by": DAYS,
            "changes": [{"units": decimals.text(change.units), "days": change.days} for change in held],
            "of_days": facts.of_days,
            "full_units": decimals.text(facts.full_units),
        }
    return None


def facts_of(*, stored: Mapping[str, Any], kind: Aggregation, events_count: int) -> Facts:
    """Return the facts that were stored in a trace."""
    if stored["by"] == SECONDS:
        return Weighted(
            events_count=events_count,
            area=Decimal(stored["area"]),
            level=Decimal(stored["level"]),
            seconds=Decimal(stored["of_seconds"]),
        )
    return Prorated(
        kind=kind,
        events_count=events_count,
        full_units=Decimal(stored["full_units"]),
        held=tuple(Held(Decimal(change["units"]), change["days"]) for change in stored["changes"]),
        of_days=stored["of_days"],
    )
