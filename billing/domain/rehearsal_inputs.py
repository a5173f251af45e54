"""What an invoice is computed from, named so that a person knows it, with a digest of each: usage, prices, taxes.

Owns the names and the comparison of what was agreed to with what is billed. The facts come from the traces of the lines
as plain values; random ids are no part of a digest, as a rehearsal may make rows that the run makes anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.domain import decimals

Inputs = dict[str, dict[str, str]]
"""By name: ``sha256`` of the facts, and ``says``, what a person reads of them; of prices ``each`` tells them apart."""

CALCULATION, LINES, TOTAL = "calculation", "lines", "total"
RESULTS = frozenset({CALCULATION, LINES, TOTAL})
"""Inputs that follow from the others; they are there so that nothing can change unnoticed."""

GROUPING = "what is billed on one invoice"
"""What changed where all inputs are the same, and another invoice has them."""

_TERMS = ("price of ", "plan version of ", "days of ")
"""Inputs that come with a line: with one that was added they are new, and nothing about them changed."""

_PRICE, _TAX = _TERMS[0], "tax"
_RANDOM = frozenset({"id", "subscription"})
_KEPT = 16
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line comes from: the trace of its calculation, of which subscription, by its external id."""

    subscription: str
    trace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something else that an invoice depends on. ``value`` is plain JSON values."""

    name: str
    value: object
    says: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """An input that is not what was agreed to: what it said then and says now, empty where it was not there."""

    name: str
    before: str
    now: str

    def __str__(self) -> str:
        if self.before == self.now:
            return self.name
        return f"{self.name} (was {self.before or 'nothing'}, is {self.now or 'nothing'})"


def of(*, origins: Sequence[Origin], facts: Sequence[Fact]) -> Inputs:
    """Return the inputs of an invoice by name. The order of origins and facts changes nothing."""
    values: dict[str, list[object]] = defaultdict(list)
    says: dict[str, list[str]] = {}
    usage: dict[str, list[tuple[Decimal, int]]] = defaultdict(list)
    for origin in origins:
        for name, value, words in _of_trace(origin):
            values[name].append(value)
            says.setdefault(name, []).append(words)
        counted = origin.trace.get("inputs", {}).get("usage")
        if counted is not None:
            usage[_usage_name(origin)].append((Decimal(counted["units"]), int(counted["events_count"])))
    for fact in facts:
        values[fact.name].append(fact.value)
        says.setdefault(fact.name, []).append(fact.says)
    found = {}
    for name in sorted(values):
        told = _told(usage[name]) if name in usage else ", ".join(sorted({words for words in says[name] if words}))
        found[name] = {"sha256": _digest(sorted(values[name], key=_canonical)), "says": told[:_LONGEST]}
        if name.startswith(_PRICE):
            found[name]["each"] = " ".join(sorted({_digest(value)[:_KEPT] for value in values[name]}))
    return found


def digest(inputs: Inputs) -> str:
    """Return the digest of all inputs together."""
    return _digest({name: entry["sha256"] for name, entry in inputs.items()})


def changed(*, agreed: Inputs, now: Inputs) -> list[Changed]:
    """Return what is not as it was agreed to, by name; what follows from the rest only where nothing else changed.

    That is the total, say, and the price, plan version, days and tax of a line that was added or is gone: no price
    changed there, a line came or went.
    """
    found = [
        Changed(name, agreed.get(name, {}).get("says", ""), now.get(name, {}).get("says", ""))
        for name in sorted(agreed.keys() | now.keys())
        if agreed.get(name, {}).get("sha256") != now.get(name, {}).get("sha256")
    ]
    causes = [one for one in found if one.name not in RESULTS]
    return [one for one in causes if not _comes_with_a_line(one.name, agreed, now)] or causes or found


def sentence(*, changes: Sequence[Changed], before: str, now: str) -> str:
    """Say what changed, and what the invoice would come to: ``before`` and ``now`` are totals in words."""
    what = "; ".join(str(change) for change in changes) or GROUPING
    total = f" It would come to {now} instead of {before}." if before != now else f" It would still come to {now}."
    return f"Changed since the sign-off: {what}.{total}"


def _comes_with_a_line(name: str, agreed: Inputs, now: Inputs) -> bool:
    """Say whether an input is another one only because a line is there on one side and not on the other."""
    before, after = agreed.get(name), now.get(name)
    if before is None or after is None:
        return name.startswith(_TERMS)
    counted = [side.get(LINES, {}).get("says", "") for side in (agreed, now)]
    if counted[0] == counted[1] or not (name == _TAX or name.startswith(_TERMS)):
        return False
    if name.startswith(_PRICE):
        old, new = set(before.get("each", "").split()), set(after.get("each", "").split())
        return bool(old and new) and (old < new or new < old)
    return before["says"] == after["says"] != ""


def price_of(trace: Mapping[str, Any]) -> str:
    """Return a digest of how a line was priced, without what was used: equal for the same prices."""
    inputs = trace.get("inputs", {})
    if trace.get("kind") == "subscription":
        return _digest({"amount": inputs.get("amount")})[:_KEPT]
    return _digest(_plain({name: inputs.get(name) for name in ("charge", "pricing_unit", "amount")}))[:_KEPT]


def days_of(trace: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many days of how many were billed, one of one where a trace knows none."""
    inputs = trace.get("inputs", {})
    days, of_days = inputs.get("days"), inputs.get("of_days")
    if isinstance(days, int) and isinstance(of_days, int) and of_days > 0:
        return days, of_days
    held = inputs.get("held")
    if isinstance(held, Mapping) and "parts" in held:
        longest = max((part["days"] for part in held["parts"]), default=0)
        return (longest, held["of_days"]) if longest else (1, 1)
    return 1, 1


