"""Rendering, storing and handing out the documents of invoices."""

import hashlib
import io
from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from moneyed import Money
from pytest_django import DjangoAssertNumQueries

from config.kernel import errors
from invoicing.domain import document_folding
from invoicing.domain.document_formats import Formats
from invoicing.models import Document, Invoice
from invoicing.services import document_pdf, document_views, documents
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

LINES = [
    LineRow("Grundgebühr", "49.00", unit_amount="49"),
    LineRow("API-Anfragen", "1185.56", units="9879666.6", unit_amount="0.00012", charge_model="standard"),
]


def text(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages).replace("\u00a0", " ").replace("\u202f", " ")


def an_invoice(**values: object) -> Invoice:
    return factory.finalized(factory.buyer(factory.seller()), LINES, **values)


def path_of(invoice: Invoice) -> str:
    return f"invoices/2026/{invoice.billing_entity_id}-nordlicht/NOR-202606-001.pdf"


def test_a_document_is_stored_with_its_digest() -> None:
    invoice = an_invoice()
    document = documents.render(invoice_id=invoice.pk, at=factory.AT)
    stored = documents.content(document=document)
    assert stored.startswith(b"%PDF-")
    assert document.sha256 == hashlib.sha256(stored).hexdigest()
    assert document.size == len(stored)
    assert document.file.name == path_of(invoice)
    assert document.created_at == factory.AT


def test_rendering_again_gives_the_same_document() -> None:
    invoice = an_invoice()
    first = documents.render(invoice_id=invoice.pk, at=factory.AT)
    with mock.patch.object(document_pdf, "write", side_effect=AssertionError("rendered again")):
        second = documents.render(invoice_id=invoice.pk, at=factory.AT + timedelta(days=1))
    assert second == first
    assert second.created_at == factory.AT
    assert Document.objects.count() == 1


def test_the_totals_of_the_document_are_those_of_the_invoice() -> None:
    # 49.00 + 1,185.56 = 1,234.56; × 0.19 = 234.5664 → 234.57; 1,469.13 in all
    invoice = an_invoice()
    written = text(documents.content(document=documents.render(invoice_id=invoice.pk, at=factory.AT)))
    for amount in (invoice.fees_amount, invoice.taxes_amount, invoice.total_amount):
        assert Formats("de").money(amount).replace("\u00a0", " ") in written
    assert "1.469,13 €" in written
    assert "NOR-202606-001" in written
    assert "USt. 19 %" in written


def test_the_document_says_what_was_frozen_and_not_what_changed_since() -> None:
    invoice = an_invoice()
    invoice.billing_entity.legal_name = "Renamed GmbH"
    invoice.billing_entity.save()
    invoice.customer.legal_name = "Another AG"
    invoice.customer.save()
    Invoice.objects.filter(pk=invoice.pk).update(payment_overdue=True)
    written = text(documents.content(document=documents.render(invoice_id=invoice.pk, at=factory.AT)))
    assert "Nordlicht Hosting GmbH" in written
    assert "Musterbau AG" in written
    assert "Renamed" not in written
    assert "Another" not in written


def test_a_draft_has_no_document() -> None:
    draft = factory.draft(factory.buyer(factory.seller()), LINES)
    with pytest.raises(documents.NotIssued) as refused:
        documents.render(invoice_id=draft.pk, at=factory.AT)
    assert refused.value.code == "invoice_not_finalized"
    assert Document.objects.count() == 0


def test_an_unknown_invoice_is_not_found() -> None:
    for attempt in (
        lambda: documents.render(invoice_id=0, at=factory.AT),
        lambda: documents.preview_html(invoice_id=0),
        lambda: documents.preview_pdf(invoice_id=0),
    ):
        with pytest.raises(errors.NotFound):
            attempt()


