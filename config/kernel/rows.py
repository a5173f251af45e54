"""Writing many rows of one table at once: COPY for new ones, one UPDATE that reads a JSON list for known ones.

Owns the two statements and how values of fields become those of columns. For hundreds of rows bulk_create and
bulk_update spend most of their time on putting the statement together; what they do for fewer stays theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from djmoney.models.fields import MoneyField
from moneyed import Money
from psycopg import sql

FEW = 100
"""Up to so many rows are written by Django's own statements, which take one step less."""

Row = TypeVar("Row", bound=models.Model)
Reader = Callable[[models.Model], Any]


def insert(rows: Sequence[Row]) -> list[Row]:
    """Write new rows of one model and give them their keys, in ascending order.

    Like bulk_create: without signals, all rows or none. What they point at has to be written already. Values are
    written as they are, so figures are rounded and choices right before. Raises IntegrityError as any insert does.
    """
    if len(rows) <= FEW:
        return type(rows[0])._base_manager.bulk_create(rows) if rows else []
    model = type(rows[0])
    meta: Any = model._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    readers = [_copied(field) for field in fields]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(meta.db_table),
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in (meta.pk, *fields)),
    )
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [connection.ops.quote_name(meta.db_table), meta.pk.column, len(rows)],
        )
        keys = [key for (key,) in cursor.fetchall()]
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for key, row in zip(keys, rows, strict=True):
                copy.write_row((key, *(read(row) for read in readers)))
    for key, row in zip(keys, rows, strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, connection.alias
    return list(rows)


def update(rows: Sequence[Row], names: Sequence[str]) -> int:
    """Write the named fields of known rows of one model, by one statement, and return how many were there.

    The caller holds their locks: one statement takes them in any order. Values are written as they are.
    """
    if not rows:
        return 0
    meta = type(rows[0])._meta
    pk: Any = meta.pk
    fields: list[Any] = [meta.get_field(name) for name in names]
    readers = {field.column: _told(field) for field in (pk, *fields)}
    types = {pk.column: pk.rel_db_type(connection)} | {field.column: field.db_type(connection) for field in fields}
    key = sql.Identifier(pk.column)
    statement = sql.SQL(
        "UPDATE {table} AS known SET {values} FROM jsonb_to_recordset(%s::jsonb) AS told({columns})"
        " WHERE known.{key} = told.{key}"
    ).format(
        table=sql.Identifier(meta.db_table),
        values=sql.SQL(", ").join(sql.SQL("{0} = told.{0}").format(sql.Identifier(field.column)) for field in fields),
        columns=sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in types.items()
        ),
        key=key,
    )
    told = [{name: read(row) for name, read in readers.items()} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(told, default=_text)])
        return int(cursor.rowcount)


def _copied(field: Any) -> Reader:
    """Return how a field's value is read for COPY: what the driver writes without looking further."""
    name, encoder = field.attname, getattr(field, "encoder", None)
    if isinstance(field, MoneyField):
        return lambda row: _amount(row.__dict__[name])
    if isinstance(field, models.JSONField):
        return lambda row: None if row.__dict__[name] is None else json.dumps(row.__dict__[name], cls=encoder)
    if isinstance(field, models.CharField | models.TextField):
        # Choices are texts of a class of their own.
        return lambda row: None if row.__dict__[name] is None else str(row.__dict__[name])
    if isinstance(field, ArrayField | models.FileField):
        return lambda row: field.get_db_prep_save(getattr(row, name), connection)
    return lambda row: row.__dict__[name]


def _told(field: Any) -> Reader:
    """Return how a field's value is read for the list: as JSON, in which figures are texts."""
    name, encoder = field.attname, getattr(field, "encoder", None)
    if isinstance(field, MoneyField):
        return lambda row: _amount(row.__dict__[name])
    if isinstance(field, models.JSONField) and encoder is not None:
        return lambda row: json.loads(json.dumps(row.__dict__[name], cls=encoder))
    return lambda row: row.__dict__[name]


def _amount(value: Any) -> Any:
    return value.amount if isinstance(value, Money) else value


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{value!r} is no value of a column")
