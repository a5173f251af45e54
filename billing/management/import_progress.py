"""How far the import of a file has come. Owns the note beside the file that an interrupted import goes on from.

The note is written after each piece is stored. Where the two fall apart because the machine stops in between, the piece
is sent once more and found to be stored.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from billing.domain.usage_events import Verdict


class Progress(msgspec.Struct):
    """``size`` and ``changed`` tell the file from a later one of its name; ``refused_bytes`` is the length of the list
    of refused rows.
    """

    size: int
    changed: int
    rows: int = 0
    counts: dict[Verdict, int] = msgspec.field(default_factory=dict)
    refused_bytes: int = 0

    def add(self, verdicts: list[Verdict]) -> None:
        """Count what became of more rows."""
        self.rows += len(verdicts)
        for verdict, count in Counter(verdicts).items():
            self.counts[verdict] = self.count(verdict) + count

    def count(self, verdict: Verdict) -> int:
        """Return how many rows had this verdict."""
        return self.counts.get(verdict, 0)


class AnotherFile(Exception):
    """The file is not the one that the note tells of."""


_note = msgspec.json.Decoder(Progress)


def begun(*, file: Path, note: Path) -> Progress:
    """Return how far the import of a file has come; nothing is done without a note. Raises AnotherFile."""
    found = file.stat()
    fresh = Progress(found.st_size, found.st_mtime_ns)
    if not note.exists():
        return fresh
    try:
        progress = _note.decode(note.read_bytes())
    except msgspec.MsgspecError as error:
        raise AnotherFile(f"{note} cannot be read: {error}") from error
    if (progress.size, progress.changed) != (fresh.size, fresh.changed):
        raise AnotherFile(f"{file} has changed since its import began.")
    return progress


def save(progress: Progress, *, note: Path) -> None:
    """Write the note, as a whole or not at all."""
    written = note.with_name(f"{note.name}.new")
    written.write_bytes(msgspec.json.encode(progress))
    written.replace(note)
