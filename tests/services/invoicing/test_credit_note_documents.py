"""Documents and e-mails of credit notes: made once of what was frozen, found by the sweeper, sent where wanted."""

import io
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from django.core import mail
from moneyed import Money

from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.models import CreditNote, Delivery, Document, Invoice
from invoicing.services import (
    credit_note_dispatch,
    credit_note_documents,
    credit_note_views,
    credit_notes,
    deliveries,
    dispatch,
    documents,
)
from tests.factories import documents as factory
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATER = make.AT + timedelta(days=10)


def customer_of(*, locale: str = "de", **values: Any) -> Customer:
    entity = factory.seller(document_locale=locale, **values)
    entity.taxes.set([make.make_tax("vat", "0.19", name="USt.")])
    return factory.buyer(entity)


def credit(invoice: Invoice, amount: str, **values: Any) -> CreditNote:
    line = invoice.lines.order_by("position")[0]
    amounts = {line.pk: Money(amount, invoice.currency)}
    defaults: dict[str, Any] = {"reason": "duplicated_charge", "actor": make.ACTOR, "at": LATER}
    return credit_notes.create(invoice_id=invoice.pk, amounts=amounts, **{**defaults, **values})


def text_of(document: Document) -> str:
    return "\n".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(documents.content(document=document))).pages
    )


def test_it_is_rendered_once_of_what_was_frozen() -> None:
    invoice = make.issue(customer_of(), "200.00", "40.00")
    note = credit(invoice, "50.00", description="Wie besprochen.")
    entity = invoice.billing_entity
    entity.legal_name = "Renamed"
    entity.save()

    document = credit_note_documents.render(credit_note_id=note.pk, at=LATER)

    # 50.00 × 19 % = 9.50
    text = text_of(document)
    for words in ("Gutschrift", note.number or "", invoice.number or "", "Nordlicht Hosting GmbH", "Doppelt berechnet"):
        assert words in text
    for figure in ("200,00", "50,00", "9,50", "59,50", "Wie besprochen."):
        assert figure in text
    assert "Renamed" not in text
    assert (document.invoice_id, document.credit_note_id) == (None, note.pk)
    assert document.file.name.startswith("credit-notes/2026/")
    assert credit_note_documents.render(credit_note_id=note.pk, at=LATER).pk == document.pk
    assert Document.objects.count() == 1


def test_the_sweeper_finds_what_is_missing() -> None:
    note = credit(make.issue(customer_of(), "200.00"), "50.00")

    dispatch.sweep(as_of=LATER)
    dispatch.sweep(as_of=LATER)

    assert Document.objects.filter(credit_note=note).count() == 1


def test_a_draft_has_a_preview_and_no_document() -> None:
    invoice = make.draft(customer_of(), "200.00").invoice
    line = invoice.lines.get()
    note = credit_notes.credit_unused(
        line_id=line.pk, unused=line.amount.amount / 2, used=line.amount.amount / 2, destination="credit",
        reason="order_change", actor=make.ACTOR, at=LATER,
    )  # fmt: skip

    assert note is not None
    with pytest.raises(credit_note_documents.NotIssued):
        credit_note_documents.render(credit_note_id=note.pk, at=LATER)
    assert credit_note_documents.preview_pdf(credit_note_id=note.pk).startswith(b"%PDF")
    assert Document.objects.count() == 0


@pytest.mark.parametrize(
    ("currency", "locale", "amount", "figure"),
    [("JPY", "en", "1000", "¥119"), ("BHD", "fr", "10.000", "1,190"), ("EUR", "pt-BR", "10.00", "1,19")],
)
def test_figures_follow_currency_and_language(currency: str, locale: str, amount: str, figure: str) -> None:
    invoice = make.issue(customer_of(locale=locale), amount, currency=currency)
    # a tenth of the line: 100 yen and 19 of tax, 1.000 dinar and 0.190, 1.00 euro and 0.19
    note = credit(invoice, str(invoice.fees_amount.amount / 10))

    view = credit_note_views.of(note=credit_note_views.read(credit_note_id=note.pk))

    assert figure in view.total


def test_it_is_e_mailed_where_the_seller_wants_it() -> None:
    silent = credit(make.issue(customer_of(), "200.00"), "50.00")
    assert Delivery.objects.filter(credit_note=silent).count() == 0
    entity = silent.billing_entity
    entity.email_settings = ["credit_note.created"]
    entity.save()
    note = credit(silent.invoice, "10.00")

    delivery = Delivery.objects.get(credit_note=note)
    sent = deliveries.send(delivery_id=delivery.pk, at=LATER)
    again = deliveries.send(delivery_id=delivery.pk, at=LATER)

    assert (sent.state, again.state, len(mail.outbox)) == ("sent", "sent", 1)
    message = mail.outbox[0]
    assert message.to == ["buchhaltung@musterbau.example"]
    assert message.subject == f"Gutschrift {note.number} von Nordlicht Hosting: 11,90\u00a0€"
    assert f"Gutschrift {note.number} zur Rechnung {note.invoice.number}" in message.body
    assert message.attachments[0][0] == f"{note.number}.pdf"


def test_it_is_sent_again_to_whom_is_named() -> None:
    note = credit(make.issue(customer_of(email_settings=[]), "200.00"), "50.00")

    first = credit_note_dispatch.send_again(credit_note_id=note.pk, actor=make.ACTOR, at=LATER)
    second = credit_note_dispatch.send_again(
        credit_note_id=note.pk, to=["a@b.example"], cc=["c@b.example"], bcc=["d@b.example"], actor=make.ACTOR, at=LATER
    )
    deliveries.send_pending(as_of=LATER)

    assert (first.number, second.number) == (1, 2)
    assert [message.to for message in mail.outbox] == [["buchhaltung@musterbau.example"], ["a@b.example"]]
    assert mail.outbox[1].recipients() == ["a@b.example", "c@b.example", "d@b.example"]
    with pytest.raises(credit_note_dispatch.InvalidRecipients):
        credit_note_dispatch.send_again(credit_note_id=note.pk, to=["nobody"], actor=make.ACTOR, at=LATER)
    Customer.objects.update(email="")
    with pytest.raises(deliveries.NoRecipient):
        credit_note_dispatch.send_again(credit_note_id=note.pk, actor=make.ACTOR, at=LATER)
    assert Delivery.objects.count() == 2
    assert AuditEntry.objects.filter(verb="email", object_id=note.pk).count() == 2
