"""What metrics count, event by event."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.plain import periods
from tests.plain.contracts import PlainCharge, PlainEvent

ZERO = Fraction(0)
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def counted(kind: str, events: list[PlainEvent]) -> list[PlainEvent]:
    """Return the events that a metric of a kind counts at all: others are as if they had not been sent."""
    if kind == "count_agg":
        return events
    if kind == "unique_count_agg":
        return [event for event in events if "value" in event.properties]
    return [event for event, _ in numbers(events)]


def numbers(events: list[PlainEvent]) -> list[tuple[PlainEvent, Fraction]]:
    """Return the events whose value is a plain decimal, with it."""
    found = []
    for event in events:
        text = str(event.properties.get("value", ""))
        if NUMBER.fullmatch(text):
            found.append((event, Fraction(text)))
    return found


def present(events: list[PlainEvent]) -> set[str]:
    """Return the unique values that are there after the last event."""
    there: set[str] = set()
    for event in events:
        value = event.properties.get("value")
        if value is None:
            continue
        if event.properties.get("operation_type") == "remove":
            there.discard(str(value))
        else:
            there.add(str(value))
    return there


def stays(events: list[PlainEvent], zone: str) -> list[tuple[date, date | None]]:
    """Return the first and last local day of every stay of every unique value."""
    found: list[tuple[date, date | None]] = []
    for value in sorted({str(event.properties["value"]) for event in events if "value" in event.properties}):
        since: date | None = None
        left: tuple[date, date] | None = None
        for event in events:
            if str(event.properties.get("value")) != value:
                continue
            day = periods.day_of(event.at, zone)
            if event.properties.get("operation_type") == "remove":
                if since is not None:
                    left, since = (since, day), None
            elif since is None:
                if left is not None and left[1] == day:
                    since = left[0]
                else:
                    found += [left] if left else []
                    since = day
                left = None
        found += [left] if left else []
        found += [(since, None)] if since else []
    return found


def level(events: list[PlainEvent], start: datetime, end: datetime, whole: timedelta, recurring: bool) -> Fraction:
    """Return the sum held over time, as a share of the whole period, rounded up to 20 decimals."""
    total, held, since = ZERO, ZERO, start
    for event, value in numbers(events):
        if event.at < start:
            held += value if recurring else 0
            continue
        total += held * _seconds(event.at - since)
        held, since = held + value, event.at
    total += held * _seconds(end - since)
    return _ceil(total / _seconds(whole), 20)


def prorated(
    charge: PlainCharge, events: list[PlainEvent], first: date, last: date, of_days: int, zone: str
) -> Fraction:
    """Return the units times the days that they are there, by the days of a whole period, rounded up to 5 decimals."""
    total = ZERO
    if charge.kind == "sum_agg":
        for event, value in numbers(events):
            since = max(periods.day_of(event.at, zone), first)
            total += value * ((last - since).days + 1)
    else:
        for since, until in stays(events, zone):
            if until is not None and until < first:
                continue
            total += (min(until or last, last) - max(since, first)).days + 1
    return _ceil(total / of_days, 5)


def rounded(units: Fraction, rule: tuple[str, int] | None) -> Fraction:
    """Round units as a metric says."""
    if rule is None:
        return units
    function, places = rule
    scaled = units * Fraction(10) ** places
    match function:
        case "ceil":
            whole = math.ceil(scaled)
        case "floor":
            whole = math.floor(scaled)
        case _:
            whole = math.floor(abs(scaled) + Fraction(1, 2)) * (1 if scaled >= 0 else -1)
    return Fraction(whole) / Fraction(10) ** places


def _seconds(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 1_000_000)


def _ceil(value: Fraction, places: int) -> Fraction:
    return Fraction(math.ceil(value * 10**places), 10**places)
