"""What the API tells of documents and money: every field, what the official client reads of it, and the filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from lago_python_client.models.credit_note import CreditNoteEstimatedResponse, CreditNoteResponse
from lago_python_client.models.fee import FeeResponse
from lago_python_client.models.invoice import InvoiceResponse
from lago_python_client.models.payment import PaymentResponse
from lago_python_client.models.payment_receipt import PaymentReceiptResponse
from lago_python_client.models.payment_request import PaymentRequestResponse
from lago_python_client.models.wallet import WalletResponse
from lago_python_client.models.wallet_transaction import (
    WalletTransactionConsumptionResponse,
    WalletTransactionFundingResponse,
    WalletTransactionResponse,
)

from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import overdue
from tests.api.contract import documents_shapes as tables
from tests.api.contract import shapes, story
from tests.factories import customers as parties
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

SECTION = {"code": "thanks", "name": "Thanks", "description": "d", "display_name": "Thanks", "details": "So long."}


@pytest.fixture(autouse=True)
def _first_of_may() -> Iterator[None]:
    with time_machine.travel(make.AT, tick=False):
        yield


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer(api: ApiClient) -> Customer:
    """A customer of a seller with a tax and a custom section."""
    parties.make_default_entity(at=make.AT)
    entity = make.make_entity(taxes=[make.make_tax(name="VAT")], net_payment_term=14)
    story.made(api, "invoice_custom_sections", "invoice_custom_section", SECTION)
    return make.make_customer(entity, email="c1@example.com")


def answered(api: ApiClient, method: str, path: str, content: Any = None) -> Any:
    found = api.call(method, path, content)
    assert found.status_code == 200, found.content
    return found.json()


def checked(found: Any, root: str, spec: Any, client: Any) -> list[str]:
    """Read one object or a page of them with the client's model, and return what differs from the table."""
    rows = found[root] if isinstance(found[root], list) else [found[root]]
    assert rows, root
    for row in rows:
        client.parse_obj(row)
    faults = [fault for row in rows for fault in shapes.wrong(row, spec, root)]
    return faults + (shapes.wrong(found["meta"], shapes.PAGE, "meta") if "meta" in found else [])


def late(customer: Customer, *amounts: str) -> list[Invoice]:
    """Issue invoices that are overdue on 1 May."""
    found = [make.issue(customer, amount, at=make.AT - timedelta(days=30)) for amount in amounts]
    overdue.mark(as_of=make.AT)
    return [Invoice.objects.get(pk=one.pk) for one in found]


def test_invoices_fees_and_credit_notes(api: ApiClient, customer: Customer) -> None:
    body = {"invoice_custom_section": {"invoice_custom_section_codes": ["thanks"]}, "unknown": 1, "currency": "EUR"}
    add_on = {"name": "Seat", "code": "seat", "amount_cents": 1000, "amount_currency": "EUR"}
    story.made(api, "add_ons", "add_on", add_on)
    one_off = story.made(
        api, "invoices", "invoice", {**body, "external_customer_id": "c1", "fees": [{"add_on_code": "seat"}]}
    )
    noted = {"invoice": {"metadata": [{"key": "po", "value": "7"}], "payment_status": "pending"}}
    path = f"invoices/{one_off['lago_id']}"
    answered(api, "put", path, noted)
    faults = checked(answered(api, "get", path), "invoice", tables.INVOICE, InvoiceResponse)
    for list_path in ("invoices", "customers/c1/invoices"):
        faults += checked(answered(api, "get", list_path), "invoices", tables.LISTED_INVOICE, InvoiceResponse)
    assert "fees" not in answered(api, "get", "invoices")["invoices"][0]

    fees = answered(api, "get", "fees")
    faults += checked(fees, "fees", tables.FEE, FeeResponse)
    fee_id = fees["fees"][0]["lago_id"]
    faults += checked(answered(api, "get", f"fees/{fee_id}"), "fee", tables.FEE, FeeResponse)
    assert api.call("delete", f"fees/{fee_id}").json()["code"] == "invoiced_fee"

    items = {"invoice_id": one_off["lago_id"], "items": [{"fee_id": fee_id, "amount_cents": 500}]}
    estimate = answered(api, "post", "credit_notes/estimate", {"credit_note": items})
    faults += checked(estimate, "estimated_credit_note", tables.ESTIMATE, CreditNoteEstimatedResponse)
    asked = {**items, "reason": "other", "offset_amount_cents": 595, "metadata": {"why": "late"}}
    made = answered(api, "post", "credit_notes", {"credit_note": asked})
    faults += checked(made, "credit_note", tables.CREDIT_NOTE, CreditNoteResponse)
    for list_path in ("credit_notes", "customers/c1/credit_notes"):
        faults += checked(answered(api, "get", list_path), "credit_notes", tables.CREDIT_NOTE, CreditNoteResponse)
    assert faults == []

    # The PDF is not there yet: an empty answer, with the verb's longer name too.
    for verb in ("download", "download_pdf"):
        for document in (path, f"credit_notes/{made['credit_note']['lago_id']}"):
            found = api.call("post", f"{document}/{verb}")
            assert (found.status_code, found.content) == (200, b"")
    # Electronic invoices are not made, which is said.
    for document in (path, f"credit_notes/{made['credit_note']['lago_id']}"):
        found = api.call("post", f"{document}/download_xml")
        assert (found.status_code, found.json()["code"]) == (403, "feature_unavailable")


