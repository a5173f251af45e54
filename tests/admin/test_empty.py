"""The admin of an installation in which nothing has happened yet: every page says what to do next."""

from __future__ import annotations

import pytest

from config.platform.admin.blocks import Beside, Chart, Table
from tests.admin.conftest import signed_in
from tests.admin.test_lists import LISTS

pytestmark = pytest.mark.django_db


def test_the_overview_lists_the_first_steps() -> None:
    blocks = signed_in("Superuser").get("/admin/").context["blocks"]
    found = [inner for block in blocks for inner in (block.blocks if isinstance(block, Beside) else [block])]
    steps = next(block for block in found if isinstance(block, Table) and block.title == "First steps")
    assert len(steps.rows) == 5
    assert all("to do" in str(row.cells[1]) for row in steps.rows)
    assert {block.is_empty for block in found if isinstance(block, Chart)} == {True}


@pytest.mark.parametrize("name", [name for name in LISTS if not name.startswith("auth/")])
def test_empty_lists_say_so(name: str) -> None:
    page = signed_in("Superuser").get(f"/admin/{name}/").content.decode()
    assert "q-empty-list" in page


def test_balances_of_nothing() -> None:
    page = signed_in("Superuser").get("/admin/invoicing/ledgerentry/balances/").content.decode()
    assert "Nothing is booked yet." in page
