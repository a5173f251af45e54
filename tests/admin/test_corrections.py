"""Correcting an invoice in the admin: a look first, then all of it at once; who may, and what the page tells of it."""

from __future__ import annotations

import pytest
from django.test import Client

from invoicing.models import Correction, CreditNote, Invoice
from tests.admin.conftest import Company
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(company: Company) -> Invoice:
    return make.issue(company.customers[0], "100.00", "50.00")


def url(row: Invoice, verb: str) -> str:
    return f"/admin/invoicing/invoice/{row.pk}/{verb}/"


def test_a_look_then_one_correction(finance: Client, auditor: Client, invoice: Invoice) -> None:
    assert auditor.get(url(invoice, "correct")).status_code == 403
    state = finance.get(url(invoice, "correct")).context["form"]["state"].value()
    first, second = invoice.lines.order_by("position")
    values = {
        "_do": "1", "reason": "two were agreed", f"units_{first.pk}": "0.5", f"gone_{second.pk}": "on", "state": state,
    }  # fmt: skip

    asked = finance.post(url(invoice, "correct"), values)

    page = asked.content.decode()
    assert not asked.context["form"].errors
    assert "A credit note gives back what was too much." in page
    assert "Tax by rate" in page
    assert not CreditNote.objects.exists()
    done = finance.post(url(invoice, "correct"), {**values, "weighed": asked.context["weighed"]})
    assert done.status_code == 302
    assert str(CreditNote.objects.get().sub_total_amount.amount) == "100.0000"
    shown = finance.get(url(invoice, "change")).content.decode()
    assert "two were agreed" in shown
    assert "Corrections" in shown


def test_a_page_that_is_too_old_does_nothing(finance: Client, invoice: Invoice) -> None:
    line = invoice.lines.get(position=1)
    values = {"_do": "1", "reason": "x", f"amount_{line.pk}": "1", "state": "0" * 64}

    asked = finance.post(url(invoice, "correct"), values)

    assert "open it again" in asked.content.decode()
    assert not Correction.objects.exists()


def test_nothing_that_is_wrong_is_told(finance: Client, invoice: Invoice) -> None:
    asked = finance.post(url(invoice, "correct"), {"_do": "1", "reason": "x", "withdrawn": "nobody"})
    assert "bills no event nobody" in asked.content.decode()
    asked = finance.post(url(invoice, "correct"), {"_do": "1", "reason": "x"})
    assert asked.context["form"].errors


def test_another_invoice_in_its_place(finance: Client, invoice: Invoice) -> None:
    values = {"_do": "1", "reason": "moved", "customer_city": "Bath"}
    asked = finance.post(url(invoice, "correct"), values)
    finance.post(url(invoice, "correct"), {**values, "weighed": asked.context["weighed"]})

    new = Invoice.objects.get(regenerated_from=invoice)
    assert new.snapshot["buyer"]["city"] == "Bath"
    assert "It came of correcting" in finance.get(url(new, "change")).content.decode()