def test_wallets_and_their_transactions(api: ApiClient, customer: Customer) -> None:
    sections = {"invoice_custom_section": {"invoice_custom_section_codes": ["thanks"]}}
    method = {"payment_method": {"payment_method_type": "provider"}}
    rule = {"trigger": "threshold", "threshold_credits": "5", "paid_credits": "10", **sections, **method}
    wallet = {
        "external_customer_id": "c1",
        "rate_amount": "1",
        "currency": "EUR",
        "name": "Prepaid",
        "granted_credits": "30",
        "paid_credits": "20",
        "metadata": {"team": "ops"},
        "recurring_transaction_rules": [rule],
        "transaction_metadata": [{"key": "a", "value": "b"}],
        **sections,
        **method,
    }
    made = answered(api, "post", "wallets", {"wallet": wallet})
    wallet_id = made["wallet"]["lago_id"]
    faults = checked(made, "wallet", tables.WALLET, WalletResponse)
    one_paths = (f"wallets/{wallet_id}", "customers/c1/wallets/prepaid")
    for path in one_paths:
        faults += checked(answered(api, "get", path), "wallet", tables.WALLET, WalletResponse)
    for path in ("wallets?external_customer_id=c1&currency=EUR", "customers/c1/wallets"):
        faults += checked(answered(api, "get", path), "wallets", tables.WALLET, WalletResponse)

    listed = answered(api, "get", f"wallets/{wallet_id}/wallet_transactions")
    faults += checked(listed, "wallet_transactions", tables.TRANSACTION, WalletTransactionResponse)
    given, bought = (
        next(row for row in listed["wallet_transactions"] if row["transaction_status"] == kind)
        for kind in ("granted", "purchased")
    )
    # The invoice of a purchase carries the texts of its wallet.
    invoice = answered(api, "get", f"invoices/{bought['lago_invoice_id']}")["invoice"]
    assert [row["code"] for row in invoice["applied_invoice_custom_sections"]] == ["thanks"]

    voided = answered(
        api, "post", "wallet_transactions", {"wallet_transaction": {"wallet_id": wallet_id, "voided_credits": "4"}}
    )
    assert voided.keys() == {"wallet_transactions"}  # a list without pages
    out = voided["wallet_transactions"][0]["lago_id"]
    used = answered(api, "get", f"wallet_transactions/{given['lago_id']}/consumptions")
    faults += checked(used, "wallet_transaction_consumptions", tables.PART, WalletTransactionConsumptionResponse)
    funded = answered(api, "get", f"wallet_transactions/{out}/fundings")
    faults += checked(funded, "wallet_transaction_fundings", tables.PART, WalletTransactionFundingResponse)
    assert faults == []

    # A purchase may have its own texts, or none at all; the wallet's can be left to the customer again.
    none = {"wallet_id": wallet_id, "paid_credits": "1", "invoice_custom_section": {"skip_invoice_custom_sections": 1}}
    bare = answered(api, "post", "wallet_transactions", {"wallet_transaction": none})["wallet_transactions"][0]
    shown = answered(api, "get", f"invoices/{bare['lago_invoice_id']}")["invoice"]
    assert shown["applied_invoice_custom_sections"] == []
    cleared = answered(api, "put", one_paths[1], {"wallet": {"invoice_custom_section": {}}})["wallet"]
    assert cleared["applied_invoice_custom_sections"] == []
    assert cleared["recurring_transaction_rules"][0]["applied_invoice_custom_sections"] != []
    other = {"wallet": {"billing_entity_id": "5f0c7f6e-5d3a-4c43-9d3c-3d1f0e6f2c11"}}
    assert api.call("put", one_paths[0], other).json()["code"] == "billing_entity_not_found"
    unknown = {"wallet": {"invoice_custom_section": {"invoice_custom_section_codes": ["nope"]}}}
    assert api.call("put", one_paths[0], unknown).json()["code"] == "invoice_custom_section_not_found"
    assert answered(api, "delete", one_paths[1])["wallet"]["status"] == "terminated"


