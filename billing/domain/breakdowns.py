"""Breakdowns of usage: its units by the values of properties that are shown and do not price. Owns what a line tells of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billing.domain import aggregation
from billing.domain.contract import UsageFacts
from catalog.domain import decimals
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.presentation import PresentationKey
from catalog.domain.rounding import Rounding

_ADDITIVE = (Aggregation.COUNT, Aggregation.SUM)


def shown(
    *, usage: UsageFacts, rounding_rule: Rounding | None = None, keys: Sequence[PresentationKey] = ()
) -> tuple[dict[str, Any], ...]:
    """Return the breakdown of a bucket in the order of its values, missing ones last, with units as text.

    Each part is counted by itself: the parts of a sum add up to the units, those of a maximum or of unique values need
    not. Units are rounded as the metric says; where days count, they are those that are there at the end.

    A row of which some `keys` are to be told on the invoice names those in ``on_document``: the rows of the same values
    are one there. Where parts do not add up, that one would be wrong, and all keys are told.
    """
    wanted = [key.name for key in keys if key.display_in_invoice]
    if wanted and aggregation.kind(usage.facts) not in _ADDITIVE:
        wanted = [key.name for key in keys]
    told = {"on_document": wanted} if wanted else {}
    rows = [
        {
            "presentation_by": {name: one.by[name] for name in one.by},
            "units": decimals.text(aggregation.shown_units(facts=one.facts, rounding_rule=rounding_rule)),
            **told,
        }
        for one in sorted(usage.breakdowns, key=lambda one: [(value is None, value or "") for value in one.by.values()])
    ]
    return tuple(rows)
