"""Pages of a list in the portal: newer and older, in small steps. Owns which rows a page has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest

SIZE = 20
MOST = 100_000
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a page, and the numbers of the pages beside it; 0 where there is none."""

    rows: tuple[Any, ...]
    number: int
    newer: int
    older: int

    @property
    def is_alone(self) -> bool:
        """Say whether there is no other page."""
        return not self.newer and not self.older


def listing(
    request: HttpRequest, rows: QuerySet[Any], show: Callable[[Any], Shown], *, size: int | None = None
) -> Listing:
    """Return the page that ``?page=`` asks for, the first one for anything unreadable. Two queries and prefetches."""
    size = size or SIZE
    asked = request.GET.get("page", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
    number = min(max(number, 1), MOST)
    found = list(rows[(number - 1) * size : number * size + 1])
    older = number + 1 if len(found) > size else 0
    return Listing(tuple(show(row) for row in found[:size]), number, number - 1, older)
