"""``manage.py import_events``: every format, what is refused, and going on after an interruption."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.management import CommandError, call_command

from billing.management import event_files
from billing.models import UsageEvent
from billing.services import usage_imports
from tests.factories.usage import stored

pytestmark = pytest.mark.django_db


def event(number: int, **values: Any) -> dict[str, Any]:
    given = {"transaction_id": f"t{number}", "external_subscription_id": "sub", "code": "requests"}
    return {**given, "timestamp": "2026-05-04T12:00:00Z", "properties": {"bytes": number}, **values}


def lines(*events: Any) -> bytes:
    return "".join(f"{json.dumps(one)}\n" for one in events).encode()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def run(path: Path, **options: Any) -> str:
    """Import a file and return what the command says last, in success or not."""
    said: list[str] = []

    class Output:
        def write(self, text: str) -> None:
            said.append(text.strip())

    try:
        call_command("import_events", str(path), stdout=Output(), **options)
    except CommandError as error:
        return str(error)
    return said[-1]


def told(now: int = 0, before: int = 0, conflict: int = 0, rejected: int = 0) -> str:
    return (
        f"{now + before + conflict + rejected} events: {now} stored now, {before} stored before,"
        f" {conflict} in conflict with others, {rejected} not valid."
    )


@pytest.mark.parametrize("suffix", [".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.zst"])
def test_json_lines(tmp_path: Path, suffix: str) -> None:
    content = b"\n" + lines(*[event(number) for number in range(25)])
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(Path(suffix).suffix, bytes)
    path = written(tmp_path / f"usage{suffix}", pack(content))
    assert run(path, batch=10) == told(now=25)
    assert run(path) == told(before=25)
    assert stored() == 25
    assert UsageEvent.objects.get(transaction_id="t7").properties == {"bytes": 7}
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "usage.csv"
    rows = [
        ["transaction_id", "external_subscription_id", "code", "timestamp", "bytes", "properties.region", "properties"],
        ["a", "sub", "requests", "1777852800", "12.5", "", ""],
        ["b", "sub", "requests", "2026-05-04", "", 'say "hi",\nthere', '{"deep": {"x": [1]}}'],
    ]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert run(path) == told(now=2)
    assert UsageEvent.objects.get(transaction_id="a").properties == {"bytes": "12.5"}
    expected = {"region": 'say "hi",\nthere', "deep": {"x": [1]}}
    assert UsageEvent.objects.get(transaction_id="b").properties == expected


def test_what_is_not_stored_is_listed(tmp_path: Path) -> None:
    good = [event(1), event(2)]
    bad = [event(1, code="other"), event(3, timestamp=None), event(4, code=""), event(5, properties=[1])]
    path = written(tmp_path / "usage.ndjson", lines(good[0], *bad) + b"no json\n" + lines(good[1]))
    answer = run(path, batch=2)
    assert answer == f"{told(now=2, conflict=1, rejected=4)} What is not stored, and why, is listed in {path}.refused."
    listed = [json.loads(line) for line in (tmp_path / "usage.ndjson.refused").read_text().splitlines()]
    assert [(one["position"], one["verdict"], one["error_details"], one["event"]) for one in listed] == [
        (1, "conflict", {"transaction_id": ["value_already_exist"]}, bad[0]),
        (2, "rejected", {"timestamp": ["value_is_mandatory"]}, bad[1]),
        (3, "rejected", {"code": ["value_is_mandatory"]}, bad[2]),
        (4, "rejected", {"properties": ["value_is_invalid"]}, bad[3]),
        (5, "rejected", {"base": ["value_is_invalid"]}, "no json"),
    ]
    assert stored() == 2
    # Again, and the list is of this import alone.
    assert told(before=2, conflict=1, rejected=4) in run(path)
    assert len((tmp_path / "usage.ndjson.refused").read_text().splitlines()) == 5


def test_a_row_with_too_many_cells_is_refused_in_its_place(tmp_path: Path) -> None:
    text = (
        "transaction_id,external_subscription_id,code,timestamp\n"
        "a,sub,c,1777852800,surplus\n\nb,sub,c,1777852800\nc,sub,c\n"
    )
    path = written(tmp_path / "usage.csv", text.encode())
    assert told(now=1, rejected=2) in run(path)
    assert UsageEvent.objects.get().transaction_id == "b"


def test_an_interrupted_import_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [event(number) for number in range(40)]
    events[3] = event(3, code="")
    path = written(tmp_path / "usage.ndjson", lines(*events))
    seen: list[int] = []

    def watched(stop_after: int) -> Any:
        def take_in(**values: Any) -> Any:
            if len(seen) == stop_after:
                raise KeyboardInterrupt
            seen.append(len(values["rows"]))
            return original(**values)

        return take_in

    original = usage_imports.take_in
    monkeypatch.setattr(usage_imports, "take_in", watched(2))
    assert run(path, batch=10) == f"Stopped. {told(now=19, rejected=1)} The same command goes on from here."
    assert stored() == 19
    # The machine stopped while a piece was listed: what the note does not know of is cut off.
    with (tmp_path / "usage.ndjson.refused").open("ab") as listed:
        listed.write(b'{"half')
    monkeypatch.setattr(usage_imports, "take_in", watched(100))
    answer = run(path, batch=10)
    assert answer.startswith(told(now=39, rejected=1))
    assert seen == [10, 10, 10, 10]
    assert len((tmp_path / "usage.ndjson.refused").read_text().splitlines()) == 1
    assert not (tmp_path / "usage.ndjson.progress").exists()
    assert stored() == 39


def test_a_piece_that_is_stored_but_not_noted_is_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "usage.ndjson", lines(*[event(number) for number in range(20)]))
    original = usage_imports.take_in

    def dying(**values: Any) -> Any:
        original(**values)
        raise KeyboardInterrupt

    monkeypatch.setattr(usage_imports, "take_in", dying)
    assert run(path, batch=10).startswith("Stopped.")
    assert stored() == 10
    monkeypatch.setattr(usage_imports, "take_in", original)
    assert run(path, batch=10) == told(now=10, before=10)
    assert stored() == 20


def test_another_file_of_the_same_name_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "usage.ndjson", lines(*[event(number) for number in range(20)]))
    stopping = iter([usage_imports.take_in])

    def once(**values: Any) -> Any:
        for take_in in stopping:
            return take_in(**values)
        raise KeyboardInterrupt

    monkeypatch.setattr(usage_imports, "take_in", once)
    assert run(path, batch=10).startswith("Stopped.")
    monkeypatch.undo()
    written(path, lines(*[event(number) for number in range(30)]))
    assert "has changed since its import began" in run(path)
    assert stored() == 10
    assert run(path, restart=True) == told(now=20, before=10)


def test_damaged_files_tell_how_far_they_went(tmp_path: Path) -> None:
    content = lines(*[event(number, properties={"noise": f"{number * 7919 % 10_007}"}) for number in range(5000)])
    for name, pack in (("a.ndjson.gz", gzip.compress), ("b.ndjson.zst", zstandard.compress)):
        answer = run(written(tmp_path / name, pack(content)[:-200]), batch=100)
        assert answer.startswith("The file is damaged or cut off after ")
        assert stored() > 1000
    assert "is no CSV" in run(written(tmp_path / "c.csv", HEAD + b'"a,sub,c,1\n'))
    assert "not UTF-8" in run(written(tmp_path / "d.csv", HEAD + b"\xff,sub,c,1777852800\n"))
    assert "longer than 1 MiB" in run(written(tmp_path / "e.ndjson", b"x" * (2 * 1024 * 1024)))


HEAD = b"transaction_id,external_subscription_id,code,timestamp\n"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "There is no file" in run(tmp_path / "nothing.csv")
    assert "tells no format" in run(written(tmp_path / "usage.txt", b""))
    assert "lacks the columns code, timestamp" in run(
        written(tmp_path / "a.csv", b"transaction_id,external_subscription_id\n")
    )
    assert "--batch" in run(written(tmp_path / "b.csv", HEAD), batch=0)
    assert run(written(tmp_path / "c.txt", HEAD), format="csv") == told()
    assert run(written(tmp_path / "d.ndjson", b"")) == told()


def test_parquet_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "parquet", None)
    assert "need the package pyarrow" in run(written(tmp_path / "usage.parquet", b"PAR1"))


class Batch:
    """Stands for a piece of a Parquet file: rows with values of Python's types."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def to_pylist(self) -> list[dict[str, Any]]:
        return self.rows


