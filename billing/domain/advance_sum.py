"""The worked sum of an event that was billed in advance, as lines that a person can follow. Owns the lines; they are
fixed English phrases and figures, as those of `worked_sum` are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

EVENT = "Event"
LEVEL_BEFORE = "Units before the event"
LEVEL_AFTER = "Units after the event"
PEAK_BEFORE = "Most units so far"
NEW_UNITS = "New units"
NEW_UNITS_BY_DAYS = "New units for the days left"
PRICE_WITH = "Price of all units with the event"
PRICE_WITHOUT = "Price without the event"
PRICE_OF_DAYS = "Price of the new units"

LABELS = (
    EVENT, LEVEL_BEFORE, LEVEL_AFTER, PEAK_BEFORE, NEW_UNITS, NEW_UNITS_BY_DAYS, PRICE_WITH, PRICE_WITHOUT,
    PRICE_OF_DAYS,
)  # fmt: skip

STEP_LABELS = {"with_event": PRICE_WITH, "without_event": PRICE_WITHOUT, "new_days": PRICE_OF_DAYS}

Row = tuple[str, str, str, str]
"""Label, subject, formula and result."""


def counted(inputs: Mapping[str, Any], *, figure: Callable[[str], str]) -> list[Row]:
    """Return the lines from the event to its new units; `figure` writes a decimal as it is shown."""
    step = inputs["step"]
    before, after = step["before"], step["after"]
    rows: list[Row] = [
        (EVENT, inputs["event"]["transaction_id"], "", ""),
        (LEVEL_BEFORE, inputs["metric"]["aggregation"], "", figure(before["units"])),
        (LEVEL_AFTER, inputs["metric"]["aggregation"], "", figure(after["units"])),
        (PEAK_BEFORE, "", "", figure(before["peak"])),
        (NEW_UNITS, "", f"{figure(after['peak'])} − {figure(before['peak'])}", figure(step["new_units"])),
    ]
    if "days" in step:
        formula = f"{figure(step['new_units'])} × {step['days']} / {step['of_days']}"
        rows.append((NEW_UNITS_BY_DAYS, "", formula, figure(step["days_units"])))
    return rows
