"""Voiding, regenerating and disputing over the API, and money that is held."""

from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import CreditNote, Invoice
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_void_and_regenerate(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00", "50.00")

    voided = api.call("post", f"invoices/{invoice.uuid}/void").json()["invoice"]

    assert (voided["status"], voided["total_due_amount_cents"], voided["number"]) == ("voided", 0, invoice.number)
    assert voided["voided_at"] is not None
    assert refusal(api.call("post", f"invoices/{invoice.uuid}/void")) == (405, "not_voidable")
    fee = voided["fees"][0]["lago_id"]
    body = {"fees": [{"lago_fee_id": fee, "units": "2", "invoice_display_name": "Twice"}]}
    issued = api.call("post", f"invoices/{invoice.uuid}/regenerate", body).json()["invoice"]
    assert (issued["voided_invoice_id"], issued["status"]) == (str(invoice.uuid), "finalized")
    assert (issued["fees_amount_cents"], issued["fees"][0]["item"]["invoice_display_name"]) == (25000, "Twice")
    assert refusal(api.call("post", f"invoices/{invoice.uuid}/regenerate")) == (405, "already_regenerated")
    assert refusal(api.call("post", f"invoices/{issued['lago_id']}/regenerate")) == (405, "status_not_voided")


@pytest.mark.parametrize(
    ("body", "status", "details"),
    [
        ({"credit_amount": 1}, 422, {"credit_amount": ["value_is_invalid"]}),
        (
            {"generate_credit_note": True, "credit_amount": 11901},
            422,
            {"credit_refund_amount": ["total_amount_exceeds_invoice_amount"]},
        ),
        ({"generate_credit_note": True, "refund_amount": 1}, 422, {"refund_amount": ["exceeds_remaining_amount"]}),
        ({"generate_credit_note": True, "credit_amount": -1}, 422, {"credit_amount": ["value_is_out_of_range"]}),
        ({"generate_credit_note": "perhaps"}, 422, {"generate_credit_note": ["value_is_invalid"]}),
    ],
)
def test_voids_that_do_not_fit(
    api: ApiClient, customer: Customer, body: dict[str, Any], status: int, details: dict[str, list[str]]
) -> None:
    invoice = make.issue(customer, "100.00")
    answer = api.call("post", f"invoices/{invoice.uuid}/void", body)
    assert (answer.status_code, answer.json()["error_details"]) == (status, details)
    assert Invoice.objects.get().status == "finalized"


def test_a_body_that_is_not_understood_voids_nothing(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    wanted = {"generate_credit_note": True, "credit_amount": 5000}

    assert api.call("post", f"invoices/{invoice.uuid}/void", [wanted]).status_code == 400
    assert api.call("post", f"invoices/{invoice.uuid}/void", {"invoice": [wanted]}).status_code == 400
    assert api.post(f"/api/v1/invoices/{invoice.uuid}/void", {"generate_credit_note": "true"}).status_code == 400
    assert Invoice.objects.get().status == "finalized"
    # Under a root key it is the same as without
    assert api.call("post", f"invoices/{invoice.uuid}/void", {"invoice": wanted}).status_code == 200
    assert CreditNote.objects.filter(credit_status="available").get().credit_amount.amount == 50


def test_a_credit_note_in_its_place(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    body = {"generate_credit_note": True, "credit_amount": 5000, "refund_amount": 0}

    assert api.call("post", f"invoices/{invoice.uuid}/void", body).status_code == 200

    notes = api.call("get", "credit_notes").json()["credit_notes"]
    assert sorted((note["credit_amount_cents"], note["credit_status"]) for note in notes) == [
        (5000, "available"),
        (6900, "voided"),
    ]


def test_held_money(api: ApiClient, customer: Customer) -> None:
    first, second = make.issue(customer, "100.00"), make.issue(customer, "10.00")
    paid = {"payment": {"invoice_id": str(first.uuid), "amount_cents": 11900, "reference": "w"}}
    payment = api.call("post", "payments", paid).json()["payment"]["lago_id"]
    api.call("post", f"invoices/{first.uuid}/void")

    body = {"allocation": {"invoice_id": str(second.uuid), "amount_cents": 1190}}
    held = api.call("post", f"payments/{payment}/allocate", body).json()["payment"]
    assert held["held_amount_cents"] == 10710
    body = {"refund": {"amount_cents": 10710, "reference": "back"}}
    assert api.call("post", f"payments/{payment}/refund", body).json()["payment"]["held_amount_cents"] == 0
    assert refusal(api.call("post", f"payments/{payment}/refund", body)) == (405, "nothing_held")
    assert Invoice.objects.get(pk=second.pk).payment_status == "succeeded"


def test_disputes(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00", "50.00")
    fee = str(invoice.lines.get(position=2).uuid)
    path = f"invoices/{invoice.uuid}/disputes"

    opened = api.call("post", path, {"dispute": {"reason": "late", "lago_fee_id": fee}}).json()["dispute"]

    assert (opened["status"], opened["amount_cents"], opened["lago_fee_id"]) == ("open", 5950, fee)
    assert api.call("get", f"invoices/{invoice.uuid}").json()["invoice"]["disputed_amount_cents"] == 5950
    body = {"dispute": {"outcome": "won", "resolution": "delivered"}}
    ended = api.call("put", f"disputes/{opened['lago_id']}", body).json()["dispute"]
    assert (ended["status"], ended["open_amount_cents"], ended["resolution"]) == ("won", 0, "delivered")
    assert [row["lago_id"] for row in api.call("get", path).json()["disputes"]] == [opened["lago_id"]]
    assert refusal(api.call("put", f"disputes/{invoice.uuid}", body)) == (404, "dispute_not_found")


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_lost_dispute(api: ApiClient, customer: Customer, method: str) -> None:
    invoice, draft = make.issue(customer, "100.00"), make.draft(customer, "1.00").invoice

    content = api.call(method, f"invoices/{invoice.uuid}/lose_dispute").json()["invoice"]

    assert (content["payment_dispute_lost_at"] is not None, content["payment_overdue"]) == (True, False)
    assert refusal(api.call(method, f"invoices/{draft.uuid}/lose_dispute")) == (405, "not_disputable")
    found = api.call("get", "invoices?payment_dispute_lost=true").json()["invoices"]
    assert [row["lago_id"] for row in found] == [str(invoice.uuid)]


def test_nobody_collects_payments_here(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    answer = api.call("post", f"invoices/{invoice.uuid}/payment_url")
    assert (answer.status_code, answer.json()["error_details"]) == (422, {"base": ["no_linked_payment_provider"]})
    assert api.call("post", f"invoices/{invoice.uuid}/retry_payment").status_code == 405
