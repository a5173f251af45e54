"""The bar of saved filters above a list: what it shows, and the addresses of lists. Owns no page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from config.platform.models import SavedFilter
from config.platform.queries import saved_filters as known


@dataclass(frozen=True)
class Choice:
    """A name above a list."""

    name: str
    url: str
    is_active: bool
    is_standard: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Bar:
    """The names above a list; ``save_url`` is empty where there is nothing to save."""

    choices: tuple[Choice, ...]
    save_url: str
    all_url: str
    manage_url: str


def bar(label: str, rows: Sequence[SavedFilter], query: str) -> Bar | None:
    """The bar above the list of a model, for the query string it has now; None where it would be empty."""
    present = known.normal(query)
    is_saved = any(row.query == present for row in rows)
    if not rows and not present:
        return None
    has_standard = any(row.is_standard for row in rows)
    all_url = f"?{known.SHOW}=all" if has_standard else "?"
    found = [Choice("All", all_url, not present)]
    for row in rows:
        hint = "" if row.is_mine else f"Shared by {row.person.get_full_name() or row.person.get_username()}"
        found.append(Choice(row.name, f"?{row.query}", row.query == present, row.is_standard, hint))
    save = "" if is_saved or not present else f"{reverse('admin:platform_savedfilter_save')}?"
    if save:
        save += urlencode({"list_of": label, "query": present})
    manage = reverse("admin:platform_savedfilter_changelist") if rows else ""
    return Bar(tuple(found) if rows else (), save, all_url, manage)


def standard(request: HttpRequest, rows: Sequence[SavedFilter]) -> str:
    """Where a list leads that somebody opens without saying what to show; empty for the plain list."""
    is_plain = request.method == "GET" and not request.META.get("QUERY_STRING") and "HX-Request" not in request.headers
    if not is_plain:
        return ""
    return next((f"{request.path}?{row.query}" for row in rows if row.is_standard), "")


def list_url(label: str) -> str:
    """The address of the list of a model ("app.model"); empty for what is no list."""
    found = _listed(label)
    return "" if found is None else reverse(f"admin:{found._meta.app_label}_{found._meta.model_name}_changelist")


def list_name(label: str) -> str:
    """What the list is called."""
    found = _listed(label)
    return label if found is None else str(found._meta.verbose_name_plural).capitalize()


def _listed(label: str) -> Any:
    return next((model for model in admin.site._registry if model._meta.label_lower == label), None)
