"""Payment requests over the API: paid once per key, in any currency, by one thing only, and what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from customers.models import Customer
from invoicing.api import payment_payloads
from invoicing.models import Invoice, Payment, PaymentReceipt, PaymentRequest
from invoicing.services import overdue
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


def asked(api: ApiClient, customer: Customer, *amounts: str, currency: str = "EUR") -> dict[str, Any]:
    """Issue overdue invoices and ask for them; return the request."""
    for amount in amounts:
        make.issue(customer, amount, currency=currency, at=make.AT - timedelta(days=40))
    overdue.mark(as_of=make.AT)
    ids = [str(row.uuid) for row in Invoice.objects.filter(customer=customer).order_by("pk")]
    wanted = {"external_customer_id": customer.external_id, "lago_invoice_ids": ids}
    answer = api.call("post", "payment_requests", {"payment_request": wanted})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()["payment_request"]
    return found


def body(request: dict[str, Any], cents: Any, **values: Any) -> dict[str, Any]:
    return {"payment": {"payment_request_id": request["lago_id"], "amount_cents": cents, "reference": "wire", **values}}


# Without tax: 100 yen have no minor unit, 1.005 dinars are 1005 of theirs.
@pytest.mark.parametrize(("currency", "amounts", "cents"), [("JPY", ("100", "50"), 150), ("BHD", ("1.005", "2"), 3005)])
def test_minor_units_are_those_of_the_currency(
    api: ApiClient, currency: str, amounts: tuple[str, ...], cents: int
) -> None:
    customer = make.make_customer(make.make_entity("other"), "far", currency=currency)
    request = asked(api, customer, *amounts, currency=currency)
    assert (request["amount_cents"], request["amount_currency"]) == (cents, currency)
    refused = api.call("post", "payments", body(request, cents + 1))
    assert (refused.status_code, refused.json()["error_details"]) == (422, {"amount_cents": ["invalid_value"]})
    paid = api.call("post", "payments", body(request, cents)).json()["payment"]
    assert (paid["amount_cents"], paid["payable_type"], len(paid["invoice_ids"])) == (cents, "PaymentRequest", 2)
    assert api.read(f"payment_requests/{request['lago_id']}").json()["payment_request"]["payment_status"] == "succeeded"


def test_one_key_pays_once(api: ApiClient, customer: Customer) -> None:
    request = asked(api, customer, "100.00", "50.00")
    first = api.call("post", "payments", body(request, 100), Idempotency_Key="k1")
    again = api.call("post", "payments", body(request, 100), Idempotency_Key="k1")
    other = api.call("post", "payments", body(request, 101), Idempotency_Key="k1")
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert first.json()["payment"]["payment_receipt"]["number"] == "ACME-RCPT-001"
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "status", "details"),
    [
        ({"invoice_id": "5f0c7f6e-5d3a-4c43-9d3c-3d1f0e6f2c11"}, 422, {"invoice_id": ["value_must_be_blank"]}),
        ({"payment_request_id": ["x"]}, 422, {"payment_request_id": ["value_is_invalid"]}),
        ({"payment_request_id": "x"}, 404, None),
        ({"amount_cents": 0}, 422, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": -1}, 422, {"amount_cents": ["value_is_out_of_range"]}),
    ],
)
def test_what_pays_nothing(api: ApiClient, customer: Customer, values: Any, status: int, details: Any) -> None:
    request = asked(api, customer, "100.00")
    answer = api.call("post", "payments", body(request, **{"cents": 100, **values}))
    assert (answer.status_code, answer.json().get("error_details")) == (status, details)
    assert Payment.objects.count() == 0


def test_webhooks_say_what_the_api_answers(api: ApiClient, customer: Customer) -> None:
    request = asked(api, customer, "100.00", "50.00")
    payment = api.call("post", "payments", body(request, 12_000)).json()["payment"]
    cases: list[tuple[Any, Any, str, str]] = [
        (PaymentRequest, payment_payloads.payment_requests, "payment_request", request["lago_id"]),
        (PaymentReceipt, payment_payloads.payment_receipts, "payment_receipt", payment["payment_receipt"]["lago_id"]),
    ]
    for model, payload, key, public_id in cases:
        (told,) = payload([model.objects.get(uuid=public_id)])
        text = json.dumps(told, cls=DjangoJSONEncoder).replace(settings.PUBLIC_URL, "http://testserver")
        assert json.loads(text) == api.read(f"{key}s/{public_id}").json()[key]


def test_more_addresses_than_can_be_kept_are_refused(api: ApiClient, customer: Customer) -> None:
    request = asked(api, customer, "100.00")
    many = ",".join(f"{number:03}@b.co" for number in range(110))  # 989 characters, and 1098 with a space after each
    wanted = {
        "external_customer_id": "c1",
        "email": many,
        "lago_invoice_ids": [row["lago_id"] for row in request["invoices"]],
    }
    answer = api.call("post", "payment_requests", {"payment_request": wanted})
    assert (answer.status_code, answer.json()["error_details"]) == (422, {"email": ["value_is_too_long"]})
    few = api.call("post", "payment_requests", {"payment_request": {**wanted, "email": "a@b.co, c@d.co,a@b.co"}})
    assert few.json()["payment_request"]["email"] == "a@b.co, c@d.co"
