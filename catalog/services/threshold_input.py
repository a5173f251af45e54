"""Usage thresholds as they come in, made into those of a price list. Owns identity and order; what a good list is, is
the domain's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID, uuid4

from catalog.domain import usage_thresholds
from catalog.domain.usage_thresholds import UsageThreshold
from config.kernel import errors


class ThresholdValues(TypedDict, total=False):
    """A threshold as it comes in. ``id`` names one that exists; without it one of the same amount is the same one."""

    id: UUID
    amount_cents: int
    threshold_display_name: str
    recurring: bool


def thresholds(
    *, values: Sequence[ThresholdValues], existing: Sequence[UsageThreshold], at: datetime
) -> tuple[UsageThreshold, ...]:
    """Return the full list of thresholds that the values describe: by amount, the recurring one last.

    One is matched with an existing one by its id, else by amount and kind; unmatched existing ones are left out.
    Raises InvalidThresholds, and NotFound (`usage_threshold_not_found`) for an unknown id.
    """
    found: list[UsageThreshold] = []
    for row in values:
        before = _match(row, existing)
        amount = row.get("amount_cents", 0 if before is None else before.amount_cents)
        recurring = row.get("recurring", False if before is None else before.recurring)
        name = row.get("threshold_display_name", "" if before is None else before.name)
        key = uuid4() if before is None or before.key in {one.key for one in found} else before.key
        since = at if before is None else before.since
        found.append(UsageThreshold(key=key, amount_cents=amount, recurring=recurring, name=name, since=since))
    usage_thresholds.demand_good(found)
    return tuple(sorted(found, key=lambda one: (one.recurring, one.amount_cents)))


def _match(row: ThresholdValues, existing: Sequence[UsageThreshold]) -> UsageThreshold | None:
    if row.get("id"):
        for one in existing:
            if one.key == row["id"]:
                return one
        raise errors.NotFound("usage_threshold_not_found", "There is no usage threshold of this id.")
    same = (row.get("amount_cents"), bool(row.get("recurring")))
    return next((one for one in existing if (one.amount_cents, one.recurring) == same), None)
