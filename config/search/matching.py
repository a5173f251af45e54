"""Conditions that indexes of the database serve: texts by their beginnings and ends, words of names, equal amounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from config.platform.queries import matching
from config.search.amounts import Amount
from customers.queries import finding

M = TypeVar("M", bound=Model)

starting = matching.starting
ending = matching.ending
named = finding.named


def costing(rows: QuerySet[M], column: str, amount: Amount | None) -> list[QuerySet[M]]:
    """Rows with the amount, in its currency where it has one; one queryset for each value that it may be."""
    if amount is None:
        return []
    narrowed = rows if amount.currency is None else rows.filter(currency=amount.currency)
    return [narrowed.filter(**{column: value}).order_by("-id") for value in amount.values]


def public(rows: QuerySet[M], term: str) -> list[QuerySet[M]]:
    """The row whose public id the term is; nothing where it is none."""
    try:
        return [rows.filter(uuid=UUID(term))] if len(term) == 36 else []
    except ValueError:
        return []


def first(parts: Iterable[QuerySet[M]], *, most: int) -> QuerySet[Any]:
    """The keys of a few rows of each part, in one statement that stops at so many of each.

    A part keeps an order of its own; that of its model would make the database read and sort all that it finds.
    """
    unsorted = [part if part.query.order_by else part.order_by() for part in parts]
    limited = [part.values("pk")[:most] for part in unsorted]
    return limited[0].union(*limited[1:], all=True) if len(limited) > 1 else limited[0]