def test_payments_receipts_and_payment_requests(api: ApiClient, customer: Customer) -> None:
    older, newer = late(customer, "100.00", "50.00")
    paid = {"invoice_id": str(older.uuid), "amount_cents": 1900, "reference": "wire"}
    payment = answered(api, "post", "payments", {"payment": paid})
    faults = checked(payment, "payment", tables.PAYMENT, PaymentResponse)
    for path in ("payments", f"payments?invoice_id={older.uuid}", "customers/c1/payments"):
        faults += checked(answered(api, "get", path), "payments", tables.PAYMENT, PaymentResponse)
    assert answered(api, "get", f"payments?invoice_id={newer.uuid}")["payments"] == []

    listed = answered(api, "get", f"payment_receipts?invoice_id={older.uuid}")
    faults += checked(listed, "payment_receipts", tables.RECEIPT, PaymentReceiptResponse)
    assert answered(api, "get", f"payment_receipts?invoice_id={newer.uuid}")["payment_receipts"] == []
    receipt_id = listed["payment_receipts"][0]["lago_id"]
    one = answered(api, "get", f"payment_receipts/{receipt_id}")
    faults += checked(one, "payment_receipt", tables.RECEIPT, PaymentReceiptResponse)
    assert one["payment_receipt"]["number"] == "ACME-RCPT-001"
    sent = api.call("post", f"payment_receipts/{receipt_id}/resend_email", {"to": ["a@example.com"]})
    assert (sent.status_code, sent.content) == (200, b"")

    wanted = {"external_customer_id": "c1", "email": "b@example.com", "lago_invoice_ids": [str(newer.uuid)]}
    asked = answered(api, "post", "payment_requests", {"payment_request": wanted})
    faults += checked(asked, "payment_request", tables.PAYMENT_REQUEST, PaymentRequestResponse)
    one = answered(api, "get", f"payment_requests/{asked['payment_request']['lago_id']}")
    assert one == asked
    for path in (
        "payment_requests?external_customer_id=c1&payment_status=pending&currency=EUR",
        "customers/c1/payment_requests",
    ):
        found = answered(api, "get", path)
        faults += checked(found, "payment_requests", tables.PAYMENT_REQUEST, PaymentRequestResponse)
    assert answered(api, "get", "payment_requests?payment_status=succeeded")["payment_requests"] == []
    assert faults == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("invoices", "invoice_not_found"),
        ("fees", "fee_not_found"),
        ("credit_notes", "credit_note_not_found"),
        ("wallets", "wallet_not_found"),
        ("wallet_transactions", "wallet_transaction_not_found"),
        ("payments", "payment_not_found"),
        ("payment_receipts", "payment_receipt_not_found"),
        ("payment_requests", "payment_request_not_found"),
    ],
)
def test_what_is_not_there_is_named(api: ApiClient, path: str, code: str) -> None:
    for public_id in ("no-id", "5f0c7f6e-5d3a-4c43-9d3c-3d1f0e6f2c11"):
        found = api.read(f"{path}/{public_id}")
        assert (found.status_code, found.json()) == (404, {"status": 404, "error": "Not Found", "code": code})
    listed = api.read(path)
    if path != "wallet_transactions":
        meta = {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0}
        assert listed.json()["meta"] == meta


REFUSED: dict[str, tuple[Any, int, Any]] = {
    "payment_requests": ({"payment_request": {"email": "x"}}, 422, {"external_customer_id": ["value_is_mandatory"]}),
    "payments": ({"payment": {"amount_cents": 1}}, 422, {"invoice_id": ["value_is_mandatory"]}),
    "credit_notes": ({"credit_note": {"reason": "other"}}, 422, {"invoice_id": ["value_is_mandatory"]}),
    "wallets": ({"wallet": {"currency": "EUR"}}, 422, {"rate_amount": ["value_is_mandatory"]}),
    "wallet_transactions": ({"wallet_transaction": {"name": "x"}}, 422, {"wallet_id": ["value_is_mandatory"]}),
    "invoices": ({"invoice": {"currency": "EUR"}}, 422, {"external_customer_id": ["value_is_mandatory"]}),
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_body_is_refused_by_its_root_and_then_by_its_fields(api: ApiClient, path: str) -> None:
    content, status, details = REFUSED[path]
    rootless = api.call("post", path, {"other": 1})
    assert (rootless.status_code, rootless.json()["status"]) == (400, 400)
    assert rootless.json()["error"].startswith("BadRequest: param is missing or the value is empty or invalid: ")
    refused = api.call("post", path, content)
    assert (refused.status_code, refused.json()["code"]) == (status, "validation_errors")
    assert details.items() <= refused.json()["error_details"].items()
