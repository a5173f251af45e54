"""A signature that came back late in the admin: asked for with its day and document, by whoever has the right."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile

from billing.models import Contract, OrderForm
from billing.services import signed_documents
from tests.admin.test_quote_editor import signed_in
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as makers
from tests.factories.billing import instant

SALES = ("view_quote", "change_quote", "sign_quote")
LEAD = (*SALES, "sign_late_quote")


@pytest.mark.django_db
def test_it_needs_its_right_the_day_and_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_documents, "default_storage", InMemoryStorage())
    goods.make_plan("platform", cents=10000)
    customer = parties.make_customer(parties.make_entity())
    form = makers.offered(customer, makers.terms("platform"), by=makers.person("maker"))
    page = f"/admin/billing/quote/{form.version.quote_id}"
    content: dict[str, Any] = {"name": "Ada King", "mode": "execute", "signed_on": "2026-01-30"}

    with time_machine.travel(instant("2026-01-20T10:00"), tick=False):
        early = signed_in("early", LEAD)
        assert early.get(f"{page}/sign_late/").status_code == 302  # the offer is valid still
        assert "Record a late signature" not in early.get(f"{page}/change/").content.decode()
    with time_machine.travel(instant("2026-02-03T10:00"), tick=False):
        assert signed_in("sam", SALES).post(f"{page}/sign_late/", content).status_code == 403
        lead = signed_in("lea", LEAD)
        shown = lead.get(f"{page}/change/").content.decode()
        assert "Record a late signature" in shown
        assert "Record a signature" not in shown  # it would be refused, before the job that ends offers came by too
        assert lead.get(f"{page}/sign/").status_code == 302
        assert lead.get(f"{page}/sign_late/").status_code == 200
        assert lead.post(f"{page}/sign_late/", content).context["form"].errors.keys() == {"document"}
        assert not Contract.objects.exists()
        scan = SimpleUploadedFile("scan.pdf", b"%PDF-1.7 signed", content_type="application/pdf")
        assert lead.post(f"{page}/sign_late/", {**content, "document": scan}).status_code == 302

    signed = OrderForm.objects.get()
    assert (signed.state, str(signed.signed_on), signed.recorded_by) == ("signed", "2026-01-30", "lea")
    assert Contract.objects.get().state == "active"
