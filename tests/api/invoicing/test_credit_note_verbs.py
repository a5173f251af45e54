"""Documents, e-mails and metadata of credit notes through the API."""

from typing import Any

import pytest
from moneyed import Money

from customers.models import Customer
from invoicing.models import CreditNote, Delivery, Document
from invoicing.services import credit_note_documents, credit_notes
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


@pytest.fixture
def note(customer: Customer) -> CreditNote:
    """A credit note over 10.00 and its tax."""
    invoice = make.issue(customer, "68.33")
    amounts = {invoice.lines.get().pk: Money("10.00", "EUR")}
    return credit_notes.create(
        invoice_id=invoice.pk, amounts=amounts, reason="other", metadata={"a": "1"}, actor=make.ACTOR, at=make.AT
    )


def test_nothing_until_the_file_is_made_then_its_link(
    api: ApiClient, note: CreditNote, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        empty = api.call("post", f"credit_notes/{note.uuid}/download")

    assert (empty.status_code, empty.content, len(waiting)) == (200, b"", 1)
    assert api.read(f"credit_notes/{note.uuid}").json()["credit_note"]["file_url"] is None
    credit_note_documents.render(credit_note_id=note.pk, at=make.AT)
    shown = api.call("post", f"credit_notes/{note.uuid}/download_pdf").json()["credit_note"]
    assert shown["file_url"].endswith(f"{note.number}.pdf")
    file = api.get(shown["file_url"].removeprefix("http://testserver"))
    assert b"".join(file.streaming_content)[:4] == b"%PDF"
    listed = api.read("credit_notes").json()["credit_notes"]
    assert listed[0]["file_url"].endswith(f"{note.number}.pdf")
    assert Document.objects.count() == 1


def test_it_is_sent_again(api: ApiClient, note: CreditNote) -> None:
    refused = api.call("post", f"credit_notes/{note.uuid}/resend_email", {})
    sent = api.call("post", f"credit_notes/{note.uuid}/resend_email", {"to": ["a@b.example"], "cc": ["c@b.example"]})
    wrong = api.call("post", f"credit_notes/{note.uuid}/resend_email", {"to": ["nobody"]})

    assert (refused.status_code, refused.json()["error_details"]) == (422, {"email": ["value_is_mandatory"]})
    assert sent.status_code == 200
    assert (wrong.status_code, wrong.json()["error_details"]) == (422, {"to": ["invalid_email_format"]})
    delivery = Delivery.objects.get()
    assert (delivery.recipients, delivery.cc, delivery.bcc) == (["a@b.example"], ["c@b.example"], [])


def test_metadata_is_replaced_merged_and_removed(api: ApiClient, note: CreditNote) -> None:
    path = f"credit_notes/{note.uuid}/metadata"

    assert api.call("patch", path, {"metadata": {"b": "2"}}).json() == {"metadata": {"a": "1", "b": "2"}}
    assert api.call("post", path, {"metadata": {"c": "3", "d": "4"}}).json() == {"metadata": {"c": "3", "d": "4"}}
    assert api.call("delete", f"{path}/d").json() == {"metadata": {"c": "3"}}
    missing = api.call("delete", f"{path}/d")
    assert (missing.status_code, missing.json()["code"]) == (404, "metadata_not_found")
    assert api.call("delete", path).json() == {"metadata": None}
    note.refresh_from_db()
    assert note.metadata == {}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({}, 422),
        ({"metadata": "x"}, 422),
        ({"metadata": {"k" * 41: "1"}}, 422),
        ({"metadata": {str(number): "1" for number in range(51)}}, 422),
        ({"metadata": {"a": ["1"]}}, 422),
    ],
)
def test_metadata_that_cannot_be_kept(api: ApiClient, note: CreditNote, content: Any, status: int) -> None:
    answer = api.call("post", f"credit_notes/{note.uuid}/metadata", content)

    assert answer.status_code == status
    note.refresh_from_db()
    assert note.metadata == {"a": "1"}
