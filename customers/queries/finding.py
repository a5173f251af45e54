"""Finding customers by what a person types: beginnings of their names' words, ids and addresses. Never writes.

Indexes serve all of it, so that lists of documents may look up customers first and narrow by their keys.
"""

from __future__ import annotations

import re

from django.db import models
from django.db.models import F, Func, QuerySet, Value

from config.platform.queries import matching
from customers.models import Customer

NAMES = ("name", "legal_name", "firstname", "lastname")
"""The columns whose words customers are found by, in the order of the index."""

MOST = 500
"""A list looks at the rows of at most so many customers; whoever needs more narrows it by a filter."""

_COLUMNS = ("external_id", "name", "legal_name", "email")
_WORD = re.compile(r"\w+")


class Words(Func):
    """The words of some columns, as the index has them."""

    function = "to_tsvector"
    template = "%(function)s('simple'::regconfig, %(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


class Sought(Func):
    """Words that all have to begin a word."""

    function = "to_tsquery"
    template = "%(function)s('simple'::regconfig, %(expressions)s)"
    output_field = models.TextField()


class Matches(Func):
    """Say whether words are found."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = models.BooleanField()


def named(rows: QuerySet[Customer], term: str) -> QuerySet[Customer]:
    """Customers in whose names a word begins with each word of the term."""
    words = _WORD.findall(term)
    if not words:
        return rows.none()
    query = " & ".join(f"'{word}':*" for word in words)
    return rows.filter(Matches(Words(*(F(column) for column in NAMES)), Sought(Value(query))))


def keys(term: str, *, most: int = MOST) -> list[int]:
    """The keys of at most ``most`` customers that a term means, retired ones too. One query, which stops there."""
    every = Customer.objects.order_by()
    parts = [matching.starting(every, column, term) for column in _COLUMNS]
    parts.append(named(every, term))
    limited = [part.values("pk")[:most] for part in parts]
    return [row["pk"] for row in limited[0].union(*limited[1:])[:most]]
