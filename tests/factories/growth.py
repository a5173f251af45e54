"""More of everything that is there, written by SQL: for tests of how pages grow with what they show.

Every row gets copies in two ways. Piled copies stand beside it, with the same parents: an invoice has more lines, a
customer more invoices. The clone is a whole world of its own, where copies belong to copies: lists have more customers
with all that is theirs. Where only one row may be (a document of each kind), a copy is tied to a copied parent instead.
Triggers and foreign keys sleep meanwhile. Owns no rule of the product: what copies say is plausible to a page, not to
the books check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, models

OFFSET = 100_000
"""How far the ids of one set of copies are from those of the next."""
SMALL_OFFSET = 1_000
"""The same for numbers that are too narrow for it."""
CLONE = 1
PILES = (2, 3)
LEFT = {"contenttypes", "sessions", "admin"}
LEFT_TABLES = {"django_celery_beat_periodictasks", "auth_permission"}
"""What is the installation's own: tables with one row for all, and what Django writes when it migrates."""

UNIQUE = """
SELECT r.relname, i.indexrelid, a.attname, COALESCE(pg_get_expr(i.indpred, i.indrelid), '')
FROM pg_index i
JOIN pg_class r ON r.oid = i.indrelid
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = ANY(i.indkey)
WHERE i.indisunique AND NOT i.indisprimary AND r.relnamespace = 'public'::regnamespace
ORDER BY i.indexrelid, a.attnum"""
EXCLUDED = """
SELECT r.relname, pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
WHERE c.contype = 'x'"""


@dataclass(slots=True)
class Index:
    """The columns of which two rows may not have the same, and the condition under which they may not."""

    condition: str
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is copied: its indexes, and the text of what excludes rows that overlap in time."""

    model: type[models.Model]
    indexes: tuple[Index, ...]
    excluded: str

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def column(self, name: str) -> models.Field:
        return next(one for one in self.model._meta.concrete_fields if one.column == name)


def grow() -> None:
    """Copy every row of every table that can have more than one. Needs a transaction."""
    tables = {table.name: table for table in _tables()}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statements in (_copies, _tied):
            for table in tables.values():
                for statement in statements(table, _parents(table, tables)):
                    cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def _tables() -> Iterator[Table]:
    unique: dict[str, dict[int, Index]] = {}
    with connection.cursor() as cursor:
        cursor.execute(UNIQUE)
        for table, number, column, condition in cursor.fetchall():
            unique.setdefault(table, {}).setdefault(number, Index(condition)).columns.append(column)
        cursor.execute(EXCLUDED)
        excluded = [*cursor.fetchall()]
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        is_left = not meta.managed or meta.app_label in LEFT or meta.db_table in LEFT_TABLES
        if is_left or any(one.name == "singleton" for one in meta.fields):
            continue
        said = " ".join(text for table, text in excluded if table == meta.db_table)
        yield Table(model, tuple(unique.get(meta.db_table, {}).values()), said)


def _parents(table: Table, tables: Mapping[str, Table]) -> dict[str, str]:
    """The columns that refer to the id of a copied table, with the table's name."""
    found = {}
    for one in table.model._meta.concrete_fields:
        if isinstance(one, models.ForeignKey) and isinstance(one.target_field, models.AutoField):
            found[one.column] = one.related_model._meta.db_table
    return {column: name for column, name in found.items() if name in tables}


def _copies(table: Table, parents: Mapping[str, str]) -> Iterator[str]:
    yield _statement(table, _fresh(table, CLONE) | {name: f'"{name}" + {CLONE * OFFSET}' for name in parents})
    for slot in PILES:
        yield _statement(table, _fresh(table, slot) | _shifted(table, slot))


def _tied(table: Table, parents: Mapping[str, str]) -> Iterator[str]:
    """Copies that belong to a piled parent, where the original's parent has room for one only."""
    ties = {one for index in table.indexes if not _freshened(table, index) for one in index.columns if one in parents}
    slot = max(PILES)
    for tie in sorted(ties):
        for pile in PILES:
            slot += 1
            moved = f'"{tie}" + {pile * OFFSET}'
            there = f'EXISTS (SELECT FROM "{parents[tie]}" AS parent WHERE parent.id = "{table.name}".{moved})'
            yield _statement(table, _fresh(table, slot) | {tie: moved}, f"AND {there}")


def _statement(table: Table, values: Mapping[str, str], condition: str = "") -> str:
    columns = [one.column for one in table.model._meta.concrete_fields]
    names = ", ".join(f'"{name}"' for name in columns)
    said = ", ".join(values.get(name, f'"{name}"') for name in columns)
    key = table.model._meta.pk
    originals = f'"{key.column}" < {OFFSET}' if isinstance(key, models.AutoField) else f'"{key.column}" IS NOT NULL'
    return (
        f'INSERT INTO "{table.name}" ({names}) SELECT {said} FROM "{table.name}" WHERE {originals} {condition} '
        "ON CONFLICT DO NOTHING"
    )


def _fresh(table: Table, slot: int) -> dict[str, str]:
    """What a copy says in another way than its original, by column, so that both may be."""
    key = table.model._meta.pk
    changed = [] if isinstance(key, models.ForeignKey) else [key.column]
    changed += [name for one in table.indexes for name in _freshened(table, one)]
    return {name: _other(table.column(name), slot) for name in changed}


def _freshened(table: Table, index: Index) -> tuple[str, ...]:
    """The column that is changed so that a copy may stand beside its original; none where there are parents alone."""
    flag = index.condition.strip("()")
    if any(isinstance(one, models.BooleanField) and one.column == flag for one in table.model._meta.fields):
        return (flag,)
    columns = [table.column(name) for name in index.columns]
    free = [one for one in columns if not isinstance(one, models.ForeignKey) and not one.choices]
    if len(columns) > 1:  # a name of a parent is a parent too
        free = [one for one in free if not (isinstance(one, models.BooleanField) or one.column.startswith("external_"))]
    for kind in (models.UUIDField, models.BooleanField, models.IntegerField, models.CharField, models.TextField):
        if found := next((one for one in free if isinstance(one, kind)), None):
            return (found.column,)
    return ()


def _shifted(table: Table, slot: int) -> dict[str, str]:
    """Times of which no two may overlap lie years before the original's."""
    times = [one.column for one in table.model._meta.fields if isinstance(one, models.DateField)]
    bound = [name for name in times if re.search(rf"\b{name}\b", table.excluded)]
    return {name: f"\"{name}\" - interval '{slot} years'" for name in bound}


def _other(column: models.Field, slot: int) -> str:
    name = f'"{column.column}"'
    if isinstance(column, models.UUIDField):
        return f"CASE WHEN {name} IS NOT NULL THEN gen_random_uuid() END"
    if isinstance(column, models.BooleanField):
        return "false"
    if isinstance(column, models.SmallIntegerField | models.PositiveSmallIntegerField):
        return f"{name} + {slot * SMALL_OFFSET}"
    if isinstance(column, models.IntegerField):
        return f"{name} + {slot * OFFSET}"
    if re.search("sha256|digest", column.column):
        changed = f"encode(sha256(({name} || {slot})::bytea), 'hex')"
    else:
        cut = f"left({name}, {column.max_length - 3})" if column.max_length else name
        changed = f"{cut} || '-{slot}'"
    return f"CASE WHEN {name} = '' THEN {name} ELSE {changed} END"
