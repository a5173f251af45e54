"""What a person should see of an object without scrolling: a line that says who it is, a few figures, and short facts.

The page's own app owns the object and gives the whole; apps above register their parts under the page's name with
``.glance`` (see `registered`), so that a figure stands where its app knows it. Frozen values that know no model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from config.platform.admin.blocks import Block, Fact
from config.platform.admin.cells import Tone

MOST_LINES = 3
"""As many amounts as a figure tells, one for each currency; the page behind it has all."""


@dataclass(frozen=True)
class Line:
    """One amount of a figure, and where it can be looked into."""

    text: object
    url: str = ""
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True)
class Tile(Block):
    """A figure with its definition, in as many lines as there are currencies; ``hint`` says what it is made of.

    ``place`` orders the tiles of a glance. ``empty`` stands where there is no line at all.
    """

    label: str
    lines: tuple[Line, ...]
    definition: str
    hint: object = ""
    empty: object = "–"
    drawing: Block | None = None
    place: int = 0
    template: ClassVar[str] = "admin/platform/blocks/tile.html"

    @property
    def shown(self) -> tuple[Line, ...]:
        """The lines that there is room for."""
        return self.lines[:MOST_LINES]

    @property
    def more(self) -> int:
        """How many lines there is no room for."""
        return max(0, len(self.lines) - MOST_LINES)


@dataclass(frozen=True)
class LaterTile(Block):
    """The place of a figure that is fetched after the page."""

    label: str
    url: str
    place: int = 0
    template: ClassVar[str] = "admin/platform/blocks/tile_later.html"


@dataclass(frozen=True)
class Spark(Block):
    """Numbers as a small line without axes; ``text`` says the same in words. Drawn 100 wide and 24 high."""

    values: tuple[int, ...]
    text: str
    template: ClassVar[str] = "admin/platform/blocks/spark.html"

    @property
    def points(self) -> str:
        """The corners of the line, whole numbers: the highest value at the top, zero at the bottom."""
        most = max(self.values, default=0)
        last = max(1, len(self.values) - 1)
        spots = [(1000 * place // last, 230 - (220 * value // most if most else 0)) for place, value in self._numbered]
        return " ".join(f"{x},{y}" for x, y in spots)

    @property
    def area(self) -> str:
        """The line with the ground below it."""
        return f"0,240 {self.points} 1000,240" if self.values else ""

    @property
    def _numbered(self) -> Sequence[tuple[int, int]]:
        return tuple(enumerate(self.values))


@dataclass(frozen=True)
class Part:
    """What one app gives to a glance: states, figures, and facts by the heading that they stand under."""

    badges: tuple[object, ...] = ()
    tiles: tuple[Tile | LaterTile, ...] = ()
    facts: Mapping[str, Sequence[Fact]] = field(default_factory=dict)


@dataclass(frozen=True)
class Glance(Block):
    """The whole: name, states, a line about it, figures in rows of four, and facts in columns under headings."""

    name: str
    badges: tuple[object, ...]
    about: tuple[object, ...]
    tiles: tuple[Tile | LaterTile, ...]
    columns: tuple[tuple[str, tuple[Fact, ...]], ...]
    template: ClassVar[str] = "admin/platform/blocks/glance.html"


def whole(*, name: str, about: Sequence[object], own: Part, others: Sequence[Part]) -> Glance:
    """Put the page's own part and those of other apps together; headings stand in the order of the own part."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    parts = (own, *others)
    for part in parts:
        for heading, rows in part.facts.items():
            facts[heading].extend(rows)
    return Glance(
        name=name,
        badges=tuple(badge for part in parts for badge in part.badges),
        about=tuple(about),
        tiles=tuple(sorted((tile for part in parts for tile in part.tiles), key=lambda tile: tile.place)),
        columns=tuple((heading, tuple(rows)) for heading, rows in facts.items()),
    )


def panel(part: Part) -> Mapping[str, Any]:
    """A part in the form in which an app registers it."""
    return {"title": "", "template": "", "context": {"part": part}}


def registered(panels: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The parts that other apps registered."""
    return tuple(one["context"]["part"] for one in panels)
