"""Which saved filters a person sees. Owns the normal form of a list's query string; never writes."""

from __future__ import annotations

from urllib.parse import parse_qsl

from django.contrib.auth.models import Group
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils.http import urlencode

from config.platform.models import SavedFilter, StandardFilter

SHOW = "show"
"""The parameter that asks for a list without the person's standard filter."""

_PASSING = frozenset({"p", "e", "all", SHOW, "_popup", "_to_field", "_changelist_filters"})


def normal(query: str) -> str:
    """Return a list's query string without what passes (page, errors) and what is empty, in the order of its names."""
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=False)
    return urlencode(sorted(pair for pair in pairs if pair[0] not in _PASSING))


def seen_by(user_id: int) -> QuerySet[SavedFilter]:
    """Return the filters a person made and those shared with a role of theirs.

    Each with ``is_mine`` and ``is_standard``: whether they made it, and whether they open the list with it.
    """
    standard = StandardFilter.objects.filter(person_id=user_id, saved_id=OuterRef("pk"))
    return (
        SavedFilter.objects.filter(Q(person_id=user_id) | Q(role__in=Group.objects.filter(user=user_id)))
        .annotate(
            is_mine=ExpressionWrapper(Q(person_id=user_id), output_field=BooleanField()), is_standard=Exists(standard)
        )
        .select_related("person", "role")
    )


def of_list(*, list_of: str, user_id: int) -> list[SavedFilter]:
    """Return the filters of a list that a person sees, by name. One query."""
    return list(seen_by(user_id).filter(list_of=list_of).order_by("name", "id"))
