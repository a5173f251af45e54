"""No list of the admin makes a query for each of its rows."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.platform.admin import pages
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def test_no_list_makes_a_query_for_a_row(superuser: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = {}
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, pages.PageAdmin):
            continue
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        monkeypatch.setattr(model_admin, "list_per_page", 1)
        superuser.get(address)  # what is kept between requests is asked for once
        one = queries(superuser, address)
        monkeypatch.setattr(model_admin, "list_per_page", 100)
        many = queries(superuser, address)
        if many > one:
            grown[address] = one, many
    assert grown == {}
