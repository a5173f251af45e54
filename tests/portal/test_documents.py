"""What a customer sees of its money: open and overdue, invoices and credit notes, their files, and nobody else's."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.platform.portal import paging
from customers.models import BillingEntity, Customer
from customers.services import portal_links
from invoicing.models import CreditNote, Document, Invoice
from invoicing.services import credit_notes, documents, overdue, payments, voiding
from tests.factories import invoicing as make
from tests.factories import wallets as prepaid
from tests.portal.conftest import Visit

AFTER = make.AT + timedelta(days=30)


def pay(invoice: Invoice, amount: str) -> None:
    payments.record(
        invoice_id=invoice.pk, amount=Money(amount, "EUR"), reference="", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )


def credit(invoice: Invoice) -> CreditNote:
    return credit_notes.create(
        invoice_id=invoice.pk,
        amounts={invoice.lines.get().pk: Money("10.00", "EUR")},
        credit=Money("11.90", "EUR"),
        reason="other",
        actor=make.ACTOR,
        at=make.AT,
    )


def test_how_things_stand(customer: Customer, stranger: Customer, visit: Visit) -> None:
    make.issue(customer, "100.00")
    partly = make.issue(customer, "50.00")
    pay(partly, "9.50")
    make.issue(stranger, "777.00")
    make.draft(customer, "333.00")

    text = visit(customer).content.decode()

    assert "€169.00" in text  # 119.00 + 59.50 − 9.50, of which nothing is late
    assert "Overdue" not in text
    assert "Nothing" in visit(make.make_customer(customer.billing_entity, "c9")).content.decode()
    assert "777" not in text
    assert "333" not in text


def test_invoices(customer: Customer, stranger: Customer, visit: Visit) -> None:
    open_one, paid, voided = (make.issue(customer, "100.00") for _ in range(3))
    pay(paid, "119.00")
    voiding.void(invoice_id=voided.pk, actor=make.ACTOR, at=make.AT)
    other = make.issue(stranger, "777.00")
    make.draft(customer, "333.00")
    documents.render(invoice_id=open_one.pk, at=make.AT)

    text = visit(customer, "invoices").content.decode()

    for invoice in (open_one, paid, voided):
        assert str(invoice.number) in text
    for state in ("Open", "Paid", "Voided", "being made"):
        assert state in text
    assert text.count(".pdf") == 1
    assert str(other.number) not in text
    assert "333.00" not in text
    assert "777.00" not in text


def test_a_late_invoice_says_so(customer: Customer) -> None:
    make.issue(customer, "100.00")
    with time_machine.travel(AFTER, tick=False):
        overdue.mark(as_of=AFTER)
        token = portal_links.make(customer=customer, at=AFTER).token
        overview = Client().get(f"/portal/{token}/").content.decode()
        listed = Client().get(f"/portal/{token}/invoices").content.decode()

    assert "Overdue" in overview
    assert "past the due date" in overview
    assert "Overdue for 16 days" in listed  # issued on 1 May, due on the 15th, today is the 31st


def test_files_of_documents(customer: Customer, stranger: Customer, visit: Visit) -> None:
    """A customer gets its own files; anybody else's, drafts, and ids that are nobody's are not there."""
    mine, other = make.issue(customer, "100.00"), make.issue(stranger, "777.00")
    waiting = make.issue(customer, "1.00")
    for invoice in (mine, other):
        documents.render(invoice_id=invoice.pk, at=make.AT)
    note, foreign = credit(mine), credit(other)

    got = visit(customer, f"invoices/{mine.uuid}.pdf")

    assert (got.status_code, got["Content-Type"]) == (200, "application/pdf")
    assert b"".join(got.streaming_content).startswith(b"%PDF")
    assert got["Cache-Control"] == "private, no-store"
    draft = make.draft(customer, "5.00").invoice
    for page in (
        f"invoices/{other.uuid}.pdf",
        f"invoices/{waiting.uuid}.pdf",
        f"invoices/{draft.uuid}.pdf",
        f"invoices/{uuid.uuid4()}.pdf",
        f"invoices/{note.uuid}.pdf",
        f"credit-notes/{foreign.uuid}.pdf",
        f"credit-notes/{mine.uuid}.pdf",
        "invoices/1.pdf",
    ):
        answer = visit(customer, page)
        assert answer.status_code == 404, page
        assert "There is nothing here" in answer.content.decode()
    listed = visit(customer, "credit-notes").content.decode()
    assert str(note.number) in listed
    assert "Credit available" in listed
    assert str(foreign.number) not in listed


def test_pages_of_invoices(customer: Customer, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "SIZE", 2)
    for _ in range(3):
        make.issue(customer, "1.00")
    with CaptureQueriesContext(connection) as captured:
        first = visit(customer, "invoices").content.decode()
    last = visit(customer, "invoices", page="2").content.decode()

    assert len(captured) <= 4  # customer with seller, invoices, sellers of invoices are joined, files
    assert (first.count('<th scope="row">'), last.count('<th scope="row">')) == (2, 1)
    assert 'href="?page=2"' in first
    assert 'href="?page=1"' in last
    for page in ("0", "x", "-1", "99999999999"):
        assert visit(customer, "invoices", page=page).content.decode() == first
    assert "no invoices here" in visit(customer, "invoices", page="7").content.decode()


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de", ("Übersicht", "Offen", "119,00\xa0€", "Rechnungen")),
        ("fr", ("Vue d’ensemble", "À payer", "119,00\xa0€", "Factures")),
        ("pt-BR", ("Overview", "Open", "€\xa0119,00")),  # figures as there, words in English until somebody gives them
        ("en", ("Overview", "Open", "€119.00")),
    ],
)
def test_the_language_of_documents(customer: Customer, visit: Visit, locale: str, words: tuple[str, ...]) -> None:
    customer.document_locale = locale
    customer.save(update_fields=["document_locale"])
    make.issue(customer, "100.00")
    page = visit(customer)
    text = page.content.decode()
    for word in words:
        assert word in text


def test_prepaid_credit(entity: BillingEntity, customer: Customer, visit: Visit) -> None:
    wallet = prepaid.make_wallet(customer, name="Credits", rate_amount=Decimal(2))
    prepaid.give(wallet, "10")
    text = visit(customer).content.decode()
    assert "Credits" in text
    assert "€20.00" in text  # 10 credits of €2.00
    assert "10 credits" in text


def test_a_file_that_is_gone_is_no_fault_of_the_page(customer: Customer, visit: Visit) -> None:
    invoice = make.issue(customer, "100.00")
    documents.render(invoice_id=invoice.pk, at=make.AT)
    default_storage.delete(Document.objects.get(invoice=invoice).file.name)

    page = visit(customer, f"invoices/{invoice.uuid}.pdf")

    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
