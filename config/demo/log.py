"""The recorded web server log behind the sample usage, in the combined log format. Owns reading it, nothing else.

Client addresses can point at people: outside this module an address is only a key to group requests by.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LOG = Path(__file__).parent / "data" / "apache_access.log.gz"

_LINE = re.compile(
    r"(?P<address>\S+) \S+ \S+ \[(?P<at>[^\]]+)\] "
    r'"(?P<method>\S+) (?P<target>\S+)[^"]*" (?P<status>\d{3}) (?P<size>\d+|-) '
)


@dataclass(frozen=True, slots=True)
class Request:
    """One logged request. ``line`` counts from 1; ``size`` is in bytes, 0 if unknown; ``path`` has no query."""

    line: int
    address: str
    at: datetime
    method: str
    path: str
    status: int
    size: int


class UnreadableLog(ValueError):
    """A line is not in the combined log format."""


def read(file: Path = LOG) -> list[Request]:
    """Read the whole log in its order. Raises UnreadableLog with the line's number."""
    with gzip.open(file, "rt", encoding="utf-8", errors="replace") as lines:
        return list(_requests(lines))


def _requests(lines: Iterator[str]) -> Iterator[Request]:
    for number, line in enumerate(lines, start=1):
        found = _LINE.match(line)
        if found is None:
            raise UnreadableLog(f"line {number} is not in the combined log format")
        yield Request(
            line=number,
            address=found["address"],
            at=datetime.strptime(found["at"], "%d/%b/%Y:%H:%M:%S %z"),
            method=found["method"],
            path=found["target"].partition("?")[0],
            status=int(found["status"]),
            size=0 if found["size"] == "-" else int(found["size"]),
        )
