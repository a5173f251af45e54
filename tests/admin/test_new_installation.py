"""Setting a new installation up in the admin: the company's form proposes, checks and says; a first tax is applied."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Tax
from config.platform.models import AuditEntry
from customers.admin.entity_forms import NewEntityForm, usual
from customers.models import BillingEntity
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

CREATE = "/admin/customers/billingentity/create/"
NEW_TAX = "/admin/catalog/tax/create/"
COMPANY = {**usual(), "name": "Harbour GmbH", "code": "harbour", "country": "DE", "timezone": ""}
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'


def _tax(**values: Any) -> dict[str, Any]:
    return {"code": "vat", "name": "VAT 19 %", "rate": "19", "description": "", "legal_note": "", **values}


def test_a_new_company_gets_what_its_country_and_name_suggest(superuser: Client) -> None:
    file = SimpleUploadedFile("logo.svg", SVG.encode(), "image/svg+xml")
    assert superuser.post(CREATE, {**COMPANY, "logo_file": file}).status_code == 302
    made = BillingEntity.objects.get(code="harbour")
    assert (made.timezone, made.logo, made.document_number_prefix[:4]) == ("Europe/Berlin", SVG, "HAR-")
    # What no field chose is dated on the day on which a period in advance begins, not in the month before.
    assert (made.issuing_date_anchor, made.issuing_date_adjustment) == (
        "next_period_start",
        "align_with_finalization_date",
    )


def test_the_fresh_form_chooses_what_is_kept() -> None:
    Tax.objects.update(deleted_at=NOW)
    form = NewEntityForm(initial=usual())
    chosen = {name: form[name].value() for name in ("issuing_date_anchor", "issuing_date_adjustment")}
    assert chosen == {
        "issuing_date_anchor": "next_period_start",
        "issuing_date_adjustment": "align_with_finalization_date",
    }
    assert form["timezone"].field.choices[0] == ("", "that of the country")
    assert "make a tax" in str(form["taxes"].help_text)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("iban", "DE03120300000000202051", "not a valid IBAN"),
        ("country", "AQ", "several time zones"),
        ("logo_file", SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\n"), "no SVG drawing"),
        ("logo_file", SimpleUploadedFile("logo.svg", b"<svg>" + b" " * 200_000), "larger than 200 kB"),
    ],
)
def test_what_is_wrong_is_told_above_the_form(superuser: Client, field: str, value: Any, words: str) -> None:
    page = superuser.post(CREATE, {**COMPANY, field: value})
    assert page.status_code == 200
    summary = page.content.decode().partition('class="q-wrong"')[2].partition("</div>")[0]
    named = "timezone" if field == "country" else field
    assert f'href="#id_{named}"' in summary
    assert words in summary
    assert not BillingEntity.objects.filter(code="harbour").exists()


def test_a_new_tax_is_used_for_the_companies_that_are_ticked(finance: Client, company: Company) -> None:
    entity = BillingEntity.objects.get(code="de")
    before = set(entity.taxes.values_list("code", flat=True))
    assert finance.post(NEW_TAX, _tax(billing_entities=[entity.pk])).status_code == 302
    assert set(entity.taxes.values_list("code", flat=True)) == {*before, "vat"}
    assert AuditEntry.objects.filter(verb="apply_tax", object_id=str(entity.pk)).count() == 1
    assert finance.post(NEW_TAX, _tax(code="none")).status_code == 302
    assert not Tax.objects.get(code="none").billing_entities.exists()


def test_the_first_tax_is_proposed_for_every_company_and_later_ones_for_none(finance: Client, company: Company) -> None:
    def proposed() -> list[Any]:
        field = finance.get(NEW_TAX).context["form"]["billing_entities"]
        return list(field.value() or ())

    assert proposed() == []
    Tax.objects.update(deleted_at=NOW)
    BillingEntity.objects.update(eu_tax_management=False)
    assert set(proposed()) == set(BillingEntity.objects.values_list("pk", flat=True))


def test_who_may_not_change_companies_makes_a_tax_without_them(company: Company) -> None:
    engineer = signed_in("Engineer")
    entity = BillingEntity.objects.get(code="de")
    refused = engineer.post(NEW_TAX, _tax(billing_entities=[entity.pk]))
    assert "You may not change billing entities" in refused.content.decode()
    assert not Tax.objects.filter(code="vat").exists()
    assert engineer.post(NEW_TAX, _tax()).status_code == 302
