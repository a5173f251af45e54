"""What is agreed and what was used, as the plain engine takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class PlainFilter:
    """Another price for events whose properties have these values."""

    values: dict[str, list[str]]
    properties: dict[str, Any]


@dataclass(frozen=True)
class PlainCharge:
    """The price of one metric; the metric counts events of the code, and reads the property "value"."""

    code: str
    kind: str
    model: str
    properties: dict[str, Any]
    recurring: bool = False
    prorated: bool = False
    rounding: tuple[str, int] | None = None
    filters: tuple[PlainFilter, ...] = ()
    group_keys: tuple[str, ...] = ()
    minimum: Fraction = Fraction(0)


@dataclass(frozen=True)
class PlainContract:
    """A subscription: local day and instant of its start, and how it is billed."""

    interval: str
    billing_time: str
    timezone: str
    started_at: datetime
    first_day: date
    amount: Fraction
    pay_in_advance: bool
    charges: tuple[PlainCharge, ...]


@dataclass(frozen=True)
class PlainEvent:
    """One use of something."""

    number: int
    code: str
    at: datetime
    properties: dict[str, Any]


@dataclass(frozen=True)
class PlainLine:
    """What is billed. ``key`` is the charge's code, the position of the filter (none: -1) and the group's values."""

    key: tuple[Any, ...]
    units: Fraction
    cents: int


@dataclass
class PlainBill:
    """The lines of one period."""

    lines: list[PlainLine] = field(default_factory=list)
