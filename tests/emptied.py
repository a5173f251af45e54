"""Empties the database after tests that commit. Django truncates every table there is, which takes a fifth of a second;
here only those are emptied that have rows. What every installation begins with, its rights and roles, would be made
anew each time: it is left where it is as long as no test has changed it.

Rows are deleted past all triggers: those that freeze documents would refuse, and every table is emptied anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.core.management.commands import flush
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations

GROUND = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions", "platform_roledefault")
"""The tables that are filled after migrating, and again after emptying the database."""

_fill = flush.emit_post_migrate_signal
_filled: dict[str, tuple[Any, ...]] = {}
"""By database, what the tables of the ground hold when they were just filled."""


@contextmanager
def quickly() -> Iterator[None]:
    """Empty tables like this until the end of the block."""
    with (
        mock.patch.object(DatabaseOperations, "sql_flush", _statements),
        mock.patch.object(flush, "emit_post_migrate_signal", _fill_the_ground),
    ):
        yield


def _statements(operations: DatabaseOperations, style: Any, tables: Sequence[str], **options: bool) -> list[str]:
    left = set(GROUND) if _is_untouched(operations.connection) else set()
    names = [operations.quote_name(table) for table in tables if table not in left]
    if not names:
        return []
    looks = " UNION ALL ".join(f"(SELECT {number} FROM {name} LIMIT 1)" for number, name in enumerate(names))
    with operations.connection.cursor() as cursor:
        cursor.execute(looks)
        filled = [names[row[0]] for row in cursor.fetchall()]
    return [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {name}" for name in filled),
        "SET session_replication_role = DEFAULT",
    ]


def _fill_the_ground(verbosity: int, interactive: bool, db: str, **options: Any) -> None:
    connection = connections[db]
    if not _is_untouched(connection):
        _fill(verbosity, interactive, db, **options)
        _filled[connection.settings_dict["NAME"]] = _ground(connection)


def _is_untouched(connection: Any) -> bool:
    return _filled.get(connection.settings_dict["NAME"]) == _ground(connection)


def _ground(connection: Any) -> tuple[Any, ...]:
    digests = ", ".join(f"(SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} t)" for table in GROUND)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {digests}")
        found: tuple[Any, ...] = cursor.fetchone()
        return found
