"""Voiding, regenerating, disputing and adjusting in the admin: a look first, then one service call; and who may."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from moneyed import Money

from billing.models import AdjustedLine
from config.platform.models import AuditEntry
from invoicing.models import Invoice, InvoiceDispute, Payment
from invoicing.queries import held_payments
from invoicing.services import payments
from tests.admin.conftest import Company
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(company: Company) -> Invoice:
    return Invoice.objects.filter(status="draft").order_by("pk").first()


@pytest.fixture
def invoice(company: Company) -> Invoice:
    return make.issue(company.customers[0], "100.00", "50.00")


def url(row: Invoice | Payment, verb: str) -> str:
    return f"/admin/invoicing/{row._meta.model_name}/{row.pk}/{verb}/"


def weighed(client: Client, address: str, **values: str) -> dict[str, str]:
    """Look at what values would do, and return what does it."""
    asked = client.post(address, {"_do": "1", **values})
    assert asked.status_code == 200, asked
    assert not asked.context["form"].errors
    return {"_do": "1", **values, "weighed": asked.context["weighed"]}


def test_a_document_is_voided_and_issued_anew(finance: Client, auditor: Client, invoice: Invoice) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money("10", "EUR"),
        reference="w",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
    assert auditor.get(url(invoice, "void_issued")).status_code == 403

    does = weighed(finance, url(invoice, "void_issued"), reason="wrong")
    assert Invoice.objects.get(pk=invoice.pk).status == "finalized"
    finance.post(url(invoice, "void_issued"), does)

    assert Invoice.objects.get(pk=invoice.pk).status == "voided"
    assert AuditEntry.objects.get(object_id=invoice.pk, verb="void").reason == "wrong"
    page = finance.get(url(invoice, "change")).content.decode()
    assert "It was voided on" in page
    line = invoice.lines.get(position=1)
    does = weighed(finance, url(invoice, "regenerate"), **{f"units_{line.pk}": "2"})
    finance.post(url(invoice, "regenerate"), does)
    issued = Invoice.objects.get(regenerated_from=invoice)
    assert (issued.status, issued.fees_amount.amount) == ("finalized", Decimal(250))
    assert "stands in its place" in finance.get(url(invoice, "change")).content.decode()
    payment = Payment.objects.get(allocations__invoice=invoice)
    assert finance.get(url(payment, "refund")).status_code == 200
    finance.post(url(payment, "allocate"), {"_do": "1", "invoice": str(issued.pk), "amount": "4"})
    finance.post(url(payment, "refund"), {"_do": "1", "amount": "6", "reference": "back"})
    assert held_payments.held(payment).amount == 0


def test_amounts_need_a_credit_note(finance: Client, invoice: Invoice) -> None:
    asked = finance.post(url(invoice, "void_issued"), {"_do": "1", "reason": "x", "credit_amount": "5"})
    assert asked.context["form"].errors
    values = {"reason": "x", "credit_amount": "999", "generate_credit_note": "on"}
    does = weighed(finance, url(invoice, "void_issued"), **values)
    refused = finance.post(url(invoice, "void_issued"), does)
    assert "credit_amount" in refused.context["form"].errors
    assert Invoice.objects.get(pk=invoice.pk).status == "finalized"


def test_disputes(finance: Client, invoice: Invoice) -> None:
    line = invoice.lines.get(position=2)
    finance.post(url(invoice, "dispute"), {"_do": "1", "reason": "late", "line": str(line.pk)})
    found = InvoiceDispute.objects.get()
    assert (found.line_id, found.status) == (line.pk, "open")
    assert "is disputed" in finance.get(url(invoice, "change")).content.decode()

    finance.post(url(invoice, "end_dispute"), {"_do": "1", "dispute": str(found.pk), "outcome": "withdrawn"})
    finance.post(url(invoice, "lose_dispute"), {"_do": "1", "reason": "bank"})

    assert set(InvoiceDispute.objects.values_list("status", flat=True)) == {"withdrawn", "lost"}
    assert Invoice.objects.get(pk=invoice.pk).payment_dispute_lost_at is not None
    assert finance.get(url(invoice, "lose_dispute")).status_code == 302


def test_a_line_of_a_draft_is_adjusted(finance: Client, draft: Invoice) -> None:
    line = draft.lines.order_by("position").first()
    assert line is not None
    values = {"line": str(line.pk), "unit_price": "12.5", "reason": "agreed"}

    does = weighed(finance, url(draft, "adjust_line"), **values)
    assert not AdjustedLine.objects.exists()
    finance.post(url(draft, "adjust_line"), does)

    adjusted = draft.lines.order_by("position").first()
    assert adjusted is not None
    assert adjusted.unit_amount == Decimal("12.5")
    page = finance.get(f"/admin/invoicing/invoice/{draft.pk}/change/").content.decode()
    assert "Adjusted lines" in page
    assert values["reason"] in page
    finance.post(url(draft, "undo_line"), {"_do": "1", "line": str(adjusted.pk)})
    assert "Adjusted lines" not in finance.get(f"/admin/invoicing/invoice/{draft.pk}/change/").content.decode()
    assert not AdjustedLine.objects.exists()
