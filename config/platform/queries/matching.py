"""Conditions on texts that indexes of the database serve: by their beginnings and ends, in whatever case. Never writes.

The index of a beginning is on the text in capitals, that of an end on its capitals backwards, both with pattern
operators. Without the index the conditions are right as well, and read every row.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Reverse, Upper

M = TypeVar("M", bound=Model)


def capitals(text: str) -> str:
    """The text in capitals as the database writes them: letter by letter."""
    return "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in text)


def starting(rows: QuerySet[M], column: str, term: str) -> QuerySet[M]:
    """Rows whose text begins with the term, in whatever case."""
    return rows.alias(sought=Upper(column)).filter(sought__startswith=capitals(term))


def ending(rows: QuerySet[M], column: str, term: str) -> QuerySet[M]:
    """Rows whose text ends with the term, in whatever case."""
    return rows.alias(sought=Reverse(Upper(column))).filter(sought__startswith=capitals(term)[::-1])


def equal(rows: QuerySet[M], column: str, term: str) -> QuerySet[M]:
    """Rows whose text is the term, in whatever case."""
    return rows.alias(sought=Upper(column)).filter(sought=capitals(term))


def any_of(
    rows: QuerySet[M], term: str, *, starts: tuple[str, ...] = (), ends: tuple[str, ...] = (), or_else: Q | None = None
) -> QuerySet[M]:
    """Rows with a text that begins or ends with the term, or that another condition takes."""
    found = or_else if or_else is not None else Q(pk__in=[])
    for column in starts:
        rows = rows.alias(**{f"starts_{column}": Upper(column)})
        found |= Q(**{f"starts_{column}__startswith": capitals(term)})
    for column in ends:
        rows = rows.alias(**{f"ends_{column}": Reverse(Upper(column))})
        found |= Q(**{f"ends_{column}__startswith": capitals(term)[::-1]})
    return rows.filter(found)
