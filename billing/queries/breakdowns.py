"""Breakdowns of usage by properties that are shown and do not price. Owns which windows are read for them beside those
that are priced, and putting what they hold into the usage. They are read with the others, by the same statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from billing.domain.contract import Breakdown, UsageFacts
from billing.queries.event_windows import Window


@dataclass(frozen=True, slots=True)
class _Id:
    """The id of the window that breaks another one down."""

    of: Hashable


def windows(given: Sequence[Window]) -> list[Window]:
    """Return one more window for each that is broken down: grouped by those properties too, and by nothing priced."""
    return [
        replace(
            window,
            id=_Id(window.id),
            group_keys={
                filter_id: tuple(dict.fromkeys((*window.group_keys.get(filter_id, ()), *window.presentation_keys)))
                for filter_id in (None, *(one.id for one in window.filters))
            },
            presentation_keys=(),
            values_limit=0,
            amount_digits=None,
        )
        for window in given
        if window.presentation_keys
    ]


def add(*, windows: Sequence[Window], usage: dict[Hashable, list[UsageFacts]]) -> None:
    """Put the breakdowns into the usage of the windows that want one, and take their own windows out of it."""
    for window in windows:
        if not window.presentation_keys:
            continue
        found: dict[object, list[Breakdown]] = defaultdict(list)
        for part in usage.pop(_Id(window.id)):
            group = {name: part.group[name] for name in window.group_keys.get(part.filter_id, ())}
            by = {name: part.group[name] for name in window.presentation_keys}
            found[part.filter_id, tuple(sorted(group.items(), key=_name))].append(Breakdown(by, part.facts))
        usage[window.id] = [replace(part, breakdowns=tuple(found[part.key])) for part in usage[window.id]]


def _name(item: tuple[str, str | None]) -> str:
    return item[0]
