"""The admin of an installation in which nothing has happened yet: every page says what to do next."""

from __future__ import annotations

import pytest
from django.contrib import admin

from config.dashboard.first_steps import Checklist
from config.platform.admin.blocks import Beside
from config.platform.admin.pages import PageAdmin
from tests.admin.conftest import signed_in
from tests.admin.test_lists import LISTS

pytestmark = pytest.mark.django_db


def test_the_overview_lists_the_first_steps() -> None:
    blocks = signed_in("Superuser").get("/admin/").context["blocks"]
    found = [inner for block in blocks for inner in (block.blocks if isinstance(block, Beside) else [block])]
    steps = next(block for block in found if isinstance(block, Checklist))
    assert len(steps.items) == 12
    assert steps.done == 0
    assert steps.following is not None
    assert steps.following.step.code == "entity"


@pytest.mark.parametrize("piece", ["money", "recurring", "running"])
def test_the_pieces_of_an_empty_overview_draw_nothing(piece: str) -> None:
    answer = signed_in("Superuser").get(f"/admin/overview/{piece}/")
    assert answer.status_code == 200
    assert "<canvas" not in answer.content.decode()


@pytest.mark.parametrize("name", [name for name in LISTS if not name.startswith("auth/")])
def test_empty_lists_say_so(name: str) -> None:
    page = signed_in("Superuser").get(f"/admin/{name}/").content.decode()
    assert "q-empty-list" in page


def test_every_list_says_what_to_do_while_it_is_empty() -> None:
    silent = [
        model._meta.label
        for model, model_admin in admin.site._registry.items()
        if isinstance(model_admin, PageAdmin) and not model_admin.empty_text
    ]
    assert silent == []


def test_balances_of_nothing() -> None:
    page = signed_in("Superuser").get("/admin/invoicing/ledgerentry/balances/").content.decode()
    assert "Nothing is booked yet." in page
