"""Ramps: the phases of a product in a contract, each with terms of its own. Owns that they follow each other without a
gap, and how an amendment cuts into them; what the terms of a phase are is not read here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Generic, TypeVar

from billing.domain.contract_terms import InvalidTerm, Span

T = TypeVar("T")
_DAY = timedelta(days=1)


class InvalidRamp(InvalidTerm):
    """The phases of a product have a gap, overlap, or do not fill its time in the contract."""


@dataclass(frozen=True, slots=True)
class Phase(Generic[T]):
    """A stretch of days with one set of terms."""

    span: Span
    terms: T


def check(*, phases: Sequence[Phase[T]], within: Span) -> None:
    """Demand that the phases, in their order, fill the time without gap or overlap. Raises InvalidRamp (`phases`)."""
    if not phases:
        raise _refused("A product needs at least one phase.", "value_is_mandatory")
    if phases[0].span.first != within.first:
        raise _refused(f"The first phase has to start on {within.first}.", "phases_do_not_fill_the_term")
    for before, after in itertools.pairwise(phases):
        if after.span.first != before.span.after:
            code = "phases_overlap" if after.span.first < before.span.after else "phases_have_a_gap"
            raise _refused(f"The phase after {before.span.last} has to start on {before.span.after}.", code)
    if phases[-1].span.last != within.last:
        raise _refused(f"The last phase has to end on {within.last}.", "phases_do_not_fill_the_term")


def stepped(*, starts: Sequence[date], last: date) -> list[Span]:
    """Return the spans of phases of which only the first days are said: each ends the day before the next one starts.

    Raises InvalidRamp where the days are not in order or one lies after the last day.
    """
    spans = []
    for number, first in enumerate(starts):
        ends_on = starts[number + 1] - _DAY if number + 1 < len(starts) else last
        if ends_on < first:
            raise _refused(f"A phase that starts on {first} cannot end on {ends_on}.", "phases_overlap")
        spans.append(Span(first, ends_on))
    return spans


def at(*, phases: Sequence[Phase[T]], day: date) -> Phase[T] | None:
    """Return the phase that a day is in, or nothing."""
    return next((phase for phase in phases if phase.span.contains(day)), None)


def overlaid(*, phases: Sequence[Phase[T]], new: Phase[T]) -> list[Phase[T]]:
    """Put a phase over others: what it covers of them is gone, what lies before and after it stays."""
    found: list[Phase[T]] = []
    for phase in phases:
        if phase.span.first < new.span.first:
            found.append(_limited(phase, Span(phase.span.first, min(phase.span.last, new.span.first - _DAY))))
        if phase.span.last > new.span.last:
            found.append(_limited(phase, Span(max(phase.span.first, new.span.after), phase.span.last)))
    found.append(new)
    return sorted(found, key=lambda phase: phase.span.first)


def cut(*, phases: Sequence[Phase[T]], last: date) -> list[Phase[T]]:
    """End the phases on a day: later ones are gone, the one that it is in ends there."""
    kept = [phase for phase in phases if phase.span.first <= last]
    return [_limited(phase, Span(phase.span.first, min(phase.span.last, last))) for phase in kept]


def extended(*, phases: Sequence[Phase[T]], last: date) -> list[Phase[T]]:
    """Let the last phase go on until a day."""
    if not phases or phases[-1].span.last >= last:
        return list(phases)
    return [*phases[:-1], _limited(phases[-1], Span(phases[-1].span.first, last))]


def _limited(phase: Phase[T], span: Span) -> Phase[T]:
    return replace(phase, span=span)


def _refused(message: str, code: str) -> InvalidRamp:
    return InvalidRamp(code, message, {"phases": [code]})
