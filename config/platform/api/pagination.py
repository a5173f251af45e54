"""Pages of lists. Owns ``page``, ``per_page`` and the ``meta`` of an answer; order and filters are the queryset's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from rest_framework.request import Request
from rest_framework.response import Response

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
    total: int | None = None,
) -> Response:
    """Answer one page of a queryset under ``key`` with ``meta``. Two queries at most, besides the representation's.

    Numbers that are none fall back to the first page of 100; a page has 1000 rows at most. A page after the last one is
    empty. ``total`` saves the count where the caller knows better.
    """
    page = _number(request, "page", 1, MAX_PAGE)
    size = _number(request, "per_page", DEFAULT_SIZE, MAX_SIZE)
    count = queryset.count() if total is None else total
    offset = (page - 1) * size
    rows = list(queryset[offset : offset + size]) if offset < count else []
    content = to_representation(rows) if rows else []
    return Response({key: content, "meta": meta(page=page, size=size, count=count)})


def meta(*, page: int, size: int, count: int) -> dict[str, int | None]:
    """Return the meta of a page; an empty list has no page at all."""
    pages = -(-count // size)
    return {
        "current_page": page if count else 0,
        "next_page": page + 1 if page < pages else None,
        "prev_page": page - 1 if 1 < page <= pages else None,
        "total_pages": pages,
        "total_count": count,
    }


def _number(request: Request, name: str, default: int, most: int) -> int:
    given = request.query_params.get(name, "")
    if not (given.isascii() and given.isdigit()) or len(given) > 20:
        return default
    return min(int(given), most) or default
