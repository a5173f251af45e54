"""What of the first steps is done, as far as rows tell. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

from config.platform.models import FirstStep


def exist(*, rows: Sequence[models.QuerySet[Any]]) -> list[bool]:
    """Say of each queryset whether there is any row. One statement, whatever their number."""
    if not rows:
        return []
    parts, params = [], []
    for one in rows:
        sql, given = one.order_by().values("pk")[:1].query.sql_with_params()
        parts.append(f"EXISTS ({sql})")
        params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return list(cursor.fetchone())


def ticked(*, code: str) -> models.QuerySet[FirstStep]:
    """Return the mark of a code: a row at most."""
    return FirstStep.objects.filter(code=code)
