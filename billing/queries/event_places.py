"""Places: the filters and groups that the events of a window fall to, numbered for the database. Owns deciding them for
every event before anything is counted, for figures that cannot be put together from parts.

A statement of its own reads which values of the deciding properties there are, the domain says whose they are, and the
statement that counts joins the answer.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.domain.aggregation import Facts
from billing.domain.contract import UsageFacts
from billing.queries import event_windows
from billing.queries.event_windows import EVENTS, Window
from catalog.domain.filters import Id

Target = tuple[Id | None, dict[str, str | None]]
"""A filter and a group in it."""


@dataclass(frozen=True)
class Places:
    """The places of some windows, each a filter and a group; ``keys`` is the highest number of deciding properties."""

    keys: int
    targets: Mapping[tuple[int, int], Target]
    parameters: Mapping[str, str]

    @property
    def tables(self) -> str:
        """Return the common tables that `events` reads, after WITH."""
        mapping = """, places AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(places)s::jsonb) AS p (n int, place int, combination jsonb)
    )"""
        return f"{event_windows.wanted(keys=self.keys)}{mapping if self.keys else ''}"

    def usage(self, number: int, place: int, *, facts: Facts, digest: int) -> UsageFacts:
        """Return the usage of a place of a window."""
        filter_id, group = self.targets[number, place]
        return UsageFacts(facts, filter_id=filter_id, group=group, digest=digest)

    def events(self, *, columns: str, condition: str) -> str:
        """Return the statement of the events ``e`` of a window ``w`` that meet a condition, with their place."""
        if not self.keys:
            return f"SELECT 0 AS place, {columns} FROM {EVENTS} AND {condition}"
        return f"""SELECT p.place, e.* FROM (
                SELECT {event_windows.bucket(self.keys)} AS combination, {columns} FROM {EVENTS} AND {condition}
            ) AS e
            JOIN places AS p ON p.n = w.n AND p.combination = e.combination"""


def read(windows: Mapping[int, Window]) -> Places:
    """Return the places of numbered windows, which either all have deciding properties or none. One query with them."""
    keys = max(len(window.keys) for window in windows.values())
    if not keys:
        return Places(0, {(number, 0): (None, {}) for number in windows}, {})
    found: dict[tuple[int, int], Target] = {}
    numbers: dict[int, dict[Any, int]] = defaultdict(dict)
    mapping: list[dict[str, Any]] = []
    for number, values in event_windows.fetch(_combinations(keys), windows):
        filter_id, group = target = event_windows.place(windows[number], values)
        place = numbers[number].setdefault((filter_id, tuple(group.items())), len(numbers[number]))
        found[number, place] = target
        mapping.append({"n": number, "place": place, "combination": json.loads(values)})
    return Places(keys, found, {"places": json.dumps(mapping)})


def _combinations(keys: int) -> str:
    return f"""
    WITH {event_windows.wanted(keys=keys)}
    SELECT w.n, x.combination::text
    FROM wanted AS w
    CROSS JOIN LATERAL (SELECT DISTINCT {event_windows.bucket(keys)} AS combination FROM {EVENTS}) AS x"""
