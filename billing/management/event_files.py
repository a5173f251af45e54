"""Files of events: JSON lines, CSV, Parquet. Owns reading them row by row, in constant memory, as events in JSON; what
an event must look like is not judged here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing.domain import event_rows
from billing.management import packed_files

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:  # an optional part of the installation
    pyarrow = parquet = None

LINES, CSV, PARQUET = "ndjson", "csv", "parquet"
FORMATS = (LINES, CSV, PARQUET)

_SUFFIXES = {".ndjson": LINES, ".jsonl": LINES, ".csv": CSV, ".tsv": CSV, ".parquet": PARQUET}
_DELIMITERS = (",", ";", "\t", "|")
_BATCH = 5000
_LONGEST_LINE = 1024 * 1024


class UnreadableFile(Exception):
    """The file cannot be read as what it is said to be; the message says why, for people."""


@dataclass(frozen=True)
class Rows:
    """The rows of a file; ``done`` of ``total`` tells how much of it is read, in ``unit``."""

    rows: Iterator[bytes]
    total: int
    unit: str
    done: Callable[[], int]


def kind(path: Path) -> str:
    """Return the format that the name of a file tells. Raises UnreadableFile."""
    plain = path.with_suffix("") if path.suffix in {".gz", ".zst"} else path
    found = _SUFFIXES.get(plain.suffix.lower())
    if found is None:
        raise UnreadableFile(f"The name {path.name} tells no format: say --format {', '.join(FORMATS)}.")
    return found


@contextmanager
def opened(path: Path, *, file_format: str) -> Iterator[Rows]:
    """Open a file of events. Raises UnreadableFile, also while its rows are read."""
    if file_format == PARQUET:
        with _parquet(path) as rows:
            yield rows
        return
    try:
        unpacked, packed = packed_files.opened(path)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened: {error.strerror}.") from error
    read = _lines if file_format == LINES else _table
    with closing(packed), closing(unpacked):
        yield Rows(_guarded(read(unpacked)), path.stat().st_size, "B", packed.tell)


def _guarded(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Pass rows on; what goes wrong on the way is told with the number of rows before it."""
    count = 0
    try:
        for row in rows:
            yield row
            count += 1
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"The file is damaged or cut off after {count} events: {error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"The file is not UTF-8 after {count} events.") from error
    except csv.Error as error:
        raise UnreadableFile(f"The file is no CSV after {count} events: {error}.") from error


def _lines(unpacked: Any) -> Iterator[bytes]:
    while line := unpacked.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise OSError("a line is longer than 1 MiB")
        row = line.strip()
        if row:
            yield row


def _table(unpacked: Any) -> Iterator[bytes]:
    text = io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="")
    first = text.readline()
    delimiter = next((one for one in _DELIMITERS if "transaction_id" in _cells(first, one)), ",")
    columns = _cells(first, delimiter)
    absent = event_rows.missing(columns)
    if absent:
        raise UnreadableFile(f"The first line of the file lacks the columns {', '.join(absent)}.")
    try:
        for cells in csv.reader(text, delimiter=delimiter, strict=True):
            if len(cells) > len(columns):
                yield b"[]"  # which is refused in its place: nobody knows which cell is which
            elif cells:
                yield event_rows.raw(dict(zip(columns, cells, strict=False)))
    finally:
        text.detach()  # the file below is closed by who opened it


def _cells(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


@contextmanager
def _parquet(path: Path) -> Iterator[Rows]:
    if parquet is None:
        raise UnreadableFile("Parquet files need the package pyarrow: uv pip install pyarrow.")
    try:
        file = parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}") from error
    with closing(file):
        absent = event_rows.missing(list(file.schema_arrow.names))
        if absent:
            raise UnreadableFile(f"The file lacks the columns {', '.join(absent)}.")
        read = [0]
        yield Rows(_records(file, read), file.metadata.num_rows, " rows", lambda: read[0])


def _records(file: Any, read: list[int]) -> Iterator[bytes]:
    try:
        for batch in file.iter_batches(batch_size=_BATCH):
            for row in _to_the_microsecond(batch).to_pylist():
                read[0] += 1
                yield event_rows.raw(row)
    except (OSError, pyarrow.ArrowException) as error:
        raise UnreadableFile(f"The file is damaged after {read[0]} events: {error}") from error


def _to_the_microsecond(batch: Any) -> Any:
    """Cut instants that are finer: nothing else in the product can hold them."""
    fields = [
        pyarrow.field(one.name, pyarrow.timestamp("us", one.type.tz))
        if pyarrow.types.is_timestamp(one.type) and one.type.unit == "ns"
        else one
        for one in batch.schema
    ]
    return pyarrow.Table.from_batches([batch]).cast(pyarrow.schema(fields), safe=False)
