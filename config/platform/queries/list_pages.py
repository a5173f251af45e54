"""Pages of lists that may be long: the rows of a page wherever it is, and how many rows there are. Never writes.

First it is counted whether a list is long. Of one that is not, all rows are found and then sorted: asked for the first
of them alone, the database is inclined to go through everything in the list's order until it has met enough. Of a long
one that order is the way, by an index. Either way a page is found by its keys, and only its own rows are read whole.

Counting a long list takes longer than reading a page of it, so its number of rows is remembered for a while, in each
process by itself. Whether there is another page is always seen by its first row.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.cache import cache
from django.db import models

M = TypeVar("M", bound=models.Model)

FEW = 1_000
"""Rows that are found once: their keys are named from then on."""

LONG = 10_000
"""Rows up to which a list is counted each time."""

REMEMBERED = 60
"""Seconds for which the number of rows of a longer list is remembered."""


@dataclass(frozen=True)
class Page(Generic[M]):
    """The rows of a page, whether others follow it, and how many rows the list has."""

    rows: list[M]
    has_next: bool
    total: int


def read(found: models.QuerySet[M], *, offset: int, size: int) -> Page[M]:
    """Return ``size`` rows of a list from ``offset`` on, in its order: which has to be a total one.

    ``total`` is exact up to 10,000, beyond that as it was counted within the last minute, and never less than what the
    page itself shows. Two statements; four where there are more than a thousand rows, five where many are counted.
    """
    if found.query.is_sliced:
        return _sliced(found, offset=offset, size=size)
    first = list(found.order_by().values_list("pk", flat=True)[: FEW + 1])
    if len(first) > FEW:
        return _by_keys(found, offset=offset, size=size)
    rows = list(found.filter(pk__in=first)[offset : offset + size]) if offset < len(first) else []
    return Page(rows, has_next=offset + size < len(first), total=len(first))


def _by_keys(found: models.QuerySet[M], *, offset: int, size: int) -> Page[M]:
    """Read a page of a list of many rows."""
    counted, sought = _sought(found)
    keys = list(sought.values_list("pk", flat=True)[offset : offset + size + 1])
    known = {row.pk: row for row in found.filter(pk__in=keys[:size]).order_by()} if keys else {}
    rows = [known[key] for key in keys[:size] if key in known]
    has_next, total = len(keys) > size, offset + len(keys)
    if has_next:
        total = max(total, _remembered(found) if counted is None else counted)
    elif not keys:
        total = min(total, _remembered(found) if counted is None else counted)
    return Page(rows, has_next=has_next, total=total)


def _sought(found: models.QuerySet[M]) -> tuple[int | None, models.QuerySet[M]]:
    """Return how many rows a list has, None where it is long, and a list of the same rows to look for a page in."""
    keys = found.order_by().values_list("pk", flat=True)
    counted = keys[: LONG + 1].count()
    if counted > LONG:
        return None, found
    return counted, found.filter(pk__in=keys[: 2 * LONG])  # all, also of a list that is growing right now


def _sliced(found: models.QuerySet[M], *, offset: int, size: int) -> Page[M]:
    """Read a page of what is cut off already, which cannot be narrowed and is not long."""
    rows = list(found[offset : offset + size + 1])
    return Page(rows[:size], has_next=len(rows) > size, total=found.count())


def _remembered(found: models.QuerySet[M]) -> int:
    statement = str(found.order_by().values("pk").query.sql_with_params())
    key = f"list-rows-{hashlib.sha256(statement.encode()).hexdigest()}"
    known: int | None = cache.get(key)
    if known is None:
        known = found.count()
        cache.set(key, known, REMEMBERED)
    return known