class ParquetFile:
    """Stands for a Parquet file of two rows."""

    columns = ("transaction_id", "external_subscription_id", "code", "timestamp", "bytes", "properties", "amount")

    def __init__(self, path: Path) -> None:
        self.schema_arrow = type("Schema", (), {"names": list(self.columns)})
        self.metadata = type("Metadata", (), {"num_rows": 2})

    def iter_batches(self, batch_size: int) -> Iterator[Batch]:
        rows = [("a", 5, None, Decimal("1.10")), ("b", None, {"region": "eu"}, None)]
        for name, count, properties, amount in rows:
            values = (name, "sub", "requests", 1_777_852_800, count, properties, amount)
            yield Batch([dict(zip(self.columns, values, strict=True))])

    def close(self) -> None:
        """Nothing is open."""


def test_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = type("Parquet", (), {"ParquetFile": ParquetFile})
    arrow = type("Arrow", (), {"ArrowException": ValueError})
    monkeypatch.setattr(event_files, "parquet", module)
    monkeypatch.setattr(event_files, "pyarrow", arrow)
    monkeypatch.setattr(event_files, "_to_the_microsecond", lambda batch: batch)
    path = written(tmp_path / "usage.parquet", b"")
    assert run(path) == told(now=2)
    assert run(path) == told(before=2)
    assert UsageEvent.objects.get(transaction_id="a").properties == {"bytes": 5, "amount": "1.10"}
    assert UsageEvent.objects.get(transaction_id="b").properties == {"region": "eu"}
