"""``manage.py import_events FILE``: usage events from a file, through the same path as those that are sent. Repeating
it changes nothing; what is interrupted goes on where it was.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from billing.domain import event_fields
from billing.domain.usage_events import Verdict
from billing.management import event_files, import_progress
from billing.management.import_progress import Progress
from billing.services import usage_imports
from billing.services.usage_imports import Outcome

BATCH, LARGEST_BATCH = 5000, 10_000
TELL_EVERY = 100_000
STOPPED = 130
"""The exit code of a program that was stopped by hand."""


class Command(BaseCommand):
    """Prints what became of the events; those that are not stored are listed in a file of their own."""

    help = "Take in usage events from a file: JSON lines, CSV or Parquet, the first two also as .gz or .zst."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, and how to read it."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", choices=event_files.FORMATS, help="Unless the name of the file tells it.")
        parser.add_argument("--batch", type=int, default=BATCH, help=f"Events per transaction; {BATCH} unless given.")
        parser.add_argument("--refused", type=Path, help="Where to list what is not stored; FILE.refused unless given.")
        parser.add_argument("--progress", type=Path, help="Where to note how far it is; FILE.progress unless given.")
        parser.add_argument("--restart", action="store_true", help="Begin anew where an import was interrupted.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file. Ends with an error where an event is not stored, and with 130 where it is stopped."""
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        if not 0 < options["batch"] <= LARGEST_BATCH:
            raise CommandError(f"--batch is from 1 to {LARGEST_BATCH}.")
        note = options["progress"] or file.with_name(f"{file.name}.progress")
        refused = options["refused"] or file.with_name(f"{file.name}.refused")
        if options["restart"]:
            note.unlink(missing_ok=True)
        try:
            progress = import_progress.begun(file=file, note=note)
            file_format = options["format"] or event_files.kind(file)
        except import_progress.AnotherFile as error:
            raise CommandError(f"{error} --restart begins anew; what is stored is not stored twice.") from error
        except event_files.UnreadableFile as error:
            raise CommandError(str(error)) from error
        if progress.rows:
            self.stdout.write(f"Going on after {progress.rows} events.")
        try:
            with event_files.opened(file, file_format=file_format) as opened:
                self._import(opened, progress, refused, note, options["batch"])
        except (event_files.UnreadableFile, OSError) as error:
            raise CommandError(f"{error} {_told(progress)}") from error
        except KeyboardInterrupt:
            message = f"Stopped. {_told(progress)} The same command goes on from here."
            raise CommandError(message, returncode=STOPPED) from None
        note.unlink(missing_ok=True)
        self._conclude(progress, refused)

    def _import(self, opened: event_files.Rows, progress: Progress, refused: Path, note: Path, batch: int) -> None:
        rows = islice(opened.rows, progress.rows, None)
        with (
            refused.open("ab") as listed,
            tqdm(total=opened.total, unit=opened.unit, unit_scale=True, disable=None) as bar,
        ):
            listed.truncate(progress.refused_bytes)
            for piece in _pieces(rows, batch):
                outcomes = usage_imports.take_in(rows=piece, received_at=timezone.now())
                for position, (row, outcome) in enumerate(zip(piece, outcomes, strict=True), start=progress.rows):
                    if outcome.codes is not None:
                        line = _listed(position, row, outcome)
                        listed.write(line)
                        progress.refused_bytes += len(line)
                listed.flush()
                told = progress.rows // TELL_EVERY
                progress.add([outcome.verdict for outcome in outcomes])
                import_progress.save(progress, note=note)
                bar.update(opened.done() - bar.n)
                if bar.disable and progress.rows // TELL_EVERY > told:
                    self.stdout.write(f"{progress.rows} events.")

    def _conclude(self, progress: Progress, refused: Path) -> None:
        if not progress.refused_bytes:
            refused.unlink(missing_ok=True)
            self.stdout.write(_told(progress))
            return
        raise CommandError(f"{_told(progress)} What is not stored, and why, is listed in {refused}.")


def _pieces(rows: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while piece := list(islice(rows, size)):
        yield piece


def _told(progress: Progress) -> str:
    counts = {
        "stored now": Verdict.ACCEPTED,
        "stored before": Verdict.DUPLICATE,
        "in conflict with others": Verdict.CONFLICT,
        "not valid": Verdict.REJECTED,
    }
    told = ", ".join(f"{progress.count(verdict)} {words}" for words, verdict in counts.items())
    return f"{progress.rows} events: {told}."


def _listed(position: int, row: bytes, outcome: Outcome) -> bytes:
    """Return the line of a row that is not stored: the event as it was read, text where it is no JSON object."""
    known = event_fields.split(row) is not None
    content = {
        "position": position,
        "verdict": outcome.verdict,
        "error_details": outcome.codes,
        "event": msgspec.Raw(row) if known else row.decode(errors="replace"),
    }
    return msgspec.json.encode(content) + b"\n"
