"""Payments over the API: recorded once per key, refused with a reason, listed."""

import uuid
from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import Invoice, Payment
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    return make.issue(customer, "100.00")


def body(invoice: Invoice, cents: Any, **values: Any) -> dict[str, Any]:
    return {"payment": {"invoice_id": str(invoice.uuid), "amount_cents": cents, "reference": "wire 1", **values}}


def test_a_payment_is_recorded_and_shown(api: ApiClient, invoice: Invoice) -> None:
    answer = api.call("post", "payments", body(invoice, 1900, paid_at="2026-05-01T10:00:00+02:00"))

    assert answer.status_code == 200
    payment = Payment.objects.get()
    content = answer.json()["payment"]
    receipt = content.pop("payment_receipt")
    assert (receipt["number"], receipt["file_url"]) == ("ACME-RCPT-001", None)
    assert {name: value for name, value in content.items() if value is not None} == {
        "lago_id": str(payment.uuid),
        "lago_customer_id": str(invoice.customer.uuid),
        "external_customer_id": "c1",
        "invoice_ids": [str(invoice.uuid)],
        "invoice_numbers": ["ACME-001-001"],
        "lago_payable_id": str(invoice.uuid),
        "payable_type": "Invoice",
        "amount_cents": 1900,
        "amount_currency": "EUR",
        "held_amount_cents": 0,
        "status": "succeeded",
        "payment_status": "succeeded",
        "type": "manual",
        "reference": "wire 1",
        "next_action": {},
        "paid_at": "2026-05-01T08:00:00Z",
        "created_at": "2026-05-01T00:10:00Z",
    }
    content["payment_receipt"] = receipt
    assert api.read(f"payments/{payment.uuid}").json() == {"payment": content}
    assert api.read("payments").json()["payments"] == [content]
    shown = api.read(f"invoices/{invoice.uuid}").json()["invoice"]
    assert (shown["total_paid_amount_cents"], shown["total_due_amount_cents"]) == (1900, 10000)
    assert shown["payment_status"] == "pending"


def test_a_day_alone_and_no_day_at_all(api: ApiClient, invoice: Invoice) -> None:
    assert api.call("post", "payments", body(invoice, 100, paid_at="2026-04-30")).json()["payment"]["paid_at"] == (
        "2026-04-30T00:00:00Z"
    )
    content = {"payment": {"invoice_id": str(invoice.uuid), "amount_cents": 100}}
    shown = api.call("post", "payments", content).json()["payment"]
    assert (shown["paid_at"], shown["reference"]) == ("2026-05-01T00:10:00Z", "")


def test_one_key_pays_once(api: ApiClient, invoice: Invoice) -> None:
    first = api.call("post", "payments", body(invoice, 1900), Idempotency_Key="k1")
    again = api.call("post", "payments", body(invoice, 1900), Idempotency_Key="k1")
    other = api.call("post", "payments", body(invoice, 1901), Idempotency_Key="k1")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Payment.objects.count() == 1


def test_a_refused_payment_may_be_tried_again_with_its_key(api: ApiClient, invoice: Invoice) -> None:
    refused = api.call("post", "payments", body(invoice, 99_999), Idempotency_Key="k1")

    assert refused.status_code == 422
    assert Payment.objects.count() == 0
    assert api.call("post", "payments", body(invoice, 100), Idempotency_Key="k2").status_code == 200


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"amount_cents": 11_901}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": 0}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 10**30}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": "much"}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"invoice_id": None}, {"invoice_id": ["value_is_mandatory"]}),
        ({"paid_at": "tomorrow"}, {"paid_at": ["invalid_date"]}),
        ({"reference": "x" * 256}, {"reference": ["value_is_too_long"]}),
    ],
)
def test_payments_that_do_not_fit(
    api: ApiClient, invoice: Invoice, change: dict[str, Any], details: dict[str, list[str]]
) -> None:
    answer = api.call("post", "payments", {"payment": {**body(invoice, 100)["payment"], **change}})

    assert (answer.status_code, answer.json().get("error_details")) == (422, details)
    assert not Payment.objects.exists()


def test_what_cannot_be_paid(api: ApiClient, invoice: Invoice, customer: Customer) -> None:
    draft = make.draft(customer, "1.00").invoice

    assert api.call("post", "payments", body(draft, 100)).json()["code"] == "invoice_not_finalized"
    assert api.call("post", "payments", body(draft, 100)).status_code == 405
    unknown = api.call("post", "payments", {"payment": {"invoice_id": str(uuid.UUID(int=1)), "amount_cents": 1}})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "invoice_not_found")
    assert api.call("post", "payments", {}).status_code == 400
    assert api.read("payments/x").json()["code"] == "payment_not_found"


def test_lists_are_narrowed(api: ApiClient, invoice: Invoice) -> None:
    other = make.issue(make.make_customer(invoice.billing_entity, "c2"), "100.00")
    api.call("post", "payments", body(invoice, 100))
    api.call("post", "payments", body(other, 200))

    def amounts(path: str, **filters: str) -> list[int]:
        return [row["amount_cents"] for row in api.read(path, **filters).json()["payments"]]

    assert amounts("payments") == [200, 100]
    assert amounts("payments", invoice_id=str(other.uuid)) == [200]
    assert amounts("payments", invoice_id="x") == []
    assert amounts("payments", external_customer_id="c1") == [100]
    assert amounts("customers/c2/payments") == [200]
    assert api.read("customers/nobody/payments").status_code == 404


def test_amounts_of_currencies_without_cents(api: ApiClient, customer: Customer) -> None:
    yen = make.issue(customer, "1000", currency="JPY")

    content = api.call("post", "payments", body(yen, 1190)).json()["payment"]

    assert (content["amount_cents"], content["amount_currency"]) == (1190, "JPY")
    assert api.read(f"invoices/{yen.uuid}").json()["invoice"]["payment_status"] == "succeeded"
