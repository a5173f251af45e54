"""Custom sections over the API: made, chosen by sellers and customers, and frozen with what is issued."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from config.platform.services import installation
from customers.models import Customer, InvoiceCustomSection
from invoicing.services import document_views
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _first_of_may(db: None) -> Any:
    with time_machine.travel(make.AT, tick=False):
        yield


@pytest.fixture
def api(db: None) -> ApiClient:
    installation.ensure(at=make.AT)
    return ApiClient()


@pytest.fixture
def customer(db: None) -> Customer:
    return make.make_customer(make.make_entity(is_default=True), currency="EUR")


def section(api: ApiClient, code: str, **values: Any) -> Any:
    content = {"code": code, "name": code.title(), "display_name": f"About {code}", "details": "One.\nTwo.", **values}
    return api.call("post", "invoice_custom_sections", {"invoice_custom_section": content})


def test_it_is_made_changed_listed_and_retired(api: ApiClient, customer: Customer) -> None:
    made = section(api, "terms").json()["invoice_custom_section"]
    assert {**made, "lago_id": "", "organization_id": ""} == {
        "lago_id": "",
        "code": "terms",
        "name": "Terms",
        "description": None,
        "details": "One.\nTwo.",
        "display_name": "About terms",
        "organization_id": "",
    }
    assert section(api, "terms").json()["error_details"] == {"code": ["value_already_exist"]}
    changed = api.call(
        "put", "invoice_custom_sections/terms", {"invoice_custom_section": {"details": "Three."}}
    ).json()["invoice_custom_section"]
    assert (changed["details"], changed["display_name"]) == ("Three.", "About terms")
    assert api.read("invoice_custom_sections").json()["invoice_custom_sections"] == [changed]
    entity = {"billing_entity": {"invoice_custom_section_codes": ["terms"]}}
    assert api.call("put", "billing_entities/acme", entity).status_code == 200

    assert api.call("delete", "invoice_custom_sections/terms").json()["invoice_custom_section"]["code"] == "terms"

    assert api.read("invoice_custom_sections/terms").status_code == 404
    shown = api.read("billing_entities/acme").json()["billing_entity"]
    assert shown["selected_invoice_custom_sections"] == []
    assert section(api, "terms").status_code == 200


def test_the_most_specific_choice_counts(api: ApiClient, customer: Customer) -> None:
    for code in ("seller", "own"):
        section(api, code)

    def applicable(**values: Any) -> list[str]:
        content = {"customer": {"external_id": "c1", **values}}
        answer = api.call("post", "customers", content)
        assert answer.status_code == 200, answer.json()
        shown = answer.json()["customer"]
        return [row["code"] for row in shown["applicable_invoice_custom_sections"]]

    assert applicable() == []
    api.call("put", "billing_entities/acme", {"billing_entity": {"invoice_custom_section_codes": ["seller"]}})
    assert applicable() == ["seller"]
    assert applicable(invoice_custom_section_codes=["own"]) == ["own"]
    assert applicable(name="Other") == ["own"]
    assert applicable(skip_invoice_custom_sections=True) == []
    assert applicable(invoice_custom_section_codes=["own", "seller"]) == ["own", "seller"]
    assert applicable(invoice_custom_section_codes=[]) == ["seller"]
    both = {"external_id": "c1", "skip_invoice_custom_sections": True, "invoice_custom_section_codes": ["own"]}
    assert api.call("post", "customers", {"customer": both}).status_code == 422
    unknown = {"external_id": "c1", "invoice_custom_section_codes": ["gone"]}
    assert api.call("post", "customers", {"customer": unknown}).json()["code"] == ("invoice_custom_section_not_found")


def test_what_is_issued_keeps_its_wording(api: ApiClient, customer: Customer) -> None:
    section(api, "terms")
    row = InvoiceCustomSection.objects.get()
    customer.invoice_custom_sections.add(row)
    issued, draft = make.issue(customer, "10.00"), make.draft(customer, "5.00").invoice
    InvoiceCustomSection.objects.filter(pk=row.pk).update(details="Changed.", display_name="")

    def said(invoice: Any) -> list[tuple[str, tuple[str, ...]]]:
        view = document_views.of(invoice=document_views.read(invoice_id=invoice.pk))
        return [(part.heading, part.lines) for part in view.sections]

    assert said(issued) == [("About terms", ("One.", "Two."))]
    assert said(draft) == [("", ("Changed.",))]
    first, again = (
        api.read(f"invoices/{issued.uuid}").json()["invoice"]["applied_invoice_custom_sections"] for _ in range(2)
    )
    assert first == again
    assert {**first[0], "lago_id": ""} == {
        "lago_id": "",
        "lago_invoice_id": str(issued.uuid),
        "code": "terms",
        "details": "One.\nTwo.",
        "display_name": "About terms",
        "created_at": "2026-05-01T00:10:00Z",
    }
