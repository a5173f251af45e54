"""The worked sum: a trace told as lines that a person can follow with a calculator. Owns the lines; pages and documents
show and translate them.

Labels are fixed English phrases, so that they can be translated; figures are in the lines' other parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import trace as traces
from catalog.domain import decimals

# Longer figures are cut with a mark: the exact ones stand in the trace.
_SHOWN_PLACES = 10

EVENTS = "Events"
VALUE = "Aggregated value"
ROUNDED_UNITS = "Units, rounded"
PLAN_FEE = "Plan fee"
UNITS = "Units"
TIER = "Tier"
PACKAGES = "Packages"
RATE = "Percentage"
PER_EVENT = "Amount per event"
LIMITS = "Minimum and maximum per event"
GIVEN = "Amount given with the events"
TOTAL = "Total"
ROUNDED = "Rounded half up"

LABELS = (
    EVENTS, VALUE, ROUNDED_UNITS, PLAN_FEE, UNITS, TIER, PACKAGES, RATE, PER_EVENT, LIMITS, GIVEN, TOTAL, ROUNDED,
)  # fmt: skip

_STEP_LABELS = {
    "proration": PLAN_FEE,
    "units": UNITS,
    "tier": TIER,
    "packages": PACKAGES,
    "rate": RATE,
    "per_event": PER_EVENT,
    "limits": LIMITS,
    "given": GIVEN,
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line: what it is (to be translated), what it is about, the formula, the result."""

    label: str
    subject: str
    formula: str
    result: str


def sentences(trace: Mapping[str, Any]) -> list[Sentence]:
    """Return the lines of a worked sum, from the events or the plan's price to the rounded amount in the currency."""
    inputs, rounding = trace["inputs"], trace["rounding"]
    lines = _counted(inputs) if trace["kind"] == traces.CHARGE else []
    lines += [_step(step) for step in trace["steps"]]
    if len(trace["steps"]) != 1:
        formula = " + ".join(_figure(step["total"]) for step in trace["steps"])
        lines.append(Sentence(TOTAL, "", formula, _figure(trace["unrounded"])))
    result = f"{_padded(rounding['result'], rounding['digits'])} {inputs['currency']}"
    lines.append(Sentence(ROUNDED, "", _figure(trace["unrounded"]), result))
    return lines


def _counted(inputs: Mapping[str, Any]) -> list[Sentence]:
    usage, metric = inputs["usage"], inputs["metric"]
    lines = [
        Sentence(EVENTS, metric["code"], "", str(usage["events_count"])),
        Sentence(VALUE, metric["aggregation"], "", _figure(usage["value"])),
    ]
    rule = metric["rounding"]
    if rule is not None:
        formula = f"{rule['function']}({_figure(usage['value'])}, {rule['precision']})"
        lines.append(Sentence(ROUNDED_UNITS, metric["code"], formula, _figure(usage["units"])))
    return lines


def _step(step: Mapping[str, Any]) -> Sentence:
    label = _STEP_LABELS[step["kind"]]
    if step["kind"] == "proration":
        formula = _figure(step["amount"])
        if step["days"] != step["of_days"]:
            formula = f"{formula} × {step['days']} / {step['of_days']}"
        return Sentence(label, "", formula, _figure(step["total"]))
    if step["kind"] in ("limits", "given"):
        return Sentence(label, "", "", _figure(step["total"]))
    formula = f"{_figure(step['quantity'])} × {_figure(step['price'])}"
    if step["per"] != "1":
        formula = f"{formula} / {_figure(step['per'])}"
    if step["flat"] != "0":
        formula = f"{formula} + {_figure(step['flat'])}"
    return Sentence(label, _range(step), formula, _figure(step["total"]))


def _range(step: Mapping[str, Any]) -> str:
    if step["from_value"] is None:
        return ""
    return f"{step['from_value']} – {'∞' if step['to_value'] is None else step['to_value']}"


def _figure(text: str) -> str:
    whole, point, places = text.partition(".")
    return text if len(places) <= _SHOWN_PLACES else f"{whole}{point}{places[:_SHOWN_PLACES]}…"


def _padded(text: str, digits: int) -> str:
    whole, _, places = decimals.text(Decimal(text)).partition(".")
    return f"{whole}.{places.ljust(digits, '0')}" if digits else whole
