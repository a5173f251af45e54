"""Credit notes in the admin: made on an invoice after a look at what comes of it, voided, refunded; and who may."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from config.platform.models import AuditEntry
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries import receivables
from tests.admin import addresses
from tests.admin.conftest import NOW, signed_in
from tests.factories import invoicing as make
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(company: Company) -> Invoice:
    """An issued invoice of 100.00 and 20.00 net."""
    customer = Invoice.objects.order_by("pk").first().customer
    return make.issue(customer, "100.00", "20.00", at=NOW)


def url(row: Any, verb: str) -> str:
    return f"/admin/invoicing/{row._meta.model_name}/{row.pk}/{verb}/"


def content(invoice: Invoice, **values: str) -> dict[str, str]:
    line = InvoiceLine.objects.get(invoice=invoice, position=1)
    key = str(uuid.UUID(int=invoice.pk))
    return {f"line_{line.pk}": "40.00", "reason": "other", "way": "credit", "once": key, **values}


def credited(finance: Client, invoice: Invoice, **values: str) -> CreditNote:
    """Fill in the form, look at what would happen, and do it."""
    weighed = finance.post(url(invoice, "credit"), content(invoice, **values)).context["weighed"]
    done = finance.post(url(invoice, "credit"), {**content(invoice, **values), "weighed": weighed})
    assert done.status_code == 302
    return CreditNote.objects.get(invoice=invoice)


def test_an_invoice_is_credited_after_a_look(finance: Client, invoice: Invoice) -> None:
    before = addresses.fingerprint()
    assert finance.get(url(invoice, "credit")).status_code == 200
    looked = finance.post(url(invoice, "credit"), content(invoice))
    assert b"Could be refunded" in looked.content
    assert addresses.fingerprint() == before

    done = finance.post(url(invoice, "credit"), {**content(invoice), "weighed": looked.context["weighed"]})

    note = CreditNote.objects.get(invoice=invoice)
    assert done.url == f"/admin/invoicing/invoice/{invoice.pk}/change/"
    assert (note.sub_total_amount.amount, note.credit_amount) == (Decimal(40), note.total_amount)
    assert AuditEntry.objects.get(verb="issue", object_id=note.pk).actor_label == "finance_admin"
    page = finance.get(url(invoice, "change")).content.decode()
    assert note.number in page
    finance.post(url(invoice, "credit"), {**content(invoice), "weighed": looked.context["weighed"]})
    assert CreditNote.objects.filter(invoice=invoice).count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"way": "refund"}, "was paid"),
        ({"line": "100.01"}, "less than or equal to"),
        ({"line": ""}, "how much of which line"),
        ({"line": "1.001"}, "finer than the currency"),
        ({"reason": "whim"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_given_back_is_told(
    finance: Client, invoice: Invoice, values: dict[str, str], words: str
) -> None:
    line = InvoiceLine.objects.get(invoice=invoice, position=1)
    sent = {**content(invoice), **{f"line_{line.pk}" if key == "line" else key: value for key, value in values.items()}}
    answer = finance.post(url(invoice, "credit"), sent)
    if "weighed" in answer.context:
        answer = finance.post(url(invoice, "credit"), {**sent, "weighed": answer.context["weighed"]})

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not CreditNote.objects.filter(invoice=invoice).exists()


def test_a_draft_is_not_credited(finance: Client, invoice: Invoice) -> None:
    draft = make.draft(invoice.customer, "5.00", at=NOW).invoice

    assert finance.get(url(draft, "credit")).status_code == 302
    assert "/credit/" not in finance.get(url(draft, "change")).content.decode()


def test_a_credit_is_voided(finance: Client, invoice: Invoice) -> None:
    note = credited(finance, invoice)
    asked = finance.get(url(note, "void"))
    assert asked.status_code == 200
    assert CreditNote.objects.get(pk=note.pk).credit_status == "available"

    finance.post(url(note, "void"), {"_do": "1"})

    assert CreditNote.objects.get(pk=note.pk).credit_status == "voided"
    assert finance.get(url(note, "void")).status_code == 302


def test_a_refund_is_told(finance: Client, invoice: Invoice) -> None:
    due = receivables.owed(invoice).amount
    finance.post(url(invoice, "pay"), {"amount": str(due), "paid_on": "2026-05-20", "reference": "x"})
    note = credited(finance, invoice, way="refund")
    assert note.refund_status == "pending"

    finance.post(url(note, "refund"), {"refund_status": "succeeded"})

    assert CreditNote.objects.get(pk=note.pk).refund_status == "succeeded"


def test_list_and_page_are_shown(finance: Client, invoice: Invoice) -> None:
    note = credited(finance, invoice)
    make.issue(invoice.customer, "10.00", at=NOW)

    listed = finance.get("/admin/invoicing/creditnote/").content.decode()
    page = finance.get(url(note, "change")).content.decode()

    assert note.number in listed
    assert "Invoices that it paid" in page
    assert "Customer credit" in page


def test_who_may(invoice: Invoice) -> None:
    accountant, auditor = signed_in("Accountant"), signed_in("Auditor")
    assert accountant.get(url(invoice, "credit")).status_code == 403
    assert auditor.post(url(invoice, "credit"), content(invoice)).status_code == 403
    assert auditor.get("/admin/invoicing/creditnote/").status_code == 200
    assert not CreditNote.objects.filter(invoice=invoice).exists()


def test_a_credit_note_is_shown_sent_and_downloaded(finance: Client, invoice: Invoice) -> None:
    note = credited(finance, invoice)
    page = finance.get(f"/admin/invoicing/creditnote/{note.pk}/change/")
    assert b"No e-mail yet" in page.content
    pdf = finance.get(url(note, "pdf") + "?download=1")
    assert pdf.content.startswith(b"%PDF")
    assert pdf["Content-Disposition"] == f'attachment; filename="{note.number}.pdf"'
    customer = note.customer
    customer.email = "a@b.example"
    customer.save()

    assert b"a@b.example" in finance.get(url(note, "send")).content
    assert not note.deliveries.exists()
    assert finance.post(url(note, "send"), {"once": str(uuid.uuid4())}).status_code == 302

    assert note.deliveries.get().recipients == ["a@b.example"]
    assert b"Send again" in finance.get(f"/admin/invoicing/creditnote/{note.pk}/change/").content
