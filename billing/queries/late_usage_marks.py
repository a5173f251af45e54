"""Marks of transactions: which of them are surely over. Owns reading them; they order writing without a clock."""

from __future__ import annotations

from django.db import connection


def horizon() -> int:
    """Return the mark before which every transaction is over: whatever a later statement does not see was written at or
    after it. Read it before the statement whose blind spot it is to tell.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
