"""What can be imported: the register of kinds, filled by each app with its own. Owns their form and finding columns.

A kind names its columns and what it does with a row, by the same services as pages and the API. Rows that belong
together (the tiers of a price, all prices of a plan) are done as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from moneyed import Money

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services.import_cells import CellKind

Values = Mapping[str, Any]
"""A row by the names of columns; what is empty is absent."""


@dataclass(frozen=True)
class ImportColumn:
    """A column of a kind: ``name`` in the register, ``label`` for people, further headings that mean it."""

    name: str
    label: str
    kind: CellKind = CellKind.TEXT
    synonyms: tuple[str, ...] = ()
    is_needed: bool = False
    example: str = ""
    help: str = ""
    most: int = 255


@dataclass(frozen=True)
class ImportOption:
    """Something chosen for the whole file: one of the ``choices`` (value and label), or a day, which may be empty."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""


Change = tuple[str, str, str]
"""Of what, old and new, for people."""


@dataclass(frozen=True)
class Effect:
    """What was done: nothing where there are no ``changes`` and it is not new. ``by_row`` tells them row by row.

    ``warnings`` are sentences about what is done all the same, and may not have been meant.
    """

    instance: models.Model | None
    is_new: bool = False
    changes: tuple[Change, ...] = ()
    by_row: tuple[tuple[Change, ...], ...] = ()
    warnings: tuple[str, ...] = ()


class RowRefused(errors.Invalid):
    """A row cannot be done. ``details`` name its column, ``place`` says which of the rows that are done as one."""

    place: int | None = None


def refused(column: str, words: str, place: int | None = None) -> RowRefused:
    """Return the refusal of a row for one of its columns, as a sentence for whoever mends the file."""
    found = RowRefused("row_refused", words, {column: ["row_refused"]})
    found.place = place
    return found


@dataclass(frozen=True)
class Task:
    """Rows that are done as one, with whatever the import was told; ``rows`` are in the order of the file."""

    rows: Sequence[Values]
    options: Mapping[str, str]
    actor: Actor
    at: datetime


@dataclass(frozen=True)
class Total:
    """What the rows of one sort come to in one currency, to be compared with the list that the file was made from."""

    of: str
    rows: int
    amount: Money


@dataclass(frozen=True)
class ImportKind:
    """Something that can be imported.

    ``permissions`` are all needed. ``key`` are the columns that say what a row is about; rows of one key are done as
    one where the kind ``is_grouped``, and are a mistake where it is not. ``apply`` does it in a transaction of the
    caller's. ``demand`` asks for the second person that all of it together needs, where rules say so; raises
    ApprovalRequired. ``totals`` are the control totals of rows, for a kind that has any.
    """

    code: str
    label: str
    about: str
    permissions: tuple[str, ...]
    columns: tuple[ImportColumn, ...]
    key: tuple[str, ...]
    apply: Callable[[Task], Effect]
    demand: Callable[[Task], None] | None = None
    totals: Callable[[Task], Sequence[Total]] | None = None
    is_grouped: bool = False
    options: tuple[ImportOption, ...] = ()
    samples: tuple[Mapping[str, str], ...] = ()

    def column(self, name: str) -> ImportColumn | None:
        """Return the column of a name."""
        return next((column for column in self.columns if column.name == name), None)


class UnknownKind(errors.NotFound):
    """Nothing of this name can be imported."""


_kinds: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> None:
    """Add a kind. Registering the same again changes nothing; another one of its code is refused."""
    if _kinds.setdefault(kind.code, kind) != kind:
        raise ValueError(f"there is a kind {kind.code!r} already")


def every() -> Mapping[str, ImportKind]:
    """Return the kinds by code, in the order of their registration."""
    return dict(_kinds)


def one(code: str) -> ImportKind:
    """Return a kind. Raises UnknownKind."""
    if code not in _kinds:
        raise UnknownKind("import_kind_not_found", f"There is nothing to import of the kind {code}.")
    return _kinds[code]


def ambiguous(*, kind: ImportKind, headers: Sequence[str]) -> list[str]:
    """Return the labels of the columns that more than one heading means: a person has to choose."""
    found = _meant(kind, headers)
    return [column.label for column in kind.columns if len(found.get(column.name, ())) > 1]


def matched(*, kind: ImportKind, headers: Sequence[str]) -> dict[str, int]:
    """Return which heading, by its place, is which column. Headings that mean the same column leave it unmatched."""
    return {name: places[0] for name, places in _meant(kind, headers).items() if len(places) == 1}


def _meant(kind: ImportKind, headers: Sequence[str]) -> dict[str, list[int]]:
    known = {
        column.name: {plain(name) for name in (column.name, column.label, *column.synonyms)} for column in kind.columns
    }
    found: dict[str, list[int]] = {}
    for place, header in enumerate(headers):
        for name, texts in known.items():
            if plain(header) in texts:
                found.setdefault(name, []).append(place)
    return found


def plain(text: str) -> str:
    """Return a heading as it is compared: letters and figures alone, in lower case."""
    return re.sub(r"[\W_]+", "", text.lower())
