"""Previews as plain values: what a person was shown of an action, kept with the request, and compared with what it
would do now. Owns reading blocks; drawing them again is a table.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.html import strip_tags

from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Block, Row, Table
from config.platform.admin.cells import Tone

Part = Mapping[str, Any]
_MOST = 400
"""Rows that are kept of one block: nobody compares more by eye."""


def plain(shown: Iterable[Block]) -> list[dict[str, Any]]:
    """Return blocks as titles with rows of plain texts, in their order. Charts, frames and the like are left out."""
    found: list[dict[str, Any]] = []
    for block in shown:
        if isinstance(block, blocks.Beside):
            found += plain(block.blocks)
            continue
        rows = _rows(block)
        if rows:
            found.append({"title": str(getattr(block, "title", "") or ""), "rows": rows[:_MOST]})
    return found


def digest(parts: Sequence[Part]) -> str:
    """Return what tells a preview from others."""
    return hashlib.sha256(json.dumps(list(parts), sort_keys=True).encode()).hexdigest()


def beside(asked: Sequence[Part], now: Sequence[Part]) -> tuple[Table, ...]:
    """The preview as it was asked beside what it is now, row by row; what differs is marked."""
    titles = list(dict.fromkeys([*(part["title"] for part in asked), *(part["title"] for part in now)]))
    return tuple(_table(title, _of(asked, title), _of(now, title)) for title in titles)


def alone(parts: Sequence[Part], *, note: str = "") -> tuple[Table, ...]:
    """A kept preview by itself."""
    return tuple(
        Table(
            part["title"] or "What would happen",
            blocks.columns("What", "As it was asked"),
            tuple(Row((name, value)) for name, value in _named(part["rows"])),
            note=note,
        )
        for part in parts
    )


def _rows(block: Block) -> list[list[str]]:
    if isinstance(block, blocks.Facts):
        return [[_text(fact.label), _text(fact.value)] for fact in block.facts]
    if isinstance(block, blocks.Table):
        return [[_text(cell) for cell in row.cells] for row in block.rows]
    if isinstance(block, blocks.Figures):
        return [[_text(item.label), _text(item.value)] for item in block.items]
    if isinstance(block, blocks.Sum):
        return [[_text(part) for part in line] for line in block.lines]
    if isinstance(block, blocks.Note | blocks.Head):
        return [[_text(block.text)]]
    return []


def _text(value: object) -> str:
    return " ".join(html.unescape(strip_tags(str(value))).split())


def _of(parts: Sequence[Part], title: str) -> list[list[str]]:
    return [row for part in parts if part["title"] == title for row in part["rows"]]


def _table(title: str, asked: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> Table:
    before, after = _named(asked), _named(now)
    first, second = dict(before), dict(after)
    rows = []
    for name in dict.fromkeys([*first, *second]):
        same = first.get(name) == second.get(name)
        mark = cells.muted("same") if same else cells.badge("changed", Tone.WARN)
        rows.append(Row((name, first.get(name, cells.EMPTY), second.get(name, cells.EMPTY), mark)))
    return Table(
        title or "What would happen", blocks.columns("What", "As it was asked", "As it would be now", ""), tuple(rows)
    )


def _named(rows: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Return rows as a name and a text; a name that is there twice is numbered."""
    found: list[tuple[str, str]] = []
    seen: dict[str, int] = {}
    for row in rows:
        name = row[0] if row else ""
        seen[name] = seen.get(name, 0) + 1
        label = name if seen[name] == 1 else f"{name} ({seen[name]})"
        found.append((label, " · ".join(text for text in row[1:] if text)))
    return found
