"""What a kind of thing is to the import: where it is read, how one is recognised here, and how one is made. Owns this
form and picking fields; each kind itself is defined where its things are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing.services.takeovers import Since
from config.importing.house import House
from config.importing.source import Lago

Row = dict[str, Any]


@dataclass
class Journey:
    """An import under way: from where, to where, at which instant, and since when contracts are billed here.

    ``remark`` tells the person who runs it something about the thing that is being made.
    """

    lago: Lago
    house: House
    at: datetime
    since: Since
    remark: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True)
class Kind:
    """A kind of thing. ``name`` is what ``--only`` calls it.

    ``read`` yields what is there, whole; ``find`` returns what the API shows of the same thing here, or nothing, and an
    empty answer for what was here and ended since; ``make`` makes it and returns what the API shows of it. Fields of
    ``but`` are not compared.
    """

    name: str
    read: Callable[[Journey], Iterator[Row]]
    label: Callable[[Row], str]
    find: Callable[[Journey, Row], Row | None]
    make: Callable[[Journey, Row], Row]
    but: Collection[str] = ()


def given(row: Mapping[str, Any], *names: str) -> Row:
    """Return the fields of these names that say something."""
    return {name: row[name] for name in names if row.get(name) is not None}


def codes(rows: Any) -> list[str]:
    """Return the codes of objects, none for nothing."""
    return [str(row["code"]) for row in rows or ()]


def by_code(row: Mapping[str, Any]) -> str:
    """Return the code that something is known by."""
    return str(row["code"])
