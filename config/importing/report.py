"""What an import did: per kind of thing how many were read, made, there already or refused, why, and what differs. Owns
these figures and their two forms, text and JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from config.importing.comparing import Difference

SHOWN = 40
"""Lines of differences that the text shows; the JSON has all of them."""


@dataclass(frozen=True)
class Refusal:
    """Something that was not brought over, with the code of the reason and its details by field."""

    object: str
    code: str
    details: dict[str, Any]

    def __str__(self) -> str:
        why = ", ".join(f"{name}: {_words(codes)}" for name, codes in self.details.items())
        return f"{self.object}: {self.code}{f' ({why})' if why else ''}"


@dataclass
class Tally:
    """What came of one kind of thing."""

    read: int = 0
    made: int = 0
    there: int = 0
    refused: list[Refusal] = field(default_factory=list)
    differs: list[tuple[str, Difference]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Report:
    """What came of everything, by kind in the order of the import."""

    def __init__(self, *, is_dry: bool) -> None:
        self.is_dry = is_dry
        self.kinds: dict[str, Tally] = {}
        self.stopped = ""

    def of(self, kind: str) -> Tally:
        """Return the figures of a kind, to be added to."""
        return self.kinds.setdefault(kind, Tally())

    @property
    def refused(self) -> int:
        """Return how many things were not brought over."""
        return sum(len(tally.refused) for tally in self.kinds.values())

    def text(self) -> str:
        """Return it for a person: a table, what was refused, and the first of what differs."""
        return "\n".join(self._lines())

    def json(self) -> str:
        """Return all of it for a program."""
        kinds = {
            name: {
                "read": tally.read,
                "made": tally.made,
                "there_already": tally.there,
                "refused": [asdict(one) for one in tally.refused],
                "differences": [{"object": label, **asdict(one)} for label, one in tally.differs],
                "remarks": tally.remarks,
            }
            for name, tally in self.kinds.items()
        }
        content = {"dry_run": self.is_dry, "stopped": self.stopped or None, "resources": kinds}
        return json.dumps(content, indent=2, ensure_ascii=False)

    def _lines(self) -> Iterator[str]:
        yield f"{'':<24}{'read':>8}{'made':>8}{'there':>8}{'refused':>9}{'differ':>8}"
        for name, tally in self.kinds.items():
            differing = len({label for label, _ in tally.differs})
            yield (f"{name:<24}{tally.read:>8}{tally.made:>8}{tally.there:>8}{len(tally.refused):>9}{differing:>8}")
        for title, lines in (("Refused", self._refusals()), ("Remarks", self._remarks()), ("Differs", self._differs())):
            found = list(lines)
            if found:
                yield f"\n{title}:"
                yield from (f"  {line}" for line in found[:SHOWN])
            if len(found) > SHOWN:
                yield f"  … and {len(found) - SHOWN} more: --report FILE has all of them"
        if self.is_dry:
            yield "\nNothing was kept: this was a dry run."

    def _refusals(self) -> Iterator[str]:
        for name, tally in self.kinds.items():
            yield from (f"{name} {refusal}" for refusal in tally.refused)

    def _remarks(self) -> Iterator[str]:
        for name, tally in self.kinds.items():
            yield from (f"{name} {remark}" for remark in tally.remarks)

    def _differs(self) -> Iterator[str]:
        for name, tally in self.kinds.items():
            for label, one in tally.differs:
                yield f"{name} {label}: {one.field}: {_short(one.theirs)} there, {_short(one.ours)} here"


def _words(codes: Any) -> str:
    return ", ".join(map(str, codes)) if isinstance(codes, list) else str(codes)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"
