"""How much of a long invoice its document shows, and what is put together there. The annex tells the rest.

Owns the decision and which lines share a row. It adds nothing up and words nothing; what an invoice comes to does not
depend on how it is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

DETAILED = 200
"""So many rows a document may have that shows the parts of amounts: lines, parts, and two for each of its contracts."""

LONGEST = 300
"""So many rows a document may have without them."""


class Detail(StrEnum):
    """How far a document goes into details, from everything down to the first items and a row for all others."""

    PARTS = "parts"
    LINES = "lines"
    ITEMS = "items"
    ITEMS_OF_ALL = "items_of_all"
    FIRST_ITEMS = "first_items"


@dataclass(frozen=True, slots=True)
class Row:
    """What matters of a line: its contract, what is sold, the rate of its taxes, and how many parts its amount has."""

    contract: str
    item: tuple[str, ...]
    tax_rate: Decimal
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Folded:
    """The rows of a document as positions of lines, in the order of the first line of each. Every line is in one.

    ``others`` are the last rows, which hold items that found no row of their own.
    """

    detail: Detail
    bundles: tuple[tuple[int, ...], ...]
    others: int = 0

    @property
    def has_annex(self) -> bool:
        """Whether the document leaves something to an annex."""
        return self.detail is not Detail.PARTS


def fold(*, rows: Sequence[Row], detailed: int = DETAILED, longest: int = LONGEST) -> Folded:
    """Return how the lines of an invoice are shown in ``detailed`` rows with their parts, or ``longest`` without.

    What does not fit goes step by step: the parts of the amounts, then the lines of the same item of a contract, of
    the same item altogether, and at last all items but the first share a row for each rate of tax. Lines whose taxes
    have different rates never share one. The same lines are always shown the same way.
    """
    single = tuple((number,) for number in range(len(rows)))
    contracts = len({row.contract for row in rows})
    # The contract's name above its lines and the sum below them; a single one has no sum of its own.
    around = 2 * contracts if contracts > 1 else 0
    if len(rows) + around + sum(row.parts for row in rows) <= detailed:
        return Folded(Detail.PARTS, single)
    if len(rows) + around <= longest:
        return Folded(Detail.LINES, single)
    of_contracts = _bundles([(row.contract, row.item, row.tax_rate) for row in rows])
    if len(of_contracts) + around <= longest:
        return Folded(Detail.ITEMS, of_contracts)
    of_all = _bundles([(row.item, row.tax_rate) for row in rows])
    if len(of_all) <= longest:
        return Folded(Detail.ITEMS_OF_ALL, of_all)
    room = max(longest - len({row.tax_rate for row in rows}), 0)
    left = sorted(number for bundle in of_all[room:] for number in bundle)
    shared = _bundles([rows[number].tax_rate for number in left])
    others = tuple(tuple(left[number] for number in bundle) for bundle in shared)
    return Folded(Detail.FIRST_ITEMS, (*of_all[:room], *others), others=len(others))


def _bundles(keys: Sequence[Hashable]) -> tuple[tuple[int, ...], ...]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        found[key].append(number)
    return tuple(tuple(numbers) for numbers in found.values())
