"""Checks of the books: the register of what must hold in stored data, whoever wrote it. Owns the form of a check and of
what breaks it; knows no table.

Each app registers the checks of its own tables. They are run together: by the scheduler, by a command, by a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

KEPT = 100
"""Findings of one check that are kept; all of them are counted."""


@dataclass(frozen=True)
class Scope:
    """What a run looks at.

    ``since`` narrows checks of single rows to those that were written or changed since; sums over everything are always
    checked whole. ``sample`` is how many rows the costly checks draw, and ``seed`` draws the same ones again.
    """

    as_of: datetime
    since: datetime | None = None
    sample: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Finding:
    """One row that breaks a check: of which model ("invoicing.invoice"), which one, and what is wrong in words."""

    subject_type: str
    subject_id: int
    label: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """What a check came to: how many rows it looked at, how many break it, and the first `KEPT` of those."""

    looked_at: int
    count: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Check:
    """Something that must hold.

    ``name`` is stable and meant for machines, ``title`` and ``proves`` are for people. ``run`` writes nothing. One that
    ``is_sampled`` looks at some of the rows only, because each costs much.
    """

    name: str
    title: str
    proves: str
    run: Callable[[Scope], Verdict]
    is_sampled: bool = False


_registered: dict[str, Check] = {}


def register(*checks: Check) -> None:
    """Add checks. Registering the same one again changes nothing; another one of its name is refused."""
    for check in checks:
        if _registered.setdefault(check.name, check) != check:
            raise ValueError(f"there is a check {check.name!r} already")


def registered() -> tuple[Check, ...]:
    """Return the checks in the order of their registration."""
    return tuple(_registered.values())
