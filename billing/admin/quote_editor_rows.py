"""What somebody typed into the editor of a quote, row by row, as text: read from a form, rows added and taken away.

Owns the names of the fields. What the texts mean is `quote_editor_terms`', how they look the forms'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LETTERS = {
    "items": "i",
    "changes": "h",
    "one_offs": "o",
    "coupons": "c",
    "credits": "w",
    "commitments": "m",
}
"""The lists of a quote, and what the names of their fields begin with."""

PHASED = ("items", "changes")
"""The lists whose rows have phases below them."""

PRICED_CHANGES = ("change_terms", "add_product")
PHASES = "p"
MOST_ROWS = 100
_COUNT = "rows"


@dataclass
class Row:
    """A row: its texts by the names of its fields, its place, and the rows below it."""

    values: dict[str, str] = field(default_factory=dict)
    phases: list[Row] = field(default_factory=list)


@dataclass
class Typed:
    """All that was typed: the fields of the head, and the rows of each list."""

    head: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in LETTERS})

    def phases(self) -> Iterator[tuple[str, Row]]:
        """Every row that has prices of a plan, with what the names of its fields begin with."""
        for name in PHASED:
            for number, row in enumerate(self.lists[name]):
                for place, phase in enumerate(row.phases):
                    yield phase_prefix(prefix(name, number), place), phase

    def rows(self) -> Iterator[tuple[str, str, Row]]:
        """Every row of a list, with the list and what the names of its fields begin with."""
        for name, rows in self.lists.items():
            for number, row in enumerate(rows):
                yield name, prefix(name, number), row


def prefix(name: str, number: int) -> str:
    """What the names of the fields of a row begin with: "i0"."""
    return f"{LETTERS[name]}{number}"


def phase_prefix(of_row: str, place: int) -> str:
    """What the names of the fields of a phase begin with, below a row: "i0p1"."""
    return f"{of_row}{PHASES}{place}"


def count_name(letter_or_prefix: str) -> str:
    """The name of the field that says how many rows there are."""
    return f"{letter_or_prefix}-{_COUNT}"


def read(posted: Mapping[str, str]) -> Typed:
    """Read a form that was sent. Whatever it is, this reads it: what makes no sense is refused later, at its field."""
    by_prefix: dict[str, dict[str, str]] = {}
    for name in posted:
        first, dash, rest = name.partition("-")
        by_prefix.setdefault(first if dash else "", {})[rest if dash else name] = posted[name].replace("\x00", "")
    typed = Typed(head=dict(by_prefix.get("", {})))
    for name, letter in LETTERS.items():
        for number in range(_count(by_prefix.get(letter, {}))):
            own = by_prefix.get(prefix(name, number), {})
            row = Row(values={key: text for key, text in own.items() if key != _COUNT})
            if name in PHASED:
                places = range(_count(own))
                of_row = prefix(name, number)
                row.phases = [Row(values=by_prefix.get(phase_prefix(of_row, place), {})) for place in places]
            typed.lists[name].append(row)
    return typed


def act(typed: Typed, step: str) -> str:
    """Add a row, move it up or take it away, as a button says: "add:items", "add:changes=extend_term",
    "remove:coupons:1", "up:items:2", "add:phase:i0", "remove:phase:i0:2".

    Returns what the names of the fields of the new or moved row begin with, to go on there; nothing for any other step.
    """
    verb, _, rest = step.partition(":")
    where, _, place = rest.partition(":")
    if where == "phase":
        return _act_on_phases(typed, verb, *place.partition(":")[::2])
    name, _, kind = where.partition("=")
    if name not in LETTERS:
        return ""
    rows = typed.lists[name]
    if verb == "add" and len(rows) < MOST_ROWS:
        rows.append(new(name, kind))
        return prefix(name, len(rows) - 1)
    if verb == "remove" and _is_place(place, len(rows)):
        rows.pop(int(place))
    if verb == "up" and _is_place(place, len(rows)) and int(place) > 0:
        rows.insert(int(place) - 1, rows.pop(int(place)))
        return prefix(name, int(place) - 1)
    return ""


def new(name: str, kind: str = "") -> Row:
    """A fresh row of a list; a product, or a change of prices, has its first phase."""
    row = Row(values={"kind": kind} if kind else {})
    if name == "commitments" or kind == "change_commitment":
        row.values["renews"] = "on"
    if name == "items" or kind in PRICED_CHANGES:
        row.phases.append(Row())
    return row


def _act_on_phases(typed: Typed, verb: str, of_row: str, which: str) -> str:
    found = {prefix(name, number): row for name in PHASED for number, row in enumerate(typed.lists[name])}
    if of_row not in found:
        return ""
    phases = found[of_row].phases
    if verb == "add" and len(phases) < MOST_ROWS:
        phases.append(_next(phases))
        return phase_prefix(of_row, len(phases) - 1)
    if verb == "remove" and _is_place(which, len(phases)) and len(phases) > 1:
        phases.pop(int(which))
        phases[0].values["after_months"] = "0"
    return ""


def _next(phases: list[Row]) -> Row:
    """A step of a ramp begins as the one before it, a year later."""
    if not phases:
        return Row()
    values = dict(phases[-1].values)
    before = values.get("after_months", "")
    values["after_months"] = str((int(before) if before.isascii() and before.isdecimal() else 0) + 12)
    return Row(values=values)


def _count(own: Mapping[str, str]) -> int:
    text = own.get(_COUNT, "")
    return min(int(text), MOST_ROWS) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def _is_place(text: str, count: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 5 and int(text) < count
