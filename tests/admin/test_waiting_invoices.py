"""Invoices that wait for their taxes, or whose taxes failed, on the pages of staff: shown everywhere, no dead end."""

from __future__ import annotations

import pytest
from django.test import Client

from invoicing.models import Invoice
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "words", "verbs"),
    [
        ("pending", "waits for its taxes", ["void"]),
        ("failed", "its taxes could not be worked out", ["void", "retry_taxes"]),
    ],
)
def test_what_waits_is_shown_and_can_be_acted_upon(
    admin_client: Client, status: str, words: str, verbs: list[str]
) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    invoice = make.draft(customer, "10.00").invoice
    Invoice.objects.filter(pk=invoice.pk).update(status=status)
    page = f"/admin/invoicing/invoice/{invoice.pk}/"
    for path in (f"{page}change/", "/admin/invoicing/invoice/", f"/admin/customers/customer/{customer.pk}/change/"):
        found = admin_client.get(path)
        assert found.status_code == 200
        assert words in found.content.decode()
    for verb in verbs:
        assert admin_client.get(f"{page}{verb}/").status_code == 200
    assert admin_client.get(f"{page}pdf/").status_code == 200
    admin_client.post(f"{page}void/", {"_do": "1", "reason": "Wrong customer."})
    invoice.refresh_from_db()
    assert (invoice.status, invoice.number) == ("voided", None)
