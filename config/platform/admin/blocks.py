"""What admin pages are made of: figures, facts, tables, charts, notes, frames. Frozen values that know no model.

A page is a list of blocks; each block names the template that draws it. Text is escaped by the templates, cells that
are safe HTML (see cells) are shown as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.text import slugify

from config.platform.admin.cells import Tone

TEXT = "text"
NUMBER = "number"


@dataclass(frozen=True)
class Block:
    """Something that a page shows. ``template`` draws it as ``block``."""

    template: ClassVar[str] = ""


@dataclass(frozen=True)
class Head(Block):
    """What all that follows is about, with the choice of something else."""

    text: str
    action: object = ""
    template: ClassVar[str] = "admin/platform/blocks/head.html"


@dataclass(frozen=True)
class Figure:
    """One big number with its name; ``hint`` says what it is made of, ``url`` where to look further."""

    label: str
    value: object
    hint: object = ""
    tone: Tone = Tone.NEUTRAL
    url: str = ""


@dataclass(frozen=True)
class Figures(Block):
    """The few numbers that matter most, side by side."""

    items: tuple[Figure, ...]
    template: ClassVar[str] = "admin/platform/blocks/figures.html"


@dataclass(frozen=True)
class Fact:
    """A name and its value."""

    label: str
    value: object


@dataclass(frozen=True)
class Facts(Block):
    """Names and values of one subject, in columns."""

    title: str
    facts: tuple[Fact, ...]
    template: ClassVar[str] = "admin/platform/blocks/facts.html"


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand on the right."""

    label: str
    kind: str = TEXT


@dataclass(frozen=True)
class Row:
    """Cells of a table. ``details`` are blocks that open below the row; ``is_group`` heads the rows that follow."""

    cells: tuple[object, ...]
    details: tuple[Block, ...] = ()
    is_group: bool = False
    is_total: bool = False


@dataclass(frozen=True)
class Table(Block):
    """Rows under columns. ``empty`` says what to think, or do, when there are none."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str = "Nothing here yet."
    note: object = ""
    action: object = ""
    template: ClassVar[str] = "admin/platform/blocks/table.html"

    @property
    def lined(self) -> tuple[tuple[Row, tuple[tuple[object, Column], ...]], ...]:
        """Every row with its cells beside their columns."""
        return tuple((row, tuple(zip(row.cells, self.columns, strict=False))) for row in self.rows)

    @property
    def has_details(self) -> bool:
        """Say whether any row opens."""
        return any(row.details for row in self.rows)


@dataclass(frozen=True)
class Sum(Block):
    """A worked sum: lines of label, formula and result, and the verdict of computing it again."""

    lines: tuple[tuple[str, str, str], ...]
    verdict: str = ""
    tone: Tone = Tone.NEUTRAL
    template: ClassVar[str] = "admin/platform/blocks/sum.html"


@dataclass(frozen=True)
class Series:
    """The values of one name on a chart.

    ``tone`` names a colour that both light and dark pages have; ``tones`` gives every bar its own.
    """

    label: str
    values: tuple[object, ...]
    tone: str = "accent"
    tones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart(Block):
    """A chart of bars, a line, or steps, each of which lasts until the next one.

    ``currency`` formats its values as money, ``unit`` "percent" fractions as percent; ``stacked`` puts bars on each
    other.
    """

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    kind: str = "bar"
    currency: str = ""
    unit: str = ""
    stacked: bool = False
    height: int = 260
    empty: str = "Nothing to draw yet."
    action: object = ""
    note: object = ""
    template: ClassVar[str] = "admin/platform/blocks/chart.html"

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)

    @property
    def spec(self) -> str:
        """What the chart script reads: decimals as text."""
        return json.dumps(
            {
                "kind": self.kind,
                "labels": self.labels,
                "currency": self.currency,
                "unit": self.unit,
                "stacked": self.stacked,
                "series": [
                    {"label": one.label, "values": one.values, "tone": one.tone, "tones": one.tones}
                    for one in self.series
                ],
            },
            cls=DjangoJSONEncoder,
        )


@dataclass(frozen=True)
class Note(Block):
    """A sentence that the reader should not miss."""

    text: object
    tone: Tone = Tone.INFO
    template: ClassVar[str] = "admin/platform/blocks/note.html"


@dataclass(frozen=True)
class Frame(Block):
    """Another page of this server, shown inside; a PDF say."""

    title: str
    url: str
    action: object = ""
    empty: str = ""
    template: ClassVar[str] = "admin/platform/blocks/frame.html"


@dataclass(frozen=True)
class Progress(Block):
    """How far something is. While it runs the page asks ``url`` for it again every two seconds."""

    title: str
    done: int
    total: int
    is_running: bool
    url: str = ""
    items: tuple[Figure, ...] = ()
    template: ClassVar[str] = "admin/platform/blocks/progress.html"

    @property
    def percent(self) -> int:
        """Whole percent, 100 when all is done."""
        return 100 if not self.total else self.done * 100 // self.total


@dataclass(frozen=True)
class Beside(Block):
    """Blocks beside each other where there is room."""

    blocks: tuple[Block, ...]
    template: ClassVar[str] = "admin/platform/blocks/beside.html"


@dataclass(frozen=True)
class Uneven(Block):
    """Two blocks beside each other on wide screens, the first one twice as wide; below each other elsewhere."""

    blocks: tuple[Block, ...]
    template: ClassVar[str] = "admin/platform/blocks/uneven.html"


@dataclass(frozen=True)
class Custom(Block):
    """Something with a template and context of its own, such as a panel that another app registered.

    ``side`` is where a wide page has it: "left", "right", or nothing for all of its width.
    """

    title: str
    inner: str
    context: Mapping[str, Any] = field(default_factory=dict)
    side: str = ""
    template: ClassVar[str] = "admin/platform/blocks/custom.html"


@dataclass(frozen=True)
class Tab:
    """A part of a page that is shown alone."""

    title: str
    blocks: tuple[Block, ...]
    count: int | None = None

    @property
    def name(self) -> str:
        """The tab's name in the address."""
        return slugify(self.title)


@dataclass(frozen=True)
class Page:
    """A whole page: what stands at its top, and below it the tabs (a page with one tab has none).

    One that ``is_wide`` has the panels of other apps on two sides on wide screens.
    """

    top: tuple[Block, ...] = ()
    tabs: tuple[Tab, ...] = ()
    is_wide: bool = False


def columns(*labels: str) -> tuple[Column, ...]:
    """Columns by their labels; a label that ends in ``#`` is of numbers."""
    return tuple(Column(label.removesuffix("#"), NUMBER if label.endswith("#") else TEXT) for label in labels)


def panel(*blocks: Block, side: str = "", place: int = 0) -> Mapping[str, Any]:
    """Blocks in the form in which an app registers a panel on another app's object.

    Panels stand by ``place``, then in the order of their registration; a wide page has each on its ``side``.
    """
    context = {"blocks": blocks}
    return {"title": "", "template": "admin/platform/blocks.html", "context": context, "side": side, "place": place}


def registered(panels: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    """The panels that other apps registered, as blocks."""
    ordered = sorted(panels, key=lambda one: one.get("place", 0))
    return tuple(Custom(one["title"], one["template"], one.get("context", {}), one.get("side", "")) for one in ordered)
