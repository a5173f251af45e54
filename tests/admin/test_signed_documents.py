"""The scan of a signature on paper: where the API says it is, and who is handed it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.test import Client

from billing.models import OrderForm
from billing.services import order_forms, signed_documents
from billing.services.signed_documents import SignedDocument
from config.platform.models import Installation
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

SCAN = SignedDocument(b"\x89PNG\r\n\x1a\nsigned")


@pytest.fixture
def form(monkeypatch: pytest.MonkeyPatch) -> OrderForm:
    monkeypatch.setattr(signed_documents, "default_storage", InMemoryStorage())
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    sam = made.person("sam")
    form = made.offered(parties.make_customer(parties.make_entity()), made.terms("platform"), by=sam)
    return order_forms.record_signature(
        order_form_id=form.pk, signer=made.SIGNER, document=SCAN, actor=made.actor(sam), at=instant("2026-01-02")
    )


def test_whoever_may_see_order_forms_gets_the_scan(form: OrderForm, settings: Any) -> None:
    Installation.objects.get_or_create(singleton=True)
    shown = ApiClient().get(f"/api/v1/order_forms/{form.number}").json()["order_form"]["signed_document_url"]
    address = shown.removeprefix(settings.PUBLIC_URL)
    finance, sales = Client(), Client()
    finance.force_login(made.person("fay", rights=("view_orderform", "view_order")))
    sales.force_login(made.person("olga", rights=("view_order", "view_quote")))

    got: Any = finance.get(address)

    assert (got.status_code, got["Content-Type"]) == (200, "image/png")
    assert "no-store" in got["Cache-Control"]
    assert got["Content-Disposition"] == f'attachment; filename="{form.number}-signed.png"'
    assert b"".join(got.streaming_content) == SCAN.content
    assert finance.post(address).status_code == 405
    assert sales.get(address).status_code == 403
    assert Client().get(address).status_code == 302
    assert address in finance.get(f"/admin/billing/order/{form.order.pk}/change/").content.decode()
    signed_documents.default_storage.delete(form.signed_document.name)
    assert finance.get(address).status_code == 404
