"""Long tables of a page in parts: which rows are shown, and the links to those before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from config.platform.admin import cells


@dataclass(frozen=True)
class Paged:
    """The rows of one part, and for the head of their table which part it is and the way to the others."""

    rows: tuple[Any, ...]
    links: SafeString | str = ""


def of(rows: QuerySet[Any], request: HttpRequest, *, name: str, per_page: int, tab: str = "") -> Paged:
    """The part of the rows that the address asks for by ``name``; what is no part is the nearest one.

    ``tab`` names the tab of the page that they stand in, where it is not the first.
    """
    page = Paginator(rows, per_page).get_page(request.GET.get(name))
    shown = tuple(page.object_list)
    if page.paginator.num_pages == 1:
        return Paged(shown)
    where = f"{cells.number_text(page.start_index())}–{cells.number_text(page.end_index())}"
    before = _link(name, page.number - 1, "Previous", tab) if page.has_previous() else ""
    after = _link(name, page.number + 1, "Next", tab) if page.has_next() else ""
    return Paged(
        shown,
        format_html(
            '<span class="q-paging">{}<span class="q-muted">{} of {}</span>{}</span>',
            before,
            where,
            cells.number_text(page.paginator.count),
            after,
        ),
    )


def _link(name: str, number: int, text: str, tab: str) -> SafeString:
    return cells.link(text, f"?{slugify(name)}={number}{f'#{slugify(tab)}' if tab else ''}")
