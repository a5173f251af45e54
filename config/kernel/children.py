"""Bringing lists of rows along with many objects, as lists. Owns where Django looks for what was prefetched.

`prefetch_related` makes a queryset for each list of each object, which for hundreds of objects takes longer than the
reading. What is put in place here is only iterated over: nothing more can be asked of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import models


def attach(parents: Sequence[models.Model], name: str, rows: Iterable[models.Model], *, by: str) -> list[Any]:
    """Let ``parent.<name>.all()`` be the rows whose field ``by`` points at it, in their order; return all rows.

    Each row knows its parent. Rows of other parents are not allowed.
    """
    known = {parent.pk: parent for parent in parents}
    found: dict[Any, list[models.Model]] = defaultdict(list)
    every = list(rows)
    for row in every:
        parent = known[getattr(row, f"{by}_id")]
        row._state.fields_cache[by] = parent
        found[parent.pk].append(row)
    for parent in parents:
        held: Any = parent
        if not hasattr(held, "_prefetched_objects_cache"):
            held._prefetched_objects_cache = {}
        held._prefetched_objects_cache[name] = found[parent.pk]
    return every


def point(rows: Iterable[models.Model], field: str, targets: Mapping[Any, models.Model]) -> None:
    """Let ``row.<field>`` be the target of its key; None where it has none."""
    for row in rows:
        key = getattr(row, f"{field}_id")
        row._state.fields_cache[field] = None if key is None else targets[key]
