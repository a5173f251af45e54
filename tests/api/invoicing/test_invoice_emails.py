"""Sending issued invoices once more through the API."""

import uuid
from typing import Any

from customers.models import Customer
from invoicing.models import Delivery
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def test_it_is_sent_again_to_whom_is_named(
    api: ApiClient, customer: Customer, django_capture_on_commit_callbacks: Any
) -> None:
    invoice = make.issue(customer, "10")
    path = f"invoices/{invoice.uuid}/resend_email"

    with django_capture_on_commit_callbacks() as waiting:
        nobody = api.call("post", path, {})
        wrong = api.call("post", path, {"to": ["a@b.example"], "bcc": ["nobody"]})
    assert (nobody.status_code, nobody.json()["error_details"]) == (422, {"email": ["value_is_mandatory"]})
    assert (wrong.status_code, wrong.json()["error_details"]) == (422, {"bcc": ["invalid_email_format"]})
    assert (waiting, Delivery.objects.count()) == ([], 0)

    customer.email = "own@c.example"
    customer.save(update_fields=["email"])
    with django_capture_on_commit_callbacks() as waiting:
        named = api.call("post", path, {"to": ["a@b.example"], "cc": ["c@b.example"], "bcc": ["d@b.example"]})
        own = api.call("post", path, {})
    assert (named.status_code, named.content, own.status_code, len(waiting)) == (200, b"", 200, 2)
    assert [(row.number, row.recipients, row.cc, row.bcc) for row in Delivery.objects.order_by("number")] == [
        (1, ["a@b.example"], ["c@b.example"], ["d@b.example"]),
        (2, ["own@c.example"], [], []),
    ]


def test_drafts_and_strangers_are_refused(api: ApiClient, customer: Customer) -> None:
    draft = make.draft(customer, "10").invoice
    to = {"to": ["a@b.example"]}

    refused = api.call("post", f"invoices/{draft.uuid}/resend_email", to)
    missing = api.call("post", f"invoices/{uuid.uuid4()}/resend_email", to)
    garbled = api.call("post", f"invoices/{draft.uuid}/resend_email", {"to": "a@b.example"})

    assert (refused.status_code, refused.json()["code"]) == (405, "invoice_not_finalized")
    assert (missing.status_code, missing.json()["code"]) == (404, "invoice_not_found")
    assert garbled.status_code == 422
    assert not Delivery.objects.exists()
