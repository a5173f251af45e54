"""Usage that is measured by the time that it is held. Owns the choice among weighted sums, prorated sums and prorated
unique counts; windows of one kind are read together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from billing.domain.contract import UsageFacts
from billing.domain.held_time import HeldTime
from billing.queries import prorated_sums, prorated_uniques, weighted_sums
from billing.queries.event_windows import Window
from catalog.domain.metrics import Aggregation

Reader = Callable[[Mapping[int, Window], Mapping[int, HeldTime]], dict[int, list[UsageFacts]]]

_READERS: dict[Aggregation, Reader] = {
    Aggregation.WEIGHTED_SUM: weighted_sums.read,
    Aggregation.SUM: prorated_sums.read,
    Aggregation.UNIQUE_COUNT: prorated_uniques.read,
}


def read(windows: Mapping[int, Window]) -> dict[int, list[UsageFacts]]:
    """Return the usage of numbered windows that have a time for which usage is held; others are left alone."""
    times = {number: window.held for number, window in windows.items() if window.held is not None}
    found: dict[int, list[UsageFacts]] = {}
    for kind, reader in _READERS.items():
        of_kind = {number: windows[number] for number in times if windows[number].aggregation is kind}
        plain = {number: window for number, window in of_kind.items() if not window.keys}
        divided = {number: window for number, window in of_kind.items() if window.keys}
        for some in (plain, divided):
            if some:
                found.update(reader(some, {number: times[number] for number in some}))
    return found
