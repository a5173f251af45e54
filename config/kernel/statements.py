"""Running statements that come with every request. Owns having the server plan them once for each connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


def fetch_prepared(sql: str, parameters: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement, prepared on its first run, and return its rows. Use it for few, fixed texts.

    Planning may take longer than running: the statement that stores events takes as long to plan as to store fifty.
    Where DISABLE_SERVER_SIDE_CURSORS says that connections are pooled by transaction, statements cannot be prepared.
    Raises what Django's own cursors raise.
    """
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    connection.ensure_connection()
    server = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(server) as cursor:
        usual, server.prepare_threshold = server.prepare_threshold, 0
        try:
            return list(cursor.execute(sql, parameters, prepare=True).fetchall())
        finally:
            server.prepare_threshold = usual
