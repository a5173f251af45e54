"""Portal links in the admin: shown once to those who may, told by the history, and revoked."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from config.platform.models import AuditEntry
from customers.models import Customer
from tests.admin.conftest import signed_in
from tests.factories.company import Company


@pytest.fixture
def customer(company: Company, db: None) -> Customer:
    return Customer.objects.filter(deleted_at__isnull=True).order_by("pk")[0]


def test_a_link_is_shown_and_audited(finance: Client, customer: Customer) -> None:
    page = f"/admin/customers/customer/{customer.pk}/portal_link/"
    asked = finance.get(page).content.decode()
    assert "12 hours" in asked
    assert "/portal/" not in asked  # looking makes none

    made = finance.post(page)

    (address,) = set(re.findall(r'href="(http[^"]+/portal/[^"]+)"', made.content.decode()))
    assert "no-store" in made["Cache-Control"]
    entry = AuditEntry.objects.get(verb="show_portal_link")
    assert (entry.object_id, entry.actor_kind) == (customer.pk, "user")
    assert address not in str(entry.new)
    path = "/" + address.partition("://")[2].partition("/")[2]
    assert customer.display_name in Client().get(path).content.decode()

    revoked = finance.post(f"/admin/customers/customer/{customer.pk}/revoke_portal_links/")

    assert revoked.status_code == 302
    assert Client().get(path).status_code == 410


def test_who_may_not_gets_none(company: Company, customer: Customer) -> None:
    auditor = signed_in("Auditor")
    for verb in ("portal_link", "revoke_portal_links"):
        assert auditor.post(f"/admin/customers/customer/{customer.pk}/{verb}/").status_code == 403
    assert not AuditEntry.objects.filter(verb__in=["show_portal_link", "revoke_portal_links"]).exists()
