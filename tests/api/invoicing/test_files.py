"""Downloads: made on demand, handed out by signed links that end, and nothing for drafts."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from customers.models import Customer
from invoicing.domain import document_folding
from invoicing.models import Document
from invoicing.services import documents
from tests.factories import documents as documents_factory
from tests.factories import invoicing as make
from tests.factories.documents import LineRow
from tests.factories.platform import ApiClient


@pytest.fixture
def link(api: ApiClient, customer: Customer) -> str:
    """The link of an invoice's document."""
    invoice = make.issue(customer, "1.00")
    documents.render(invoice_id=invoice.pk, at=make.AT)
    return str(api.call("post", f"invoices/{invoice.uuid}/download").json()["invoice"]["file_url"])


def test_the_link_gives_the_stored_file_without_a_key(link: str) -> None:
    assert link.startswith("http://testserver/api/v1/files/")
    assert link.endswith(".pdf")

    answer = Client().get(link)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert content.startswith(b"%PDF")
    assert len(content) == Document.objects.get().size
    assert answer["Cache-Control"] == "private, no-store"


def test_a_link_ends_after_a_day(link: str) -> None:
    with time_machine.travel(make.AT + timedelta(hours=23, minutes=59), tick=False):
        assert Client().get(link).status_code == 200
    with time_machine.travel(make.AT + timedelta(days=1, minutes=1), tick=False):
        assert Client().get(link).status_code == 404


@pytest.mark.parametrize(
    "change", [lambda link: link.replace(":", ":x", 3), lambda link: link.replace("files/", "files/x")]
)
def test_a_forged_link_gives_nothing(link: str, change: Any) -> None:
    answer = Client().get("/".join(change(link).split("/", 3)[3:]).join(["/", ""]))

    assert answer.status_code == 404


def test_nothing_until_it_is_made_then_the_file(
    api: ApiClient, customer: Customer, django_capture_on_commit_callbacks: Any
) -> None:
    invoice = make.issue(customer, "1.00")

    with django_capture_on_commit_callbacks() as waiting:
        empty = api.call("post", f"invoices/{invoice.uuid}/download_pdf")

    assert (empty.status_code, empty.content) == (200, b"")
    assert api.read(f"invoices/{invoice.uuid}").json()["invoice"]["file_url"] is None
    assert len(waiting) == 1
    waiting[0]()
    assert api.call("post", f"invoices/{invoice.uuid}/download").json()["invoice"]["file_url"]
    assert "fees" not in api.call("post", f"invoices/{invoice.uuid}/download").json()["invoice"]


def test_a_draft_has_no_file(api: ApiClient, customer: Customer) -> None:
    draft = make.draft(customer, "1.00").invoice

    answer = api.call("post", f"invoices/{draft.uuid}/download")

    assert (answer.status_code, answer.json()["code"]) == (405, "is_draft")


def test_the_files_of_a_long_invoice(api: ApiClient, client: Client) -> None:
    rows = [LineRow(f"API – region: {number}", "2.00") for number in range(document_folding.LONGEST + 1)]
    invoice = documents_factory.finalized(documents_factory.buyer(documents_factory.seller()), rows)
    assert api.read(f"invoices/{invoice.uuid}/documents").json() == {"documents": []}
    documents.render(invoice_id=invoice.pk, at=documents_factory.AT)

    found = api.read(f"invoices/{invoice.uuid}/documents").json()["documents"]
    assert [row["kind"] for row in found] == ["pdf", "annex_csv"]
    annex = client.get(found[1]["file_url"])
    assert annex["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(annex.streaming_content)  # type: ignore[attr-defined]
    assert len(content) == found[1]["size"]
    assert hashlib.sha256(content).hexdigest() == found[1]["sha256"]
