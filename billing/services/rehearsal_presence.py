"""Whether somebody computes or bills a rehearsal at this moment. Owns the sign: a lock of the database session, which
is gone when its process is, however it ended.
"""

from __future__ import annotations

from django.db import connection

_NAME = "billing_rehearsal"


def appear(*, rehearsal_id: int) -> bool:
    """Show that one works at it; return whether nobody else does. Needs `leave` afterwards."""
    return _ask("pg_try_advisory_lock", rehearsal_id)


def leave(*, rehearsal_id: int) -> None:
    """Show it no longer. A session that is gone has left by itself."""
    if connection.connection is not None and not connection.connection.closed:
        _ask("pg_advisory_unlock", rehearsal_id)


def _ask(function: str, rehearsal_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, %s))", [_NAME, rehearsal_id])
        (answer,) = cursor.fetchone()
    return answer is True
