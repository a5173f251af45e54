"""The verbs of invoices over the API: finalize, notes and payment status, delete, void, download."""

from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_finalize(api: ApiClient, customer: Customer) -> None:
    draft = make.draft(customer, "100.00").invoice

    answer = api.call("put", f"invoices/{draft.uuid}/finalize")

    assert answer.status_code == 200
    content = answer.json()["invoice"]
    assert (content["status"], content["number"], content["total_amount_cents"]) == ("finalized", "ACME-001-001", 11900)
    assert [fee["amount_cents"] for fee in content["fees"]] == [10000]
    assert refusal(api.call("put", f"invoices/{draft.uuid}/finalize")) == (405, "invalid_status")


def test_payment_status_and_notes(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    body = {"payment_status": "succeeded", "metadata": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}

    content = api.call("put", f"invoices/{invoice.uuid}", {"invoice": body}).json()["invoice"]

    assert (content["payment_status"], content["total_paid_amount_cents"]) == ("succeeded", 0)
    notes = content["metadata"]
    assert [(note["key"], note["value"]) for note in notes] == [("a", "1"), ("b", "2")]

    kept = {"id": notes[0]["lago_id"], "key": "a", "value": "changed"}
    content = api.call("put", f"invoices/{invoice.uuid}", {"invoice": {"metadata": [kept]}}).json()["invoice"]
    assert [(note["lago_id"], note["value"]) for note in content["metadata"]] == [(notes[0]["lago_id"], "changed")]
    assert content["payment_status"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"payment_status": "nonsense"}, {"payment_status": ["value_is_invalid"]}),
        ({"payment_status": None}, {"payment_status": ["value_is_mandatory"]}),
        ({"metadata": "x"}, {"metadata": ["must_be_an_array"]}),
        ({"metadata": [{"key": "a"}]}, {"metadata.0.value": ["value_is_mandatory"]}),
        ({"metadata": [{"key": "a", "value": "1", "id": "x"}]}, {"metadata.0.id": ["value_is_invalid"]}),
        ({"metadata": [{"key": str(n), "value": "1"} for n in range(6)]}, {"metadata": ["invalid_count"]}),
    ],
)
def test_updates_that_do_not_fit(
    api: ApiClient, customer: Customer, body: dict[str, Any], details: dict[str, list[str]]
) -> None:
    invoice = make.issue(customer, "100.00")

    answer = api.call("put", f"invoices/{invoice.uuid}", {"invoice": body})

    assert (answer.status_code, answer.json()["error_details"]) == (422, details)
    invoice.refresh_from_db()
    assert (invoice.payment_status, invoice.metadata.count()) == ("pending", 0)


def test_a_draft_takes_neither(api: ApiClient, customer: Customer) -> None:
    path = f"invoices/{make.draft(customer, '1.00').invoice.uuid}"

    assert api.call("put", path, {}).status_code == 400
    assert refusal(api.call("put", path, {"invoice": {"payment_status": "succeeded"}})) == (
        405,
        "payment_status_update_on_draft_invoice",
    )
    assert refusal(api.call("put", path, {"invoice": {"metadata": [{"key": "a", "value": "1"}]}})) == (
        405,
        "metadata_on_draft_invoice",
    )


def test_a_draft_is_deleted_and_gone(api: ApiClient, customer: Customer) -> None:
    draft = make.draft(customer, "1.00").invoice

    answer = api.call("delete", f"invoices/{draft.uuid}")

    assert (answer.status_code, answer.json()["invoice"]["status"]) == (200, "voided")
    assert answer.json()["invoice"]["total_due_amount_cents"] == 0
    assert refusal(api.read(f"invoices/{draft.uuid}")) == (404, "invoice_not_found")
    assert api.read("invoices").json() == {
        "invoices": [],
        "meta": {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0},
    }
    assert Invoice.objects.get().voided_at == make.AT


def test_an_issued_invoice_is_not_deleted_and_a_draft_not_voided(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "1.00")
    draft = make.draft(customer, "1.00").invoice

    assert refusal(api.call("delete", f"invoices/{invoice.uuid}")) == (405, "not_deletable")
    assert refusal(api.call("post", f"invoices/{draft.uuid}/void")) == (405, "not_voidable")
    assert set(Invoice.objects.values_list("status", flat=True)) == {"finalized", "draft"}