def _of_trace(origin: Origin) -> list[tuple[str, object, str]]:
    trace, inputs = origin.trace, origin.trace.get("inputs", {})
    kind = str(trace.get("kind"))
    found: list[tuple[str, object, str]] = []
    own = {"kind": kind, "of": origin.subscription}
    if "usage" in inputs:
        where = {"filter": inputs.get("filter"), "group": inputs.get("group"), "metric": inputs.get("metric")}
        found.append((_usage_name(origin), _plain({**own, **where, "usage": inputs["usage"]}), ""))
    if "event" in inputs:
        found.append((_usage_name(origin), _plain({**own, "event": inputs["event"], "step": inputs.get("step")}), ""))
    if "charge" in inputs:
        code = str(inputs["charge"].get("code", ""))
        terms = {name: inputs.get(name) for name in ("charge", "filter", "pricing_unit", "amount")}
        found.append((f"price of {code}", _plain({**own, **terms}), ""))
        if "units" in inputs:
            held = {name: inputs.get(name) for name in ("units", "held", "increase", "paid_before")}
            found.append((f"units of {code}", _plain({**own, **held}), str(inputs["units"])))
    elif kind == "subscription":
        amount = f"{inputs.get('amount')} {inputs.get('currency')}"
        found.append((f"fee of {origin.subscription}", _plain({**own, "amount": inputs.get("amount")}), amount))
    if "days" in inputs:
        days = f"{inputs['days']} of {inputs.get('of_days')} days"
        found.append((f"days of {origin.subscription}", [own, inputs["days"], inputs.get("of_days")], days))
    if kind not in ("charge", "advance_charge", "fixed_charge", "subscription", "true_up"):
        name = "late usage" if kind == "late_usage" else "commitment" if "commitment" in kind else "adjusted lines"
        found.append((name, _plain({**own, "inputs": inputs}), str(trace.get("rounding", {}).get("result", ""))))
    if "plan" in inputs:
        version = inputs["plan"].get("version")
        found.append((f"plan version of {origin.subscription}", [own, version], str(version)))
    found.append((CALCULATION, _plain({**own, "rounding": trace.get("rounding")}), ""))
    return found


def _usage_name(origin: Origin) -> str:
    return f"usage of {origin.trace['inputs'].get('metric', {}).get('code', '')}"


def _told(counted: Sequence[tuple[Decimal, int]]) -> str:
    units = sum((units for units, _ in counted), Decimal(0))
    return f"{decimals.text(units)} in {sum(events for _, events in counted)} events"


def _plain(value: object) -> object:
    """Return a value without random ids."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if name not in _RANDOM}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(value: object) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
