"""The documents of order forms: stored once with their digest, the same every time, and what drafts are marked with."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from typing import Any
from unittest import mock

import pypdf
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import DjangoAssertNumQueries

from billing.models import OrderForm
from billing.services import order_forms, quote_document_view, quote_documents
from config.kernel import errors
from customers.models import BillingEntity, Customer
from invoicing.services import document_pdf
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

AT = instant("2026-01-02")


def text(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity(name="Nordlicht", country="DE", email="sales@nordlicht.example")


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity, name="Musterbau AG", country="DE", document_locale="de")


@pytest.fixture
def sam() -> User:
    return made.person("sam")


def order_form(customer: Customer | None, sam: User, offered: dict[str, Any], **values: Any) -> OrderForm:
    quote = made.draft(customer, offered, by=sam, **values)
    return OrderForm.objects.get(version=made.submit(quote, by=sam))


def test_a_document_is_stored_once_with_its_digest(customer: Customer, sam: User) -> None:
    form = order_form(customer, sam, made.terms(goods.make_plan(cents=100000).plan.code))

    done = quote_documents.render(order_form_id=form.pk, at=AT)

    stored = quote_documents.content(order_form=done)
    assert stored.startswith(b"%PDF-")
    assert (done.sha256, done.size) == (hashlib.sha256(stored).hexdigest(), len(stored))
    assert done.file.name == f"quotes/2026/{customer.billing_entity_id}-acme/OF-2026-0001.pdf"
    assert quote_documents.file_name(order_form=done) == "OF-2026-0001.pdf"
    customer.legal_name = "Another AG"
    customer.save()
    with mock.patch.object(document_pdf, "write", side_effect=AssertionError("rendered again")):
        again = quote_documents.render(order_form_id=form.pk, at=AT + timedelta(days=1))
        assert quote_documents.preview_pdf(version_id=form.version_id) == stored
    assert again.sha256 == done.sha256
    written = text(stored)
    assert "Angebot" in written
    assert "Entwurf" not in written
    assert "Musterbau AG" in written
    # 1,000.00 × 12 = 12,000.00
    assert "1.000,00 € im Monat" in written
    assert "Summe über 12 Monate" in written
    assert "12.000,00 €" in written


def test_a_draft_is_marked_and_stored_nowhere(customer: Customer, sam: User) -> None:
    quote = made.draft(customer, made.terms(goods.make_plan().plan.code), by=sam)
    version = made.version_of(quote)

    first = quote_documents.preview_pdf(version_id=version.pk)

    assert first == quote_documents.preview_pdf(version_id=version.pk)
    assert "Entwurf" in text(first)
    assert "@font-face" in quote_documents.preview_html(version_id=version.pk)
    assert OrderForm.objects.count() == 0
    with pytest.raises(errors.NotFound):
        quote_documents.preview_pdf(version_id=0)
    with pytest.raises(errors.NotFound):
        quote_documents.render(order_form_id=0, at=AT)


@pytest.mark.parametrize(
    ("currency", "cents", "written"),
    [("JPY", 12345, "12.345 ¥ im Monat"), ("BHD", 1234567, "1.234,567 BHD im Monat")],
)
def test_amounts_have_the_decimals_of_their_currency(
    entity: BillingEntity, sam: User, currency: str, cents: int, written: str
) -> None:
    customer = parties.make_customer(entity, country="DE", document_locale="de", currency=currency)
    plan = goods.make_plan(cents=cents, currency=currency)
    quote = made.draft(customer, made.terms(plan.plan.code), by=sam)
    document = quote_document_view.of(version=made.version_of(quote))
    assert document.headline.replace("\u00a0", " ") == written
    assert document.totals[0].value.replace("\u00a0", " ") + " im Monat" == written


def test_a_language_without_words_is_english_throughout(entity: BillingEntity, sam: User) -> None:
    customer = parties.make_customer(entity, country="ES", document_locale="es")
    quote = made.draft(customer, made.terms(goods.make_plan().plan.code), by=sam)
    document = quote_document_view.of(version=made.version_of(quote))
    assert (document.language, document.title, document.page_words[0]) == ("en", "Quote", "Page ")
    assert document.buyer.address == ("Spain",)


def test_a_file_that_was_changed_is_not_handed_out(customer: Customer, sam: User) -> None:
    form = order_form(customer, sam, made.terms(goods.make_plan().plan.code))
    done = quote_documents.render(order_form_id=form.pk, at=AT)
    default_storage.delete(done.file.name)
    with pytest.raises(quote_documents.DamagedDocument, match="gone"):
        quote_documents.content(order_form=done)
    default_storage.save(done.file.name, ContentFile(b"%PDF-forged"))
    with pytest.raises(quote_documents.DamagedDocument, match="changed"):
        quote_documents.content(order_form=done)


def test_a_sweep_makes_what_is_missing_of_what_may_still_be_signed(customer: Customer, sam: User) -> None:
    plan = goods.make_plan().plan.code
    first, voided, broken = (order_form(customer, sam, made.terms(plan)) for _ in range(3))
    order_forms.void(order_form_id=voided.pk, reason="No.", actor=made.actor(sam), at=AT)
    write = document_pdf.write

    def fail(*, html: str) -> bytes:
        if "OF-2026-0003" in html:
            raise RuntimeError("no such font")
        return write(html=html)

    with mock.patch.object(document_pdf, "write", side_effect=fail):
        swept = quote_documents.render_pending(as_of=AT)
    assert swept == quote_documents.Sweep(rendered=(first.pk,), failed=(broken.pk,))
    with pytest.raises(quote_documents.NoDocument):
        quote_documents.render(order_form_id=voided.pk, at=AT)


def test_reading_a_version_takes_a_fixed_number_of_queries(
    customer: Customer, sam: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    plan = goods.make_plan(charges=[goods.standard(goods.make_metric())]).plan.code
    items = [{"external_id": f"s{number}", "phases": [{"plan_code": plan}]} for number in range(8)]
    version = made.version_of(made.draft(customer, {"term_months": 12, "items": items}, by=sam))
    with django_assert_max_num_queries(5):
        document = quote_document_view.of(version=quote_document_view.read(version_id=version.pk))
    assert len(document.products) == 8
