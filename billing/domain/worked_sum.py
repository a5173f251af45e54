"""The worked sum: a trace told as lines that a person can follow with a calculator. Owns the lines; pages and documents
show and translate them.

Labels are fixed English phrases, so that they can be translated; figures are in the lines' other parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import adjusted_trace, advance_sum, contract_trace, held_trace
from billing.domain import trace as traces
from catalog.domain import decimals

# Longer figures are cut with a mark: the exact ones stand in the trace.
_SHOWN_PLACES = 10
_SHOWN_CHANGES = 12

EVENTS = "Events"
VALUE = "Aggregated value"
AT_END = "Units at the end"
LEVEL_AT_END = "Level at the end"
ROUNDED_UNITS = "Units, rounded"
PLAN_FEE = "Plan fee"
UNITS = "Units"
TIER = "Tier"
FREE_UNITS = "Free units"
PAID_UNITS = "Units beyond the free ones"
PACKAGES_BEGUN = "Packages begun, units in each"
PACKAGES = "Packages"
RATE = "Percentage"
PER_EVENT = "Amount per event"
LIMITS = "Minimum and maximum per event"
GIVEN = "Amount given with the events"
MINIMUM = "Minimum of the charge"
BILLED = "Usage billed"
COMMITMENT = "Minimum commitment"
FEE_BILLED = "Plan fee billed"
FIXED_BILLED = "Fixed charges billed"
NOW = "All usage of the time"
SETTLED = "Billed or decided before"
LATER = "Left for later"
TOTAL = "Total"
ROUNDED_IN_UNIT = "Rounded in the pricing unit"
CONVERTED = "Converted"
AGREED_UNITS = "Units agreed, less those billed"
UNITS_OF_DAYS = "Units by their days"
PAID_BEFORE = "Paid before for the same days"
ROUNDED = "Rounded half up"
TERM_COMMITTED = "Committed over the term"
TERM_COUNTED = "Billed in the term, less credits"
ADJUSTED = "Adjusted by hand, computed were"

LABELS = (
    EVENTS, VALUE, AT_END, LEVEL_AT_END, ROUNDED_UNITS, PLAN_FEE, UNITS, TIER, FREE_UNITS, PAID_UNITS, PACKAGES_BEGUN,
    PACKAGES, RATE, PER_EVENT, LIMITS, GIVEN, MINIMUM, BILLED, COMMITMENT, FEE_BILLED, FIXED_BILLED, AGREED_UNITS,
    UNITS_OF_DAYS, PAID_BEFORE, NOW, SETTLED, LATER, TOTAL, ROUNDED_IN_UNIT, CONVERTED, ROUNDED, TERM_COMMITTED,
    TERM_COUNTED, ADJUSTED, *advance_sum.LABELS,
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
    "minimum": MINIMUM,
    "billed": BILLED,
    "commitment": COMMITMENT,
    "counted_subscription": FEE_BILLED,
    "counted_charge": BILLED,
    "counted_fixed_charge": FIXED_BILLED,
    "now": NOW,
    "settled": SETTLED,
    "later": LATER,
    "paid_before": PAID_BEFORE,
    contract_trace.COMMITTED: TERM_COMMITTED,
    contract_trace.COUNTED: TERM_COUNTED,
    **advance_sum.STEP_LABELS,
}


# Steps that are a figure without a formula.
_PLAIN = (
    "limits", "given", "billed", "paid_before", "now", "settled", "later", "counted_subscription", "counted_charge",
    "counted_fixed_charge", contract_trace.COUNTED,
)  # fmt: skip


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
    if trace["kind"] == traces.LATE_USAGE and inputs["now"] is not None:
        lines = sentences(inputs["now"])
    if trace["kind"] == adjusted_trace.KIND:
        was = inputs["was"]["rounding"]
        figure = f"{_padded(was['result'], was['digits'])} {inputs['currency']}"
        lines = [Sentence(ADJUSTED, inputs["by"], inputs["reason"], figure)]
    if trace["kind"] == traces.FIXED_CHARGE:
        lines = _agreed(inputs)
    if trace["kind"] == traces.ADVANCE:
        lines = [Sentence(*row) for row in advance_sum.counted(inputs, figure=_figure)]
    for step in trace["steps"]:
        if step["kind"] == "packages":
            lines += _packed(inputs, step)
        lines.append(_step(step))
    if len(trace["steps"]) != 1:
        formula = " + ".join(_figure(step["total"]) for step in trace["steps"]).replace("+ -", "− ")
        lines.append(Sentence(TOTAL, "", formula, _figure(trace.get("conversion", trace)["unrounded"])))
    lines += _converted(trace)
    result = f"{_padded(rounding['result'], rounding['digits'])} {inputs['currency']}"
    lines.append(Sentence(ROUNDED, "", _figure(trace["unrounded"]), result))
    return lines


def _counted(inputs: Mapping[str, Any]) -> list[Sentence]:
    usage, metric = inputs["usage"], inputs["metric"]
    lines = [
        Sentence(EVENTS, metric["code"], "", str(usage["events_count"])),
        Sentence(VALUE, metric["aggregation"], _held(usage), _figure(usage["value"])),
        *_at_end(usage),
    ]
    rule = metric["rounding"]
    if rule is not None:
        formula = f"{rule['function']}({_figure(usage['value'])}, {rule['precision']})"
        lines.append(Sentence(ROUNDED_UNITS, metric["code"], formula, _figure(usage["units"])))
    return lines


def _agreed(inputs: Mapping[str, Any]) -> list[Sentence]:
    """How agreed units came to priced ones: what is new of them, and the days on which they were there."""
    lines: list[Sentence] = []
    increase, held = inputs["increase"], inputs["held"]
    if increase is not None:
        formula = f"{_figure(increase['agreed'])} − {_figure(increase['billed'])}"
        lines.append(Sentence(AGREED_UNITS, inputs["charge"]["code"], formula, _figure(inputs["units"])))
    if held is not None:
        terms = [f"{_figure(part['units'])} × {part['days']} / {held['of_days']}" for part in held["parts"]]
        more = " + …" if len(terms) > _SHOWN_CHANGES else ""
        formula = f"{' + '.join(terms[:_SHOWN_CHANGES])}{more}"
        lines.append(Sentence(UNITS_OF_DAYS, inputs["charge"]["code"], formula, _figure(held["units"])))
    return lines


def _held(usage: Mapping[str, Any]) -> str:
    """How days or seconds came to the value: "(5 × 31 + 10 × 16) / 31"."""
    held = usage.get("held")
    if held is None:
        return ""
    if held["by"] == held_trace.SECONDS:
        return f"{_figure(held['area'])} / {_figure(held['of_seconds'])}"
    counted = [change for change in held["changes"] if change["days"]]
    terms = [f"{_figure(change['units'])} × {change['days']}" for change in counted[:_SHOWN_CHANGES]]
    more = " + …" if len(counted) > _SHOWN_CHANGES else ""
    return f"({' + '.join(terms)}{more}) / {held['of_days']}" if terms else ""


def _at_end(usage: Mapping[str, Any]) -> list[Sentence]:
    held = usage.get("held")
    if held is None:
        return []
    if held["by"] == held_trace.SECONDS:
        return [Sentence(LEVEL_AT_END, "", "", _figure(held["level"]))]
    return [Sentence(AT_END, "", "", _figure(held["full_units"]))]


def _converted(trace: Mapping[str, Any]) -> list[Sentence]:
    """From an amount in a pricing unit to money: "12.35 × 0.01"."""
    conversion = trace.get("conversion")
    if conversion is None:
        return []
    unit = trace["inputs"]["pricing_unit"]
    amount = _padded(conversion["amount"], conversion["digits"])
    rate = _figure(unit["conversion_rate"])
    return [
        Sentence(ROUNDED_IN_UNIT, unit["code"], _figure(conversion["unrounded"]), f"{amount} {unit['short_name']}"),
        Sentence(CONVERTED, unit["code"], f"{amount} × {rate}", _figure(conversion["total"])),
    ]


def _packed(inputs: Mapping[str, Any], step: Mapping[str, Any]) -> list[Sentence]:
    """How the units came to packages: the free ones first, then every package begun."""
    terms, units = inputs["charge"]["properties"], Decimal(inputs["usage"]["units"])
    size, free = Decimal(str(terms["package_size"])), Decimal(str(terms["free_units"]))
    lines: list[Sentence] = []
    paid = units
    if free:
        paid = max(units - free, Decimal(0))
        formula = f"{_text(units)} − {_text(free)}" if paid else ""
        lines = [Sentence(FREE_UNITS, "", "", _text(free)), Sentence(PAID_UNITS, "", formula, _text(paid))]
    formula = f"{_text(paid)} / {_text(size)}" if paid else ""
    return [*lines, Sentence(PACKAGES_BEGUN, _text(size), formula, _figure(step["quantity"]))]


def _step(step: Mapping[str, Any]) -> Sentence:
    label = _STEP_LABELS[step["kind"]]
    if step["kind"] in ("proration", "minimum", "commitment", contract_trace.COMMITTED):
        formula = _figure(step["amount"])
        if step["days"] != step["of_days"]:
            formula = f"{formula} × {step['days']} / {step['of_days']}"
        return Sentence(label, "", formula, _figure(step["total"]))
    if step["kind"] in advance_sum.STEP_LABELS:
        return Sentence(label, "", _figure(step["units"]), _figure(step["total"]))
    if step["kind"] in _PLAIN:
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


def _text(value: Decimal) -> str:
    return _figure(decimals.text(value))


def _figure(text: str) -> str:
    whole, point, places = text.partition(".")
    return text if len(places) <= _SHOWN_PLACES else f"{whole}{point}{places[:_SHOWN_PLACES]}…"


def _padded(text: str, digits: int) -> str:
    whole, _, places = decimals.text(Decimal(text)).partition(".")
    return f"{whole}.{places.ljust(digits, '0')}" if digits else whole
