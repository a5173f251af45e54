"""Pages of lists: whichever way a page is found, walking them meets each row once, and a stale number ends no walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from config.platform.queries import list_pages

pytestmark = pytest.mark.django_db

FEW, LONG = 4, 8


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lists of five rows are no longer few, lists of nine are long."""
    monkeypatch.setattr(list_pages, "FEW", FEW)
    monkeypatch.setattr(list_pages, "LONG", LONG)
    cache.clear()
    yield
    cache.clear()


def listed() -> QuerySet[Group]:
    """Return what is listed: in an order that is not the one of the keys, without the rows of others."""
    return Group.objects.filter(name__startswith="row ").order_by("-name", "id")


def add(*numbers: int) -> None:
    Group.objects.bulk_create(Group(name=f"row {number:02}") for number in numbers)


def walk(size: int, *, after_first: Any = None) -> list[str]:
    """Return the names that a client meets who follows the next page until there is none."""
    names, offset = [], 0
    while True:
        page = list_pages.read(listed(), offset=offset, size=size)
        names += [group.name for group in page.rows]
        assert page.total >= len(names), "what is counted is never less than what was shown"
        if not page.has_next:
            assert page.total == len(names)
            return names
        if after_first and not offset:
            after_first()
        offset += size


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, LONG, LONG + 1, 13])
@pytest.mark.parametrize("size", [1, 3, 4, 13])
def test_walking_all_pages_meets_each_row_once(count: int, size: int) -> None:
    Group.objects.create(name="another")
    add(*range(count))
    assert walk(size) == [f"row {number:02}" for number in reversed(range(count))]


@pytest.mark.parametrize("count", [3, 7, 12])
def test_a_page_beyond_the_end_is_empty_and_tells_the_number_of_rows(count: int) -> None:
    add(*range(count))
    page = list_pages.read(listed(), offset=50, size=5)
    assert (page.rows, page.has_next, page.total) == ([], False, count)


@pytest.mark.parametrize("size", [3, 5])
def test_rows_that_come_behind_meanwhile_are_met_although_the_number_is_remembered(size: int) -> None:
    add(*range(50, 60))
    names = walk(size, after_first=lambda: add(*range(10, 20)))
    assert names == [f"row {number}" for number in (*reversed(range(50, 60)), *reversed(range(10, 20)))]


def test_a_long_list_is_counted_once_and_a_short_one_each_time() -> None:
    add(*range(10, 20))
    assert list_pages.read(listed(), offset=0, size=2).total == 10
    add(20, 21)
    assert list_pages.read(listed(), offset=0, size=2).total == 10, "as it was a moment ago"
    cache.clear()
    assert list_pages.read(listed(), offset=0, size=2).total == 12
    Group.objects.filter(name__gt="row 14").delete()
    assert list_pages.read(listed(), offset=0, size=2).total == 5, "no longer long"
    add(30)
    assert list_pages.read(listed(), offset=0, size=2).total == 6


def test_other_filters_have_numbers_of_their_own() -> None:
    add(*range(10, 30))
    assert list_pages.read(listed(), offset=0, size=2).total == 20
    assert list_pages.read(listed().filter(name__lt="row 20"), offset=0, size=2).total == 10


def test_a_row_that_goes_between_two_statements_ends_no_walk() -> None:
    add(*range(10, 20))
    statements = []

    def delete_after_the_keys(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        if "permission" not in sql and sql.count('"auth_group"."name"') > 1 and " IN (" in sql and len(statements) > 2:
            with connection.connection.cursor() as cursor:
                cursor.execute("DELETE FROM auth_group WHERE name = 'row 18'")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete_after_the_keys):
        page = list_pages.read(listed(), offset=0, size=2)
    assert [group.name for group in page.rows] == ["row 19"]
    assert page.has_next


def test_what_cannot_be_has_no_rows() -> None:
    page = list_pages.read(listed().filter(pk__in=[]), offset=5, size=5)
    assert (page.rows, page.has_next, page.total) == ([], False, 0)


def test_what_is_cut_off_already_is_paged_too() -> None:
    add(*range(10, 20))
    page = list_pages.read(listed()[:5], offset=3, size=3)
    assert ([group.name for group in page.rows], page.has_next, page.total) == (["row 16", "row 15"], False, 5)


@pytest.mark.parametrize(("count", "most"), [(0, 1), (3, 2), (7, 4), (12, 5)])
def test_the_number_of_statements_does_not_grow(count: int, most: int) -> None:
    add(*range(count))
    with CaptureQueriesContext(connection) as captured:
        list_pages.read(listed(), offset=0, size=2)
    assert len(captured) == most
