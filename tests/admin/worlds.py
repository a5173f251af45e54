"""Worlds that tests stand in, made once by a test process. Making one takes most of a second, its rows are copied back
into the database in some hundredths. Owns how that is done; what a world holds is its maker's.

Needs an open transaction, which the caller rolls back, and nothing in the database but what every test begins with, or
another such world.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from typing import TypeVar

from django.db import connection
from psycopg import sql

W = TypeVar("W")

_WRITTEN = """
SELECT DISTINCT coalesce(pg_partition_root(relid), relid)::regclass::text FROM pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY 1
"""


@dataclasses.dataclass(frozen=True)
class _Kept:
    """What was made, and all rows of the tables that were written, each with its columns."""

    made: bytes
    rows: list[tuple[sql.Composable, sql.Composable, bytes]]


_kept: dict[str, _Kept] = {}


def standing(name: str, make: Callable[[], W]) -> W:
    """Put the world of that name into the database and return what its maker returns; a copy of it from then on."""
    if name not in _kept:
        made = make()
        _kept[name] = _Kept(made=pickle.dumps(made), rows=_read())
        return made
    _write(_kept[name].rows)
    found: W = pickle.loads(_kept[name].made)
    return found


def _read() -> list[tuple[sql.Composable, sql.Composable, bytes]]:
    rows = []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # copied rows are not checked again
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(_WRITTEN)
        for (table,) in cursor.fetchall():
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " AND attgenerated = '' ORDER BY attnum",
                [table],
            )
            columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in cursor.fetchall())
            named = sql.SQL(table)  # as the database writes it, quoted where it must be
            statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, named)
            with cursor.copy(statement) as copied:
                rows.append((named, columns, b"".join(copied)))
    return rows


def _write(rows: list[tuple[sql.Composable, sql.Composable, bytes]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, columns, content in rows:
            cursor.execute(sql.SQL("DELETE FROM {}").format(table))
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, columns)) as copied:
                copied.write(content)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
