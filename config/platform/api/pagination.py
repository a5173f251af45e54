"""Pages of lists. Owns ``page``, ``per_page`` and the ``meta`` of an answer; order and filters are the queryset's.

Whether there is a next page is seen by its first row and never derived from a number of rows, which may be an estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.queries import list_pages
from config.platform.queries.list_pages import Page

M = TypeVar("M", bound=models.Model)

DEFAULT_SIZE = 100
MAX_SIZE = 1000
MAX_PAGE = 10**9


def paginated(
    request: Request,
    queryset: models.QuerySet[M],
    key: str,
    to_representation: Callable[[list[M]], list[dict[str, Any]]],
    *,
    read: Callable[..., Page[M]] = list_pages.read,
) -> Response:
    """Answer one page of a queryset under ``key`` with ``meta``. Its order has to be a total one.

    Numbers that are none fall back to the first page of 100; a page has 1000 rows at most. A page after the last one is
    empty. ``read`` reads it (``offset``, ``size``); the statements are its and the representation's.
    """
    page = _number(request, "page", 1, MAX_PAGE)
    size = _number(request, "per_page", DEFAULT_SIZE, MAX_SIZE)
    found = read(queryset, offset=(page - 1) * size, size=size)
    content = to_representation(found.rows) if found.rows else []
    return Response({key: content, "meta": meta(page=page, size=size, count=found.total, has_next=found.has_next)})


def meta(*, page: int, size: int, count: int, has_next: bool | None = None) -> dict[str, int | None]:
    """Return the meta of a page; an empty list has no page at all. ``has_next`` says what was seen of the next page."""
    pages = -(-count // size)
    is_followed = page < pages if has_next is None else has_next
    return {
        "current_page": page if count else 0,
        "next_page": page + 1 if is_followed else None,
        "prev_page": page - 1 if 1 < page <= pages else None,
        "total_pages": pages,
        "total_count": count,
    }


def _number(request: Request, name: str, default: int, most: int) -> int:
    given = request.query_params.get(name, "")
    if not (given.isascii() and given.isdigit()) or len(given) > 20:
        return default
    return min(int(given), most) or default
