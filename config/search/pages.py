"""Finding pages of the admin: entries of the menu, and what can be made or started, by any part of their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.platform.admin.pages import PageAdmin
from config.search.results import Result

MOST = 5


def found(request: HttpRequest, term: str, *, navigation: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Pages and verbs whose name has each word of the term, those that begin with it first. No query."""
    words = term.casefold().split()
    every = [*_entries(request, navigation), *_verbs(request)]
    matching = [one for one in every if words and all(word in one.title.casefold() for word in words)]
    matching.sort(key=lambda one: (not one.title.casefold().startswith(words[0]), one.title))
    return matching[:MOST]


def _entries(request: HttpRequest, navigation: Sequence[Mapping[str, Any]]) -> Iterator[Result]:
    for group in navigation:
        for item in group["items"]:
            if item.get("permission") is None or item["permission"](request):
                yield Result("Page", item["title"], group.get("title", ""), item["link"], item["icon"])


def _verbs(request: HttpRequest) -> Iterator[Result]:
    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, PageAdmin) and model_admin.has_view_permission(request):
            for verb in model_admin.list_verbs:
                if verb.may(request):
                    about = str(model._meta.verbose_name_plural).capitalize()
                    yield Result("To do", verb.label, about, model_admin.url(verb.name), verb.icon)