def test_a_draft_can_be_looked_at() -> None:
    draft = factory.draft(factory.buyer(factory.seller()), LINES)
    html = documents.preview_html(invoice_id=draft.pk)
    assert "Entwurf" in html
    assert "Nordlicht Hosting GmbH" in html
    assert "@font-face" in html
    assert "Entwurf" in text(documents.preview_pdf(invoice_id=draft.pk))
    assert "Verwendungszweck" not in html
    assert Document.objects.count() == 0
    assert documents.file_name(invoice=draft) == f"draft-{draft.pk}.pdf"


def test_the_same_invoice_gives_the_same_bytes() -> None:
    invoice = an_invoice()
    assert documents.preview_pdf(invoice_id=invoice.pk) == documents.preview_pdf(invoice_id=invoice.pk)


def test_a_file_that_was_changed_is_not_handed_out() -> None:
    document = documents.render(invoice_id=an_invoice().pk, at=factory.AT)
    default_storage.delete(document.file.name)
    with pytest.raises(documents.DamagedDocument, match="gone"):
        documents.content(document=document)
    default_storage.save(document.file.name, ContentFile(b"%PDF-forged"))
    with pytest.raises(documents.DamagedDocument, match="changed"):
        documents.content(document=document)


def test_sellers_that_swap_their_codes_keep_their_documents() -> None:
    invoice = an_invoice()
    first = documents.render(invoice_id=invoice.pk, at=factory.AT)
    seller = invoice.billing_entity
    type(seller).objects.filter(pk=seller.pk).update(code="old", is_default=False)
    # A new seller with the code and the prefix of the first one gives the same numbers.
    other = factory.finalized(factory.buyer(factory.seller(), external_id="other", slug="other"), LINES)
    assert (other.number, other.billing_entity.code) == (invoice.number, "nordlicht")
    second = documents.render(invoice_id=other.pk, at=factory.AT)
    assert first.file.name != second.file.name
    assert documents.content(document=first).startswith(b"%PDF-")


def test_a_file_without_a_row_is_replaced() -> None:
    invoice = an_invoice()
    default_storage.delete(path_of(invoice))
    default_storage.save(path_of(invoice), ContentFile(b"left behind"))
    document = documents.render(invoice_id=invoice.pk, at=factory.AT)
    assert document.file.name == path_of(invoice)
    assert documents.content(document=document).startswith(b"%PDF-")


def test_a_storage_that_fails_leaves_no_row() -> None:
    invoice = an_invoice()
    with (
        mock.patch.object(default_storage, "save", side_effect=OSError("disk full")),
        pytest.raises(OSError, match="full"),
    ):
        documents.render(invoice_id=invoice.pk, at=factory.AT)
    assert Document.objects.count() == 0
    assert documents.render(invoice_id=invoice.pk, at=factory.AT).size > 0


