"""Parked accounts in the admin: parked from a rehearsed invoice, a page or the list, told on the customer, released."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import ParkedAccount, Rehearsal, RehearsedInvoice
from billing.services import parked_accounts
from tests.admin.conftest import NOW
from tests.factories.company import Company
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def rehearsed(company: Company, db: None) -> Rehearsal:
    """A rehearsal of three invoices; the second customer is parked already."""
    row = Rehearsal.objects.create(created_at=NOW, updated_at=NOW, as_of=NOW, state="running", requested_label="Eva")
    for customer in company.customers[:3]:
        digest = hashlib.sha256(customer.external_id.encode()).hexdigest()
        RehearsedInvoice.objects.create(
            created_at=NOW, rehearsal=row, customer=customer, currency="EUR", group_sha256=digest, subtotal_amount=7
        )
    second = company.customers[1].pk
    parked_accounts.park(customer_id=second, reason="Disputes its usage.", actor=ACTOR, at=NOW)
    return row


def url(name: str, row: Any) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[row.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def test_accounts_are_parked_from_a_rehearsed_invoice_and_released_in_bulk(
    finance: Client, rehearsed: Rehearsal, company: Company
) -> None:
    row = RehearsedInvoice.objects.filter(rehearsal=rehearsed, error_code="").order_by("pk")[0]
    assert finance.post(url("park", row), {"reason": ""}).context["form"].errors["reason"]
    past = finance.post(url("park", row), {"reason": "Wait.", "until": "2026-05-20"})
    assert "a day that is to come" in past.content.decode()
    assert finance.post(url("park", row), {"reason": "Wait.", "until": "2026-05-28"}).status_code == 302
    parked = ParkedAccount.objects.get(customer=row.customer)
    assert (parked.rehearsal, parked.until.isoformat()) == (rehearsed, "2026-05-28")
    assert finance.post(url("park", row), {"reason": "Again."}).status_code == 302  # led back: it is parked already
    assert ParkedAccount.objects.filter(customer=row.customer).count() == 1

    banner = "until 28 May 2026: Wait."
    assert banner in text(finance, url("change", row.customer))
    listed = text(finance, "/admin/billing/parkedaccount/")
    assert "Disputes its usage." in listed
    ids = ",".join(map(str, ParkedAccount.objects.values_list("pk", flat=True)))
    done = finance.post(reverse("admin:billing_parkedaccount_bulk_release"), {"ids": ids, "reason": "Solved."})
    assert done.content.decode().count(">done<") == 2
    assert not ParkedAccount.objects.filter(released_at__isnull=True).exists()
    assert banner not in text(finance, url("change", row.customer))
    assert "No account is parked" in text(finance, "/admin/billing/parkedaccount/")


def test_several_are_parked_at_once_and_from_their_own_page(
    finance: Client, rehearsed: Rehearsal, company: Company
) -> None:
    rows = list(RehearsedInvoice.objects.filter(rehearsal=rehearsed).order_by("pk"))
    done = finance.post(
        reverse("admin:billing_rehearsedinvoice_bulk_park"),
        {"ids": ",".join(str(row.pk) for row in rows), "reason": "All wait."},
    )
    page = done.content.decode()
    fresh = {row.customer_id for row in rows} - {company.customers[1].pk}
    assert page.count(">done<") == len(fresh)
    assert "parked already" in page  # the one that was, with its reason; the others are done all the same
    parked_accounts.release(parked_id=ParkedAccount.objects.get(customer=rows[0].customer).pk, actor=ACTOR, at=NOW)
    customer = rows[0].customer
    assert finance.post(url("park", customer), {"reason": "From its page."}).status_code == 302
    other = finance.post(
        reverse("admin:billing_parkedaccount_park"), {"customer": customer.pk, "reason": "By its name."}
    )
    assert "parked already" in other.content.decode()
