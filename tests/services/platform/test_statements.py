"""Prepared statements: planned once, undone in nothing, and plain where connections are pooled by transaction."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from config.kernel import statements

pytestmark = pytest.mark.django_db


def planned(mark: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{mark}$%"])
        count: int = cursor.fetchone()[0]
    return count


def test_a_statement_is_planned_once() -> None:
    for number in (1, 2, 3):
        assert statements.fetch_prepared("SELECT 'once' || %s::text", [number]) == [(f"once{number}",)]
    assert planned("'once' || ") == 1


def test_named_parameters_and_no_rows() -> None:
    assert statements.fetch_prepared("SELECT %(a)s::int WHERE %(b)s", {"a": 7, "b": True}) == [(7,)]
    assert statements.fetch_prepared("SELECT %(a)s::int WHERE %(b)s", {"a": 7, "b": False}) == []


def test_other_statements_are_not_prepared_by_it() -> None:
    usual = connection.connection.prepare_threshold
    statements.fetch_prepared("SELECT 'threshold'", [])
    assert connection.connection.prepare_threshold == usual


def test_a_failure_is_one_of_the_frameworks_and_leaves_the_connection_as_it_was() -> None:
    usual = connection.connection.prepare_threshold
    with pytest.raises(DatabaseError), transaction.atomic():
        statements.fetch_prepared("SELECT 1 / %s", [0])
    assert connection.connection.prepare_threshold == usual
    assert statements.fetch_prepared("SELECT 1", []) == [(1,)]


def test_pooled_connections_prepare_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    assert statements.fetch_prepared("SELECT 'pooled' || %s::text", [1]) == [("pooled1",)]
    assert planned("'pooled' || ") == 0