def test_the_row_of_a_document_cannot_be_changed() -> None:
    document = documents.render(invoice_id=an_invoice().pk, at=factory.AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(sha256="0" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.filter(pk=document.pk).delete()


def test_a_sweep_renders_what_is_missing() -> None:
    customer = factory.buyer(factory.seller())
    done, missing, late = (factory.finalized(customer, LINES, number=f"NOR-{number}") for number in ("1", "2", "3"))
    factory.draft(customer, LINES)
    documents.render(invoice_id=done.pk, at=factory.AT)
    swept = documents.render_pending(as_of=factory.AT, limit=1)
    assert swept == documents.Sweep(rendered=(missing.pk,))
    assert documents.render_pending(as_of=factory.AT).rendered == (late.pk,)
    assert documents.render_pending(as_of=factory.AT) == documents.Sweep()


def test_a_sweep_leaves_out_what_was_finalized_later() -> None:
    an_invoice()
    assert documents.render_pending(as_of=factory.AT - timedelta(seconds=1)) == documents.Sweep()


def test_one_invoice_that_cannot_be_rendered_does_not_stop_the_others() -> None:
    customer = factory.buyer(factory.seller())
    broken, fine = (factory.finalized(customer, LINES, number=f"NOR-{number}") for number in ("1", "2"))
    write = document_pdf.write

    def fail_first(*, html: str) -> bytes:
        if "NOR-1" in html:
            raise RuntimeError("no such font")
        return write(html=html)

    with mock.patch.object(document_pdf, "write", side_effect=fail_first):
        swept = documents.render_pending(as_of=factory.AT)
    assert swept == documents.Sweep(rendered=(fine.pk,), failed=(broken.pk,))
    assert documents.render_pending(as_of=factory.AT).rendered == (broken.pk,)


def test_many_lines_are_shown_without_their_parts() -> None:
    details = {"free_units": "10", "paid_units": "0", "per_package_size": "5", "per_package_unit_amount": "1"}
    rows = [
        LineRow(f"Line {number}", "1.00", units="10", charge_model="package", details=details)
        for number in range(document_folding.DETAILED // 2 + 1)
    ]
    customer = factory.buyer(factory.seller())
    many = document_views.of(invoice=factory.draft(customer, rows))
    few = document_views.of(invoice=factory.draft(customer, rows[:-1]))
    assert many.is_compact
    assert not few.is_compact
    assert sum(len(group.lines) for group in many.groups) == len(rows)
    assert {line.parts for group in many.groups for line in group.lines} == {()}
    assert all(line.parts for group in few.groups for line in group.lines)


def test_reading_an_invoice_takes_three_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    rows = [LineRow(f"Line {number}", "1.00", group=str(number)) for number in range(20)]
    invoice = factory.finalized(factory.buyer(factory.seller()), rows)
    with django_assert_num_queries(3):
        view = document_views.of(invoice=document_views.read(invoice_id=invoice.pk))
    assert len(view.groups) == 20


@pytest.mark.parametrize(("currency", "amount", "written"), [("JPY", "1235", "1.235 ¥"), ("BHD", "1.235", "1,235 BHD")])
def test_amounts_have_the_decimals_of_their_currency(currency: str, amount: str, written: str) -> None:
    invoice = factory.finalized(
        factory.buyer(factory.seller()), [LineRow("Fee", amount, unit_amount=amount)], currency=currency, rates={}
    )
    assert invoice.total_amount == Money(Decimal(amount), currency)
    assert text(documents.preview_pdf(invoice_id=invoice.pk)).count(written) >= 4


def test_nothing_outside_is_fetched() -> None:
    html = (
        '<img src="file:///etc/passwd"><img src="http://127.0.0.1:9/x.png"><link rel="stylesheet" href="file:///x.css">'
    )
    with mock.patch.object(document_pdf.Nothing, "fetch", side_effect=document_pdf.RefusedReference) as fetch:
        assert document_pdf.write(html=html).startswith(b"%PDF-")
    refused = {call.args[0] for call in fetch.call_args_list}
    assert {"file:///etc/passwd", "http://127.0.0.1:9/x.png"} <= refused
    with pytest.raises(document_pdf.RefusedReference):
        document_pdf.Nothing().fetch("file:///etc/passwd")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1:9/f.otf", "file:///etc/../etc/passwd", "data:,x"]
)
def test_the_style_sheet_fetches_only_its_own_files(url: str) -> None:
    fetcher = document_pdf.FilesBeside(document_pdf._style_file().parent)
    with pytest.raises(document_pdf.RefusedReference):
        fetcher.fetch(url)


def test_the_typeface_is_in_the_document() -> None:
    reader = pypdf.PdfReader(io.BytesIO(documents.preview_pdf(invoice_id=an_invoice().pk)))
    fonts = {str(font.get_object()["/BaseFont"]) for font in reader.pages[0]["/Resources"]["/Font"].values()}
    assert {font.partition("+")[2] for font in fonts} == {"Document", "Document-Medium", "Document-Semi-Bold"}
