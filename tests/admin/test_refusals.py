"""What one may not see and what is not there: pages of the house, with a way back."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def test_what_is_not_there_is_said_in_the_house(finance: Client) -> None:
    answer = finance.get("/admin/nowhere/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "There is nothing here" in page
    assert 'href="/admin/"' in page
    assert "Documents and money" in page  # the menu is there


def test_what_one_may_not_do_is_said_in_the_house(company: Company) -> None:
    answer = signed_in("Auditor").get("/admin/billing/billingrun/start/")
    assert answer.status_code == 403
    assert "You may not do this" in answer.content.decode()
    assert 'href="/admin/"' in answer.content.decode()


def test_strangers_get_a_page_without_the_menu(db: None) -> None:
    answer = Client().get("/nowhere/")
    assert answer.status_code == 404
    assert "Sign in" in answer.content.decode()
    assert "Documents and money" not in answer.content.decode()


def test_programs_get_an_answer_of_their_own(db: None) -> None:
    answer = Client().get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.json() == {"status": 404, "error": "Not Found"}


def test_the_front_door_leads_to_the_admin(db: None) -> None:
    assert Client().get("/").url == "/admin/"
    assert Client().get("/favicon.ico").url.endswith("admin_theme/mark.svg")
